"""What can one take home? Every number of every curve, in one table."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from lstm_core.borrowed.arrow import of_rows
from lstm_core.charts.points import Curve


def everything(curves: Sequence[Curve]) -> pa.Table:
    """
    All numbers of all curves, one a row: `racer`, training `step`, `quantity`, its `part` (a gate, the time step of a
    gradient norm, the layer, or layer and time step) and `value`.
    """
    rows = []
    for curve in curves:
        for snapshot in curve.snapshots:
            for quantity, value in vars(snapshot).items():
                rows += [
                    (curve.label, snapshot.step, quantity, part, float(number))
                    for part, number in _parts(value)
                    if isinstance(number, int | float) and quantity != "step"
                ]
    columns = ["racer", "step", "quantity", "part", "value"]
    return of_rows(rows, columns) if rows else pa.schema([(name, pa.string()) for name in columns]).empty_table()


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    """What a quantity is made of, by name, counted from 1 where it has none; a quantity of one part has none either."""
    named: Iterable[tuple[Any, Any]]
    if isinstance(value, dict):
        named = value.items()
    elif isinstance(value, Sequence) and not isinstance(value, str):
        named = enumerate(value, start=1)
    else:
        yield "", value
        return
    for name, item in named:
        yield from ((f"{name} {part}".rstrip(), number) for part, number in _parts(item))
