"""
What is a line in a chart? Points, as tidy tables, one row a point.

Every table of lines has the same columns: x, y, `series` (the racer), `part` (which of its quantities), `kind`
("racer", "seed" for one of several, "other" for what is nobody's, "ghost" for an earlier race, "reference" for a line
that is known beforehand, "frame" for the ends of the axis, "shown" for the place that is looked at), `off` ("overflow",
"underflow" or "": a value that the axis cannot show sits on its edge), `note` (a word about the point), `slot` (of the
racer's colour, -1 for what is no racer's), `mark` (what stands on the line there, if anything) and `segment` (points of
one line that are joined).
"""

import dataclasses
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

import pyarrow as pa
import torch

from lstm_core.borrowed.arrow import of_repeating
from lstm_core.charts.colours import HUES, slots
from lstm_core.experiment import Experiment
from lstm_core.language import _
from lstm_core.measurements.checkpoints import Checkpoint, beginning, kept
from lstm_core.training.snapshot import Snapshot

POINTS = 200
COLUMNS = ["x", "y", "series", "part", "kind", "off", "note", "slot", "mark", "segment"]
OVERFLOW, UNDERFLOW = "overflow", "underflow"
SYMBOL, TRIANGLE, ENDED = "symbol", "triangle", "ended"
# An axis of losses ends at so many times the constant predictor's.
HIGHEST_LOSS = 1.3
# On a whole axis: symbols of one racer, triangles in a row.
SYMBOLS_ALONG, TRIANGLES_ALONG = 4, 40


@dataclass(frozen=True)
class Curve:
    """What one racer has shown so far; `measured` of it, by measurement and training step, as far as it is."""

    label: str
    experiment: Experiment
    snapshots: Sequence[Snapshot]
    ghost: bool = False
    measured: dict[tuple[Callable[[Checkpoint], Any], int], Any] = dataclasses.field(
        default_factory=dict, compare=False, repr=False
    )

    @cached_property
    def _checkpoints(self) -> dict[int, Checkpoint]:
        if not self.snapshots:
            return {1: beginning(self.experiment)}
        return {checkpoint.step: checkpoint for checkpoint in kept(self.experiment, self.snapshots)}

    @property
    def steps(self) -> list[int]:
        """
        The training steps of which there are weights to measure: those of the snapshots that have them with them, and
        before the first snapshot step 1, with the weights that it begins with.
        """
        return list(self._checkpoints)

    def checkpoint(self, step: int) -> Checkpoint:
        """With the weights of one of its `steps`."""
        return self._checkpoints[step]

    @property
    def drawn(self) -> "Curve":
        """
        What is drawn of it behind others: without weights, and with the norms of each time step at its end alone. That
        is most of what it takes of memory.
        """
        replace = dataclasses.replace
        bare = [
            replace(seen, weights=None, updated=None, hidden_grad_norms=(), cell_grad_norms=None, lower_grad_norms=())
            for seen in self.snapshots[:-1]
        ]
        last = [replace(seen, weights=None, updated=None) for seen in self.snapshots[-1:]]
        return replace(self, snapshots=bare + last, measured={})

    def at(self, step: int) -> "Curve":
        """What it had shown at a training step."""
        return dataclasses.replace(self, snapshots=[snapshot for snapshot in self.snapshots if snapshot.step <= step])


# What has the colour of a racer.
RACING = ("racer", "seed")


class Point(NamedTuple):
    x: float
    y: float
    series: str
    part: str = ""
    kind: str = "racer"
    off: str = ""
    note: str = ""


def by_step(curves: Sequence[Curve], value: Callable[[Snapshot], dict[str, float | None]]) -> Iterable[Point]:
    """A point by training step for each part of a snapshot's value."""
    for curve in curves:
        kind = "ghost" if curve.ghost else "racer"
        for snapshot in curve.snapshots:
            for part, y in value(snapshot).items():
                if y is not None:
                    yield Point(snapshot.step, y, curve.label, part, kind)


def last_step(curves: Sequence[Curve]) -> int:
    """
    Where an axis of training steps ends: at the last of all, and once every racer has ended, at the last that one of
    them has reached.
    """
    shown = [curve for curve in curves if not curve.ghost]
    ended = all(curve.snapshots and curve.snapshots[-1].ended for curve in shown)
    return max(curve.snapshots[-1].step if ended else curve.experiment.steps for curve in shown)


def axis_ends(curves: Sequence[Curve], first: float = 0, last: float | None = None, y: float = math.nan) -> list[Point]:
    """The ends of the axis, by default all training steps, and the racers in their order; up to `y`."""
    ends = (first, last_step(curves) if last is None else last)
    return [Point(x, y, curve.label, kind="frame") for curve in curves if not curve.ghost for x in ends]


def longest(curves: Sequence[Curve]) -> int:
    """The largest number of time steps."""
    return max(curve.experiment.time_steps for curve in curves if not curve.ghost)


def line(name: str, x: Iterable[float], y: torch.Tensor, kind: str = "racer", part: str = "") -> list[Point]:
    """The points of one series."""
    return [Point(a, b, name, part, kind) for a, b in zip(x, y.tolist(), strict=True)]


def level_lines(curves: Sequence[Curve], lines: Iterable[tuple[str, float]]) -> Iterable[Point]:
    """Level lines from end to end of an axis of training steps."""
    last = last_step(curves)
    for name, y in lines:
        yield from level(name, y, 0, last)


def level(name: str, y: float, first: float, last: float) -> list[Point]:
    """A line that is known beforehand, at one height."""
    return [Point(x, y, name, name, "reference") for x in (first, last)]


def of_points(points: Iterable[Point]) -> pa.Table:
    """
    The points as a table: the first racer's last, so that it is drawn on top, and earlier races as far as the axis
    goes.
    """
    points = list(points)
    frame = [point for point in points if point.kind == "frame"] or points
    first, last = min(point.x for point in frame), max(point.x for point in frame)
    slot = slots([point.series for point in (*frame, *points) if point.kind in ("frame", "racer")])
    height = {series: -place for place, series in enumerate(slot)}
    rising = sorted(
        points, key=lambda point: height.get(point.series, -math.inf) if point.kind in RACING else -math.inf
    )
    shown = [point for point in rising if point.kind != "ghost" or first <= point.x <= last]
    lines: dict[tuple[str, str, str], list[int]] = {}
    for k, point in enumerate(shown):
        lines.setdefault((point.kind, point.series, point.part), []).append(k)
    placed: dict[int, tuple[str, int]] = {}
    for places in lines.values():
        line = [shown[k] for k in places]
        marks = _marks(line, first, (last - first) or 1.0, slot.get(line[0].series, 0))
        placed |= zip(places, zip(marks, _segments(line), strict=True), strict=True)
    return of_repeating([(*point, slot.get(point.series, -1), *placed[k]) for k, point in enumerate(shown)], COLUMNS)


def points_of(table: pa.Table) -> Iterator[Point]:
    """What it was made of."""
    fields = (table.column(name).to_pylist() for name in Point._fields)
    return (Point(*row) for row in zip(*fields, strict=True))


def looked_at(table: pa.Table, x: float) -> pa.Table:
    """The same, with the place that is looked at."""
    return of_points([*points_of(table), Point(x, math.nan, "", kind="shown")])


def _marks(line: Sequence[Point], first: float, length: float, slot: int) -> list[str]:
    """
    What stands on a line: a ring where it has ended, triangles off the axis, so many that they are a row, and, of a
    racer, its symbol: on equal lines each at places of its own, on the last point while there is none before.
    """
    marks, symbols, free = [""] * len(line), (slot + 0.5) / len(HUES), -math.inf
    for k, point in enumerate(line) if line[0].kind in ("racer", "other") else ():
        along = (point.x - first) / length
        if point.off:
            if along >= free or not line[k - 1].off:
                marks[k], free = TRIANGLE, along + 1 / TRIANGLES_ALONG
        elif point.note:
            marks[k] = ENDED
        elif point.kind == "racer" and along * SYMBOLS_ALONG >= symbols:
            marks[k] = SYMBOL
            symbols += math.floor(along * SYMBOLS_ALONG - symbols) + 1
    plain = [k for k, point in enumerate(line) if point.kind == "racer" and not (marks[k] or point.off)]
    if SYMBOL not in marks and plain:
        marks[plain[-1]] = SYMBOL
    return marks


def _segments(line: Sequence[Point]) -> list[int]:
    """A line is broken between points that are both off the axis, and where the next one begins."""
    breaks = (bool(one.off and other.off) or other.x <= one.x for one, other in pairwise(line))
    return list(accumulate(breaks, initial=0))


def below(points: Iterable[Point], ceiling: float) -> list[Point]:
    """Points above the ceiling, or not finite, marked as overflow and set upon it."""
    return [point if point.y <= ceiling else point._replace(y=ceiling, off=OVERFLOW) for point in points]


def on_log_axis(points: Iterable[Point], smallest: float) -> list[Point]:
    """
    Points for a log axis: what is below `smallest` is set there and marked as underflow, what is infinite or not a
    number is set at a power of ten above ten times the largest and marked as overflow.
    """
    points = list(points)
    largest = max((point.y for point in points if 0 < point.y < math.inf), default=1.0)
    return between(points, smallest, max(10.0 ** min(math.ceil(math.log10(largest)) + 1, 308), smallest))


def between(points: Iterable[Point], floor: float, ceiling: float) -> list[Point]:
    """As `below`, and points below the floor marked as underflow and set upon that."""
    lifted = (point._replace(y=floor, off=UNDERFLOW) if point.y < floor else point for point in points)
    return below(lifted, ceiling)


def smallest_normal(curves: Sequence[Curve]) -> float:
    """The smallest number that the arithmetic of these curves keeps; smaller ones are flushed to 0."""
    precisions = {curve.experiment.precision for curve in curves if not curve.ghost}
    return max(torch.finfo(getattr(torch, precision)).tiny for precision in precisions)


def noted_once(points: Iterable[Point], underflow: str = "") -> Iterable[Point]:
    """Say in words what is off the axis, at the first such point of each line."""
    said = set()
    words = {UNDERFLOW: underflow or _("underflow"), OVERFLOW: _("overflow")}
    for point in points:
        key = (point.series, point.part, point.off)
        if point.off and key not in said:
            said.add(key)
            point = point._replace(note=words[point.off])
        yield point
