"""Which times does a column of text mean? Dates of many countries, coded ones, or plain numbers, all in one format."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from lstm_core.reading.numbers import LARGEST, NUMBER, AmbiguousError, Doubt, Numbers

EPOCH = datetime(1970, 1, 1)
# What columns of times are called.
NAMES = frozenset(
    (
        *("t", "time", "times", "timestamp", "date", "datetime", "year", "month", "quarter", "week", "day", "hour"),
        *("datum", "zeit", "jahr", "fecha", "hora", "heure", "data", "dato", "дата", "время"),
        *(
            "날짜",
            "일자",
            "일시",
            "시간",
            "시각",
            "연도",
            "년월",
            "日付",
            "日時",
            "年月日",
            "時刻",
            "日期",
            "时间",
            "時間",
        ),
    )
)
YEARS = range(1600, 2300)


class Times(NamedTuple):
    """
    Of every row, in seconds since 1970, on the clock that the file goes by, or as plain numbers; with whether they are
    `dated`, and whether that clock is a `local` one, which may be put forward and back.
    """

    values: Numbers
    dated: bool
    local: bool = False


# By the order of day, month and year: how `datetime.strptime` reads a date.
ORDERS = {
    "ymd": [
        *("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y. %m. %d.", "%Y. %m. %d", "%Y.%m.%d."),
        *("%Y년 %m월 %d일", "%Y년%m월%d일", "%Y年%m月%d日", "%Y %b %d", "%Y-%b-%d", "%Y %m %d"),
        *("%y-%m-%d", "%y/%m/%d", "%y.%m.%d"),
        *("%Y-%m", "%Y/%m", "%Y년 %m월", "%Y년%m월", "%Y年%m月", "%Y-%b", "%Y %b", "%Y %B"),
    ],
    "dmy": [
        *("%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%d. %m. %Y", "%d %m %Y", "%d/%m/%y", "%d.%m.%y", "%d-%m-%y"),
        *("%d %b %Y", "%d-%b-%Y", "%d %B %Y", "%d. %B %Y", "%d-%b-%y", "%d %b %y", "%d/%b/%Y"),
        *("%m/%Y", "%m-%Y", "%b %Y", "%B %Y", "%b-%Y", "%b-%y"),
    ],
    "mdy": ["%m/%d/%Y", "%m-%d-%Y", "%m.%d.%Y", "%m/%d/%y", "%m-%d-%y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y"],
}
_CLOCK = re.compile(r"(,? +|T)\d{1,2}:\d\d(:\d\d)?(\.\d{1,6})?( [AP]M)?", re.ASCII | re.IGNORECASE)
_SPOKEN = {"ymd": "year, month, day", "dmy": "day, month, year", "mdy": "month, day, year"}
_QUARTER = re.compile(r"(?P<year>\d{4})[- ]?Q(?P<q>[1-4])|Q(?P<q2>[1-4])[- ](?P<year2>\d{4})", re.ASCII | re.IGNORECASE)


def times(cells: Sequence[str], place: Callable[[int], str], order: str | None = None) -> Times:
    """
    The time in each cell, all by one format; `order`, of `ORDERS`, says where the day stands, if that is known.

    Raises ValueError that names the `place` of the first cell that is none, and AmbiguousError.
    """
    numbers = next((row for row, cell in enumerate(cells) if not _is_number(cell)), len(cells))
    if numbers == len(cells):
        return _coded(cells) or Times(np.array(cells, float), dated=False)
    found, aware, reached = _iso(cells)
    if reached == len(cells):
        for row in np.flatnonzero(~aware)[:1] if aware.any() else ():
            raise ValueError(f"{place(row)}: {cells[row][:40]!r} has no offset from UTC, which other cells have")
        return Times(found, dated=True, local=not aware.any())
    readings, wrong = _formatted(cells, order)
    rising = {order: read for order, read in readings.items() if (np.diff(read) > 0).all()}
    readings = rising or readings
    if any((read != other).any() for read, other in pairwise(readings.values())):
        raise _doubt(cells, readings, place)
    for read in readings.values():
        return Times(read, dated=True, local=True)
    wrong = max(wrong, reached, numbers)
    raise ValueError(
        f"{place(wrong)}: {cells[wrong][:40]!r} is neither a time like 2024-12-31, 31.12.2024 or 2024-12-31 23:00 nor "
        "a number"
    )


def looks_like_times(cells: Sequence[str]) -> bool:
    """Whether these cells, not all of which are plain numbers, are dates in one format or another."""
    try:
        return times(cells, str).dated
    except AmbiguousError:
        return True
    except ValueError:
        return False


def _is_number(cell: str) -> bool:
    return bool(NUMBER.fullmatch(cell)) and abs(float(cell)) <= LARGEST


def _seconds(moment: datetime) -> float:
    return moment.timestamp() if moment.tzinfo else (moment - EPOCH).total_seconds()


def _iso(cells: Sequence[str]) -> tuple[Numbers, Numbers, int]:
    """By ISO 8601: seconds, whether they have an offset from UTC, and the place of the first that is not written so."""
    seconds, aware = np.zeros(len(cells)), np.zeros(len(cells), bool)
    for row, cell in enumerate(cells):
        try:
            moment = _quarter(cell) or datetime.fromisoformat(cell)
        except ValueError:
            return seconds, aware, row
        seconds[row], aware[row] = _seconds(moment), moment.tzinfo is not None
    return seconds, aware, len(cells)


def _quarter(cell: str) -> datetime | None:
    if not (found := _QUARTER.fullmatch(cell)):
        return None
    year, quarter = found["year"] or found["year2"], found["q"] or found["q2"]
    return datetime(int(year), 3 * int(quarter) - 2, 1)


def _formatted(cells: Sequence[str], order: str | None) -> tuple[dict[str, Numbers], int]:
    """
    Seconds, by each order of day and month that all cells can have; the place of the first cell that ended the last.
    """
    readings: dict[str, Numbers] = {}
    wrong = 0
    for one in [order] if order else ORDERS:
        for pattern in _patterns(cells[0], one):
            read = np.zeros(len(cells))
            for row, cell in enumerate(cells):
                if not (moment := _parsed(cell, pattern)):
                    wrong = max(wrong, row)
                    break
                read[row] = _seconds(moment)
            else:
                readings[one] = read
                break
    return readings, wrong


def _patterns(cell: str, order: str) -> Iterator[str]:
    """Those by which this cell can be read."""
    clock = ""
    if found := next((one for one in _CLOCK.finditer(cell) if one.end() == len(cell)), None):
        between, seconds, parts, half = found.groups()
        clock = (
            between + ("%I:%M" if half else "%H:%M") + ":%S" * bool(seconds) + ".%f" * bool(parts) + " %p" * bool(half)
        )
    return (date + clock for date in ORDERS[order] if _parsed(cell, date + clock))


def _parsed(cell: str, pattern: str) -> datetime | None:
    try:
        return datetime.strptime(cell, pattern)
    except ValueError:
        return None


def _doubt(cells: Sequence[str], readings: dict[str, Numbers], place: Callable[[int], str]) -> AmbiguousError:
    row = int((np.ptp(np.stack(list(readings.values())), 0) > 0).argmax())
    meant = {order: f"{EPOCH + timedelta(seconds=read[row]):%Y-%m-%d}" for order, read in readings.items()}
    return AmbiguousError(
        f"{place(row)}: {cells[row][:40]!r} is {' or '.join(meant.values())}; say in which order its numbers stand",
        Doubt("dates", {order: f"{_SPOKEN[order]}: {cells[row][:40]} = {day}" for order, day in meant.items()}),
    )


def _coded(cells: Sequence[str]) -> Times | None:
    """
    What whole numbers mean that are dates or hours in disguise: 20241231, 202412 (month or week), 2024.12, 2359. None
    where steps between them are not more often equal so.
    """
    plain = [float(cell) for cell in cells]
    for read in (_days, _months, _weeks, _clock):
        values = read(cells)
        if values and _regularity(values) > _regularity(plain):
            return Times(np.array(values), dated=True)
    return None


def _regularity(values: Sequence[float]) -> float:
    """The share of the most frequent step, a month being one whatever its days."""
    steps = [round((later - earlier) / 86400, 6) for earlier, later in pairwise(values)]
    steps = [28 if 28 <= step <= 31 else step for step in steps]
    return Counter(steps).most_common(1)[0][1] / len(steps) if steps else 0.0


def _days(cells: Sequence[str]) -> list[float] | None:
    return _by_format(cells, 8, "%Y%m%d")


def _months(cells: Sequence[str]) -> list[float] | None:
    if all(re.fullmatch(r"\d{4}\.\d{2}", cell, re.ASCII) for cell in cells):
        cells = [cell.replace(".", "") for cell in cells]
    return _by_format(cells, 6, "%Y%m")


def _by_format(cells: Sequence[str], digits: int, pattern: str) -> list[float] | None:
    if not all(len(cell) == digits and cell.isdigit() and int(cell[:4]) in YEARS for cell in cells):
        return None
    read = [moment for cell in cells if (moment := _parsed(cell, pattern))]
    return [_seconds(one) for one in read] if len(read) == len(cells) else None


def _weeks(cells: Sequence[str]) -> list[float] | None:
    """202101 to 202352: each week a step, also that from the last week of a year to the first of the next."""
    if not all(
        len(cell) == 6 and cell.isdigit() and int(cell[:4]) in YEARS and 1 <= int(cell[4:]) <= 53 for cell in cells
    ):
        return None
    week, place, read = timedelta(weeks=1).total_seconds(), 0, [0.0]
    for before, after in pairwise(cells):
        years = int(after[:4]) - int(before[:4])
        # Some calendars have a 53rd week, others do not.
        step = int(after[4:]) - int(before[4:]) + (52 if before[4:] <= "52" else 53) * years
        place += step
        read.append(place * week)
    return read


def _clock(cells: Sequence[str]) -> list[float] | None:
    """Hours and minutes, 0 to 2359."""
    whole = [int(cell) if cell.isdigit() and len(cell) <= 4 else -1 for cell in cells]
    if not all(0 <= one < 2400 and one % 100 < 60 for one in whole):
        return None
    return [60.0 * (one // 100 * 60 + one % 100) for one in whole]
