"""
How do runs travel from one history to another? As a Parquet or CSV file, of which every row is checked.

Both have the columns `COLUMNS`; a curve is a list in Parquet and a JSON array in CSV, where "nan", "inf" and "-inf" are
numbers too.
"""

import io
import json
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from lstm_core.borrowed.arrow import column
from lstm_core.experiment import Experiment
from lstm_core.history.records import LONGEST_TEXT, MOST_POINTS, Curves, Record

MOST_BYTES, MOST_ROWS = 200_000_000, 100_000
ROWS_AT_A_TIME = 1000
TEXT, WHOLE, NUMBER = pa.string(), pa.int64(), pa.float64()
COLUMNS = {
    "experiment": TEXT,
    "computed_by": TEXT,
    "ended": TEXT,
    "last_step": WHOLE,
    "final_mean_loss": NUMBER,
    "seconds": NUMBER,
    "stored": WHOLE,
    "versions": TEXT,
    "reason": TEXT,
    "curve_steps": pa.list_(WHOLE),
    "curve_mean_loss": pa.list_(NUMBER),
    "curve_grad_norm": pa.list_(NUMBER),
}
_TEXTS = [name for name, kind in COLUMNS.items() if kind == TEXT]


class BadFileError(ValueError):
    """Not a file of runs; the text says in one line what is wrong with it, and where."""


def _rows(records: Iterable[Record]) -> Iterator[tuple[Any, ...]]:
    for record in records:
        plain = [getattr(record, name) for name in list(COLUMNS)[1:9]]
        curves = record.curves
        yield record.experiment.to_json(), *plain, curves.steps, curves.mean_loss, curves.grad_norm


def _column(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    if not pa.types.is_list(kind):
        return column(values, kind)
    ends = pa.py_buffer(array("i", accumulate(map(len, values), initial=0)))
    numbers = column([number for value in values for number in value], kind.value_type)
    return pa.ListArray.from_arrays(pa.Array.from_buffers(pa.int32(), len(values) + 1, [None, ends]), numbers)


def _table(rows: Iterable[tuple[Any, ...]], kinds: Iterable[pa.DataType]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [()] * len(COLUMNS)
    return pa.table([_column(*both) for both in zip(columns, kinds, strict=True)], names=list(COLUMNS))


def to_parquet(records: Iterable[Record]) -> bytes:
    """One row a run."""
    written = io.BytesIO()
    pa.parquet.write_table(_table(_rows(records), COLUMNS.values()), written)
    return written.getvalue()


def to_csv(records: Iterable[Record]) -> bytes:
    """One row a run, after a row of names; what there is not is empty."""
    rows = ([_written(value) for value in row] for row in _rows(records))
    written = io.BytesIO()
    pa.csv.write_csv(_table(map(tuple, rows), [TEXT] * len(COLUMNS)), written)
    return written.getvalue()


def _written(value: Any) -> str | None:
    if isinstance(value, tuple):
        return json.dumps([str(number) if isinstance(number, float) else number for number in value]).replace('"', "")
    return None if value is None else str(value)


def from_parquet(content: bytes) -> list[Record]:
    """The runs of `to_parquet`; `BadFileError` for anything else."""
    return _checked(content, _parquet_rows)


def from_csv(content: bytes) -> list[Record]:
    """The runs of `to_csv`; `BadFileError` for anything else."""
    return _checked(content, _csv_rows)


def _checked(content: bytes, read: Callable[[bytes], Iterator[dict[str, Any]]]) -> list[Record]:
    if len(content) > MOST_BYTES:
        raise BadFileError(f"the file has {len(content):,} bytes, more than {MOST_BYTES:,}")
    try:
        return [_record(number, row) for number, row in enumerate(read(content), start=1)]
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise BadFileError(f"the file cannot be read: {str(error).splitlines()[0]}") from None


def _fits(rows: int) -> None:
    if rows > MOST_ROWS:
        raise BadFileError(f"the file has {rows:,} rows, more than {MOST_ROWS:,}")


def _named(names: Sequence[str]) -> None:
    if sorted(names) != sorted(COLUMNS):
        raise BadFileError(f"its columns are {', '.join(names)[:200]}, not {', '.join(COLUMNS)}")


def _parquet_rows(content: bytes) -> Iterator[dict[str, Any]]:
    file = pa.parquet.ParquetFile(io.BytesIO(content))
    _named(file.schema_arrow.names)
    for name, kind in COLUMNS.items():
        actual = file.schema_arrow.field(name).type
        if actual != kind:
            raise BadFileError(f"column {name}: is {actual}, not {kind}")
    _fits(file.metadata.num_rows)
    # A few bytes may stand for any number of points, or for the same long text in every row.
    for i in range(file.metadata.num_row_groups):
        group = file.metadata.row_group(i)
        values = max(group.column(j).num_values for j in range(group.num_columns))
        if group.total_byte_size > MOST_BYTES or values > MOST_BYTES // 8:
            raise BadFileError(f"the file would unpack to more than {MOST_BYTES:,} bytes")
    file = pa.parquet.ParquetFile(io.BytesIO(content), read_dictionary=_TEXTS)
    for batch in file.iter_batches(ROWS_AT_A_TIME):
        yield from batch.to_pylist()


def _csv_rows(content: bytes) -> Iterator[dict[str, Any]]:
    options = pa.csv.ConvertOptions(
        column_types=dict.fromkeys(COLUMNS, TEXT),
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
        null_values=[""],
    )
    table = pa.csv.read_csv(io.BytesIO(content), convert_options=options, parse_options=_OVER_LINES)
    _named(table.column_names)
    _fits(table.num_rows)
    for number, row in enumerate(table.to_pylist(), start=1):
        yield {name: _read(number, name, row[name]) for name in COLUMNS}


_OVER_LINES = pa.csv.ParseOptions(newlines_in_values=False)


def _read(number: int, name: str, text: str | None) -> Any:
    kind = COLUMNS[name]
    if text is None or kind == TEXT:
        return text
    try:
        if not pa.types.is_list(kind):
            return _parsed(text, kind)
        if not (text.startswith("[") and text.endswith("]")):
            raise ValueError
        return [_parsed(part, kind.value_type) for part in text[1:-1].split(",") if part]
    except ValueError:
        raise BadFileError(f"row {number}, column {name}: {text[:40]!r} is not {kind}") from None


def _parsed(text: str, kind: pa.DataType) -> int | float:
    return int(text) if kind == WHOLE else float(text)


def _record(number: int, row: dict[str, Any]) -> Record:
    """A row as a run; `BadFileError`, naming row and column, where it is none."""
    for name, value in row.items():
        if value is None and name != "reason":
            raise BadFileError(f"row {number}, column {name}: is empty")
        if isinstance(value, list) and (len(value) > MOST_POINTS or None in value):
            raise BadFileError(f"row {number}, column {name}: is not a curve of at most {MOST_POINTS:,} points")
    try:
        text = row.pop("experiment")
        experiment = Experiment.from_json(text if len(text) <= LONGEST_TEXT else "")
    except (ValueError, RecursionError) as error:
        raise BadFileError(f"row {number}, column experiment: {error}") from None
    steps, losses, norms = (tuple(row.pop(name)) for name in list(COLUMNS)[9:])
    try:
        return Record(experiment, **row, curves=Curves(steps, losses, norms))
    except ValueError as error:
        raise BadFileError(f"row {number}, column {error}") from None
