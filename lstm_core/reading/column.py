"""
What is one column of a file, as a series? Its numbers in the order of time, with room for what is missing.

What is missing is filled with the value before it, so that nothing that comes later in time enters what comes earlier,
and marked: it is never forecast, and counts nowhere.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lstm_core.borrowed.arrow import strings
from lstm_core.language import _, ngettext
from lstm_core.reading.calendar import Calendar, calendar
from lstm_core.reading.numbers import COMMA, DECIMAL_SIGNS, MISSING, NUMBER, POINT, AmbiguousError, Numbers, numbers
from lstm_core.reading.table import SEPARATORS, Table
from lstm_core.reading.times import NAMES, ORDERS, looks_like_times, times

COUNTS = frozenset(
    ("", "index", "idx", "id", "no", "no.", "nr", "nr.", "row", "#", "unnamed: 0", "번호", "순번", "番号")
)
WITHOUT_NAME = re.compile(r"column \d+")


class Column(NamedTuple):
    """
    `values` in the order of time; which of them are `known`, none for all; their `times` as the file writes them, ""
    where a row was missing; what is to be said of the reading; some `rows` as they were read: number, time, cell and
    value, which is nan for none; and the values of each column `beside` it, at the same times.
    """

    values: tuple[float, ...]
    known: tuple[bool, ...] = ()
    times: pa.Array | None = None
    report: str = ""
    rows: tuple[tuple[int, str, str, float], ...] = ()
    beside: tuple[tuple[float, ...], ...] = ()


@dataclass(frozen=True)
class Choices:
    """What somebody has said about a file that can be read in several ways: keys of `DECIMAL_SIGNS` and `ORDERS`."""

    decimal: str | None = None
    dates: str | None = None

    def __post_init__(self) -> None:
        for name, value, allowed in (("decimal", self.decimal, DECIMAL_SIGNS), ("dates", self.dates, ORDERS)):
            if value is not None and value not in allowed:
                raise ValueError(f"{name}: {value!r} is not one of {', '.join(allowed)}")


def guessed(table: Table) -> tuple[str, str | None]:
    """
    A column of numbers, or of some, and perhaps one of times, by the first rows. Times are called so, or are dates; a
    column that only counts the rows is neither. The first column where there are no numbers.
    """
    numeric, mixed, dated, counting = [], [], [], []
    for name, column in table.head().items():
        cells = [cell for cell in column if cell.casefold() not in MISSING]
        if not cells:
            continue
        plain = all(NUMBER.fullmatch(cell) for cell in cells)
        if name.casefold() in NAMES and (plain or looks_like_times(cells)):
            dated.append(name)
        elif plain and _counts(name, cells, table):
            counting.append(name)
        elif plain or _are_numbers(cells):
            numeric.append(name)
        elif looks_like_times(cells):
            dated.append(name)
        elif any(NUMBER.fullmatch(cell) for cell in cells):
            mixed.append(name)
    value = next(iter([*numeric, *mixed, *counting, *dated[1:]]), None)
    if value is None:
        return (dated or table.names)[0], None
    return value, next((name for name in dated if name != value), None)


def _counts(name: str, cells: Sequence[str], table: Table) -> bool:
    """Whether these are the numbers of the rows, by name or because they stand first."""
    called = name.casefold() in COUNTS or bool(WITHOUT_NAME.fullmatch(name))
    if not (called or name == table.names[0]) or cells[0] not in ("0", "1"):
        return False
    return all(cell.isdecimal() and len(cell) < 10 for cell in cells) and all(
        int(b) - int(a) == 1 for a, b in pairwise(cells)
    )


def _are_numbers(cells: Sequence[str]) -> bool:
    try:
        numbers(cells, str)
    except AmbiguousError:
        return True
    except ValueError:
        return False
    return True


def of_numbers(table: Table) -> tuple[str, ...]:
    """The columns that have numbers in their first rows and nothing else, missing ones aside."""
    found = []
    for name, column in table.head().items():
        cells = [cell for cell in column if cell.casefold() not in MISSING]
        if cells and _are_numbers(cells):
            found.append(name)
    return tuple(found)


def column(
    table: Table,
    name: str,
    time: str | None = None,
    choices: Choices = Choices(),
    beside: Sequence[str] = (),
) -> Column:
    """
    The numbers of a column in the order of the file, which a column of times has to rise in, and of those `beside` it.

    Raises ValueError, naming line and column, for what is not a number or not a time, and where nothing is, or nothing
    yet in a column beside it; AmbiguousError where `choices` have to say more.
    """
    for one in (name, *([time] if time else []), *beside):
        table.check(one)
    for place, one in enumerate(beside):
        if one == name or one in beside[:place]:
            raise ValueError(f"with: {one[:40]!r} is the series itself, or stands there twice")
    cells = table.cells(name)
    stamps = table.cells(time) if time else [""] * len(cells)
    # Spreadsheets export empty rows at the end.
    rows = max((row for row, both in enumerate(zip(cells, stamps, strict=True), 1) if any(both)), default=0)
    cells, stamps = cells[:rows], stamps[:rows]
    read = _numbers(table, name, cells, choices)
    found = Calendar(np.arange(rows), [])
    if time:
        at = _Place(table, time)
        found = calendar(times(stamps, at, choices.dates), stamps, at)
    has = np.flatnonzero(~np.isnan(read))
    if not len(has):
        raise ValueError(f"column {name[:40]!r}: no cell has a value")
    first, end = has[0], has[-1] + 1
    places = found.places[first:end] - found.places[first]
    # What is missing has its value from the row before.
    row_of = np.full(places[-1] + 1, -1)
    row_of[places[has - first]] = has
    there = row_of >= 0
    stamped = np.full(len(there), len(stamps))
    stamped[places] = np.arange(first, end)
    # Of a row that is not in the file, the one before.
    row_at = np.maximum.accumulate(np.where(stamped < len(stamps), stamped, -1))
    missing, empty = int((~there).sum()), int(end - first) - len(has)
    ends = sorted({row % rows for row in range(-3, 3)}) if rows > 5 else range(rows)
    return Column(
        tuple(read[np.maximum.accumulate(row_of)].tolist()),
        tuple(there.tolist()) if missing else (),
        strings([*map([*stamps, ""].__getitem__, stamped)]) if time else None,
        " ".join([*found.said, _report(empty, missing - empty, rows - int(end - first))]),
        tuple((row + 1, stamps[row], cells[row], read[row].item()) for row in ends),
        tuple(_beside(table, other, choices, row_at) for other in beside),
    )


def _numbers(table: Table, name: str, cells: Sequence[str], choices: Choices) -> Numbers:
    """Of these cells of a column; nan for what is missing."""
    said = DECIMAL_SIGNS[choices.decimal] if choices.decimal else POINT if table.shape.encoding == "Parquet" else None
    return numbers(cells, _Place(table, name), said, table.shape.separator == COMMA)


def _beside(table: Table, name: str, choices: Choices, row_at: NDArray[np.int64]) -> tuple[float, ...]:
    """
    The latest value of a column up to the row of each place. ValueError where there is none yet: what comes later does
    not stand in for it.
    """
    read = _numbers(table, name, table.cells(name)[: int(row_at[-1]) + 1], choices)
    latest = np.maximum.accumulate(np.where(np.isnan(read), -1, np.arange(len(read))))
    if latest[row_at[0]] < 0:
        place = _Place(table, name)(int(row_at[0]))
        raise ValueError(f"{place}: there is no value yet, and none from later stands in for it; fill it in the file")
    values: list[float] = read[latest[row_at]].tolist()
    return tuple(values)


@dataclass(frozen=True)
class _Place:
    """A cell in the words of a message."""

    table: Table
    name: str

    def __call__(self, row: int) -> str:
        return f"{self.table.place(row)}, column {self.name[:40]!r}"


def _report(empty: int, inserted: int, outside: int) -> str:
    gaps = []
    if empty:
        gaps.append(
            ngettext("{number:,} cell without a value", "{number:,} cells without a value", empty).format(number=empty)
        )
    if inserted:
        rows = ngettext("{number:,} missing row", "{number:,} missing rows", inserted)
        gaps.append(rows.format(number=inserted))
    sentences = [_("There are no gaps.")]
    if gaps:
        sentences = [_("Missing: {gaps}.").format(gaps=", ".join(gaps))]
    if outside:
        ends = ngettext(
            "Left out: {number:,} row without a value at the ends.",
            "Left out: {number:,} rows without a value at the ends.",
            outside,
        )
        sentences.append(ends.format(number=outside))
    return " ".join(sentences)


def shape(table: Table) -> str:
    """How the file was read, for whoever looks at the first rows."""
    encoding, separator = table.shape
    if not separator:
        return _("Read as {encoding}.").format(encoding=encoding)
    return _("Read as {encoding}, cells separated by {separator}.").format(
        encoding=encoding, separator=SEPARATORS[separator]
    )
