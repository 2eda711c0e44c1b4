"""Which runs have been finished? A run and its curves are written to the database in one transaction."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import pyarrow as pa
import sqlalchemy as sa

from lstm_core.borrowed.arrow import column
from lstm_core.cells import choose
from lstm_core.history.opening import History, transaction
from lstm_core.history.records import Curves, Record
from lstm_core.history.rows import as_record, check, fits, leaving_out, number, packed, raw, unpacked
from lstm_core.history.schema import CURVES, INSERTS, PLAIN, RENAMED, RUNS, WEIGHTS, field_value, field_values
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

    A run that is there already is left as it is, unless it has failed, or is damaged: then the new one takes its place.
    Weights are kept beside a run that was stored without.
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
        if not _damaged(connection, key, record.computed_by):
            return 0
        this = (RUNS.c.key == key) & (RUNS.c.computed_by == record.computed_by)
        connection.execute(RUNS.delete().where(this))
        connection.execute(RUNS.insert(), row)
    connection.execute(CURVES.delete().where(CURVES.c.key == key, CURVES.c.computed_by == record.computed_by))
    points, numbers = len(record.curves.steps), packed(record.curves)
    connection.execute(CURVES.insert(), {**identity, "points": points, "numbers": numbers})
    return 1


_JOINED = (RUNS.c.key == CURVES.c.key) & (RUNS.c.computed_by == CURVES.c.computed_by)
_WHOLE = sa.select(
    raw(RUNS.c.key),
    raw(RUNS.c.experiment),
    raw(CURVES.c.points),
    raw(CURVES.c.numbers),
    *(raw(RUNS.c[n]) for n in PLAIN),
).select_from(RUNS.outerjoin(CURVES, _JOINED))


def _damaged(connection: sa.Connection, key: str, computed_by: str) -> bool:
    query = _WHOLE.where(RUNS.c.key == key, RUNS.c.computed_by == computed_by)
    _, experiment, points, numbers, *plain = connection.execute(query).one()
    try:
        as_record(experiment, plain, points, numbers)
    except ValueError:
        return True
    return False


def runs(history: History, left_out: set[str] | None = None, **wanted: Any) -> pa.Table:
    """
    The runs whose columns have these values, the latest first, without their curves: one column for each of `Record`'s
    plain fields, `key`, and one for every field of an experiment, of which `steps` is called `most_steps` and `engine`
    `engine_asked`. `forget_bias` is text. A list, tuple or set stands for any of its values.

    Here and below, runs that are damaged are left out, and `left_out` is told which, and why. Raises ValueError for a
    column that there is not.
    """
    query = sa.select(*map(raw, _listed)).order_by(RUNS.c.stored.desc(), RUNS.c.key)
    for name, value in wanted.items():
        name = RENAMED.get(name, name)
        choose("column", name, LISTED)
        options = value if isinstance(value, list | tuple | set) else [value]
        query = query.where(sa.or_(*(RUNS.c[name] == field_value(name, option) for option in options)))
    with transaction(history) as connection:
        found = connection.execute(query).all()
    columns = list(zip(*_sound(found, left_out), strict=True)) or [()] * len(_listed)
    return pa.table(
        [_arrow(listed, values) for listed, values in zip(_listed, columns, strict=True)],
        names=LISTED,
    )


def _sound(found: Sequence[Sequence[Any]], left_out: set[str] | None) -> Sequence[Sequence[Any]]:
    """Rows of `LISTED`, of which a value that comes again and again is looked at once."""
    columns = zip(LISTED, zip(*found, strict=True), strict=False)
    if all(fits(name, value) for name, values in columns for value in set(values)):
        return found
    sound = []
    for row in found:
        with leaving_out(left_out, *row[:2]):
            check(LISTED, row)
            sound.append(row)
    return sound


def _arrow(listed: sa.Column[Any], values: Sequence[Any]) -> pa.Array:
    if listed.name == "stored":
        return column(values, pa.int64()).cast(pa.timestamp("s", tz="UTC"))
    match listed.type:
        case sa.Boolean():
            return column(values, pa.int64()).cast(pa.bool_())
        case sa.BigInteger():
            return column(values, pa.int64())
        case sa.Double():
            return column([number(value) for value in values], pa.float64())
    return column(values, pa.string())


def outcomes(
    history: History, keys: Collection[str] | None = None, left_out: set[str] | None = None
) -> dict[str, Outcome]:
    """
    How the runs of these experiments' keys ended, or all runs, by key; where two engines computed one, the one that did
    not fail.
    """
    names = ("ended", "last_step", "final_mean_loss")
    query = sa.select(*(raw(RUNS.c[name]) for name in ("key", "computed_by", *names)))
    ended = {}
    for key, computed_by, *values in _in_parts(
        history, query.order_by(RUNS.c.ended != FAILED, RUNS.c.stored.desc()), keys
    ):
        with leaving_out(left_out, key, computed_by):
            check(names, values)
            ended[key] = Outcome(values[0], values[1], number(values[2]))
    return ended


def _in_parts(history: History, query: sa.Select[Any], keys: Collection[str] | None) -> Iterator[Any]:
    """A statement has only so many parameters."""
    asked = None if keys is None else sorted(set(keys))
    parts = [None] if asked is None else [asked[i : i + AT_A_TIME] for i in range(0, len(asked), AT_A_TIME)]
    for part in parts:
        with transaction(history) as connection:
            key = query.selected_columns["key"]
            yield from connection.execute(query if part is None else query.where(key.in_(part))).all()


def curves(history: History, keys: Collection[str], left_out: set[str] | None = None) -> dict[tuple[str, str], Curves]:
    """The curves of all runs of these experiments' keys, by key and engine."""
    query, found = sa.select(*map(raw, CURVES.columns)), {}
    for key, computed_by, points, numbers in _in_parts(history, query, keys):
        with leaving_out(left_out, key, computed_by):
            found[key, computed_by] = unpacked(points, numbers)
    return found


def with_weights(history: History) -> set[str]:
    """The keys of the experiments whose weights at the end are kept."""
    with transaction(history) as connection:
        return {key for (key,) in connection.execute(sa.select(WEIGHTS.c.key)).all()}


def weights(history: History, keys: Collection[str]) -> dict[tuple[str, str], bytes]:
    """Those that are kept of these experiments' keys, by key and engine, see `Record`."""
    columns = WEIGHTS.c.key, WEIGHTS.c.computed_by, WEIGHTS.c.numbers
    return {(key, computed_by): numbers for key, computed_by, numbers in _in_parts(history, sa.select(*columns), keys)}


def records(
    history: History, keys: Collection[str] | None = None, left_out: set[str] | None = None
) -> Iterator[Record]:
    """All that is kept of the runs of these experiments' keys, or of all runs, but for weights."""
    for key, experiment, points, numbers, *plain in _in_parts(history, _WHOLE, keys):
        with leaving_out(left_out, key, plain[0]):
            yield as_record(experiment, plain, points, numbers)
