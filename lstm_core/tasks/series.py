"""
What is a series, and by whom is it known? Everybody knows the rows of `SERIES` by name. A visitor's own is known by its
content, as "csv:" and 16 hexadecimal digits, for as long as somebody holds on to it: this module does not.
"""

import hashlib
import math
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import NamedTuple
from weakref import WeakValueDictionary

import pyarrow as pa
import torch
from torch import Tensor

from lstm_core.tasks.numbers import check_changes, check_marks, check_numbers
from lstm_core.tasks.once import once
from lstm_core.tasks.public import SERIES
from lstm_core.tasks.scaling import moments

TRAIN_SHARE, VALIDATION_SHARE = 0.7, 0.15
SHORTEST = 20
# What is missing is filled with the value before it, or no window of a forecast has it.
FILLED, LEFT_OUT = "fill", "leave"
GAPS = (FILLED, LEFT_OUT)
MOST_BESIDE = 9
# Its last digit is the number of columns beside it.
OWN = re.compile(rf"csv:[0-9a-f]{{16}}(?:\+([1-{MOST_BESIDE}]))?")


class Beside(NamedTuple):
    """A column that stands beside a series: as many values, of which a forecast sees those that its window has."""

    label: str
    values: tuple[float, ...]

    def scaled(self, train_end: int) -> Tensor:
        """All values, (N,), with mean 0 and variance 1 in the part to train on; in double precision."""
        mean, scale = moments(self.values[:train_end])
        return (torch.tensor(self.values, dtype=torch.float64) - mean) / scale


@dataclass(frozen=True, eq=False)
class Series:
    """
    Numbers at equal distances, split by time into 70 % to train on, 15 % to validate and 15 % to test, or at `ends`,
    the places of the first values that are not trained on and that are tested; `period` is their season in steps, 0 for
    none. Which of them are `known`, none for all: the others only stand in for what is missing, and `gaps`, of `GAPS`,
    says whether windows may have them. Networks see what stands `beside` them, too. Equal only to itself; `name` says
    what is in it.

    Raises ValueError for fewer than `SHORTEST` values, for one that is not finite or can only be a mark for a missing
    one, and where the first part does not change, also of what stands beside it.
    """

    label: str
    values: tuple[float, ...] = field(repr=False)
    period: int = 0
    times: pa.Array | None = field(default=None, repr=False)
    known: tuple[bool, ...] = field(default=(), repr=False)
    gaps: str = FILLED
    beside: tuple[Beside, ...] = field(default=(), repr=False)
    ends: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if len(self.values) < SHORTEST:
            raise ValueError(f"column {self.label[:40]!r}: {len(self.values)} values are fewer than {SHORTEST}")
        if len(self.beside) > MOST_BESIDE:
            raise ValueError(f"with: {len(self.beside)} columns are more than {MOST_BESIDE}")
        check_numbers(self.label, self.values)
        if not 0 <= self.period < len(self.values):
            raise ValueError(f"period: {self.period} is not a whole number from 0 to {len(self.values) - 1:,}")
        if self.gaps not in GAPS:
            raise ValueError(f"gaps: {self.gaps!r} is not one of {', '.join(GAPS)}")
        check_marks(self.label, self.values)
        check_changes(self.label, self._learned, self.train_end)
        for one in self.beside:
            check_numbers(one.label, one.values)
            check_marks(one.label, one.values)
            check_changes(one.label, one.values[: self.train_end], self.train_end)

    def check_positive(self) -> None:
        """ValueError, naming the first value that has no logarithm, and its time."""
        for place, value in enumerate(self.values):
            if value <= 0:
                time = f" ({self.times[place].as_py()[:40]})" if self.times is not None else ""
                raise ValueError(
                    f"log: column {self.label[:40]!r}: {value:g}, value {place + 1:,}{time}, is not above 0 and has no "
                    "logarithm"
                )

    @cached_property
    def name(self) -> str:
        """By its content, to which all belongs that anybody could see of it."""
        packed = struct.pack(f"<q{len(self.values)}d", self.period, *self.values) + self.label.encode()
        if self.known:
            packed += bytes(self.known) + self.gaps.encode()
        if self.times is not None:
            packed += "\n".join(self.times.to_pylist()).encode()
        for one in self.beside:
            packed += struct.pack(f"<{len(one.values)}d", *one.values) + one.label.encode()
        if self.ends:
            packed += struct.pack("<qq", *self.ends)
        beside = f"+{len(self.beside)}" if self.beside else ""
        return f"csv:{hashlib.sha256(packed).hexdigest()[:16]}{beside}"

    @property
    def train_end(self) -> int:
        """The place of the first value that is not trained on."""
        return self.ends[0] if self.ends else math.floor(TRAIN_SHARE * len(self.values))

    @property
    def validation_end(self) -> int:
        """The place of the first value of the test part."""
        return self.ends[1] if self.ends else math.floor((TRAIN_SHARE + VALIDATION_SHARE) * len(self.values) + 1e-9)

    def fold(self, number: int, folds: int) -> "Series":
        """
        The series as it was when the first of so many equal pieces of its test part had passed, or `number` of them:
        the last of these is tested, all before it is known, and as many values as in the whole series validate (rolling
        origin, Tashman 2000). ValueError for more folds than there are values to test.
        """
        return _fold(self, number, folds) if folds > 1 else self

    @property
    def _learned(self) -> Sequence[float]:
        """What is known of the part to train on."""
        part = self.values[: self.train_end]
        return [value for value, there in zip(part, self.known, strict=False) if there] if self.known else part

    @cached_property
    def _moments(self) -> tuple[float, float]:
        return moments(self._learned)

    @property
    def mean(self) -> float:
        """Of what is known of the part to train on, by which all are scaled."""
        return self._moments[0]

    @property
    def scale(self) -> float:
        """The standard deviation of what is known of the part to train on."""
        return self._moments[1]

    @cached_property
    def missing_before(self) -> Tensor:
        """How many values are missing before each place, and in all, (N + 1,)."""
        missing = torch.tensor([False, *(not there for there in self.known)])
        return missing.cumsum(0) if self.known else torch.zeros(len(self.values) + 1, dtype=torch.int64)

    @cached_property
    def scaled(self) -> Tensor:
        """All values, (N,), with mean 0 and variance 1 in the part to train on; in double precision."""
        return (torch.tensor(self.values, dtype=torch.float64) - self.mean) / self.scale


@once
def _fold(series: Series, number: int, folds: int) -> Series:
    first, tested = series.validation_end, len(series.values) - series.validation_end
    if folds > tested:
        raise ValueError(f"folds: {folds} are more than the {tested:,} values of the test part of {series.label}")
    begin, end = (number - 1) * tested // folds, number * tested // folds
    return replace(
        series,
        values=series.values[: first + end],
        period=series.period if series.period < first + end else 0,
        times=None if series.times is None else series.times[: first + end],
        known=series.known[: first + end],
        beside=tuple(Beside(one.label, one.values[: first + end]) for one in series.beside),
        ends=(series.train_end + begin, first + begin),
    )


_own: WeakValueDictionary[str, Series] = WeakValueDictionary()


@cache
def _common(name: str) -> Series:
    row = SERIES[name]
    read = row.read()
    return Series(row.label, read.values, row.period, known=read.known)


def register(series: Series) -> Series:
    """Make a visitor's own series known by its `name`; the one to hold on to, for as long as it is to be known."""
    return _own.setdefault(series.name, series)


def is_own(name: str) -> bool:
    """Whether a name is that of a visitor's own series, there or not."""
    return bool(OWN.fullmatch(name))


def number_beside(name: str) -> int:
    """How many columns stand beside the series of this name, there or not."""
    own = OWN.fullmatch(name)
    return int(own[1] or 0) if own else 0


def _absence(name: object) -> str:
    if isinstance(name, str) and is_own(name):
        return f"series: {name!r} is not here; it is of a file that has to be read first"
    return f"series: {name!r} is not one of {', '.join(SERIES)}, or csv: and 16 hexadecimal digits"


def check_known(name: str) -> None:
    """ValueError for a name that `known` refuses."""
    if not isinstance(name, str) or (name not in SERIES and name not in _own):
        raise ValueError(_absence(name))


def known(name: str) -> Series:
    """The series of a row of `SERIES`, or a visitor's own by its name; ValueError where there is none."""
    if name in SERIES:
        return _common(name)
    own = _own.get(name)
    if own is None:
        raise ValueError(_absence(name))
    return own
