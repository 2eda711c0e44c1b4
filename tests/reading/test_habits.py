"""Is a file the same series by whatever country's habits it is written?"""

import random
from collections.abc import Callable
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_core import Experiment, train
from lstm_core.reading.column import Choices, column, guessed
from lstm_core.reading.table import opened
from lstm_core.tasks.series import Series, register
from tests.reading.ground import WEEKDAYS, read

Write = Callable[[datetime], str]
Number = Callable[[float], str]
VALUES = [round(1000 + 900 * random.Random(i).random(), 2) for i in range(140)]
STAMPS = WEEKDAYS[:140]
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
