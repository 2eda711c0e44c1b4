"""What can one take home? Every number of every curve, in one table."""

from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa

from lstm_core.tables import Curve, of_rows


def everything(curves: Sequence[Curve]) -> pa.Table:
    """
    All numbers of all curves, one a row: `racer`, training `step`, `quantity`, its `part` (a gate, or the time step of
    a gradient norm) and `value`.
    """
    rows = []
    for curve in curves:
        for snapshot in curve.snapshots:
            for quantity, value in vars(snapshot).items():
                parts: Iterable[tuple[Any, Any]] = [("", value)]
                if isinstance(value, dict):
                    parts = value.items()
                elif isinstance(value, Sequence) and not isinstance(value, str):
                    parts = enumerate(value, start=1)
                rows += [
                    (curve.label, snapshot.step, quantity, str(part), float(number))
                    for part, number in parts
                    if isinstance(number, int | float) and quantity != "step"
                ]
    columns = ["racer", "step", "quantity", "part", "value"]
    return of_rows(rows, columns) if rows else pa.schema([(name, pa.string()) for name in columns]).empty_table()
