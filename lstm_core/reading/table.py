"""
What is in a file: which columns, as text? A text file with separators, in any encoding that can be told, or Parquet.

Every refusal is a ValueError of one line that names line or column, and what would help.
"""

import csv
import io
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import accumulate, islice
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.csv

from lstm_core.language import _
from lstm_core.reading.numbers import NUMBER
from lstm_core.reading.times import NAMES

MOST_BYTES, MOST_COLUMNS, MOST_ROWS, MOST_UNPACKED = 5 * 2**20, 500, 100_000, 50 * 2**20
LONGEST_NAME = 1000
# In the order in which they are preferred where rows agree under several: a comma is the decimal sign of many.
SEPARATORS = {"\t": _("tab"), ";": _("semicolon"), "|": _("|"), ",": _("comma")}
MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
# Of files that are not UTF-8: of Western and Central Europe, Korea, Japan, China and Taiwan, and of Cyrillic.
ENCODINGS = ["cp1252", "cp1250", "cp949", "cp932", "gb18030", "big5", "cp1251"]
PARQUET = b"PAR1"
# By so many rows the separator is found; from so many bytes the encoding.
LOOKED_AT, SAMPLED, AT_A_TIME = 200, 2**16, 10_000
# The header, and the first rows, are within so many characters.
BEGINNING = 2**20


class Shape(NamedTuple):
    """How a file is written, for whoever wants to know: its encoding, and the sign between two cells, "" for none."""

    encoding: str
    separator: str


@dataclass(frozen=True)
class Table:
    """
    The `names` of a file's columns and the number of its `rows`; its `cells` by the name of a column, as text
    without blanks around it; those at the `head` of all columns that can be read; and the place of a row,
    counted from 0, in the words of a message.
    """

    names: tuple[str, ...]
    rows: int
    shape: Shape
    cells: Callable[[str], list[str]]
    head: Callable[[], dict[str, list[str]]]
    place: Callable[[int], str]

    def check(self, name: str) -> None:
        """ValueError for a column that is not there."""
        if name not in self.names:
            raise ValueError(f"column {name[:40]!r} is not one of {', '.join(self.names)[:200]}")


def opened(content: bytes) -> Table:
    """The table with these bytes, every row counted; ValueError where it is none."""
    if len(content) > MOST_BYTES:
        raise ValueError(f"the file has {len(content):,} bytes, more than {MOST_BYTES:,}")
    return _parquet(content) if content.startswith(PARQUET) else _text(content)


def _text(content: bytes) -> Table:
    text, encoding = _decoded(content)
    separator = _separator(text)
    names = _names(
        [cell.strip() for cell in next(_lines(io.StringIO(text[:BEGINNING], newline=""), separator), (1, []))[1]]
    )
    plain = pa.py_buffer(text.encode())
    del text

    def every() -> Iterator[tuple[int, list[str]]]:
        """All rows, of which the header is number 0, each with the number of its last line."""
        return _lines(io.TextIOWrapper(io.BytesIO(plain.to_pybytes()), "utf-8", newline=""), separator)

    def whole() -> Iterator[tuple[int, list[str]]]:
        """Without those of blanks alone, which are no rows where there are several columns."""
        return ((number, row) for number, row in every() if len(row) > 1 or len(names) == 1 or row[0].strip())

    rows = _split(plain, separator, len(names), 0, lambda row: _nth(every(), row))
    if rows.num_rows > MOST_ROWS + 1:
        raise ValueError(f"line {_nth(whole(), MOST_ROWS + 1)}: the file has more than {MOST_ROWS:,} rows; keep fewer")
    if rows.num_rows < 2:
        raise ValueError("line 1: the file has a header and no rows below it")

    def cells(name: str) -> list[str]:
        column = _split(plain, separator, len(names), names.index(name), str).column(0)
        return [cell.strip() for cell in column.slice(1).to_pylist()]

    def head() -> dict[str, list[str]]:
        columns = zip(*(row for _number, row in islice(whole(), 1, 1 + LOOKED_AT)), strict=True)
        return {name: [cell.strip() for cell in column] for name, column in zip(names, columns, strict=True)}

    return Table(
        names,
        rows.num_rows - 1,
        Shape(encoding, separator if len(names) > 1 else ""),
        cells,
        head,
        lambda row: f"line {_nth(whole(), row + 1)}",
    )


def _nth(lines: Iterator[tuple[int, list[str]]], row: int) -> int:
    """The number of a row's last line."""
    return next(islice(lines, row, None), (0, []))[0]


def _decoded(content: bytes) -> tuple[str, str]:
    """The text, and the name of its encoding."""
    encoding = next((name for mark, name in MARKS.items() if content.startswith(mark)), "utf-8")
    if encoding != "utf-16" and b"\0" in content:
        line = content[: content.index(b"\0")].count(b"\n") + 1
        raise ValueError(f"line {line}: a byte that is 0; this is not a text file. Save it as UTF-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        encoding = "" if encoding == "utf-16" else _guessed_encoding(content)
        if not encoding:
            raise ValueError(f"line {line}: bytes of no known encoding; save the file as UTF-8") from None
        text = content.decode(encoding)
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise ValueError(f"line {line}: a character that is 0; this is not a text file")
    if not text.strip():
        raise ValueError("line 1: the file is empty")
    return text.removeprefix("\ufeff"), encoding.removesuffix("-sig").upper()


def _guessed_encoding(content: bytes) -> str:
    """By the lines that are not plain ASCII, and words for times in them; "" where they make sense in none."""
    # Where it is needed: hardly any file is not UTF-8.
    from charset_normalizer import CharsetMatch, from_bytes

    lines = [line for line in content.splitlines() if not line.isascii()]
    # No line is cut, in the middle of a character perhaps.
    sizes = accumulate(map(len, lines))
    sample = b"\n".join(line for line, size in zip(lines, sizes, strict=True) if size <= SAMPLED) or lines[0]
    if any(byte < 0x20 and byte not in b"\t\n\r\f\v" for byte in sample):
        return ""

    def doubt(found: CharsetMatch) -> tuple[float, bool, int]:
        words = re.split(r"\W+", str(found))
        return found.chaos, not NAMES.intersection(words), ENCODINGS.index(found.encoding)

    for found in sorted(from_bytes(sample, cp_isolation=ENCODINGS), key=doubt):
        try:
            content.decode(found.encoding)
        except UnicodeDecodeError:
            continue
        return found.encoding
    return ""


def _separator(text: str) -> str:
    """The one under which the header and most rows have equally many cells, quotation marks respected."""
    agreeing: dict[str, tuple[float, int]] = {}
    for separator in SEPARATORS:
        try:
            head = io.StringIO(text[:BEGINNING], newline="")
            header, *rows = islice(csv.reader(head, delimiter=separator, strict=True), LOOKED_AT)
        except (csv.Error, ValueError):
            continue
        filled = [row for row in rows if row]
        if len(header) > 1:
            agreeing[separator] = (sum(len(row) == len(header) for row in filled) / max(len(filled), 1), len(header))
    return max(agreeing, key=lambda separator: agreeing[separator], default=";")


def _lines(text: Iterable[str], separator: str) -> Iterator[tuple[int, list[str]]]:
    """All rows that are not empty, each with the number of its last line."""
    reader = csv.reader(text, delimiter=separator)
    try:
        yield from ((reader.line_num, row) for row in reader if row)
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num}: {error}") from None


def _split(plain: pa.Buffer, separator: str, columns: int, chosen: int, line: Callable[[int], Any]) -> pa.Table:
    """The chosen one of so many columns, the header first, as texts; ValueError for a row of another length."""
    wrong: list[pyarrow.csv.InvalidRow] = []

    def refuse(row: pyarrow.csv.InvalidRow) -> str:
        if not row.text.strip():
            return "skip"
        wrong.append(row)
        return "error"

    names = [f"f{place}" for place in range(columns)]
    try:
        table = pyarrow.csv.read_csv(
            pa.BufferReader(plain),
            pyarrow.csv.ReadOptions(use_threads=False, block_size=plain.size + 1, column_names=names),
            pyarrow.csv.ParseOptions(delimiter=separator, newlines_in_values=True, invalid_row_handler=refuse),
            pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                include_columns=[names[chosen]],
                strings_can_be_null=False,
            ),
            # This pool gives memory back at once.
            pa.system_memory_pool(),
        )
    except pa.ArrowInvalid as error:
        for row in wrong:
            cells = _counted(row.actual_columns, "cell")
            raise ValueError(
                f"line {line(row.number - 1)}: {cells}, but the header has {columns}, "
                f"separated by {SEPARATORS[separator]}"
            ) from None
        raise ValueError(f"the file is no table: {str(error).splitlines()[0][:200]}") from None
    return table


def _names(cells: Sequence[str]) -> tuple[str, ...]:
    if not any(cells):
        raise ValueError("line 1: there are no names of columns")
    if len(cells) > MOST_COLUMNS:
        raise ValueError(f"line 1: the file has {len(cells):,} columns, more than {MOST_COLUMNS}")
    names = tuple(" ".join(cell.split()) or f"column {place}" for place, cell in enumerate(cells, start=1))
    if all(NUMBER.fullmatch(name) for name in names):
        raise ValueError(f"line 1: {names[0][:40]!r} is a number; the first line has to name the columns")
    for place, name in enumerate(names):
        if len(name) > LONGEST_NAME:
            raise ValueError(f"line 1: a name of {len(name):,} characters, more than {LONGEST_NAME:,}")
        if name in names[:place]:
            raise ValueError(f"line 1: column {name[:40]!r} is there twice, as {names.index(name) + 1} and {place + 1}")
    return names


def _parquet(content: bytes) -> Table:
    # Where it is needed: it takes some megabytes.
    from pyarrow.parquet import ParquetFile

    try:
        file = ParquetFile(pa.BufferReader(content))
        schema, rows = file.schema_arrow, file.metadata.num_rows
        # A text that comes again and again is kept once, until it is known how long all of them are.
        repeating = [one.name for one in schema if pa.types.is_string(_plain_type(one.type))]
        file = ParquetFile(pa.BufferReader(content), read_dictionary=repeating)
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"the file is no Parquet: {str(error).splitlines()[0][:200]}") from None
    unpacked = sum(file.metadata.row_group(group).total_byte_size for group in range(file.metadata.num_row_groups))
    if rows > MOST_ROWS:
        raise ValueError(f"the file has {rows:,} rows, more than {MOST_ROWS:,}; keep fewer")
    if unpacked > MOST_UNPACKED:
        raise ValueError(f"the file has {unpacked:,} bytes unpacked, more than {MOST_UNPACKED:,}; keep fewer columns")
    if not rows:
        raise ValueError("the file has columns and no rows")
    names = _names(schema.names)

    def cells(name: str, most: int = MOST_ROWS) -> list[str]:
        place = names.index(name)
        kind = _plain_type(schema.field(place).type)
        if pa.types.is_nested(kind):
            raise ValueError(f"column {name[:40]!r}: it has {str(kind)[:40]}; numbers or times are needed")
        texts: list[str] = []
        try:
            for batch in file.iter_batches(min(most, AT_A_TIME), columns=[schema.names[place]]):
                texts += _texts(batch.column(0), rows)
                if len(texts) >= most:
                    break
        except (pa.ArrowException, OSError, OverflowError, IndexError, ValueError) as error:
            raise ValueError(f"column {name[:40]!r}: {(str(error) or 'unreadable').splitlines()[0][:200]}") from None
        return texts[:most]

    flat = [name for name, one in zip(names, schema, strict=True) if not pa.types.is_nested(_plain_type(one.type))]
    return Table(
        names,
        rows,
        Shape("Parquet", ""),
        cells,
        lambda: {name: cells(name, LOOKED_AT) for name in flat},
        lambda row: f"row {row + 1}",
    )


def _plain_type(kind: pa.DataType) -> pa.DataType:
    """Of values, whether they are repeated by number or not, and whatever room their strings may take."""
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return pa.string() if pa.types.is_large_string(kind) or pa.types.is_string_view(kind) else kind


def _texts(column: pa.Array, rows: int) -> list[str]:
    """The cells of a part of a column that has so many rows."""
    if pa.types.is_dictionary(column.type) and pa.types.is_string(_plain_type(column.type)):
        words = column.dictionary.to_pylist()
        longest = max((len(word) for word in words if word), default=0)
        if longest * rows > MOST_UNPACKED:
            raise ValueError(f"a text of {longest:,} characters; numbers or times are needed")
        return ["" if place is None else words[place].strip() for place in column.indices.to_pylist()]
    if pa.types.is_timestamp(column.type):
        # Of nanoseconds, pyarrow would make what only pandas has.
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
    return [*map(_as_text, column.to_pylist())]


def _as_text(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, date | datetime):
        return value.isoformat()
    return str(value).strip()


def _counted(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'s' * (number != 1)}"
