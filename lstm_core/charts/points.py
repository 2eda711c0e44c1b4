"""
What is a line in a chart? Points, as tidy tables, one row a point.

Every table of lines has the same columns: x, y, `series` (the racer), `part` (which of its quantities), `kind`
("racer", "ghost" for an earlier race, "reference" for a line that is known beforehand, "frame" for the ends of the
axis), `off` ("overflow", "underflow" or "": a value that the axis cannot show sits on its edge), `note` (a word beside
the point) and `side` (on which side of it).
"""

import dataclasses
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import pyarrow as pa
import torch

from lstm_core.borrowed.arrow import of_rows
from lstm_core.experiment import Experiment
from lstm_core.measurements.checkpoints import Checkpoint, beginning, kept
from lstm_core.training import Snapshot

POINTS = 200
COLUMNS = ["x", "y", "series", "part", "kind", "off", "note", "side"]
OVERFLOW, UNDERFLOW = "overflow", "underflow"


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

    def at(self, step: int) -> "Curve":
        """What it had shown at a training step."""
        return dataclasses.replace(self, snapshots=[snapshot for snapshot in self.snapshots if snapshot.step <= step])


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


def axis_ends(curves: Sequence[Curve], first: int = 0, last: int | None = None) -> list[Point]:
    """The ends of the axis, by default all training steps, and the racers in their order, so that colours stay."""
    shown = [curve for curve in curves if not curve.ghost]
    ends = (first, max(curve.experiment.steps for curve in shown) if last is None else last)
    return [Point(x, math.nan, curve.label, kind="frame") for curve in shown for x in ends]


def axis_of(names: Iterable[str], first: float, last: float) -> list[Point]:
    """Both ends of an axis, and the series in their order."""
    return [Point(x, math.nan, name, kind="frame") for name in names for x in (first, last)]


def longest(curves: Sequence[Curve]) -> int:
    """The largest number of time steps."""
    return max(curve.experiment.time_steps for curve in curves if not curve.ghost)


def line(name: str, x: Iterable[float], y: torch.Tensor, kind: str = "racer") -> list[Point]:
    """The points of one series."""
    return [Point(a, b, name, kind=kind) for a, b in zip(x, y.tolist(), strict=True)]


def level_lines(curves: Sequence[Curve], lines: Iterable[tuple[str, float]]) -> Iterable[Point]:
    """Level lines from end to end, with their names at the right."""
    last = max(point.x for point in axis_ends(curves))
    for name, y in lines:
        yield Point(0, y, name, kind="reference")
        yield Point(last, y, name, kind="reference", note=name)


def of_points(points: Iterable[Point]) -> pa.Table:
    """The points as a table; notes stand to the right of their points, in the last quarter of the axis to the left."""
    points = list(points)
    first, last = min(point.x for point in points), max(point.x for point in points)
    sides = ["right" if point.x < first + 0.75 * (last - first) else "left" for point in points]
    return of_rows([(*point, side) for point, side in zip(points, sides, strict=True)], COLUMNS)


def below(points: Iterable[Point], ceiling: float) -> list[Point]:
    """Points above the ceiling, or not finite, marked as overflow and set upon it."""
    return [point if point.y <= ceiling else point._replace(y=ceiling, off=OVERFLOW) for point in points]


def on_log_axis(points: Iterable[Point], smallest: float) -> list[Point]:
    """
    Points for a log axis: what is below `smallest` is set there and marked as underflow, what is infinite or not a
    number is set at ten times the largest and marked as overflow.
    """
    points = list(points)
    ceiling = 10 * max((point.y for point in points if math.isfinite(point.y)), default=1.0)
    lifted = (point._replace(y=smallest, off=UNDERFLOW) if point.y < smallest else point for point in points)
    return below(lifted, max(ceiling, smallest))


def smallest_normal(curves: Sequence[Curve]) -> float:
    """The smallest number that the arithmetic of these curves keeps; smaller ones are flushed to 0."""
    precisions = {curve.experiment.precision for curve in curves if not curve.ghost}
    return max(torch.finfo(getattr(torch, precision)).tiny for precision in precisions)


def noted_once(points: Iterable[Point], underflow: str = UNDERFLOW) -> Iterable[Point]:
    """Say in words what is off the axis, at the first such point of each line."""
    said = set()
    for point in points:
        key = (point.series, point.part, point.off)
        if point.off and key not in said:
            said.add(key)
            point = point._replace(note=underflow if point.off == UNDERFLOW else point.off)
        yield point
