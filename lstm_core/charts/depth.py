"""
What do the charts of depth draw? Gradients by layer, the price in weights, and what the readout sees, as tables.
"""

import math
from collections.abc import Callable, Iterable, Sequence

import pyarrow as pa

from lstm_core.charts.points import (
    Curve,
    Point,
    axis_ends,
    below,
    by_step,
    level_lines,
    of_points,
    on_log_axis,
    smallest_normal,
)
from lstm_core.measurements import checkpoints
from lstm_core.measurements.checkpoints import Checkpoint
from lstm_core.network import parameter_count

TRAINING, HELD_OUT = "training set", "held-out sequences"


def _racers(curves: Sequence[Curve]) -> list[Curve]:
    return [curve for curve in curves if not curve.ghost]


def _checkpoints(curve: Curve) -> list[Checkpoint]:
    if not curve.snapshots:
        return [checkpoints.beginning(curve.experiment)]
    return checkpoints.kept(curve.experiment, curve.snapshots)


def gradient_by_layer(curves: Sequence[Curve]) -> pa.Table:
    """||dL/dh|| of each layer, the first at the left, over all time steps, at the last snapshot."""
    racers = _racers(curves)
    points = [
        Point(layer, norm, curve.label)
        for curve in racers
        for last in curve.snapshots[-1:]
        for layer, norm in enumerate(last.layer_grad_norms, start=1)
    ]
    deepest = max(curve.experiment.layers for curve in racers)
    shown = on_log_axis(points, smallest_normal(curves))
    return of_points([*axis_ends(curves, 1, deepest), *shown])


def first_layer_by_step(curves: Sequence[Curve]) -> pa.Table:
    """||dL/dh|| of the first layer over that of the last, by training step; 1 for a single layer."""
    points = by_step(_racers(curves), lambda snapshot: {"": _ratio(snapshot.layer_grad_norms)})
    level = level_lines(curves, [("as much as the last layer", 1.0)])
    return of_points([*axis_ends(curves), *level, *on_log_axis(points, 1e-12)])


def _ratio(norms: Sequence[float]) -> float:
    return norms[0] / norms[-1] if norms[-1] else math.nan


def loss_by_weights(curves: Sequence[Curve]) -> pa.Table:
    """The mean loss so far, a point for each racer, at its number of weights."""
    racers = _racers(curves)
    sizes = [parameter_count(curve.experiment) for curve in racers]
    constant = racers[0].experiment.problem.constant_loss(racers[0].experiment.length)
    points = [
        Point(size, min(last.mean_loss, 2 * constant), curve.label, note=f"{last.mean_loss:.3g}")
        for curve, size in zip(racers, sizes, strict=True)
        for last in curve.snapshots[-1:]
        if math.isfinite(last.mean_loss)
    ]
    frame = [Point(x, math.nan, curve.label, kind="frame") for curve in racers for x in (0, 1.1 * max(sizes))]
    level = [Point(x, constant, "constant predictor", kind="reference") for x in (0, 1.1 * max(sizes))]
    return of_points([*frame, *level, *points])


def effective_rank(curves: Sequence[Curve]) -> pa.Table:
    """How many directions the features take that the readout sees, at each checkpoint of the training."""
    points = _by_checkpoint(curves, lambda checkpoint: checkpoints.features(checkpoint).rank)
    return of_points([*axis_ends(curves), *points])


def correlation(curves: Sequence[Curve]) -> pa.Table:
    """The mean |correlation| of two features that the readout sees, at each checkpoint of the training."""
    points = _by_checkpoint(curves, lambda checkpoint: checkpoints.features(checkpoint).correlation)
    return of_points([*axis_ends(curves), *points])


def _by_checkpoint(curves: Sequence[Curve], value: Callable[[Checkpoint], float]) -> Iterable[Point]:
    for curve in _racers(curves):
        for checkpoint in _checkpoints(curve):
            yield Point(checkpoint.step, value(checkpoint), curve.label)


def readout_by_layer(curves: Sequence[Curve]) -> pa.Table:
    """The norm of the readout's weights on each source that it sees: the input (0), and the layers."""
    points = []
    for curve in _racers(curves):
        for checkpoint in _checkpoints(curve)[-1:]:
            for name, norm in checkpoints.readout_norms(checkpoint).items():
                points.append(Point(0 if name == "input" else int(name.split()[1]), norm, curve.label))
    deepest = max(curve.experiment.layers for curve in _racers(curves))
    # A line of a single point is drawn as a dot.
    alone = {point.series for point in points if sum(other.series == point.series for other in points) == 1}
    shown = [point._replace(note=" ") if point.series in alone else point for point in points]
    return of_points([*axis_ends(curves, 0, deepest), *shown])


def held_out_loss(curves: Sequence[Curve]) -> pa.Table:
    """
    The loss on the training set, mean of 20 batches, and on held-out sequences, where the set is fixed; where there are
    always new sequences, the former alone.
    """
    experiment = curves[0].experiment
    constant = experiment.problem.constant_loss(experiment.length)
    points = by_step(_racers(curves), lambda snapshot: {TRAINING: snapshot.mean_loss, HELD_OUT: snapshot.held_out_loss})
    level = level_lines(curves, [("constant predictor", constant)])
    return of_points([*axis_ends(curves), *level, *below(points, 2 * constant)])


def shortest_path(curves: Sequence[Curve]) -> pa.Table:
    """ceil((T - t)/k), the least number of Jacobians between h_t and h_T of a cell that sees its last k states."""
    points = [
        Point(t, math.ceil((curve.experiment.time_steps - t) / curve.experiment.window), curve.label)
        for curve in _racers(curves)
        for t in checkpoints.shown_steps(curve.experiment.time_steps)
    ]
    longest = max(curve.experiment.time_steps for curve in _racers(curves))
    return of_points([*axis_ends(curves, 0, longest), *points])
