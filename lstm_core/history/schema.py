"""
How does a history lie in its database, and how is one of an earlier version brought up to date?

Table `RUNS` has a row for each run, with a column for every field of its experiment, to choose by; `CURVES` are apart,
so that a list of runs does not read them, and so are the `WEIGHTS` of those runs that were asked for theirs. `LEASES`
are of runs that are under way.
"""

import dataclasses
import json
from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from lstm_core.experiment import YOUNGER, Experiment

SCHEMA = 8
INSERTS: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}

# What a run tells of its experiment under another name: these two are also said of the run.
RENAMED = {"steps": "most_steps", "engine": "engine_asked"}
# Younger than the other fields.
OF_SERIES, OF_STREAM, OF_VIEW = ("series", "horizon"), ("stream",), ("log", "difference", "fold", "folds")
OF_CELL = ("forget_activation", "stabilised", "layer_norm", "zoneout_h", "zoneout_c")
PLAIN = ("computed_by", "ended", "last_step", "final_mean_loss", "seconds", "stored", "versions", "reason")


def _is_text(spec: dataclasses.Field[Any]) -> bool:
    """`forget_bias` is text: it may be a word."""
    return isinstance(spec.default, str | None) or bool(spec.metadata.get("word"))


def _field_column(spec: dataclasses.Field[Any]) -> sa.Column[Any]:
    kinds: dict[type, sa.types.TypeEngine[Any]] = {bool: sa.Boolean(), int: sa.BigInteger(), float: sa.Double()}
    return sa.Column(RENAMED.get(spec.name, spec.name), sa.Text() if _is_text(spec) else kinds[type(spec.default)])


FIELDS = {spec.name: _field_column(spec) for spec in dataclasses.fields(Experiment)}
# Of the columns that are read.
NULLABLE = {
    "final_mean_loss",
    "reason",
    *(spec.name for spec in dataclasses.fields(Experiment) if spec.default is None),
}
_TEXT_FIELDS = {spec.name for spec in dataclasses.fields(Experiment) if _is_text(spec)}
METADATA = sa.MetaData()
VERSION = sa.Table("schema_version", METADATA, sa.Column("version", sa.Integer, primary_key=True))
RUNS = sa.Table(
    "runs",
    METADATA,
    sa.Column("key", sa.String(16), primary_key=True),
    sa.Column("computed_by", sa.String(16), primary_key=True),
    sa.Column("experiment", sa.Text, nullable=False),
    sa.Column("ended", sa.String(16), nullable=False),
    sa.Column("last_step", sa.BigInteger, nullable=False),
    sa.Column("final_mean_loss", sa.Double),
    sa.Column("seconds", sa.Double, nullable=False),
    sa.Column("stored", sa.BigInteger, nullable=False),
    sa.Column("versions", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    *FIELDS.values(),
)
CURVES = sa.Table(
    "curves",
    METADATA,
    sa.Column("key", sa.String(16), primary_key=True),
    sa.Column("computed_by", sa.String(16), primary_key=True),
    sa.Column("points", sa.Integer, nullable=False),
    sa.Column("numbers", sa.LargeBinary, nullable=False),
)
WEIGHTS = sa.Table(
    "weights",
    METADATA,
    sa.Column("key", sa.String(16), primary_key=True),
    sa.Column("computed_by", sa.String(16), primary_key=True),
    sa.Column("numbers", sa.LargeBinary, nullable=False),
)
LEASES = sa.Table(
    "leases",
    METADATA,
    sa.Column("key", sa.String(16), primary_key=True),
    sa.Column("holder", sa.Text, nullable=False),
    sa.Column("until", sa.Double, nullable=False),
)


def _add_columns(connection: sa.Connection, names: Iterable[str]) -> None:
    for name in names:
        definition = sa.schema.CreateColumn(FIELDS[name]).compile(dialect=connection.dialect)
        connection.exec_driver_sql(f"ALTER TABLE runs ADD COLUMN {definition}")


def _add_fields(connection: sa.Connection) -> None:
    """Version 1 knew the fields of an experiment by its JSON alone, and had to read every row to choose by them."""
    first = [name for name in FIELDS if name not in (*OF_SERIES, *OF_STREAM, *OF_VIEW, *OF_CELL)]
    _add_columns(connection, first)
    columns = {RENAMED.get(name, name) for name in first}
    rows = connection.execute(sa.select(RUNS.c.key, RUNS.c.computed_by, RUNS.c.experiment)).all()
    for key, computed_by, experiment in rows:
        this = (RUNS.c.key == key) & (RUNS.c.computed_by == computed_by)
        values = field_values(json.loads(experiment))
        connection.execute(RUNS.update().where(this).values({name: values[name] for name in columns}))


def _add_weights(connection: sa.Connection) -> None:
    """Version 2 kept no weights."""
    WEIGHTS.create(connection)


def _add_series(connection: sa.Connection) -> None:
    """Before, there was nothing to forecast."""
    _add_meaning(connection, OF_SERIES)


def _add_stream(connection: sa.Connection) -> None:
    """Until version 4, seeds gave other random numbers."""
    _add_meaning(connection, OF_STREAM)


def _add_leases(connection: sa.Connection) -> None:
    """Before version 6, two sweeps at once trained the same runs."""
    LEASES.create(connection)


def _add_view(connection: sa.Connection) -> None:
    """Before version 7, a series was forecast as it is, and tested once."""
    _add_meaning(connection, OF_VIEW)


def _add_cells(connection: sa.Connection) -> None:
    """Before version 8, no gate was an exponential function, no cell was normalised, and none kept states by chance."""
    _add_meaning(connection, OF_CELL)


def _add_meaning(connection: sa.Connection, names: Iterable[str]) -> None:
    """Columns that say of every run what it means that its experiment has no such fields."""
    _add_columns(connection, names)
    connection.execute(RUNS.update().values({name: YOUNGER[name] for name in names}))


MIGRATIONS = {
    1: _add_fields,
    2: _add_weights,
    3: _add_series,
    4: _add_stream,
    5: _add_leases,
    6: _add_view,
    7: _add_cells,
}


def field_value(name: str, value: Any) -> Any:
    return str(value) if name in _TEXT_FIELDS and value is not None else value


def field_values(stored: Mapping[str, Any]) -> dict[str, Any]:
    """What stands in the columns of an experiment's fields."""
    return {
        RENAMED.get(spec.name, spec.name): field_value(spec.name, stored.get(spec.name, spec.default))
        for spec in dataclasses.fields(Experiment)
    }
