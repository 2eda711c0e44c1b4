"""Is a column the series that somebody meant, whatever country's habits it is written by, and nothing invented?"""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_core import Experiment, train
from lstm_core.reading.column import Choices, Column, column, guessed
from lstm_core.reading.numbers import AmbiguousError
from lstm_core.reading.table import opened
from lstm_core.tasks.series import Series, register

NOTHING = Choices()

Write = Callable[[datetime], str]
Number = Callable[[float], str]


def read(text: str | bytes, name: str = "x", time: str | None = "t", choices: Choices = NOTHING) -> Column:
    return column(opened(text if isinstance(text, bytes) else text.encode()), name, time, choices)


def rows(times: list[str]) -> str:
    return "t;x\n" + "".join(f"{time};{place}\n" for place, time in enumerate(times))


def missing(found: Column) -> int:
    return len(found.known) - sum(found.known)


DAYS = [datetime(2024, 1, 1) + timedelta(days=i) for i in range(400)]
HOURS = [datetime(2024, 1, 1) + timedelta(hours=i) for i in range(8000)]
WEEKDAYS = [day for day in DAYS if day.weekday() < 5]
MONTHS = [datetime(year, month, 1) for year in range(2018, 2024) for month in range(1, 13)]
MONTH_ENDS = [month - timedelta(days=1) for month in MONTHS]


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


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        ("1,200 987 1,100", {"point": (1200, 987, 1100), "comma": (1.2, 987, 1.1)}),
        ("995 996 1,000", {"point": (995, 996, 1000), "comma": (995, 996, 1)}),
        ("1.200 987 1.100", {"comma": (1200, 987, 1100), "point": (1.2, 987, 1.1)}),
    ],
)
def test_a_number_that_can_be_read_in_two_ways_is_asked(cells: str, values: dict[str, tuple[float, ...]]) -> None:
    text = "t\tx\n" + "".join(f"{place}\t{cell}\n" for place, cell in enumerate(cells.split()))
    with pytest.raises(AmbiguousError, match=r"^line \d, column 'x': '1.[02]00' is .*decimal sign$") as asked:
        read(text)
    assert asked.value.doubt.option == "decimal"
    assert set(asked.value.doubt.choices) == set(values)
    for choice, meant in values.items():
        assert read(text, choices=Choices(decimal=choice)).values == meant


def test_a_day_that_can_be_read_in_two_ways_is_asked() -> None:
    text = rows([f"{month:%d/%m/%Y}" for month in MONTHS])
    with pytest.raises(AmbiguousError, match=r"^line 3, column 't': '01/02/2018' is 2018-02-01 or 2018-01-02") as asked:
        read(text)
    assert asked.value.doubt.option == "dates"
    assert "Step: a month." in read(text, choices=Choices(dates="dmy")).report
    assert "no regular step" in read(text, choices=Choices(dates="mdy")).report
    with pytest.raises(ValueError, match=r"^dates: 'ydm' is not one of ymd, dmy, mdy$"):
        Choices(dates="ydm")


@pytest.mark.parametrize(
    ("text", "guess"),
    [
        ("date,place,x\n2024-01-01,here,1\n", ("x", "date")),
        ("x,date\n1,2024-01-01\n", ("x", "date")),
        ("x,y\n1,2\n", ("y", None)),
        ("x,y\n3,2\n", ("x", None)),
        ("x\nword\n", ("x", None)),
        ("t;x\n2024-01;1,5\n", ("x", "t")),
        ("Year,x\n1990,1\n", ("x", "Year")),
        ("a,t,x\n3,1990,1\n", ("a", "t")),
        ("year\n1990\n", ("year", None)),
        (",date,y\n0,2000-01-01,5\n1,2000-01-02,6\n", ("y", "date")),
        (",y\n0,7\n1,9\n", ("y", None)),
        ("Unnamed: 0,id,y\n0,1,7\n1,2,9\n", ("y", None)),
        ("year,y\n2000,\n2001,3\n", ("y", "year")),
        ("date,y\n2000-01-01,NA\n2000-01-02,3\n", ("y", "date")),
        ("날짜,값\n2024. 1. 2.,3\n2024. 1. 3.,4\n", ("값", "날짜")),
        ("day;x\n31.12.2023;1.234,5\n", ("x", "day")),
        ("n,word\n0,a\n1,b\n2,c\n", ("n", None)),
        ("year,word,x\n1990,a,1\n1991,b,=1+1\n", ("x", "year")),
    ],
)
def test_the_column_offered_first_is_of_numbers_that_are_neither_times_nor_row_numbers(
    text: str, guess: tuple[str, str | None]
) -> None:
    assert guessed(opened(text.encode())) == guess


def test_what_is_missing_has_the_value_before_it_and_is_marked() -> None:
    found = read("x,y\n,0\n1,0\nNA,0\n-,0\n4,0\n?,0\n", time=None)
    assert found.values == (1, 1, 1, 4)
    assert found.known == (True, False, False, True)
    assert found.report == "Missing: 2 cells without a value. Left out: 2 rows without a value at the ends."


def test_rows_that_are_missing_have_room_and_no_time() -> None:
    found = read("t,x\n2024-01-01,5\n2024-01-02,6\n2024-01-04,8\n2024-01-05,9\n")
    assert found.values == (5, 6, 6, 8, 9)
    assert found.times is not None
    assert found.times.to_pylist() == ["2024-01-01", "2024-01-02", "", "2024-01-04", "2024-01-05"]
    assert found.report == "Step: a day. Missing: 1 missing row."


def test_empty_rows_at_the_end_are_no_rows() -> None:
    assert read("t;x\n2024-01-02;3\n2024-01-03;4\n;\n;\n").values == (3, 4)


def test_a_mark_for_missing_values_is_named_for_what_it_is() -> None:
    values = [float(i % 17) for i in range(200)]
    with pytest.raises(ValueError, match=r"^column 'x': 1e\+20, value 181, is too far from all others; if it marks a"):
        Series("x", (*values[:180], *[1e20] * 20))


VALUES = [round(1000 + 900 * random.Random(i).random(), 2) for i in range(140)]
STAMPS = [day for day in DAYS if day.weekday() < 5][:140]
DATES: dict[str, Write] = {
    "ISO": "{:%Y-%m-%d}".format,
    "points": "{:%d.%m.%Y}".format,
    "Korean": lambda day: f"{day.year}년 {day.month}월 {day.day}일",
    "points, the year first": lambda day: f"{day.year}.{day.month}.{day.day}",
    "slashes": "{:%d/%m/%Y}".format,
    "American": "{:%m/%d/%Y}".format,
    "in words": "{:%d %b %Y}".format,
    "one number": "{:%Y%m%d}".format,
    "without zeros": lambda day: f"{day.year}-{day.month}-{day.day}",
    "two digits": "{:%d.%m.%y}".format,
}
NUMBERS: dict[str, Number] = {
    "point": "{:.2f}".format,
    "point, thousands": "{:,.2f}".format,
    "comma": lambda value: f"{value:.2f}".replace(".", ","),
    "comma, thousands": lambda value: f"{value:,.2f}".translate(str.maketrans(",.", ".,")),
    "comma, spaces": lambda value: f"{value:,.2f}".translate(str.maketrans(",.", "\u202f,")),
    "Swiss": lambda value: f"{value:,.2f}".replace(",", "’"),
}
ENCODINGS = {"utf-8": "날짜", "utf-8-sig": "날짜", "utf-16": "날짜", "cp949": "날짜", "cp932": "日付"}


def _file(rng: random.Random) -> tuple[bytes, set[int], str]:
    """A series by some country's habits, the places of its gaps, and how it is written."""
    separator, date, number = rng.choice(",;\t|"), rng.choice([*DATES]), rng.choice([*NUMBERS])
    encoding = rng.choice([*ENCODINGS])
    if encoding.startswith("cp") and (
        number in ("comma, spaces", "Swiss") or (date == "Korean") != (encoding == "cp949")
    ):
        encoding = "utf-8"
    gaps = set(rng.sample(range(1, 138), rng.choice((0, 0, 5))))
    lines = [f'"{ENCODINGS[encoding]}"{separator}x']
    for place, (day, value) in enumerate(zip(STAMPS, VALUES, strict=True)):
        cell = rng.choice(("", "NA", "-")) if place in gaps else f'"{NUMBERS[number](value)}"'
        lines.append(f'"{DATES[date](day)}"{separator}{cell}')
    lines += [separator] * rng.choice((0, 3))
    end = rng.choice(("\n", "\r\n"))
    return (end.join(lines) + end).encode(encoding), gaps, f"{separator!r} {date} {number} {encoding}"


@pytest.mark.parametrize("seed", range(40))
def test_a_file_by_any_countrys_habits_is_the_same_series(seed: int) -> None:
    """Equal names mean equal values, bit for bit: so are trainings."""
    content, gaps, habits = _file(random.Random(seed))
    table = opened(content)
    name, time = guessed(table)
    assert (name, time) == ("x", table.names[0]), habits
    found = column(table, name, time)
    known = tuple(place not in gaps for place in range(len(VALUES))) if gaps else ()
    values: list[float] = []
    for place, value in enumerate(VALUES):
        values.append(values[-1] if place in gaps else value)
    assert Series("x", found.values, known=found.known).name == Series("x", tuple(values), known=known).name, habits


def test_the_same_series_trains_bit_for_bit_the_same() -> None:
    content, _gaps, _habits = _file(random.Random(4))
    table = opened(content)
    found = column(table, *guessed(table))
    plain = Series("plain", found.values, known=found.known)
    own = Series("own", found.values, known=found.known)
    one, other = (_losses(series) for series in (plain, own))
    assert one == other


def _losses(series: Series) -> list[float]:
    series = register(series)
    base = Experiment(task="forecast", series=series.name, length=5, hidden=4, batch=8, steps=20)
    return [snapshot.loss for snapshot in train(base)]


STYLE = st.tuples(
    st.sampled_from([".", ","]), st.sampled_from(["", "other", " ", "'", "\u00a0"]), st.booleans(), st.integers(0, 6)
)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=30), STYLE)
def test_a_column_in_any_supported_style_reads_back_equal(whole: list[int], style: tuple[str, str, bool, int]) -> None:
    decimal, apart, typographic, digits = style
    apart = {".": ",", ",": "."}[decimal] if apart == "other" else apart
    values = [value / 10**digits for value in whole]
    cells = []
    for value in values:
        cell = f"{value:{',' if apart else ''}.{digits}f}".replace(",", "T").replace(".", decimal).replace("T", apart)
        cells.append(cell.replace("-", "\u2212") if typographic else cell)
    text = "t\tx\n" + "".join(f"{place}\t{cell}\n" for place, cell in enumerate(cells))
    choices = Choices(decimal={".": "point", ",": "comma"}[decimal])
    assert read(text, choices=choices).values == tuple(values)
