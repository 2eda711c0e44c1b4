"""How do lists become a table? By pyarrow, without what its usual way would import."""

from array import array
from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa


def of_rows(rows: Iterable[tuple[Any, ...]], names: list[str]) -> pa.Table:
    """At least one row, by the names of their columns: strings, whole numbers or numbers."""
    return pa.table([column(values, _kind(values)) for values in zip(*rows, strict=True)], names=names)


def of_repeating(rows: Iterable[tuple[Any, ...]], names: list[str]) -> pa.Table:
    """As `of_rows`, with numbers of one kind, and strings that come again and again kept once."""
    columns = (
        _of_few(values) if isinstance(values[0], str) else column(values, pa.float64())
        for values in zip(*rows, strict=True)
    )
    return pa.table(list(columns), names=names)


def _kind(values: Sequence[Any]) -> pa.DataType:
    if isinstance(values[0], str):
        return pa.string()
    return pa.int64() if all(isinstance(value, int) for value in values) else pa.float64()


def _of_few(values: Sequence[str]) -> pa.DictionaryArray:
    """Strings of which there are few different ones: each once, and a byte or four for every place where it stands."""
    places = {text: place for place, text in enumerate(dict.fromkeys(values))}
    small = len(places) < 128
    indices = pa.py_buffer(array("b" if small else "i", map(places.__getitem__, values)))
    kind = pa.int8() if small else pa.int32()
    return pa.DictionaryArray.from_arrays(pa.Array.from_buffers(kind, len(values), [None, indices]), strings([*places]))


def strings(values: Sequence[str | None]) -> pa.Array:
    """By the builder that pyarrow's C++ documentation has, and Python's has not, for the sake of `column`."""
    texts = pa.lib.StringBuilder()
    texts.append_values(values)
    return texts.finish()


def column(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """
    Strings, of which some may be None, whole numbers or numbers. pa.array would import pandas, 45 MB, to ask whether it
    was given a Series.
    """
    if kind == pa.string():
        return strings(values)
    numbers = pa.py_buffer(array("q" if kind == pa.int64() else "d", values))
    return pa.Array.from_buffers(kind, len(values), [None, numbers])
