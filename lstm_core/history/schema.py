"""
How does a history lie in its database, and how is one opened?

Table `RUNS` has a row for each run, with a column for every field of its experiment, to choose by; `CURVES` are apart,
so that a list of runs does not read them, and so are the `WEIGHTS` of those runs that were asked for theirs.
"""

import dataclasses
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from lstm_core.experiment import YOUNGER, Experiment

SCHEMA = 5
PLACE = "GRADIENT_HIGHWAY_HISTORY"
BUSY_SECONDS, CONNECT_SECONDS = 60, 10
# Any number: whoever opens the same database takes the same lock.
OPENING_LOCK = 0x6772616468776179
INSERTS: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}

History = sa.Engine


class UnavailableError(Exception):
    """The history cannot be opened, read or written; the text says why, in one line."""


class NewerError(UnavailableError):
    """A later version of the program has written this history."""


# What a run tells of its experiment under another name: these two are also said of the run.
RENAMED = {"steps": "most_steps", "engine": "engine_asked"}
# Younger than the other fields.
OF_SERIES, OF_STREAM = ("series", "horizon"), ("stream",)
PLAIN = ("computed_by", "ended", "last_step", "final_mean_loss", "seconds", "stored", "versions", "reason")


def _is_text(spec: dataclasses.Field[Any]) -> bool:
    """`forget_bias` is text: it may be a word."""
    return isinstance(spec.default, str | None) or bool(spec.metadata.get("word"))


def _field_column(spec: dataclasses.Field[Any]) -> sa.Column[Any]:
    kinds: dict[type, sa.types.TypeEngine[Any]] = {bool: sa.Boolean(), int: sa.BigInteger(), float: sa.Double()}
    return sa.Column(RENAMED.get(spec.name, spec.name), sa.Text() if _is_text(spec) else kinds[type(spec.default)])


FIELDS = {spec.name: _field_column(spec) for spec in dataclasses.fields(Experiment)}
_TEXT_FIELDS = {spec.name for spec in dataclasses.fields(Experiment) if _is_text(spec)}
_metadata = sa.MetaData()
_version = sa.Table("schema_version", _metadata, sa.Column("version", sa.Integer, primary_key=True))
RUNS = sa.Table(
    "runs",
    _metadata,
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
    _metadata,
    sa.Column("key", sa.String(16), primary_key=True),
    sa.Column("computed_by", sa.String(16), primary_key=True),
    sa.Column("points", sa.Integer, nullable=False),
    sa.Column("numbers", sa.LargeBinary, nullable=False),
)
WEIGHTS = sa.Table(
    "weights",
    _metadata,
    sa.Column("key", sa.String(16), primary_key=True),
    sa.Column("computed_by", sa.String(16), primary_key=True),
    sa.Column("numbers", sa.LargeBinary, nullable=False),
)


def open_history(url: str | None = None) -> History:
    """
    The history at a SQLAlchemy URL of SQLite or PostgreSQL; by default at the one that the environment variable
    `GRADIENT_HIGHWAY_HISTORY` tells, or else in a file in the user's data folder. It is made, or brought up to the
    present schema, where need be.

    Raises `UnavailableError` where it cannot be written, and `NewerError` for one of a later schema.
    """
    try:
        place = sa.make_url(url or os.environ.get(PLACE) or _own_file())
        name = place.get_backend_name()
        if name not in INSERTS:
            raise UnavailableError(f"history: {name} is neither sqlite nor postgresql")
        waiting = {"timeout": BUSY_SECONDS} if name == "sqlite" else {"connect_timeout": CONNECT_SECONDS}
        history = sa.create_engine(place, pool_pre_ping=True, connect_args=waiting)
    except (sa.exc.SQLAlchemyError, OSError, ValueError, ImportError) as error:
        raise UnavailableError(f"history: {_first_line(error)}") from None
    if name == "sqlite":
        sa.event.listen(history, "connect", _prepare_sqlite)
        sa.event.listen(history, "begin", _begin_sqlite)
    try:
        with transaction(history, writing=True) as connection:
            _update_schema(connection)
    except UnavailableError:
        history.dispose()
        raise
    return history


def _own_file() -> sa.URL:
    root = Path(os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share"))
    folder = root / "gradient-highway"
    folder.mkdir(parents=True, exist_ok=True)
    return sa.URL.create("sqlite", database=str(folder / "history.sqlite"))


def _prepare_sqlite(connection: Any, _: Any) -> None:
    """Transactions are begun by `_begin_sqlite` alone; readers do not wait for a writer, nor it for them."""
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode = WAL").close()


def _begin_sqlite(connection: sa.Connection) -> None:
    """Who will write waits for its turn here: a reader that turns writer would be refused at once."""
    writing = connection.get_execution_options().get("writing")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _first_line(error: BaseException) -> str:
    """What the database itself said."""
    message = str(getattr(error, "orig", None) or error) or type(error).__name__
    return message.strip().splitlines()[0]


@contextmanager
def transaction(history: History, writing: bool = False) -> Iterator[sa.Connection]:
    try:
        with history.connect().execution_options(writing=writing) as connection, connection.begin():
            yield connection
    except sa.exc.SQLAlchemyError as error:
        place = history.url.render_as_string(hide_password=True)
        raise UnavailableError(f"history at {place}: {_first_line(error)}") from error


def _update_schema(connection: sa.Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(OPENING_LOCK)))
    if not sa.inspect(connection).has_table(_version.name):
        _metadata.create_all(connection)
        connection.execute(_version.insert().values(version=SCHEMA))
        return
    version = connection.execute(sa.select(_version.c.version)).scalar_one()
    if version > SCHEMA:
        raise NewerError(f"history: its schema is version {version}, this program knows {SCHEMA}; update the program")
    for known in range(version, SCHEMA):
        MIGRATIONS[known](connection)
    # Even where nothing has changed: whoever may not write learns it now.
    connection.execute(_version.update().values(version=SCHEMA))


def _add_columns(connection: sa.Connection, names: Iterable[str]) -> None:
    for name in names:
        definition = sa.schema.CreateColumn(FIELDS[name]).compile(dialect=connection.dialect)
        connection.exec_driver_sql(f"ALTER TABLE runs ADD COLUMN {definition}")


def _add_fields(connection: sa.Connection) -> None:
    """Version 1 knew the fields of an experiment by its JSON alone, and had to read every row to choose by them."""
    first = [name for name in FIELDS if name not in (*OF_SERIES, *OF_STREAM)]
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


def _add_meaning(connection: sa.Connection, names: Iterable[str]) -> None:
    """Columns that say of every run what it means that its experiment has no such fields."""
    _add_columns(connection, names)
    connection.execute(RUNS.update().values({name: YOUNGER[name] for name in names}))


MIGRATIONS = {1: _add_fields, 2: _add_weights, 3: _add_series, 4: _add_stream}


def field_value(name: str, value: Any) -> Any:
    return str(value) if name in _TEXT_FIELDS and value is not None else value


def field_values(stored: Mapping[str, Any]) -> dict[str, Any]:
    """What stands in the columns of an experiment's fields."""
    return {
        RENAMED.get(spec.name, spec.name): field_value(spec.name, stored.get(spec.name, spec.default))
        for spec in dataclasses.fields(Experiment)
    }
