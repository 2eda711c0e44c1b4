"""Is a CSV file read as it is meant, and everything that is none refused in one line that says where?"""

import codecs
import io
import time
import tracemalloc
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_core.tasks.series import Series
from lstm_core.tasks.series_file import MOST_BYTES, MOST_COLUMNS, MOST_ROWS, Filled, column, guessed, opened

PNG = b"\x89PNG\r\n\x1a\n" + zlib.compress(bytes(5000))


def read(text: str | bytes, name: str = "x", time: str | None = None) -> Filled:
    return column(opened(text if isinstance(text, bytes) else text.encode()), name, time)


def rows(count: int, cell: str = "1.5", header: str = "x") -> str:
    return header + "\n" + f"{cell}\n" * count


BAD: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", r"^line 1: the file is empty$"),
    "blank": ("\n \n\n", r"^line 1: the file is empty$"),
    "header only": ("x,y\n", r"^line 1: the file has a header and no rows below it$"),
    "wrong delimiter": ("t:x\n1:2\n2:3\n", r"^column 'x' is not one of t:x$"),
    "another delimiter and one column": ("x\n1 2\n", r"^line 2, column 'x': '1 2' is not a number; it is the only"),
    "decimal commas between commas": ("t,x\n1,2,5\n", r"^line 2: 3 cells, but the header has 2, separated by comma$"),
    "points beside decimal commas": ("t;x\n1;2,5\n2;1.000\n", r"^line 3, column 'x': '1\.000' has a point, where "),
    "thousands": ("t;x\n1;2.000,5\n", r"^line 2, column 'x': '2\.000,5' has a point"),
    "UTF-16 that does not say so": ("x\n1\n".encode("utf-16-le"), r"^line 1: a byte that is 0; .* Save it as UTF-8$"),
    "NUL bytes": (b"x\n1\n2\0\n", r"^line 3: a byte that is 0"),
    "NUL characters in UTF-16": ("x\n1\n\0\n".encode("utf-16"), r"^line 3: a character that is 0"),
    "cut UTF-16": (codecs.BOM_UTF16_LE + b"x\0\n", r"^line \d: bytes that are not UTF-8"),
    "Latin-1": ("x,Größe\n1,2\n".encode("latin-1"), r"^line 1: bytes that are not UTF-8"),
    "10,000 columns": (",".join(f"c{i}" for i in range(10_000)) + "\n", r"^line 1: the file has 10,000 columns, more"),
    "text": ("x\n1\ntwo\n", r"^line 3, column 'x': 'two' is not a number"),
    "underscores": ("x\n1_000\n", r"^line 2, column 'x': '1_000' is not a number"),
    "other digits": ("x\n١٢\n", r"^line 2, column 'x': '١٢' is not a number"),
    "all missing": ("t,x\n1,\n2,NA\n3,nan\n", r"^column 'x': no cell has a value$"),
    "inf": ("x\n1\n-inf\n", r"^line 3, column 'x': '-inf' is not a number up to 1e\+100$"),
    "1e400": ("x\n1\n1e400\n", r"^line 3, column 'x': '1e400' is not a number up to 1e\+100$"),
    "duplicate header": ("x,y,x\n1,2,3\n", r"^line 1: column 'x' is there twice, as 1 and 3$"),
    "no header": ("1,2\n3,4\n", r"^line 1: '1' is a number; the first line has to name the columns$"),
    "over the limit": (b"x\n" + b"1\n" * (MOST_BYTES // 2), r"^the file has 5,242,882 bytes, more than 5,242,880$"),
    "too many rows": (rows(MOST_ROWS + 1), r"^line 100002: the file has more than 100,000 rows; keep fewer$"),
    "a PNG renamed": (PNG, r"^line \d: a byte that is 0; this is not a text file"),
    "a PNG without a 0": (PNG.replace(b"\0", b"\1"), r"^line 1: bytes that are not UTF-8; save the file as UTF-8"),
    "a formula": ("x\n1\n=2+3\n", r"^line 3, column 'x': '=2\+3' is a formula, not a number$"),
    "a long row": ("x,y\n1,2\n1,2,3\n", r"^line 3: 3 cells, but the header has 2, separated by comma$"),
    "a short row": ("x,y\n1\n", r"^line 2: 1 cell, but the header has 2, separated by comma$"),
    "a quotation mark": ('"', r"^line 1: there are no names of columns$"),
    "a huge header": ("x" * 200_000, r"^line 1: field larger than field limit"),
    "a huge cell": ("x\n" + "9" * 200_000 + "\n", r"^line 2: field larger than field limit"),
    "another name": ("y\n1\n", r"^column 'x' is not one of y$"),
}
BAD_TIMES = {
    "out of order": ("2024-01-03,1\n2024-01-01,2", r"^line 3, column 't': '2024-01-01' comes after '2024-01-03'; sort"),
    "twice": ("2024-01-03,1\n2024-01-03,2", r"^line 3, column 't': '2024-01-03' is there twice$"),
    "no time": ("2024-01-03,1\nsoon,2", r"^line 3, column 't': 'soon' is neither a time like"),
    "no such day": ("2024-02-30,1", r"^line 2, column 't': '2024-02-30' is neither a time"),
    "empty": ("2024-01-03,1\n,2", r"^line 3, column 't': '' is neither a time"),
    "inf": ("1,1\n1e400,2", r"^line 3, column 't': '1e400' is neither"),
    "too far apart": (
        "1,1\n2,2\n3,3\n900,4",
        r"^column 't': 896 rows are missing between its times; too many to fill$",
    ),
    "endlessly far apart": ("1,1\n2,2\n1e90,4", r"^column 't': 99,999 rows are missing between its times; too many"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_file_gets_one_line_that_says_where(kind: str) -> None:
    content, message = BAD[kind]
    with pytest.raises(ValueError, match=message) as refused:
        read(content)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize("kind", BAD_TIMES)
def test_bad_times_get_one_line_that_says_where(kind: str) -> None:
    content, message = BAD_TIMES[kind]
    with pytest.raises(ValueError, match=message):
        read(f"t,x\n{content}\n", time="t")


def test_one_row_is_read_and_refused_as_a_series() -> None:
    filled = read("x\n1\n")
    assert filled.values == (1.0,)
    with pytest.raises(ValueError, match=r"^column 'x': 1 values? .* fewer than 20"):
        Series("x", filled.values)


def test_a_constant_column_is_refused_as_a_series() -> None:
    with pytest.raises(ValueError, match=r"^column 'x': its first 35 values, which are to be learned, do not change"):
        Series("x", read(rows(50)).values)


@pytest.mark.parametrize("kind", BAD)
def test_no_bad_file_makes_the_process_grow(kind: str) -> None:
    content, _ = BAD[kind]
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"."):
        read(content)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * MOST_BYTES


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("t,x\n1,2\n2,3\n", (2.0, 3.0)),
        ("t;x\n1;2,5\n2;-1,25e1\n", (2.5, -12.5)),
        ("t;x\n1;2.5\n2;3.5\n", (2.5, 3.5)),
        ("t\tx\n1\t2,5\n", (2.5,)),
        ("t|x\n1|.5\n", (0.5,)),
        ('"t","x"\n"1","2"\n', (2.0,)),
        ("x\r\n1\r\n2\r\n", (1.0, 2.0)),
        ("x\r1\r2\r", (1.0, 2.0)),
        ("x\n1\n\n2", (1.0, 2.0)),
        (" x \n +1 \n", (1.0,)),
        ("\ufeffx\n1\n", (1.0,)),
    ],
)
def test_what_is_meant_is_read(text: str, values: tuple[float, ...]) -> None:
    assert read(text).values == values


@pytest.mark.parametrize("order", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_that_says_so_is_read(order: str) -> None:
    marks = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}
    assert read(marks.get(order, b"") + "Größe,x\n1,2\n".encode(order)).values == (2.0,)


def test_a_column_without_a_name_is_called_by_its_place() -> None:
    assert opened(b",x\n0,1\n").names == ("column 1", "x")


def test_gaps_inside_are_filled_linearly_and_those_at_the_ends_left_out() -> None:
    filled = read("x,y\n,0\n1,0\nNA,0\n-,0\n4,0\n?,0\n")
    assert filled.values == pytest.approx((1, 2, 3, 4))
    gaps = "Filled linearly between the neighbours: 2 cells without a value. "
    assert filled.report == gaps + "Left out: 2 rows without a value at the ends."


@pytest.mark.parametrize(
    ("times", "places"),
    [
        ("2024-01-01 2024-01-02 2024-01-04 2024-01-05", (0, 1, 3, 4)),
        ("2024-01 2024-02 2024-04 2024-05", (0, 1, 3, 4)),
        ("2024/01/01T00:00 2024/01/01T01:00 2024/01/01T03:00 2024/01/01T04:00", (0, 1, 3, 4)),
        ("1990 1991 1993 1994", (0, 1, 3, 4)),
        ("2024-01-01 2024-02-01 2024-03-01 2024-04-01", (0, 1, 2, 3)),
    ],
)
def test_rows_that_the_times_show_to_be_missing_are_filled_linearly(times: str, places: tuple[int, ...]) -> None:
    lines = "".join(f"{time},{2 * place}\n" for time, place in zip(times.split(), places, strict=True))
    filled = read(f"t,x\n{lines}", time="t")
    assert filled.values == pytest.approx([2.0 * i for i in range(places[-1] + 1)])
    assert [place for place, time in enumerate(filled.times) if time] == list(places)
    missing = places[-1] + 1 - len(places)
    said = "1 missing row." if missing else "There are no gaps."
    assert filled.report.endswith(said)


@pytest.mark.parametrize(
    ("text", "guess"),
    [
        ("date,place,x\n2024-01-01,here,1\n", ("x", "date")),
        ("x,date\n1,2024-01-01\n", ("x", "date")),
        ("x,y\n1,2\n", ("x", None)),
        ("x\nword\n", ("x", None)),
        ("t;x\n2024-01;1,5\n", ("x", "t")),
        ("Year,x\n1990,1\n", ("x", "Year")),
        ("a,t,x\n3,1990,1\n", ("a", "t")),
        ("year\n1990\n", ("year", None)),
    ],
)
def test_columns_are_guessed_from_the_first_row(text: str, guess: tuple[str, str | None]) -> None:
    assert guessed(opened(text.encode())) == guess


def test_the_largest_file_is_read_in_seconds_and_within_little_memory() -> None:
    content = ("t,x\n" + "".join(f"{i},{i % 97}.25\n" for i in range(MOST_ROWS))).encode()
    started = time.perf_counter()
    assert len(read(content, time="t").values) == MOST_ROWS
    assert time.perf_counter() - started < 5
    wide = ",".join(f"c{i}" for i in range(MOST_COLUMNS)) + "\n"
    wide += ("1," * (MOST_COLUMNS - 1) + "1\n") * ((MOST_BYTES - len(wide)) // (2 * MOST_COLUMNS))
    tracemalloc.start()
    assert set(read(wide, "c7").values) == {1.0}
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * MOST_BYTES


CELLS = st.sampled_from(("", "1", "-2.5", "1,5", "1e400", "inf", "nan", "=1", '"', "'", "x", "2024-01-01", "\n", "\0"))
LINES = st.lists(st.lists(CELLS | st.text(max_size=5), max_size=4), max_size=6)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.sampled_from(",;\t|:"), LINES, st.sampled_from(("utf-8", "utf-16", "latin-1", "utf-16-le")))
def test_anything_like_a_table_is_read_or_refused(delimiter: str, lines: list[list[str]], coding: str) -> None:
    _read_or_refused("\n".join(delimiter.join(line) for line in lines).encode(coding, "replace"))


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    _read_or_refused(content)


def _read_or_refused(content: bytes) -> None:
    try:
        file = opened(content)
        filled = column(file, *guessed(file))
    except ValueError as error:
        refusal: str | None = str(error)
    else:
        refusal = None
        assert filled.values
        assert all(abs(value) <= 1e100 for value in filled.values)
    if refusal is not None:
        assert refusal.startswith(("line ", "column ", "the file "))
        assert len(io.StringIO(refusal).readlines()) == 1
