"""
How do runs travel from one history to another? As a Parquet or CSV file, of which every row is checked.

Both have the columns `COLUMNS`; a curve is a list in Parquet and a JSON array in CSV, where "nan", "inf" and "-inf" are
numbers too. A Parquet file may have been read and written again by a data frame library, which has its own types for
the same values.
"""

import csv
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
from lstm_core.history.records import LONGEST_TEXT, MOST_POINTS, Curves, Record, printable
from lstm_core.history.rows import number as number_of

MOST_BYTES, MOST_ROWS = 200_000_000, 100_000
ROWS_AT_A_TIME = 1000
# pandas keeps the numbers of its rows in a column of their own.
INDEX = "__index_level_"
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
    except (pa.ArrowException, OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadFileError(f"the file cannot be read: {printable(str(error))}") from None


def _fits(rows: int) -> None:
    if rows > MOST_ROWS:
        raise BadFileError(f"the file has {rows:,} rows, more than {MOST_ROWS:,}")


def _named(names: Sequence[str]) -> None:
    if sorted(names) != sorted(COLUMNS):
        raise BadFileError(f"its columns are {printable(', '.join(names))}, not {', '.join(COLUMNS)}")


def _means(actual: pa.DataType, kind: pa.DataType) -> bool:
    """Whether values of a type of Arrow's are of a kind of `COLUMNS`."""
    if pa.types.is_dictionary(actual):
        return _means(actual.value_type, kind)
    if pa.types.is_list(kind):
        lists = pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list
        return any(is_one(actual) for is_one in lists) and _means(actual.value_type, kind.value_type)
    if pa.types.is_null(actual):
        return True
    if kind == TEXT:
        return pa.types.is_string(actual) or pa.types.is_large_string(actual) or pa.types.is_string_view(actual)
    return pa.types.is_integer(actual) if kind == WHOLE else actual in (pa.float32(), pa.float64())


def _parquet_rows(content: bytes) -> Iterator[dict[str, Any]]:
    file = pa.parquet.ParquetFile(io.BytesIO(content))
    schema = file.schema_arrow
    _named([name for name in schema.names if not name.startswith(INDEX)])
    for name, kind in COLUMNS.items():
        actual = schema.field(name).type
        if not _means(actual, kind):
            raise BadFileError(f"column {name}: is {actual}, not {kind}")
    _fits(file.metadata.num_rows)
    # A few bytes may stand for any number of points, or for the same long text in every row.
    for i in range(file.metadata.num_row_groups):
        group = file.metadata.row_group(i)
        values = max(group.column(j).num_values for j in range(group.num_columns))
        if group.total_byte_size > MOST_BYTES or values > MOST_BYTES // 8:
            raise BadFileError(f"the file would unpack to more than {MOST_BYTES:,} bytes")
    file = pa.parquet.ParquetFile(io.BytesIO(content), read_dictionary=_TEXTS)
    for batch in file.iter_batches(ROWS_AT_A_TIME, columns=list(COLUMNS)):
        for place in range(batch.num_rows):
            yield {name: batch.column(name)[place].as_py() for name in COLUMNS}


def _csv_rows(content: bytes) -> Iterator[dict[str, Any]]:
    try:
        header = content.decode("utf-8-sig").partition("\n")[0].strip()
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise BadFileError(f"line {line}: is not UTF-8") from None
    names = next(csv.reader([header]), [])
    if len(names) == 1 and len(names[0].split(";")) == len(COLUMNS):
        raise BadFileError("its columns are separated by semicolons, not by commas")
    _named(names)
    damaged: list[tuple[int, int]] = []

    def skip(row: Any) -> str:
        damaged.append((row.number, row.actual_columns))
        return "skip"

    table = pa.csv.read_csv(
        io.BytesIO(content),
        # Else rows have no numbers.
        read_options=pa.csv.ReadOptions(use_threads=False),
        parse_options=pa.csv.ParseOptions(invalid_row_handler=skip),
        convert_options=pa.csv.ConvertOptions(
            column_types=dict.fromkeys(COLUMNS, TEXT),
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            null_values=[""],
        ),
    )
    if damaged:
        line, fields = damaged[0]
        raise BadFileError(f"row {line - 1}: has {fields} fields, not {len(COLUMNS)}")
    _fits(table.num_rows)
    for number, row in enumerate(table.to_pylist(), start=1):
        yield {name: _read(number, name, row[name]) for name in COLUMNS}


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
        if COLUMNS[name] == NUMBER:
            # pandas takes nan for nothing, as SQLite does.
            row[name] = number_of(value)
        elif value is None and name != "reason":
            raise BadFileError(f"row {number}, column {name}: is empty")
        elif isinstance(value, list):
            if COLUMNS[name].value_type == NUMBER:
                row[name] = [number_of(one) for one in value[: MOST_POINTS + 1]]
            if len(row[name]) > MOST_POINTS or None in row[name]:
                raise BadFileError(f"row {number}, column {name}: is not a curve of at most {MOST_POINTS:,} points")
    try:
        text = row.pop("experiment")
        experiment = Experiment.from_json(text if len(text) <= LONGEST_TEXT else "")
    except ValueError as error:
        raise BadFileError(f"row {number}, column experiment: {error}") from None
    steps, losses, norms = (tuple(row.pop(name)) for name in list(COLUMNS)[9:])
    try:
        return Record(experiment, **row, curves=Curves(steps, losses, norms))
    except ValueError as error:
        raise BadFileError(f"row {number}, column {error}") from None
