"""What do the charts of clipping draw? The gradient before and after it, as tables of `points`."""

import math
from collections.abc import Sequence

import pyarrow as pa
import torch

from lstm_core.charts.chart import BY_TIME, chart
from lstm_core.charts.marks import BY_STEP, lines
from lstm_core.charts.points import (
    POINTS,
    Curve,
    Point,
    axis_ends,
    by_step,
    level_lines,
    line,
    longest,
    noted_once,
    of_points,
    on_log_axis,
    smallest_normal,
)
from lstm_core.language import _


@chart(
    "clipping",
    _("Clipping: the norm"),
    lines(BY_STEP, _("gradient norm"), log=True, parts=_("clipping")),
    _("After clipping, the line stays at or below the threshold. Below it nothing changes."),
    _("the whole gradient is scaled by one factor."),
    "pascanu",
    _("Line chart on a log axis: norm of the whole gradient before and after clipping by training step."),
)
def clipping(curves: Sequence[Curve]) -> pa.Table:
    """Norm of the whole gradient by training step, before and after clipping."""
    racers = [curve for curve in curves if not curve.ghost]
    points = by_step(racers, lambda snapshot: {_("before"): snapshot.grad_norm, _("after"): snapshot.clipped_grad_norm})
    experiment = racers[0].experiment
    level = [(_("clipped above"), experiment.clip_at)] if experiment.clip == "norm" else []
    shown = on_log_axis(points, smallest_normal(curves))
    return of_points([*axis_ends(curves), *level_lines(curves, level), *shown])


@chart(
    "direction",
    _("Clipping: the direction"),
    lines(BY_STEP, _("cosine of the angle"), zero=True),
    _("By norm: 1, the same direction. By value: less than 1, another direction."),
    _("one factor keeps the direction; cutting single numbers does not."),
    "pascanu",
    _("Line chart of the cosine between the gradient before and after clipping by training step."),
)
def direction(curves: Sequence[Curve]) -> pa.Table:
    """Cosine of the angle between the gradient before and after clipping."""
    racers = [curve for curve in curves if not curve.ghost]
    points = by_step(racers, lambda snapshot: {"": snapshot.clip_cosine})
    return of_points([*axis_ends(curves), *(point for point in points if math.isfinite(point.y))])


@chart(
    "clipped_through_time",
    _("Clipping does not cure vanishing"),
    lines(BY_TIME, "‖∂L/∂h_t‖", log=True, parts=_("clipping")),
    _("At the last clipped step: what had vanished stays vanished."),
    _("one factor scales near and far alike."),
    "pascanu",
    _("Line chart on a log axis: gradient norm by time step, before and after clipping by norm."),
    of_one_step=True,
)
def clipped_through_time(curves: Sequence[Curve]) -> pa.Table:
    """
    ||dL/dh_t|| at the last snapshot that was clipped, or at the last one if none was, and as much of it as clipping by
    norm leaves: one factor for all time steps.
    """
    points: list[Point] = []
    for curve in curves:
        clipped = [snapshot for snapshot in curve.snapshots if snapshot.clipped_grad_norm < 0.99 * snapshot.grad_norm]
        for last in [] if curve.ghost else (clipped or list(curve.snapshots))[-1:]:
            norms = torch.tensor(last.hidden_grad_norms, dtype=torch.float64)
            steps = torch.linspace(0, len(norms) - 1, min(len(norms), POINTS)).round().long()
            parts = {_("before"): norms}
            if curve.experiment.clip == "norm":
                parts[_("after")] = norms * (last.clipped_grad_norm / last.grad_norm)
            for part, values in parts.items():
                shown = line(curve.label, (steps + 1).tolist(), values[steps])
                points += [point._replace(part=part) for point in shown]
    marked = noted_once(on_log_axis(points, smallest_normal(curves)))
    return of_points([*axis_ends(curves, 1, longest(curves)), *marked])
