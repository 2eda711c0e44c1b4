"""What does a chart say to those who cannot see it? Where each of its lines begins and ends."""

import math

import pyarrow as pa

from lstm_core.charts.points import COLUMNS, OVERFLOW
from lstm_core.language import _

MOST_LINES = 8


def outcome(table: pa.Table) -> str:
    """
    The first and the last point of every racer's line that lie within the chart, of a table of `points`; nothing of
    other tables.
    """
    if table.column_names != COLUMNS:
        return ""
    lines: dict[str, list[tuple[float, float]]] = {}
    for row in table.select(["x", "y", "series", "part", "kind", "off"]).to_pylist():
        if row["kind"] == "racer" and math.isfinite(row["y"]) and row["off"] != OVERFLOW:
            lines.setdefault(", ".join(filter(None, (row["series"], row["part"]))), []).append((row["x"], row["y"]))
    said = []
    for name, points in list(lines.items())[:MOST_LINES]:
        (x, y), (x2, y2) = min(points), max(points)
        said.append(_("{name}: {y:.3g} at {x:g}, {y2:.3g} at {x2:g}.").format(name=name, x=x, y=y, x2=x2, y2=y2))
    return " ".join(said)
