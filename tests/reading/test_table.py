"""Is a file read as it is meant, and everything that is none refused in one line that says where?"""

import codecs
import io
import time
import tracemalloc
import zlib
from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_core.reading.column import Column, column, guessed, shape
from lstm_core.reading.table import MOST_BYTES, MOST_COLUMNS, MOST_ROWS, MOST_UNPACKED, opened
from lstm_core.tasks.series import Series

PNG = b"\x89PNG\r\n\x1a\n" + zlib.compress(bytes(5000))


def read(text: str | bytes, name: str = "x", time: str | None = None) -> Column:
    return column(opened(text if isinstance(text, bytes) else text.encode()), name, time)


def rows(count: int, cell: str = "1.5", header: str = "x") -> str:
    return header + "\n" + f"{cell}\n" * count


BAD: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", r"^line 1: the file is empty$"),
    "blank": ("\n \n\n", r"^line 1: the file is empty$"),
    "header only": ("x,y\n", r"^line 1: the file has a header and no rows below it$"),
    "wrong delimiter": ("t:x\n1:2\n2:3\n", r"^column 'x' is not one of t:x$"),
    "another delimiter and one column": ("x\n1 2\n", r"^line 2, column 'x': '1 2' is not a number"),
    "decimal commas between commas": ("t,x\n1,2,5\n", r"^line 2: 3 cells, but the header has 2, separated by comma$"),
    "points beside decimal commas": ("t;x\n1;2,5\n2;1.5\n", r"^line 3, column 'x': '1\.5' has a point as dec"),
    "thousands in twos": ("t;x\n1;20.00,5\n", r"^line 2, column 'x': '20\.00,5' is not a number$"),
    "two signs for thousands": ("t;x\n1;2.000,5\n2;2 000,5\n", r"^line 3, column 'x': '2 000,5' is not a number"),
    "UTF-16 that does not say so": ("x\n1\n".encode("utf-16-le"), r"^line 1: a byte that is 0; .* Save it as UTF-8$"),
    "NUL bytes": (b"x\n1\n2\0\n", r"^line 3: a byte that is 0"),
    "NUL characters in UTF-16": ("x\n1\n\0\n".encode("utf-16"), r"^line 3: a character that is 0"),
    "cut UTF-16": (codecs.BOM_UTF16_LE + b"x\0\n", r"^line \d: bytes of no known encoding; save"),
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
    "a PNG without a 0": (PNG.replace(b"\0", b"\1"), r"^line 1: bytes of no known encoding; save the file as UTF-8"),
    "a formula": ("x\n1\n=2+3\n", r"^line 3, column 'x': '=2\+3' is a formula, not a number$"),
    "a long row": ("x,y\n1,2\n1,2,3\n", r"^line 3: 3 cells, but the header has 2, separated by comma$"),
    "a short row": ("x,y\n1\n", r"^line 2: 1 cell, but the header has 2, separated by comma$"),
    "a quotation mark": ('"', r"^line 1: there are no names of columns$"),
    "a huge header": ("x" * 200_000, r"^line 1: field larger than field limit"),
    "a long name": ("x" * 2000 + "\n1\n", r"^line 1: a name of 2,000 characters, more than 1,000"),
    "a huge cell": ("x\n" + "9" * 200_000 + "\n", r"^line 2: field larger than field limit"),
    "another name": ("y\n1\n", r"^column 'x' is not one of y$"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_file_gets_one_line_that_says_where(kind: str) -> None:
    content, message = BAD[kind]
    with pytest.raises(ValueError, match=message) as refused:
        read(content)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 300


def test_one_row_is_read_and_refused_as_a_series() -> None:
    found = read("x\n1\n")
    assert found.values == (1.0,)
    with pytest.raises(ValueError, match=r"^column 'x': 1 values? .* fewer than 20"):
        Series("x", found.values)


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


def _encoded(name: str, other: str, encoding: str) -> bytes:
    return f"{name},{other}\n2024-01-02,1\n2024-01-03,2\n".encode(encoding)


@pytest.mark.parametrize(
    ("name", "other", "encoding"),
    [
        ("날짜", "값", "cp949"),
        ("시간", "매출액(원)", "cp949"),
        ("日付", "値", "cp932"),
        ("年月日", "気温(℃)", "cp932"),
        ("日期", "数值", "gb18030"),
        ("日期", "數值", "big5"),
        ("Дата", "Значение", "cp1251"),
        ("Zeit", "Größe", "cp1252"),
        ("Datum", "Außentemperatur °C", "cp1252"),
        ("Fecha", "Año", "cp1252"),
    ],
)
def test_names_are_read_in_the_encoding_of_their_country(name: str, other: str, encoding: str) -> None:
    table = opened(_encoded(name, other, encoding))
    assert table.names == (name, other)
    assert guessed(table) == (other, name)
    if encoding != "cp1252":
        assert shape(table).startswith(f"Read as {encoding.upper()}, cells separated by comma")


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_a_separator_within_quotation_marks_separates_nothing(separator: str) -> None:
    table = opened(f'"Time, UTC; a|b\tc"{separator}"Value, m"\n2000-01-01{separator}"0,5"\n'.encode())
    assert table.names == ("Time, UTC; a|b c", "Value, m")
    assert table.cells("Value, m") == ["0,5"]


def test_the_separator_is_the_one_under_which_rows_agree() -> None:
    assert opened(b"Time, UTC;Value, m\n2000-01-01;0,5\n2000-01-02;1,5\n").names == ("Time, UTC", "Value, m")
    assert opened(b"x\n1,5\n2,5\n").names == ("x",)


def test_a_line_is_counted_as_an_editor_does() -> None:
    with pytest.raises(ValueError, match=r"^line 7, column 'x': 'no' is not a number"):
        read('"x\ny",x\n\n1,1\n\n"a\nb",no\n')


def _parquet(**columns: object) -> bytes:
    written = io.BytesIO()
    pyarrow.parquet.write_table(pa.table(columns), written)
    return written.getvalue()


DAYS = [datetime(2024, 1, 1) + timedelta(days=i) for i in range(30)]


@pytest.mark.parametrize(
    "times", [pa.array(DAYS), pa.array([day.date() for day in DAYS]), pa.array([f"{day:%d.%m.%Y}" for day in DAYS])]
)
@pytest.mark.parametrize("kind", [pa.float64(), pa.float32(), pa.int64(), pa.string(), pa.large_string()])
def test_parquet_is_read_as_the_same_table_in_text(times: pa.Array, kind: pa.DataType) -> None:
    values = [None, *range(7, 36)]
    table = opened(_parquet(day=times, x=pa.array(values).cast(kind)))
    assert guessed(table) == ("x", "day")
    as_text = "day,x\n" + "".join(
        f"{day:%Y-%m-%d},{'' if value is None else value}\n" for day, value in zip(DAYS, values, strict=True)
    )
    assert column(table, "x", "day").values == read(as_text, "x", "day").values


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PAR1", r"^the file is no Parquet: "),
        (_parquet(x=[1.5])[:-9], r"^the file is no Parquet: "),
        (_parquet(x=pa.array([], pa.float64())), r"^the file has columns and no rows$"),
        (_parquet(x=range(MOST_ROWS + 1)), r"^the file has 100,001 rows, more than 100,000; keep fewer$"),
        (_parquet(x=[[1.5]]), r"^column 'x': it has list<element: double>; numbers or times are needed$"),
        (_parquet(x=["y" * 2_000_000 + str(i) for i in range(27)]), r"^the file has [\d,]+ bytes unpacked, more than"),
    ],
)
def test_bad_parquet_gets_one_line(content: bytes, message: str) -> None:
    assert len(content) < MOST_BYTES
    with pytest.raises(ValueError, match=message) as refused:
        read(content)
    assert "\n" not in str(refused.value)


BOMBS = {
    "one long text for all rows": _parquet(x=pa.DictionaryArray.from_arrays([0] * 90_000, ["y" * 1_000_000])),
    "long lists": _parquet(x=pa.array([[0] * 5_000] * 300, pa.list_(pa.int8()))),
}


@pytest.mark.parametrize("kind", BOMBS)
def test_parquet_that_repeats_much_is_refused_before_it_is_spread_out(kind: str) -> None:
    before, peak = pa.total_allocated_bytes(), pa.default_memory_pool().max_memory()
    table = opened(BOMBS[kind])
    with pytest.raises(ValueError, match=r"^column 'x': .*numbers or times are needed$"):
        table.cells("x")
    with pytest.raises(ValueError, match=r"."):
        column(table, *guessed(table))
    assert pa.total_allocated_bytes() - before < MOST_BYTES
    assert pa.default_memory_pool().max_memory() - max(peak, before) < 20 * MOST_BYTES


def test_what_no_calendar_has_in_a_column_of_parquet_is_refused() -> None:
    far = pa.array([2**62, 1], pa.int64()).cast(pa.timestamp("us"))
    with pytest.raises(ValueError, match=r"^column 't': "):
        opened(_parquet(t=far, x=[1.5, 2.5])).cells("t")
    assert opened(_parquet(t=far, x=[1.5, 2.5])).cells("x") == ["1.5", "2.5"]


def test_nanoseconds_of_parquet_need_no_pandas() -> None:
    table = opened(_parquet(t=pa.array([1_700_000_000_000_000_001], pa.timestamp("ns")), x=[1.5]))
    assert table.cells("t") == ["2023-11-14T22:13:20"]


def test_names_of_parquet_are_cleaned_and_still_found() -> None:
    table = opened(_parquet(**{" a  b ": [1.5], "c\nd": [2.5]}))
    assert (table.names, table.cells("a b"), table.cells("c d")) == (("a b", "c d"), ["1.5"], ["2.5"])


def test_blank_lines_are_counted_in_the_number_of_a_line() -> None:
    with pytest.raises(ValueError, match=r"^line 5, column 'a': 'x' is not a number"):
        read("a,b\n1,2\n  \n\nx,2\n", "a")
    with pytest.raises(ValueError, match=r"^line 4: 1 cell, but"):
        read("a,b\n1,2\n  \nx\n", "a")


def test_a_long_file_in_an_older_encoding_is_read() -> None:
    rows = "".join(f"{1 + i % 28}.1.{2000 + i // 28},서울특별시,{i}\n" for i in range(20_000))
    assert opened(f"날짜,도시,값\n{rows}".encode("cp949")).names == ("날짜", "도시", "값")


def test_parquet_that_unpacks_to_much_more_is_refused_before_it_is_read() -> None:
    content = _parquet(x=pa.array(["y" * 2_000_000] * 150).dictionary_encode().cast(pa.string()))
    assert len(content) < MOST_BYTES < MOST_UNPACKED
    tracemalloc.start()
    before = pa.total_allocated_bytes()
    with pytest.raises(ValueError, match=r"^column 'x': a text of 2,000,000 characters"):
        read(content)
    assert pa.total_allocated_bytes() - before < MOST_BYTES
    tracemalloc.stop()


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
        table = opened(content)
        found = column(table, *guessed(table))
    except ValueError as error:
        refusal: str | None = str(error)
    else:
        refusal = None
        assert found.values
        assert all(abs(value) <= 1e100 for value in found.values)
    if refusal is not None:
        assert refusal.startswith(("line ", "column ", "the file "))
        assert len(io.StringIO(refusal).readlines()) == 1
