"""
Which runs have been finished? They stay in a database, by experiment and engine.

Table `runs` has a row for each, with a column for every field of its experiment, to choose by; `curves` are apart, so
that a list of runs does not read them. A run and its curves are written in one transaction.
"""

import dataclasses
import json
import math
import os
import struct
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from lstm_core.cells import choose
from lstm_core.experiment import Experiment
from lstm_core.records import Curves, Record
from lstm_core.runs import FAILED
from lstm_core.tables import column

SCHEMA = 2
PLACE = "GRADIENT_HIGHWAY_HISTORY"
BUSY_SECONDS, CONNECT_SECONDS = 60, 10
AT_A_TIME = 500
# Any number: whoever opens the same database takes the same lock.
OPENING_LOCK = 0x6772616468776179
INSERTS: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}

History = sa.Engine


class UnavailableError(Exception):
    """The history cannot be opened, read or written; the text says why, in one line."""


class NewerError(UnavailableError):
    """A later version of the program has written this history."""


class Outcome(NamedTuple):
    """How a run ended, at which step, and with which mean of its last 20 losses."""

    ended: str
    last_step: int
    final_mean_loss: float


# What a run tells of its experiment under another name: these two are also said of the run.
RENAMED = {"steps": "most_steps", "engine": "engine_asked"}
_PLAIN = ("computed_by", "ended", "last_step", "final_mean_loss", "seconds", "stored", "versions", "reason")


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
_runs = sa.Table(
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
_curves = sa.Table(
    "curves",
    _metadata,
    sa.Column("key", sa.String(16), primary_key=True),
    sa.Column("computed_by", sa.String(16), primary_key=True),
    sa.Column("points", sa.Integer, nullable=False),
    sa.Column("numbers", sa.LargeBinary, nullable=False),
)
_listed = [one for one in _runs.columns if one.name != "experiment"]
LISTED = tuple(str(one.name) for one in _listed)


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
        with _transaction(history, writing=True) as connection:
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
    told = str(getattr(error, "orig", None) or error) or type(error).__name__
    return told.strip().splitlines()[0]


@contextmanager
def _transaction(history: History, writing: bool = False) -> Iterator[sa.Connection]:
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


def _add_fields(connection: sa.Connection) -> None:
    """Version 1 knew the fields of an experiment by its JSON alone, and had to read every row to choose by them."""
    for field in FIELDS.values():
        definition = sa.schema.CreateColumn(field).compile(dialect=connection.dialect)
        connection.exec_driver_sql(f"ALTER TABLE runs ADD COLUMN {definition}")
    rows = connection.execute(sa.select(_runs.c.key, _runs.c.computed_by, _runs.c.experiment)).all()
    for key, computed_by, experiment in rows:
        this = (_runs.c.key == key) & (_runs.c.computed_by == computed_by)
        connection.execute(_runs.update().where(this).values(_field_values(json.loads(experiment))))


MIGRATIONS = {1: _add_fields}


def _field_value(name: str, value: Any) -> Any:
    return str(value) if name in _TEXT_FIELDS and value is not None else value


def _field_values(told: Mapping[str, Any]) -> dict[str, Any]:
    """What stands in the columns of an experiment's fields."""
    return {
        RENAMED.get(spec.name, spec.name): _field_value(spec.name, told.get(spec.name, spec.default))
        for spec in dataclasses.fields(Experiment)
    }


def store(history: History, records: Iterable[Record]) -> int:
    """
    Keep these runs, all or, where that fails, none; the number of those that were new.

    A run that is there already is left as it is, unless it has failed: then the new one takes its place.
    """
    with _transaction(history, writing=True) as connection:
        return sum(_store(connection, record) for record in records)


def _store(connection: sa.Connection, record: Record) -> int:
    key = record.experiment.key
    failed_here = sa.select(_runs.c.computed_by).where(_runs.c.key == key, _runs.c.ended == FAILED)
    connection.execute(_curves.delete().where(_curves.c.key == key, _curves.c.computed_by.in_(failed_here)))
    connection.execute(_runs.delete().where(_runs.c.key == key, _runs.c.ended == FAILED))
    identity = {"key": key, "computed_by": record.computed_by}
    values = {name: getattr(record, name) for name in _PLAIN}
    row = {**identity, **values, "experiment": record.experiment.to_json(), **_field_values(vars(record.experiment))}
    insert = INSERTS[connection.dialect.name](_runs).values(row).on_conflict_do_nothing()
    if not connection.execute(insert.returning(_runs.c.key)).all():
        return 0
    points, numbers = len(record.curves.steps), _packed(record.curves)
    connection.execute(_curves.insert().values(**identity, points=points, numbers=numbers))
    return 1


def _packed(curves: Curves) -> bytes:
    """The steps as whole numbers of 8 bytes, then the curves in double precision, all little-endian, and compressed."""
    points = len(curves.steps)
    return zlib.compress(struct.pack(f"<{points}q{2 * points}d", *curves.steps, *curves.mean_loss, *curves.grad_norm))


def _unpacked(points: int, numbers: bytes) -> Curves:
    values = struct.unpack(f"<{points}q{2 * points}d", zlib.decompress(numbers))
    return Curves(values[:points], values[points : 2 * points], values[2 * points :])


def runs(history: History, **wanted: Any) -> pa.Table:
    """
    The runs whose columns have these values, the latest first, without their curves: one column for each of `Record`'s
    plain fields, `key`, and one for every field of an experiment, of which `steps` is called `most_steps` and `engine`
    `engine_asked`. `forget_bias` is text. A list, tuple or set stands for any of its values.

    Raises ValueError for a column that there is not.
    """
    query = sa.select(*_listed).order_by(_runs.c.stored.desc(), _runs.c.key)
    for name, value in wanted.items():
        name = RENAMED.get(name, name)
        choose("column", name, LISTED)
        options = value if isinstance(value, list | tuple | set) else [value]
        query = query.where(sa.or_(*(_runs.c[name] == _field_value(name, option) for option in options)))
    with _transaction(history) as connection:
        rows = connection.execute(query).all()
    columns = list(zip(*rows, strict=True)) or [()] * len(_listed)
    return pa.table(
        [_arrow(listed, values) for listed, values in zip(_listed, columns, strict=True)],
        names=LISTED,
    )


def _arrow(listed: sa.Column[Any], values: Sequence[Any]) -> pa.Array:
    if listed.name == "stored":
        return column(values, pa.int64()).cast(pa.timestamp("s", tz="UTC"))
    match listed.type:
        case sa.Boolean():
            return column(values, pa.int64()).cast(pa.bool_())
        case sa.BigInteger():
            return column(values, pa.int64())
        case sa.Double():
            return column([_number(value) for value in values], pa.float64())
    return column(values, pa.string())


def _number(value: float | None) -> float:
    """SQLite takes nan for nothing."""
    return math.nan if value is None else value


def outcomes(history: History) -> dict[str, Outcome]:
    """How every run ended, by the key of its experiment; where two engines computed it, the one that did not fail."""
    told = _runs.c.key, _runs.c.ended, _runs.c.last_step, _runs.c.final_mean_loss
    query = sa.select(*told).order_by(_runs.c.ended != FAILED, _runs.c.stored.desc())
    with _transaction(history) as connection:
        rows = connection.execute(query).all()
    return {key: Outcome(ended, last_step, _number(loss)) for key, ended, last_step, loss in rows}


def _in_parts(history: History, query: sa.Select[Any], keys: Collection[str] | None) -> Iterator[Any]:
    """A statement has only so many parameters."""
    asked = None if keys is None else sorted(set(keys))
    parts = [None] if asked is None else [asked[i : i + AT_A_TIME] for i in range(0, len(asked), AT_A_TIME)]
    for part in parts:
        with _transaction(history) as connection:
            yield from connection.execute(query if part is None else query.where(_curves.c.key.in_(part))).all()


def curves(history: History, keys: Collection[str]) -> dict[tuple[str, str], Curves]:
    """The curves of all runs of these experiments' keys, by key and engine."""
    told = _curves.c.key, _curves.c.computed_by, _curves.c.points, _curves.c.numbers
    rows = _in_parts(history, sa.select(*told), keys)
    return {(key, computed_by): _unpacked(points, numbers) for key, computed_by, points, numbers in rows}


def records(history: History, keys: Collection[str] | None = None) -> Iterator[Record]:
    """All that is kept of the runs of these experiments' keys, or of all runs."""
    joined = (_runs.c.key == _curves.c.key) & (_runs.c.computed_by == _curves.c.computed_by)
    told = [_runs.c[name] for name in _PLAIN]
    query = sa.select(_runs.c.experiment, _curves.c.points, _curves.c.numbers, *told).join(_curves, joined)
    for experiment, points, numbers, *plain in _in_parts(history, query, keys):
        values = dict(zip(_PLAIN, plain, strict=True))
        values["final_mean_loss"] = _number(values["final_mean_loss"])
        yield Record(Experiment.from_json(experiment), **values, curves=_unpacked(points, numbers))
