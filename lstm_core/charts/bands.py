"""What do the curves of one setting have in common? The median over its seeds, and the band that holds half of them."""

import math
import statistics
from bisect import bisect_right
from collections.abc import Iterator, Sequence

import pyarrow as pa

from lstm_core.borrowed.arrow import of_rows
from lstm_core.history.records import Curves

POINTS = 100
# What a log axis shows instead of 0.
SMALLEST = 1e-12
COLUMNS = ["x", "y", "low", "high", "kind"]

Row = tuple[float, float, float, float, str]


def bands(settings: Sequence[Sequence[Curves]], quantity: str) -> list[pa.Table]:
    """
    A table for each setting, by training step (x): the median (y) and the quartiles (low, high) of a quantity,
    "mean_loss" or "grad_norm", over its runs; rows of `kind` "frame" are the ends of all tables' common axes.

    A run that has ended keeps its last value; what is no number counts as larger than any; a band that reaches there is
    left out.
    """
    bands = [list(_band([curve for curve in curves if curve.steps], quantity)) for curves in settings]
    rows = [row for band in bands for row in band]
    last = max((row[0] for row in rows), default=1.0)
    low, high = min((row[2] for row in rows), default=1.0), max((row[3] for row in rows), default=1.0)
    frame: list[Row] = [(0.0, low, low, low, "frame"), (last, high, high, high, "frame")]
    return [of_rows([*frame, *band], COLUMNS) for band in bands]


def _band(curves: Sequence[Curves], quantity: str) -> Iterator[Row]:
    last = max((curve.steps[-1] for curve in curves), default=0)
    for x in sorted({max(1, round(k * last / POINTS)) for k in range(POINTS + 1)} if last else ()):
        values = sorted(_at(curve, quantity, x) for curve in curves if curve.steps[0] <= x)
        if values and math.isfinite(values[-1]):
            quartiles = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
            low, middle, high = (max(value, SMALLEST) for value in quartiles)
            yield float(x), middle, low, high, "band"


def _at(curve: Curves, quantity: str, step: int) -> float:
    """The value at the last point up to a step."""
    value = float(getattr(curve, quantity)[bisect_right(curve.steps, step) - 1])
    return math.inf if math.isnan(value) else value
