"""Is a column the one that somebody meant, and is what can be read in two ways asked?"""

import pytest

from lstm_core.reading.column import Choices, column, guessed, of_numbers
from lstm_core.reading.numbers import AmbiguousError
from lstm_core.reading.table import opened
from lstm_core.tasks.series import Series
from tests.reading.ground import MONTHS, read, rows


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


def beside(text: str, *names: str, time: str | None = "t") -> tuple[tuple[float, ...], ...]:
    return column(opened(text.encode()), "x", time, beside=names).beside


def test_columns_beside_are_at_the_same_times_and_repeat_the_value_before_where_they_have_none() -> None:
    """The day 4 is no row; day 1 has no x, and is not of the series, but its y stands in for that of day 2."""
    text = "t,x,y,z\n1,,10,-1\n2,20,,-2\n3,30,NA,-3\n5,50,55,\n6,,66,-6\n7,70,77,-7\n8,,88,-8\n"
    assert beside(text, "y", "z") == ((10, 10, 10, 55, 66, 77), (-2, -3, -3, -3, -6, -7))
    assert beside(text, "y", "z", time=None) == ((10, 10, 55, 66, 77), (-2, -3, -3, -6, -7))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x,y\n,\n1,\n2,3\n", "line 3, column 'y': there is no value yet, and none from later stands in for it"),
        ("x,y\n1,2\n2,two\n", "line 3, column 'y': 'two' is not a number"),
        ("x,z\n1,2\n2,3\n", "column 'y' is not one of x, z"),
    ],
)
def test_what_cannot_stand_beside_is_refused_by_its_line(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        beside(text, "y", time=None)


def test_columns_of_numbers_are_those_of_nothing_else() -> None:
    text = "t,x,word,some,empty,y\n2024-01-01,1,a,1,,\n2024-01-02,2,b,b,,3\n"
    assert of_numbers(opened(text.encode())) == ("x", "y")
