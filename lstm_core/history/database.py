"""Which runs have been finished? A run and its curves are written to the database in one transaction."""

import math
import struct
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import pyarrow as pa
import sqlalchemy as sa

from lstm_core.borrowed.arrow import column
from lstm_core.cells import choose
from lstm_core.experiment import Experiment
from lstm_core.history.records import Curves, Record
from lstm_core.history.schema import (
    CURVES,
    INSERTS,
    PLAIN,
    RENAMED,
    RUNS,
    WEIGHTS,
    History,
    field_value,
    field_values,
    transaction,
)
from lstm_core.race.runs import FAILED

AT_A_TIME = 500
_listed = [one for one in RUNS.columns if one.name != "experiment"]
LISTED = tuple(str(one.name) for one in _listed)


class Outcome(NamedTuple):
    """How a run ended, at which step, and with which mean of its last 20 losses."""

    ended: str
    last_step: int
    final_mean_loss: float


def store(history: History, records: Iterable[Record]) -> int:
    """
    Keep these runs, all or, where that fails, none; the number of those that were new.

    A run that is there already is left as it is, unless it has failed: then the new one takes its place. Weights are
    kept beside a run that was stored without.
    """
    with transaction(history, writing=True) as connection:
        return sum(_store(connection, record) for record in records)


# Statements are made once: to make one takes longer than to carry it out.
_KEY: sa.BindParameter[str] = sa.bindparam("of")
_FAILED_HERE = sa.select(RUNS.c.computed_by).where(RUNS.c.key == _KEY, RUNS.c.ended == FAILED)
_DROP_CURVES = CURVES.delete().where(CURVES.c.key == _KEY, CURVES.c.computed_by.in_(_FAILED_HERE))
_DROP_RUN = RUNS.delete().where(RUNS.c.key == _KEY, RUNS.c.ended == FAILED)
_NEW_RUN = {name: insert(RUNS).on_conflict_do_nothing().returning(RUNS.c.key) for name, insert in INSERTS.items()}
_NEW_WEIGHTS = {name: insert(WEIGHTS).on_conflict_do_nothing() for name, insert in INSERTS.items()}


def _store(connection: sa.Connection, record: Record) -> int:
    key, dialect = record.experiment.key, connection.dialect.name
    connection.execute(_DROP_CURVES, {"of": key})
    connection.execute(_DROP_RUN, {"of": key})
    identity = {"key": key, "computed_by": record.computed_by}
    values = {name: getattr(record, name) for name in PLAIN}
    row = {**identity, **values, "experiment": record.experiment.to_json(), **field_values(vars(record.experiment))}
    if record.weights and record.ended != FAILED:
        connection.execute(_NEW_WEIGHTS[dialect], {**identity, "numbers": record.weights})
    if not connection.execute(_NEW_RUN[dialect], row).all():
        return 0
    points, numbers = len(record.curves.steps), _packed(record.curves)
    connection.execute(CURVES.insert(), {**identity, "points": points, "numbers": numbers})
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
    query = sa.select(*_listed).order_by(RUNS.c.stored.desc(), RUNS.c.key)
    for name, value in wanted.items():
        name = RENAMED.get(name, name)
        choose("column", name, LISTED)
        options = value if isinstance(value, list | tuple | set) else [value]
        query = query.where(sa.or_(*(RUNS.c[name] == field_value(name, option) for option in options)))
    with transaction(history) as connection:
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
    columns = RUNS.c.key, RUNS.c.ended, RUNS.c.last_step, RUNS.c.final_mean_loss
    query = sa.select(*columns).order_by(RUNS.c.ended != FAILED, RUNS.c.stored.desc())
    with transaction(history) as connection:
        rows = connection.execute(query).all()
    return {key: Outcome(ended, last_step, _number(loss)) for key, ended, last_step, loss in rows}


def _in_parts(history: History, query: sa.Select[Any], keys: Collection[str] | None) -> Iterator[Any]:
    """A statement has only so many parameters."""
    asked = None if keys is None else sorted(set(keys))
    parts = [None] if asked is None else [asked[i : i + AT_A_TIME] for i in range(0, len(asked), AT_A_TIME)]
    for part in parts:
        with transaction(history) as connection:
            key = query.selected_columns["key"]
            yield from connection.execute(query if part is None else query.where(key.in_(part))).all()


def curves(history: History, keys: Collection[str]) -> dict[tuple[str, str], Curves]:
    """The curves of all runs of these experiments' keys, by key and engine."""
    columns = CURVES.c.key, CURVES.c.computed_by, CURVES.c.points, CURVES.c.numbers
    rows = _in_parts(history, sa.select(*columns), keys)
    return {(key, computed_by): _unpacked(points, numbers) for key, computed_by, points, numbers in rows}


def with_weights(history: History) -> set[str]:
    """The keys of the experiments whose weights at the end are kept."""
    with transaction(history) as connection:
        return {key for (key,) in connection.execute(sa.select(WEIGHTS.c.key)).all()}


def weights(history: History, keys: Collection[str]) -> dict[tuple[str, str], bytes]:
    """Those that are kept of these experiments' keys, by key and engine, see `Record`."""
    columns = WEIGHTS.c.key, WEIGHTS.c.computed_by, WEIGHTS.c.numbers
    return {(key, computed_by): numbers for key, computed_by, numbers in _in_parts(history, sa.select(*columns), keys)}


def records(history: History, keys: Collection[str] | None = None) -> Iterator[Record]:
    """All that is kept of the runs of these experiments' keys, or of all runs, but for weights."""
    joined = (RUNS.c.key == CURVES.c.key) & (RUNS.c.computed_by == CURVES.c.computed_by)
    columns = [RUNS.c[name] for name in PLAIN]
    query = sa.select(CURVES.c.key, RUNS.c.experiment, CURVES.c.points, CURVES.c.numbers, *columns).join(CURVES, joined)
    for _, experiment, points, numbers, *plain in _in_parts(history, query, keys):
        values = dict(zip(PLAIN, plain, strict=True))
        values["final_mean_loss"] = _number(values["final_mean_loss"])
        yield Record(Experiment.from_json(experiment), **values, curves=_unpacked(points, numbers))
