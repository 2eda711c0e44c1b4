"""Where are rows missing? Where a calendar has them, and nowhere else."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.reading.ground import DAYS, MONTH_ENDS, MONTHS, WEEKDAYS, missing, read, rows

HOURS = [datetime(2024, 1, 1) + timedelta(hours=i) for i in range(8000)]


def local(zone: str) -> list[str]:
    """All hours of some eleven months, as a clock on a wall shows them."""
    return [f"{hour.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}" for hour in HOURS]


# As a clock in Berlin shows them in the night in which it is put back.
QUARTERS = [
    f"{quarter.astimezone(ZoneInfo('Europe/Berlin')):%Y-%m-%d %H:%M}"
    for quarter in (datetime(2024, 10, 26, tzinfo=UTC) + timedelta(minutes=15 * i) for i in range(300))
]


def as_days(days: list[datetime]) -> list[str]:
    return [f"{day:%Y-%m-%d}" for day in days]


CALENDARS: dict[str, tuple[list[str], int, str]] = {
    "days": (as_days(DAYS), 0, "Step: a day."),
    "business days": (as_days(WEEKDAYS), 0, "Step: a day."),
    "trading days": (as_days([day for day in WEEKDAYS if day.day not in (1, 4, 25)]), 0, "days off."),
    "Sunday to Thursday": (as_days([day for day in DAYS if day.weekday() not in (4, 5)]), 0, "Step: a day."),
    "a lost month of business days": (as_days([day for day in WEEKDAYS if day.month != 5]), 23, "23 missing rows"),
    "three lost days": (
        as_days([day for place, day in enumerate(DAYS) if place not in (7, 8, 99)]),
        3,
        "3 missing rows",
    ),
    "month ends": (as_days(MONTH_ENDS), 0, "Step: a month."),
    "months": ([f"{month:%Y-%m}" for month in MONTHS], 0, "Step: a month."),
    "last business days": (
        as_days(
            [
                next(end - timedelta(days=i) for i in range(3) if (end - timedelta(days=i)).weekday() < 5)
                for end in MONTH_ENDS
            ]
        ),
        0,
        "Step: a month.",
    ),
    "lost Junes": (as_days([month for month in MONTHS if month.month != 6]), 6, "6 missing rows"),
    "quarters": ([f"{month.year}-Q{month.month // 3 + 1}" for month in MONTHS[::3]], 0, "Step: 3 months."),
    "years": ([str(year) for year in range(1900, 2000)], 0, "Step: 1."),
    "first days of years": ([f"{year}-01-01" for year in range(1900, 2000)], 0, "Step: a year."),
    "coded weeks": ([f"{year}{week:02}" for year in (2021, 2022, 2023) for week in range(1, 53)], 0, "Step: a week."),
    "ISO weeks": ([f"{year}-W{week:02}" for year in (2021, 2022) for week in range(1, 53)], 0, "Step: a week."),
    "coded months": ([f"{month:%Y%m}" for month in MONTHS], 0, "Step: a month."),
    "months after a point": ([f"{month:%Y.%m}" for month in MONTHS], 0, "Step: a month."),
    "coded days": ([f"{day:%Y%m%d}" for day in DAYS], 0, "Step: a day."),
    "coded minutes": ([f"{hour:02}{minute:02}" for hour in range(24) for minute in range(60)], 0, "Step: a minute."),
    "four-weekly": (as_days(DAYS[::28]), 0, "Step: 4 weeks."),
    "hours": ([f"{hour:%Y-%m-%d %H:%M}" for hour in HOURS], 0, "Step: an hour."),
    "ten lost hours": (
        [f"{h:%Y-%m-%d %H:%M}" for i, h in enumerate(HOURS) if i not in range(50, 60)],
        10,
        "10 missing",
    ),
    "hours of trade": (
        [f"{hour:%Y-%m-%d %H:%M}" for hour in HOURS if hour.weekday() < 5 and 9 <= hour.hour < 17],
        0,
        "are closed, not missing.",
    ),
    "Berlin's clock": (local("Europe/Berlin"), 0, "a clock that was changed for summer time 2 times"),
    "New York's clock": (local("America/New_York"), 0, "a clock that was changed for summer time 2 times"),
    "an offset from UTC": ([f"{time}+01:00" for time in as_days(DAYS)], 0, "Step: a day."),
    "nanoseconds": ([f"{4e-9 * i:.3e}" for i in range(300)], 0, "Step: 4e-09."),
    "a lost Tuesday among nanoseconds": ([f"{4e-9 * i:.3e}" for i in range(300) if i != 9], 1, "1 missing row."),
    "years up to the last": ([f"{year}-12-31" for year in (*range(1900, 2000), 9999)], 0, "no regular step"),
    "years from the first": ([f"{year:04}-01-01T00:00+05:00" for year in range(1, 50)], 0, "There are no gaps."),
    "a logger whose clock was set": (
        [
            *(f"1970-01-01T00:00:{i:02}" for i in range(30)),
            *(f"2024-01-01T00:{i // 60:02}:{i % 60:02}" for i in range(3000)),
        ],
        0,
        "no regular step",
    ),
    "seconds and years in turn": (
        [f"{1990 + i // 2}-01-01T00:00:0{i % 2}" for i in range(60)],
        0,
        "no regular step",
    ),
    "a number without end": ([*map(str, range(199)), "1e19"], 0, "no regular step"),
    "a quarter of an hour that was lost as clocks went back": (
        [time for i, time in enumerate(QUARTERS) if i != QUARTERS.index("2024-10-27 02:45")],
        1,
        "1 missing row.",
    ),
    "seconds since 1970": ([str(1_700_000_000 + 600 * i) for i in range(300)], 0, "Step: 600."),
}


@pytest.mark.parametrize("name", CALENDARS)
def test_no_row_is_invented_where_the_calendar_has_none_and_none_is_overlooked(name: str) -> None:
    times, lost, said = CALENDARS[name]
    found = read(rows(times))
    assert missing(found) == lost
    assert len(found.values) == len(times) + lost
    assert said in found.report
    assert ("There are no gaps." in found.report) == (lost == 0)


def _stamps(rng: random.Random, wait: Callable[[], float] | None) -> list[str]:
    stamps, now = [], 0.0
    for place in range(300):
        now = now + 60 + wait() if wait else 60 * place + rng.gauss(0, 8)
        stamps.append((datetime(2024, 1, 1) + timedelta(seconds=now)).isoformat(timespec="milliseconds"))
    return stamps


@pytest.mark.parametrize("seed", range(40))
def test_a_logger_that_is_never_on_time_has_no_row_invented(seed: int) -> None:
    found = read(rows(_stamps(random.Random(seed), None)))
    assert (missing(found), "Step: a minute." in found.report) == (0, True)


@pytest.mark.parametrize("seed", range(40))
def test_where_times_have_no_step_no_row_is_missing(seed: int) -> None:
    rng = random.Random(seed)
    found = read(rows(_stamps(rng, lambda: rng.expovariate(1 / 40))))
    assert missing(found) == 0
    assert "The times have no regular step; no row is taken as missing." in found.report


BAD_TIMES = {
    "out of order": ("2024-01-03,1\n2024-01-01,2", r"^line 3, column 't': '2024-01-01' comes after '2024-01-03'; sort"),
    "twice": ("2024-01-03,1\n2024-01-03,2", r"^line 3, column 't': '2024-01-03' is there twice$"),
    "no time": ("2024-01-03,1\nsoon,2", r"^line 3, column 't': 'soon' is neither a time like"),
    "no such day": ("2024-02-28,1\n2024-02-30,1", r"^line 3, column 't': '2024-02-30' is neither a time"),
    "empty": ("2024-01-03,1\n,2", r"^line 3, column 't': '' is neither a time"),
    "inf": ("1,1\n1e400,2", r"^line 3, column 't': '1e400' is neither"),
    "a word among numbers": ("1,1\n2,2\nx,3\n4,4", r"^line 4, column 't': 'x' is neither"),
    "two formats": ("31.12.2023,1\n2024-01-01,2", r"^line 3, column 't': '2024-01-01' is neither"),
    "one offset": ("2024-01-03T00:00Z,1\n2024-01-04T00:00,2", r"^line 3, column 't': '.*' has no offset from UTC"),
}


@pytest.mark.parametrize("kind", BAD_TIMES)
def test_bad_times_get_one_line_that_says_where(kind: str) -> None:
    content, message = BAD_TIMES[kind]
    with pytest.raises(ValueError, match=message):
        read(f"t,x\n{content}\n")
