"""
What is in a CSV file of numbers, and what is wrong with it? Its columns, one of them as a series without gaps.

Every refusal is a ValueError of one line that names line or column. Read are UTF-8, and UTF-16 that says so in its
first bytes; columns are separated by comma, semicolon, tab or |, and where it is not a comma, a comma may be the
decimal sign. Cells without a value are filled linearly between their neighbours, and so are rows that the times show to
be missing; at either end they are left out.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple, TypeVar

from lstm_core.language import _, ngettext

MOST_BYTES, MOST_COLUMNS, MOST_ROWS = 5 * 2**20, 500, 100_000
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "|"}
MISSING = frozenset(("", "na", "n/a", "nan", "null", "none", "-", "?"))
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
LARGEST = 1e100
TIMES = frozenset(("t", "time", "times", "timestamp", "date", "datetime", "year", "month", "week", "day", "hour"))
EPOCH = datetime(1970, 1, 1)
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
Item = TypeVar("Item")


class Filled(NamedTuple):
    """A column without gaps, its times as the file writes them, "" where a row was missing, and what was done to it."""

    values: tuple[float, ...]
    times: tuple[str, ...]
    report: str


@dataclass(frozen=True)
class SeriesFile:
    """A file whose rows are as long as its header: the names of its columns and the number of its rows."""

    names: tuple[str, ...]
    rows: int
    delimiter: str
    text: str = field(repr=False)

    def cells(self, *names: str) -> Iterator[tuple[int, tuple[str, ...]]]:
        """The number of each line, from 1, with its cells in these columns."""
        places = [self.names.index(name) for name in names]
        for line, row in _rows(self.text, self.delimiter):
            yield line, tuple(row[place].strip() for place in places)


def opened(content: bytes) -> SeriesFile:
    """The file with these bytes, every row counted and none kept; ValueError where it is no table with a header."""
    text = _decoded(content)
    first = next(line for line in io.StringIO(text) if line.strip())
    delimiter = max(DELIMITERS, key=first.count)
    names = _header(next(_lines(text, delimiter), (1, []))[1])
    rows = 0
    for line, row in _rows(text, delimiter):
        rows += 1
        if len(row) != len(names):
            raise ValueError(
                f"line {line}: {_counted(len(row), 'cell')}, but the header has {len(names)}, "
                f"separated by {DELIMITERS[delimiter]}"
            )
        if rows > MOST_ROWS:
            raise ValueError(f"line {line}: the file has more than {MOST_ROWS:,} rows; keep fewer")
    if not rows:
        raise ValueError("line 1: the file has a header and no rows below it")
    return SeriesFile(names, rows, delimiter, text)


def _decoded(content: bytes) -> str:
    if len(content) > MOST_BYTES:
        raise ValueError(f"the file has {len(content):,} bytes, more than {MOST_BYTES:,}")
    wide = content.startswith(UTF_16)
    if b"\0" in content and not wide:
        line = content[: content.index(b"\0")].count(b"\n") + 1
        raise ValueError(f"line {line}: a byte that is 0; this is not a text file. Save it as UTF-8")
    try:
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ValueError(f"line {line}: bytes that are not UTF-8; save the file as UTF-8") from None
    if "\0" in text:
        raise ValueError(
            f"line {text[: text.index(chr(0))].count(chr(10)) + 1}: a character that is 0; this is not a text file"
        )
    if not text.strip():
        raise ValueError("line 1: the file is empty")
    return text


def _lines(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """All rows that are not blank, each with the number of its last line."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        yield from ((reader.line_num, row) for row in reader if "".join(row).strip() or len(row) > 1)
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num}: {error}") from None


def _rows(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Those below the header."""
    lines = _lines(text, delimiter)
    next(lines)
    return lines


def _header(cells: Sequence[str]) -> tuple[str, ...]:
    if not cells:
        raise ValueError("line 1: there are no names of columns")
    if len(cells) > MOST_COLUMNS:
        raise ValueError(f"line 1: the file has {len(cells):,} columns, more than {MOST_COLUMNS}")
    names = tuple(" ".join(cell.split()) or f"column {place}" for place, cell in enumerate(cells, start=1))
    if all(NUMBER.fullmatch(name) for name in names):
        raise ValueError(f"line 1: {names[0][:40]!r} is a number; the first line has to name the columns")
    for place, name in enumerate(names):
        if name in names[:place]:
            raise ValueError(f"line 1: column {name[:40]!r} is there twice, as {names.index(name) + 1} and {place + 1}")
    return names


def guessed(file: SeriesFile) -> tuple[str, str | None]:
    """
    A column of numbers and, perhaps, one of times, by the first row: times are called so, or are no numbers. The first
    column where there are no numbers.
    """
    _, cells = next(file.cells(*file.names))
    first = dict(zip(file.names, cells, strict=True))
    numbers = [name for name in first if NUMBER.fullmatch(first[name].replace(",", "."))]
    times = [name for name in first if _is_time(first[name]) and (name.casefold() in TIMES or name not in numbers)]
    values = [name for name in numbers if name not in times[:1]]
    if not values:
        return file.names[0], None
    return values[0], next(iter(times), None)


def _is_time(cell: str) -> bool:
    try:
        _seconds_of(0, "", cell)
    except ValueError:
        return False
    return True


def column(file: SeriesFile, name: str, time: str | None = None) -> Filled:
    """
    The numbers of a column, in the order of the file, which a column of times has to rise in.

    Raises ValueError, naming line and column, for what is not a number, is not finite, or where nothing is.
    """
    for one in (name, time) if time else (name,):
        if one not in file.names:
            raise ValueError(f"column {one[:40]!r} is not one of {', '.join(file.names)[:200]}")
    rows = list(file.cells(name, time)) if time else [(line, (cell, "")) for line, (cell,) in file.cells(name)]
    values = _numbers(file, name, [(line, cell) for line, (cell, _) in rows])
    times = [cell for _, (_, cell) in rows] if time else []
    inserted = 0
    if time:
        spaces = _spaces([(line, cell) for line, (_, cell) in rows], time)
        inserted = sum(spaces)
        if len(values) + inserted > min(2 * len(values) + 1, MOST_ROWS):
            raise ValueError(f"column {time[:40]!r}: {inserted:,} rows are missing between its times; too many to fill")
        values, times = _spread(values, spaces, None), _spread(times, spaces, "")
    known = [place for place, value in enumerate(values) if value is not None]
    if not known:
        raise ValueError(f"column {name[:40]!r}: no cell has a value")
    first, last = known[0], known[-1] + 1
    filled = _interpolated(values[first:last], [place - first for place in known])
    empty = last - first - len(known)
    report = _report(inserted, empty - inserted, len(values) - (last - first))
    return Filled(filled, tuple(times[first:last]), report)


def _numbers(file: SeriesFile, name: str, cells: Sequence[tuple[int, str]]) -> list[float | None]:
    """None where a cell has no value."""
    comma = file.delimiter != "," and any("," in cell for _, cell in cells)
    values: list[float | None] = []
    for line, cell in cells:
        where = f"line {line}, column {name[:40]!r}: {cell[:40]!r}"
        if cell.casefold() in MISSING:
            values.append(None)
            continue
        if cell.startswith("="):
            raise ValueError(f"{where} is a formula, not a number")
        if comma and "." in cell and NUMBER.fullmatch(cell.replace(",", "")):
            raise ValueError(f"{where} has a point, where other cells have a comma as decimal sign")
        plain = cell.replace(",", ".", 1) if comma else cell
        if NUMBER.fullmatch(plain) and abs(float(plain)) <= LARGEST:
            values.append(float(plain))
        elif NUMBER.fullmatch(plain) or cell.casefold().lstrip("+-") in ("inf", "infinity"):
            raise ValueError(f"{where} is not a number up to {LARGEST:g}")
        else:
            raise ValueError(f"{where} is not a number{_alone(file)}")
    return values


def _alone(file: SeriesFile) -> str:
    if len(file.names) > 1:
        return ""
    return "; it is the only column, for there is neither comma, semicolon, tab nor | in the header"


def _spaces(cells: Sequence[tuple[int, str]], time: str) -> list[int]:
    """How many rows are missing after each row, by the most frequent distance of two times."""
    times = [_seconds_of(line, time, cell) for line, cell in cells]
    steps = [later - earlier for earlier, later in pairwise(times)]
    for (line, cell), (_line, before), step in zip(cells[1:], cells, steps, strict=False):
        if not step > 0:
            what = "is there twice" if step == 0 else f"comes after {before[:40]!r}; sort the file by time"
            raise ValueError(f"line {line}, column {time[:40]!r}: {cell[:40]!r} {what}")
    ((usual, _),) = Counter(steps).most_common(1) or [(1.0, 0)]
    return [*(max(round(min(step / usual, MOST_ROWS)) - 1, 0) for step in steps), 0]


def _seconds_of(line: int, time: str, cell: str) -> float:
    """A time as seconds, or a number as it is."""
    if NUMBER.fullmatch(cell) and abs(float(cell)) <= LARGEST:
        return float(cell)
    text = cell.replace("/", "-")
    for attempt in (text, f"{text}-01"):
        try:
            parsed = datetime.fromisoformat(attempt)
        except ValueError:
            continue
        return parsed.timestamp() if parsed.tzinfo else (parsed - EPOCH).total_seconds()
    raise ValueError(
        f"line {line}, column {time[:40]!r}: {cell[:40]!r} is neither a time like 2024-12-31 or 2024-12-31 23:00 "
        "nor a number"
    )


def _spread(items: Sequence[Item], spaces: Sequence[int], nothing: Item) -> list[Item]:
    """The items, each with so much of nothing behind it."""
    return [one for item, space in zip(items, spaces, strict=True) for one in (item, *[nothing] * space)]


def _interpolated(values: Sequence[float | None], known: Sequence[int]) -> tuple[float, ...]:
    """Linear between those that are known, of which the first and the last are."""
    filled = [0.0 if value is None else value for value in values]
    for left, right in pairwise(known):
        for place in range(left + 1, right):
            share = (place - left) / (right - left)
            filled[place] = (1 - share) * filled[left] + share * filled[right]
    return tuple(filled)


def _counted(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'s' * (number != 1)}"


def _report(inserted: int, empty: int, outside: int) -> str:
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
        sentences = [_("Filled linearly between the neighbours: {gaps}.").format(gaps=", ".join(gaps))]
    if outside:
        ends = ngettext(
            "Left out: {number:,} row without a value at the ends.",
            "Left out: {number:,} rows without a value at the ends.",
            outside,
        )
        sentences.append(ends.format(number=outside))
    return " ".join(sentences)
