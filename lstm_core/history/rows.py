"""Can a row of a history be read? One that is damaged is left out and named, and takes no other with it."""

import math
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from lstm_core.experiment import Experiment
from lstm_core.history.records import COMPUTED_BY, ENDINGS, MOST_POINTS, Curves, Record
from lstm_core.history.schema import NULLABLE, PLAIN, RUNS

_WIDTH = struct.calcsize("<q2d")


def raw(column: sa.Column[Any]) -> Any:
    """As the database has it: SQLite keeps anything in a column."""
    return sa.type_coerce(column, sa.types.NullType()).label(column.name)


def _kinds(column: sa.Column[Any]) -> tuple[type, ...]:
    kind = column.type.python_type
    return (kind, *([int] if kind in (bool, float) else []), *([type(None)] if column.name in NULLABLE else []))


_KINDS = {column.name: _kinds(column) for column in RUNS.columns}
_FLAGS = {column.name: (0, 1) for column in RUNS.columns if column.type.python_type is bool}
_WORDS: dict[str, Sequence[object]] = {"computed_by": COMPUTED_BY, "ended": ENDINGS, **_FLAGS}
_BEYOND = 2**40


def fits(name: str, value: Any) -> bool:
    """Whether it may stand in this column of `RUNS`. No whole number there is negative."""
    if not isinstance(value, _KINDS[name]) or (name in _WORDS and value not in _WORDS[name]):
        return False
    return not isinstance(value, int) or 0 <= value < _BEYOND


def check(names: Sequence[str], values: Sequence[Any]) -> None:
    """ValueError, naming the first of these columns of a run whose value does not fit."""
    for name, value in zip(names, values, strict=True):
        if not fits(name, value):
            raise ValueError(f"{name}: {value!r:.40} cannot stand there")


def number(value: float | None) -> float:
    """SQLite takes nan for nothing."""
    return math.nan if value is None else value


@contextmanager
def leaving_out(left_out: set[str] | None, key: object, computed_by: object) -> Iterator[None]:
    """Read a run; where it is damaged, tell it and the reason to those that are left out."""
    try:
        yield
    except ValueError as error:
        if left_out is not None:
            left_out.add(f"{key!s:.16} ({computed_by!s:.16}), {error}")


def packed(curves: Curves) -> bytes:
    """The steps as whole numbers of 8 bytes, then the curves in double precision, all little-endian, and compressed."""
    points = len(curves.steps)
    return zlib.compress(struct.pack(f"<{points}q{2 * points}d", *curves.steps, *curves.mean_loss, *curves.grad_norm))


def unpacked(points: Any, numbers: Any) -> Curves:
    """ValueError for anything else than what `packed` gives."""
    if not isinstance(points, int) or not 0 <= points <= MOST_POINTS or not isinstance(numbers, bytes | memoryview):
        raise ValueError(f"curves: {points!r:.40} points of {type(numbers).__name__} are none")
    size = points * _WIDTH
    try:
        # A few bytes may stand for any number of points.
        content = zlib.decompressobj().decompress(numbers, size + 1)
    except zlib.error as error:
        raise ValueError(f"curves: {error}") from None
    if len(content) != size:
        raise ValueError(f"curves: they are not {points} points")
    values = struct.unpack(f"<{points}q{2 * points}d", content)
    return Curves(values[:points], values[points : 2 * points], values[2 * points :])


def as_record(experiment: Any, plain: Sequence[Any], points: Any, numbers: Any) -> Record:
    """Of what `RUNS` has in `experiment` and `PLAIN` and `CURVES` in the others; ValueError where it is damaged."""
    check(("experiment", *PLAIN), (experiment, *plain))
    values = dict(zip(PLAIN, plain, strict=True))
    values["final_mean_loss"] = number(values["final_mean_loss"])
    try:
        tried = Experiment.from_json(experiment)
    except (TypeError, RecursionError) as error:
        raise ValueError(f"experiment: {error}") from None
    return Record(tried, **values, curves=unpacked(points, numbers))
