"""What do the charts of a training draw? Its losses, gradients, gates and states, as points."""

import dataclasses
import math
from collections.abc import Callable, Iterable, Sequence

import pyarrow as pa
import torch

from lstm_core.activations import ACTIVATIONS
from lstm_core.borrowed.arrow import of_rows
from lstm_core.charts.chart import chart
from lstm_core.charts.marks import BY_STEP, lines
from lstm_core.charts.points import (
    HIGHEST_LOSS,
    POINTS,
    Curve,
    Point,
    axis_ends,
    below,
    between,
    by_step,
    level_lines,
    noted_once,
    of_points,
    on_log_axis,
    smallest_normal,
)
from lstm_core.data import samples
from lstm_core.experiment import Experiment
from lstm_core.language import _
from lstm_core.training.snapshot import COMPLETED, DIVERGED, SOLVED, Snapshot

HEAT_ROWS, HEAT_COLUMNS = 30, 40
HEAT_TABLE_COLUMNS = ["x", "x2", "y", "y2", "value", "norm"]
# Losses below 1 differ by more than this, or not at all.
ROUNDING = 1e-19
HARDLY_TRAINED = 1e-12
SHARE, REACHED = (0.0, 1.0), (1e-40, 1e10)
# So far back an axis of time steps goes, if that is enough.
SPANS = (50, 200)


@chart(
    "loss",
    _("Loss"),
    lines(BY_STEP, _("loss, mean of 20 steps"), zero=True),
    _("On the dashed line a network only guesses the average. ○ solved, ▲ off the chart."),
    _("it forgets the input before it answers."),
    "bengio",
    _("Line chart of the training loss of every racer by training step, with the constant predictor's loss dashed."),
)
def loss_by_step(curves: Sequence[Curve]) -> pa.Table:
    """Mean of the last 20 losses, with the constant predictor and the plateaus; the axis ends a little above these."""
    experiment = curves[0].experiment
    task = experiment.problem
    constant = task.constant_loss(experiment.length)
    lines = ((_("constant predictor"), constant), *task.plateaus(experiment.length))
    endings: dict[tuple[str, float], str] = {
        (curve.label, last.step): _ended(last)
        for curve in curves
        for last in curve.snapshots[-1:]
        if last.ended not in (None, COMPLETED) and not curve.ghost
    }
    points = (
        point._replace(note=endings.get((point.series, point.x), "") if point.kind == "racer" else "")
        for point in by_step(curves, lambda snapshot: {"": snapshot.mean_loss})
    )
    ceiling = HIGHEST_LOSS * constant
    return of_points([*axis_ends(curves, y=ceiling), *level_lines(curves, lines), *below(points, ceiling)])


@chart(
    "gradient_by_step",
    _("Gradient during training"),
    lines(BY_STEP, _("gradient norm"), log=True),
    _("Spikes are exploding gradients. Above the dashed line they are clipped: same direction, shorter step."),
    _("a product of many matrices is sometimes huge."),
    "pascanu",
    _("Line chart on a log axis: norm of the gradient of all weights by training step, with the threshold dashed."),
)
def grad_norm_by_step(curves: Sequence[Curve]) -> pa.Table:
    """Norm of the whole gradient, before clipping, and the threshold of clipping by norm."""
    experiment = curves[0].experiment
    lines = [(_("clipped above"), experiment.clip_at)] if experiment.clip == "norm" else []
    points = by_step(curves, lambda snapshot: {"": snapshot.grad_norm})
    return of_points([*axis_ends(curves), *level_lines(curves, lines), *on_log_axis(points, smallest_normal(curves))])


def _ended(last: Snapshot) -> str:
    """How and when, in words."""
    how = {SOLVED: _("solved at step {step}"), DIVERGED: _("exploded at step {step}")}
    return how[str(last.ended)].format(step=last.step)


def _by_block(curves: Sequence[Curve], values: Callable[[Snapshot], dict[str, float]]) -> Iterable[Point]:
    """Points of the racers, under the name that each one's family has for the block."""
    for curve in curves:
        if not curve.ghost:
            names = curve.experiment.recurrent_cell.row.blocks
            for point in by_step([curve], lambda snapshot: {**values(snapshot)}):
                yield point._replace(part=names[point.part])


@chart(
    "block_gradients",
    _("Gradient of each gate"),
    lines(BY_STEP, _("gradient norm"), log=True, parts=_("rows of")),
    _("A gate whose line is far below the others hardly learns. ▼ off the chart."),
    _("a gate stuck near 0 or 1 has no slope."),
    "greff",
    _("Line chart on a log axis: norm of the gradient in the weights of each gate by training step."),
)
def block_grad_norms_by_step(curves: Sequence[Curve]) -> pa.Table:
    """Norm of the gradient in the rows of each gate and of the candidate."""
    points = _by_block(curves, lambda snapshot: snapshot.gate_grad_norms)
    return of_points([*axis_ends(curves), *noted_once(on_log_axis(points, HARDLY_TRAINED), "below 1e-12")])


@chart(
    "gate_activation",
    _("How open the gates are"),
    lines(BY_STEP, _("mean gate value"), parts=_("gate"), ends=SHARE),
    _("1 lets everything through, 0 nothing. A forget gate near 1 remembers."),
    _("after k steps the product of k forget gates is left."),
    "gers",
    _("Line chart of the mean value of every learned gate, between 0 and 1, by training step."),
    of_one_step=True,
)
def mean_gate_activation_by_step(curves: Sequence[Curve]) -> pa.Table:
    """Mean activation of each learned gate, from 0, closed, to 1, open."""
    points = _by_block(curves, lambda snapshot: snapshot.openness)
    return of_points([*axis_ends(curves), *(point for point in points if math.isfinite(point.y))])


@chart(
    "largest_state",
    _("Largest state"),
    lines(BY_STEP, _("largest |c| or |h|"), log=True),
    _("The largest number in the cell state (or hidden state). It should stay bounded."),
    _("without a forget gate each step can add 1."),
    "gers",
    _("Line chart on a log axis: the largest absolute value of the cell state by training step."),
)
def largest_state_by_step(curves: Sequence[Curve]) -> pa.Table:
    """Largest absolute value of the cell state, or of the hidden state where there is no cell state."""
    points = by_step(
        curves,
        lambda snapshot: {"": snapshot.max_hidden if snapshot.max_cell is None else snapshot.max_cell},
    )
    return of_points([*axis_ends(curves), *on_log_axis(points, smallest_normal(curves))])


@chart(
    "accuracy",
    _("Accuracy"),
    lines(BY_STEP, _("share of right answers"), ends=SHARE),
    _("Share of right answers in each training batch. Guessing gives one over the number of classes."),
    _("remembering one part already helps."),
    "hochreiter",
    _("Line chart of the share of right answers by training step."),
)
def accuracy_by_step(curves: Sequence[Curve]) -> pa.Table:
    """Share of right answers in the batch; empty where the task has no classes."""
    return of_points([*axis_ends(curves), *by_step(curves, lambda snapshot: {"": snapshot.accuracy})])


def _shown_steps(experiment: Experiment, most: int) -> range:
    """Indices of at most `most` time steps, evenly spaced, the last one among them."""
    stride = math.ceil(experiment.time_steps / most)
    return range((experiment.time_steps - 1) % stride, experiment.time_steps, stride)


@chart(
    "gradient_through_time",
    _("Gradient that reaches each time step"),
    lines(
        _("time steps before the end"),
        _("gradient, last step = 1"),
        log=True,
        parts=_("gradient of"),
        ends=REACHED,
        back=True,
    ),
    _("How much learning signal reaches each earlier step. No signal, no learning. ▼ 1e-40 or less."),
    _("each step back multiplies by another matrix."),
    "bengio",
    _(
        "Line chart on a log axis: norm of the gradient by hidden and cell state at every time step, "
        "divided by that at the last one."
    ),
    of_one_step=True,
)
def gradient_through_time(curves: Sequence[Curve]) -> pa.Table:
    """
    ||dL/dh_t|| over ||dL/dh_T||, and the same of the cell state where there is one, by time steps before the last, at
    the last snapshot. Earlier races stretch the axis as well.
    """
    points: list[Point] = []
    for curve in curves:
        kind = "ghost" if curve.ghost else "racer"
        end, steps = curve.experiment.time_steps - 1, _shown_steps(curve.experiment, POINTS)
        for last in curve.snapshots[-1:]:
            for part, norms in ((_("hidden state"), last.hidden_grad_norms), (_("cell state"), last.cell_grad_norms)):
                if norms is not None:
                    shown = [Point(end - t, _share(norms[t], norms[-1]), curve.label, part, kind) for t in steps]
                    points += reversed(shown)
    farthest = max(curve.experiment.time_steps for curve in curves)
    span = next((span for span in SPANS if farthest <= span), farthest)
    return of_points([*axis_ends(curves, 0, span), *noted_once(between(points, *REACHED))])


def _share(norm: float, last: float) -> float:
    """What there is of nothing is nothing."""
    return norm / last if norm and last else norm


def heat(curve: Curve, last: int | None = None) -> pa.Table:
    """
    ||dL/dh_t|| by time step (x to x2) and training step (y to y2), up to the `last` that is shown, or to all steps;
    `value` is its decimal logarithm, at least -99.

    Every band of training steps shows its last snapshot. The first row has no area; it only stretches the axis.
    """
    steps, columns = last or curve.experiment.steps, _shown_steps(curve.experiment, HEAT_COLUMNS)
    height = math.ceil(steps / HEAT_ROWS)
    edges = [0, *(t + 1 for t in columns)]
    rows: list[tuple[float, ...]] = [(0, 0, steps, steps, -99.0, 0.0)]
    bands = {(snapshot.step - 1) // height * height: snapshot for snapshot in curve.snapshots}
    for low, snapshot in bands.items():
        norms = [snapshot.hidden_grad_norms[t] for t in columns]
        for left, right, norm in zip(edges[:-1], edges[1:], norms, strict=True):
            rows.append((left, right, low, min(low + height, steps), log10_for_colour(norm), norm))
    return of_rows(rows, HEAT_TABLE_COLUMNS)


def log10_for_colour(norm: float) -> float:
    """log10 for a colour scale: 0 is far below everything, what is not finite far above."""
    if not math.isfinite(norm):
        return 99.0
    return max(math.log10(norm), -99.0) if norm > 0 else -99.0


def sample(experiment: Experiment) -> pa.Table:
    """
    The first sequence that the experiment trains on: `channel`, time step (`x` to `x2`), `value`, and `part`, "input"
    or "answer". Zeros are left out; every channel has a row of no width at either end.
    """
    task = experiment.problem
    inputs, targets = next(samples(dataclasses.replace(experiment, batch=1)))
    answer = targets[:, 0] if task.every_step else targets[:1]
    if task.classes:
        answer = torch.nn.functional.one_hot(answer, len(task.outputs))
    first = experiment.time_steps - len(answer)
    cells = [("input", name, t, inputs[t, 0, d]) for d, name in enumerate(task.inputs) for t in range(len(inputs))]
    cells += [
        ("answer", f"→ {name}", first + t, answer[t, d])
        for d, name in enumerate(task.outputs)
        for t in range(len(answer))
    ]
    rows = [(part, name, t, t + 1, float(value)) for part, name, t, value in cells]
    ends = (0, experiment.time_steps)
    names = dict.fromkeys((part, name) for part, name, *_rest in rows)
    frame = [(part, name, end, end, 0.0) for part, name in names for end in ends]
    shown = [row for row in rows if row[4] != 0]
    return of_rows([*frame, *shown], ["part", "channel", "x", "x2", "value"])


def activation_curves(names: Sequence[str], slope: bool) -> pa.Table:
    """Activation functions, or their slopes, from -4 to 4."""
    x = torch.linspace(-4, 4, 161, dtype=torch.float64)
    points = []
    for name in names:
        row = ACTIVATIONS[name]
        y = (row.derivative if slope else row.function)(x)
        points += [Point(a, b, row.label) for a, b in zip(x.tolist(), y.tolist(), strict=True)]
    return of_points(points)


@chart(
    "difference",
    _("Difference between the two"),
    lines(BY_STEP, _("difference of losses"), log=True),
    _("1e-16 is the last digit in double precision. Training magnifies it, as it does any rounding."),
    _("both compute the same sums in another order."),
    "greff",
    _("Line chart on a log axis: absolute difference between the losses of the first two racers by training step."),
)
def loss_difference(curves: Sequence[Curve]) -> pa.Table:
    """|loss of one - loss of the other| of the first two racers at every snapshot that both have."""
    one, other = curves[:2]
    points = [
        Point(a.step, abs(a.loss - b.loss), _("difference"), kind="other")
        for a, b in zip(one.snapshots, other.snapshots, strict=False)
    ]
    return of_points([*axis_ends(curves), *noted_once(on_log_axis(points, ROUNDING), _("exactly equal"))])
