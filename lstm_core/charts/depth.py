"""
What do the charts of depth draw? Gradients by layer, the price in weights, and what the readout sees, as tables.
"""

import math
from collections.abc import Sequence

import pyarrow as pa

from lstm_core.charts.chart import BY_TIME, chart
from lstm_core.charts.marks import BY_STEP, lines
from lstm_core.charts.needs import Need, every, last
from lstm_core.charts.points import (
    HIGHEST_LOSS,
    Curve,
    Point,
    axis_ends,
    below,
    by_step,
    level,
    level_lines,
    of_points,
    on_log_axis,
    smallest_normal,
)
from lstm_core.measurements import checkpoints
from lstm_core.network import parameter_count

TRAINING, HELD_OUT = "training set", "held-out sequences"


def _racers(curves: Sequence[Curve]) -> list[Curve]:
    return [curve for curve in curves if not curve.ghost]


def _any(curve: Curve) -> bool:
    return True


FEATURES = Need(checkpoints.features, _any, every)
READOUT = Need(checkpoints.readout_norms, _any, last)


@chart(
    "gradient_by_layer",
    "Gradient by layer",
    lines("layer, the first at the left", "gradient norm", log=True),
    "A line that falls to the left is a gradient that fades on its way down through the layers.",
    "a plain layer multiplies it by one more matrix; a sum or a concatenation hands it down unchanged as well.",
    "he",
    "Line chart on a log axis: norm of the gradient with respect to the hidden states of each layer.",
    of_one_step=True,
)
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


@chart(
    "first_layer",
    "The first layer's share",
    lines(BY_STEP, "first layer / last layer", log=True),
    "On the dashed line the first layer gets as much gradient as the last, far below it hardly any.",
    "what the readout sees of a layer directly comes back to it directly.",
    "huang",
    "Line chart on a log axis: gradient norm of the first layer over that of the last by training step.",
)
def first_layer_by_step(curves: Sequence[Curve]) -> pa.Table:
    """||dL/dh|| of the first layer over that of the last, by training step; 1 for a single layer."""
    points = by_step(_racers(curves), lambda snapshot: {"": _ratio(snapshot.layer_grad_norms)})
    equal = level_lines(curves, [("as much as the last layer", 1.0)])
    return of_points([*axis_ends(curves), *equal, *on_log_axis(points, 1e-12)])


def _ratio(norms: Sequence[float]) -> float:
    return norms[0] / norms[-1] if norms[-1] else math.nan


@chart(
    "loss_by_weights",
    "What the weights buy",
    lines("number of weights", "loss, mean of 20 steps", zero=True),
    "Lower is better, farther left is cheaper: compare at equal hidden size, then at equal numbers of weights.",
    "dense wiring makes every layer's input wider, and so every matrix.",
    "huang",
    "Scatter chart: the training loss of each racer at its number of weights.",
    of_one_step=True,
)
def loss_by_weights(curves: Sequence[Curve]) -> pa.Table:
    """The mean loss so far, a point for each racer, at its number of weights."""
    racers = _racers(curves)
    sizes = [parameter_count(curve.experiment) for curve in racers]
    constant = racers[0].experiment.problem.constant_loss(racers[0].experiment.length)
    points = [
        Point(size, last.mean_loss, curve.label)
        for curve, size in zip(racers, sizes, strict=True)
        for last in curve.snapshots[-1:]
    ]
    ceiling, right = HIGHEST_LOSS * constant, 1.1 * max(sizes)
    constant_line = level("constant predictor", constant, 0, right)
    return of_points([*axis_ends(curves, 0, right, ceiling), *constant_line, *below(points, ceiling)])


@chart(
    "effective_rank",
    "Effective rank of the features",
    lines(BY_STEP, "effective rank", zero=True),
    "How many independent directions the readout has to choose from; dense wiring shows it all layers at once.",
    "features of several layers differ, and widths add up.",
    "huang",
    "Line chart of the effective rank of the features that the readout sees by training step.",
    needs=(FEATURES,),
)
def effective_rank(curves: Sequence[Curve]) -> pa.Table:
    """How many directions the features take that the readout sees, at each checkpoint of the training."""
    points = [Point(step, features.rank, curve.label) for curve, step, features in FEATURES.found(curves)]
    return of_points([*axis_ends(curves), *points])


@chart(
    "correlation",
    "Correlation of the features",
    lines(BY_STEP, "mean |correlation|", zero=True),
    "Near 0 features say different things, near 1 all say the same.",
    "a feature that repeats another one adds to the width and not to what can be read.",
    "huang",
    "Line chart of the mean absolute correlation of pairs of features by training step.",
    needs=(FEATURES,),
)
def correlation(curves: Sequence[Curve]) -> pa.Table:
    """The mean |correlation| of two features that the readout sees, at each checkpoint of the training."""
    points = [Point(step, features.correlation, curve.label) for curve, step, features in FEATURES.found(curves)]
    return of_points([*axis_ends(curves), *points])


@chart(
    "readout_by_layer",
    "Which layers the readout uses",
    lines("source: 0 the input, then the layers", "norm of its weights", zero=True),
    "Weight on low layers is use of simple features; a plain stack shows its top, a residual one the sum of all.",
    "only dense wiring lets the readout choose among layers.",
    "huang",
    "Line chart of the norm of the readout's weights by the layer that they read.",
    needs=(READOUT,),
    of_one_step=True,
)
def readout_by_layer(curves: Sequence[Curve]) -> pa.Table:
    """The norm of the readout's weights on each source that it sees: the input (0), and the layers."""
    points = [
        Point(0 if name == "input" else int(name.split()[1]), norm, curve.label)
        for curve, _, norms in READOUT.found(curves)
        for name, norm in norms.items()
    ]
    deepest = max(curve.experiment.layers for curve in _racers(curves))
    return of_points([*axis_ends(curves, 0, deepest), *points])


@chart(
    "held_out_loss",
    "Training set against held-out sequences",
    lines(BY_STEP, "loss", parts="on", zero=True),
    "Where the two lines of a racer part, it learns its few sequences by heart.",
    "a small fixed set can be remembered without its rule; without such a set there is one line.",
    "huang",
    "Line chart of the loss on the training set and on held-out sequences by training step.",
)
def held_out_loss(curves: Sequence[Curve]) -> pa.Table:
    """
    The loss on the training set, mean of 20 batches, and on held-out sequences, where the set is fixed; where there are
    always new sequences, the former alone.
    """
    experiment = curves[0].experiment
    constant = experiment.problem.constant_loss(experiment.length)
    points = by_step(_racers(curves), lambda snapshot: {TRAINING: snapshot.mean_loss, HELD_OUT: snapshot.held_out_loss})
    constant_line = level_lines(curves, [("constant predictor", constant)])
    return of_points([*axis_ends(curves), *constant_line, *below(points, 2 * constant)])


@chart(
    "shortest_path",
    "The shortest way back",
    lines(BY_TIME, "Jacobians on the way to T"),
    "A cell that sees its last k states reaches back in a k-th of the steps.",
    "each of them is one Jacobian away, so the shortest path has ceil((T - t)/k) of them.",
    "zhang",
    "Line chart of the least number of Jacobians between each time step and the last, for every racer.",
)
def shortest_path(curves: Sequence[Curve]) -> pa.Table:
    """ceil((T - t)/k), the least number of Jacobians between h_t and h_T of a cell that sees its last k states."""
    points = [
        Point(t, math.ceil((curve.experiment.time_steps - t) / curve.experiment.window), curve.label)
        for curve in _racers(curves)
        for t in checkpoints.shown_steps(curve.experiment.time_steps)
    ]
    longest = max(curve.experiment.time_steps for curve in _racers(curves))
    return of_points([*axis_ends(curves, 0, longest), *points])
