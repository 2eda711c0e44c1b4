"""Do runs survive a trip through a file, and is a bad file refused by row and column?"""

import dataclasses
import io
import math
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from lstm_core import Experiment
from lstm_core.history import exchange
from lstm_core.history.exchange import COLUMNS, BadFileError, from_csv, from_parquet, to_csv, to_parquet
from lstm_core.history.records import Curves, Record, failed, versions

EXPERIMENT = Experiment(length=4, steps=9, forget_bias="chrono")
CURVES = Curves((1, 9), (0.1, math.nan), (1e300, math.inf))
RECORDS = [
    Record(EXPERIMENT, "fused", "diverged", 9, math.inf, 0.25, 1_700_000_000, versions(), curves=CURVES),
    failed(dataclasses.replace(EXPERIMENT, seed=1), 'a "reason", with a comma'),
    failed(dataclasses.replace(EXPERIMENT, seed=2), "none"),
]
FORMATS = [(to_parquet, from_parquet), (to_csv, from_csv)]


@pytest.mark.parametrize(("write", "read"), FORMATS, ids=["parquet", "csv"])
def test_all_that_is_kept_comes_back(write: Callable[[Any], bytes], read: Callable[[bytes], Any]) -> None:
    assert repr(read(write(RECORDS))) == repr(RECORDS)
    assert read(write([])) == []


def rows(**changes: Any) -> list[dict[str, Any]]:
    table = pa.parquet.read_table(io.BytesIO(to_parquet(RECORDS[:2])))
    first, second = table.to_pylist()
    return [first, {**second, **changes}]


def parquet(rows: list[dict[str, Any]]) -> bytes:
    written = io.BytesIO()
    pa.parquet.write_table(pa.Table.from_pylist(rows, pa.schema(list(COLUMNS.items()))), written)
    return written.getvalue()


BAD_ROWS: list[tuple[dict[str, Any], str]] = [
    ({"experiment": '{"length": -5}'}, "experiment: length: -5 is not a whole number"),
    ({"experiment": '{"colour": 1}'}, "experiment: experiment: 'colour' is not one of"),
    ({"experiment": "[" * 1000}, "experiment: "),
    ({"experiment": '{"task": "' + "a" * 5000 + '"}'}, "experiment: "),
    ({"experiment": None}, "experiment: is empty"),
    ({"ended": "gladly"}, "ended: 'gladly' is not one of solved"),
    ({"computed_by": "hand"}, "computed_by: 'hand' is not one of"),
    ({"last_step": 10}, "last_step: 10 is not from 0 to 9"),
    ({"seconds": math.nan}, "seconds: nan is not a number of at least 0"),
    ({"stored": -1}, "stored: -1 is not a time"),
    ({"versions": "os.system('x')"}, "versions: .* is not a JSON object"),
    ({"reason": "two\nlines"}, "reason: "),
    ({"curve_steps": [1]}, "curve_steps: curves of 1, 0 and 0 points"),
    ({"curve_mean_loss": [0.5] * 20_000}, "curve_mean_loss: is not a curve of at most 10,000 points"),
    ({"curve_mean_loss": None}, "curve_mean_loss: is empty"),
]


@pytest.mark.parametrize(("changes", "message"), BAD_ROWS, ids=lambda value: str(value)[:40])
def test_a_bad_row_is_refused_by_number_and_column(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(BadFileError, match=f"^row 2, column {message}"):
        from_parquet(parquet(rows(**changes)))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("1700000000", "yesterday", "^row 1, column stored: 'yesterday' is not int64"),
        ("[1, 9]", "[1, many]", r"^row 1, column curve_steps: '\[1, many\]' is not list"),
        ("[1, 9]", "1", "^row 1, column curve_steps: '1' is not list"),
        ("0.25", "", "^row 1, column seconds: '' is not double"),
        ("fused", "hand", "^row 1, column computed_by: 'hand' is not one of"),
        ("seconds", "minutes", "^its columns are experiment, .*minutes.*, not experiment"),
        (',"fused"', "", r"^row 1: has 11 fields, not 12$"),
        ("fused", "f\xfcsed", r"^line 2: is not UTF-8$"),
        ('{""', "{", "^row 1, column experiment: experiment: '{.*' is not a JSON object$"),
    ],
)
def test_a_bad_csv_is_refused_by_row_and_column(old: str, new: str, message: str) -> None:
    with pytest.raises(BadFileError, match=message):
        from_csv(to_csv(RECORDS).replace(old.encode(), new.encode("latin-1"), 1))


def test_a_csv_with_semicolons_is_refused_by_what_separates_it() -> None:
    with pytest.raises(BadFileError, match=r"^its columns are separated by semicolons, not by commas$"):
        from_csv(to_csv(RECORDS).replace(b'","', b'";"'))


def rewritten(kinds: dict[pa.DataType, pa.DataType]) -> bytes:
    """As another library writes the same values."""
    table = pa.parquet.read_table(io.BytesIO(to_parquet(RECORDS)))
    written = io.BytesIO()
    schema = pa.schema([(field.name, kinds.get(field.type, field.type)) for field in table.schema])
    pa.parquet.write_table(table.cast(schema), written)
    return written.getvalue()


@pytest.mark.parametrize(
    "kinds",
    [
        {pa.string(): pa.large_string()},
        {pa.string(): pa.string_view()},
        {pa.string(): pa.dictionary(pa.int32(), pa.string())},
        {pa.string(): pa.dictionary(pa.uint32(), pa.large_string())},
        {pa.int64(): pa.int32(), pa.list_(pa.int64()): pa.large_list(pa.int32())},
        {pa.list_(pa.float64()): pa.large_list(pa.float64())},
    ],
    ids=str,
)
def test_parquet_that_a_data_frame_library_has_rewritten_is_read(kinds: dict[pa.DataType, pa.DataType]) -> None:
    assert repr(from_parquet(rewritten(kinds))) == repr(RECORDS)


def test_rows_that_pandas_has_chosen_are_read() -> None:
    frame, written = pa.parquet.read_table(io.BytesIO(to_parquet(RECORDS))).to_pandas(), io.BytesIO()
    frame[frame.ended != "completed"].iloc[::-1].to_parquet(written)
    assert repr(from_parquet(written.getvalue())) == repr(RECORDS[::-1])


def test_one_long_text_in_every_row_is_held_once() -> None:
    content = parquet([{**row, "versions": "a" * 50_000} for row in rows()[:1] * 500])
    tracemalloc.start()
    with pytest.raises(BadFileError, match=r"^row 1, column versions: "):
        from_parquet(content)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 10_000_000


def test_a_parquet_file_with_other_columns_is_refused() -> None:
    good = pa.parquet.read_table(io.BytesIO(to_parquet(RECORDS)))
    written = io.BytesIO()
    pa.parquet.write_table(good.drop_columns(["reason"]), written)
    with pytest.raises(BadFileError, match=r"^its columns are "):
        from_parquet(written.getvalue())
    written = io.BytesIO()
    pa.parquet.write_table(good.set_column(3, "last_step", [["1", "2", "3"]]), written)
    with pytest.raises(BadFileError, match=r"^column last_step: is string, not int64"):
        from_parquet(written.getvalue())


@pytest.mark.parametrize("read", [from_parquet, from_csv])
@pytest.mark.parametrize("content", [b"", b"\x80\x04K\x01.", b"PAR1" + b"\xff" * 200 + b"PAR1", b"a,b\n1\n2,3,4\n"])
def test_what_is_no_table_is_refused(read: Callable[[bytes], Any], content: bytes) -> None:
    with pytest.raises(BadFileError, match=r"^[^\n]+$"):
        read(content)


@pytest.mark.parametrize(("write", "read"), FORMATS, ids=["parquet", "csv"])
def test_a_huge_file_is_refused(
    write: Callable[[Any], bytes], read: Callable[[bytes], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    content = write(RECORDS)
    monkeypatch.setattr(exchange, "MOST_ROWS", 2)
    with pytest.raises(BadFileError, match=r"^the file has 3 rows, more than 2"):
        read(content)
    monkeypatch.setattr(exchange, "MOST_BYTES", 1000)
    with pytest.raises(BadFileError, match=r"^the file has [0-9,]+ bytes, more than 1,000"):
        read(content)


def test_a_small_file_that_unpacks_to_a_huge_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    content = parquet(rows(curve_mean_loss=[0.5] * 1_000_000))
    assert len(content) < 100_000
    monkeypatch.setattr(exchange, "MOST_BYTES", 1_000_000)
    with pytest.raises(BadFileError, match="would unpack to more than 1,000,000 bytes"):
        from_parquet(content)


def test_history_and_exchange_do_without_pandas(tmp_path: Any) -> None:
    """Which pyarrow imports when it is asked in the wrong way."""
    script = (
        "import sys; from lstm_core import Experiment; "
        "from lstm_core.history import database, exchange, opening; from lstm_core.history.records import failed; "
        f"kept = opening.open_history('sqlite:///{tmp_path}/history.sqlite'); "
        "database.store(kept, [failed(Experiment(), 'a reason')]); assert database.runs(kept).num_rows == 1; "
        "rows = list(database.records(kept)); exchange.from_csv(exchange.to_csv(rows)); "
        "exchange.from_parquet(exchange.to_parquet(rows)); "
        "print([name for name in ('pandas', 'sympy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
