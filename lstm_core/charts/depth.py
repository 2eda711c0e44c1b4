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
from lstm_core.language import _
from lstm_core.measurements import checkpoints, stacks
from lstm_core.network import parameter_count

TRAINING, HELD_OUT = _("training set"), _("held-out sequences")


def _racers(curves: Sequence[Curve]) -> list[Curve]:
    return [curve for curve in curves if not curve.ghost]


def _any(curve: Curve) -> bool:
    return True


FEATURES = Need(stacks.features, _any, every)
READOUT = Need(stacks.readout_norms, _any, last)


@chart(
    "gradient_by_layer",
    _("Gradient by layer"),
    lines(_("layer (left: first)"), _("gradient norm"), log=True),
    _("Falling to the left: the gradient fades on its way down."),
    _("plain layers multiply by matrices; the others also pass it on unchanged."),
    "he",
    _("Line chart on a log axis: norm of the gradient with respect to the hidden states of each layer."),
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
    _("The first layer's share"),
    lines(BY_STEP, _("first layer / last layer"), log=True),
    _("On the dashed line the first layer gets as much gradient as the last."),
    _("a layer wired to the output gets gradient directly."),
    "huang",
    _("Line chart on a log axis: gradient norm of the first layer over that of the last by training step."),
)
def first_layer_by_step(curves: Sequence[Curve]) -> pa.Table:
    """||dL/dh|| of the first layer over that of the last, by training step; 1 for a single layer."""
    points = by_step(_racers(curves), lambda snapshot: {"": _ratio(snapshot.layer_grad_norms)})
    equal = level_lines(curves, [(_("as much as the last layer"), 1.0)])
    return of_points([*axis_ends(curves), *equal, *on_log_axis(points, 1e-12)])


def _ratio(norms: Sequence[float]) -> float:
    return norms[0] / norms[-1] if norms[-1] else math.nan


@chart(
    "loss_by_weights",
    _("Loss by number of weights"),
    lines(_("number of weights"), _("loss, mean of 20 steps"), zero=True),
    _("Lower is better, left is cheaper. Compare at equal hidden size, then at equal weights."),
    _("dense wiring widens every layer's input."),
    "huang",
    _("Scatter chart: the training loss of each racer at its number of weights."),
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
    constant_line = level(_("constant predictor"), constant, 0, right)
    return of_points([*axis_ends(curves, 0, right, ceiling), *constant_line, *below(points, ceiling)])


@chart(
    "effective_rank",
    _("Effective rank of the features"),
    lines(BY_STEP, _("effective rank"), zero=True),
    _("How many independent directions the output can read. Dense wiring shows it all layers."),
    _("features of different layers differ."),
    "huang",
    _("Line chart of the effective rank of the features that the readout sees by training step."),
    needs=(FEATURES,),
)
def effective_rank(curves: Sequence[Curve]) -> pa.Table:
    """How many directions the features take that the readout sees, at each checkpoint of the training."""
    points = [Point(step, features.rank, curve.label) for curve, step, features in FEATURES.found(curves)]
    return of_points([*axis_ends(curves), *points])


@chart(
    "correlation",
    _("Correlation of the features"),
    lines(BY_STEP, _("mean |correlation|"), zero=True),
    _("Near 0 features carry different information, near 1 all carry the same."),
    _("a repeated feature adds width, but no information."),
    "huang",
    _("Line chart of the mean absolute correlation of pairs of features by training step."),
    needs=(FEATURES,),
)
def correlation(curves: Sequence[Curve]) -> pa.Table:
    """The mean |correlation| of two features that the readout sees, at each checkpoint of the training."""
    points = [Point(step, features.correlation, curve.label) for curve, step, features in FEATURES.found(curves)]
    return of_points([*axis_ends(curves), *points])


@chart(
    "readout_by_layer",
    _("Which layers the output reads"),
    lines(_("0: input, then layers"), _("norm of its weights"), zero=True),
    _("How strongly the output reads each layer. Plain stacks read only the top layer."),
    _("only dense wiring lets it choose among layers."),
    "huang",
    _("Line chart of the norm of the readout's weights by the layer that they read."),
    needs=(READOUT,),
    of_one_step=True,
)
def readout_by_layer(curves: Sequence[Curve]) -> pa.Table:
    """The norm of the readout's weights on each source that it sees: the input (0), and the layers."""
    points = [
        Point(0 if name == "input" else int(name.split()[1]), norm, curve.label)
        for curve, _step, norms in READOUT.found(curves)
        for name, norm in norms.items()
    ]
    deepest = max(curve.experiment.layers for curve in _racers(curves))
    return of_points([*axis_ends(curves, 0, deepest), *points])


@chart(
    "held_out_loss",
    _("Training loss and held-out loss"),
    lines(BY_STEP, _("loss"), parts=_("on"), zero=True),
    _("Where the two lines part, the network memorises its training set."),
    _("a small set can be memorised without learning the rule."),
    "huang",
    _("Line chart of the loss on the training set and on held-out sequences by training step."),
)
def held_out_loss(curves: Sequence[Curve]) -> pa.Table:
    """
    The loss on the training set, mean of 20 batches, and on held-out sequences, where the set is fixed; where there are
    always new sequences, the former alone.
    """
    experiment = curves[0].experiment
    constant = experiment.problem.constant_loss(experiment.length)
    points = by_step(_racers(curves), lambda snapshot: {TRAINING: snapshot.mean_loss, HELD_OUT: snapshot.held_out_loss})
    constant_line = level_lines(curves, [(_("constant predictor"), constant)])
    return of_points([*axis_ends(curves), *constant_line, *below(points, 2 * constant)])


@chart(
    "shortest_path",
    _("The shortest way back"),
    lines(BY_TIME, _("Jacobians on the way to T")),
    _("A cell that sees its last k states needs k times fewer steps back."),
    _("each of the k states is one Jacobian away."),
    "zhang",
    _("Line chart of the least number of Jacobians between each time step and the last, for every racer."),
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
