"""How does a chart of several seeds look? The line of each, thin, and the median over them."""

import math
import statistics
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa

from lstm_core.charts.points import OVERFLOW, UNDERFLOW, Point, of_points, points_of

MAIN = ("racer", "other")
Key = tuple[str, str, str]


def over_seeds(tables: Sequence[pa.Table]) -> pa.Table:
    """
    One table of the tables of one row of `CHARTS` that draws lines, a seed each: every seed's lines as `kind` "seed",
    and as that of the racer their median at every x. A run that has ended keeps its last value; overflow is larger than
    any number. References, the axis and earlier races are there once.
    """
    seeds = [list(points_of(table)) for table in tables]
    top = max((point.y for points in seeds for point in points if point.off == OVERFLOW), default=math.nan)
    lines: dict[Key, list[list[Point]]] = {}
    for points in seeds:
        for key, line in _lines(points, top).items():
            lines.setdefault(key, []).append(line)
    of_one = [[point for point in points if point.kind not in MAIN] for points in seeds]
    beside = max(of_one, key=lambda points: max((point.x for point in points if point.kind == "frame"), default=0))
    single = [point._replace(kind="seed", note="") for runs in lines.values() for run in runs for point in run]
    return of_points([*beside, *single, *(point for runs in lines.values() for point in _medians(runs, top))])


def _lines(points: Iterable[Point], top: float) -> dict[Key, list[Point]]:
    """The racers' lines, all of them off the same edge."""
    lines: dict[Key, list[Point]] = {}
    for point in points:
        if point.kind in MAIN:
            placed = point._replace(y=top) if point.off == OVERFLOW else point
            lines.setdefault((point.kind, point.series, point.part), []).append(placed)
    return lines


def _medians(runs: Sequence[Sequence[Point]], top: float) -> Iterator[Point]:
    """One line of several, at every x of theirs, of those that have begun there."""
    places = [[point.x for point in run] for run in runs]
    for x in sorted({x for xs in places for x in xs}):
        there = [run[k - 1] for run, xs in zip(runs, places, strict=True) if (k := bisect_right(xs, x))]
        y = statistics.median(math.inf if point.off == OVERFLOW else point.y for point in there)
        floor = max((point.y for point in there if point.off == UNDERFLOW), default=-math.inf)
        off = OVERFLOW if y == math.inf else UNDERFLOW if y <= floor else ""
        yield there[0]._replace(x=x, y=top if off == OVERFLOW else y, off=off, note="")
