"""
What do the charts of the gradient's flow draw? Measurements of each curve's last checkpoint, as tables of `tables`.

A curve without a snapshot is measured with the weights that it begins with. One whose snapshots have no weights is not,
nor is a ghost.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence

import pyarrow as pa
import torch
from torch import Tensor

from lstm_core.borrowed.arrow import of_rows
from lstm_core.cells import Family
from lstm_core.charts.points import (
    POINTS,
    UNDERFLOW,
    Curve,
    Point,
    axis_ends,
    by_step,
    level_lines,
    noted_once,
    of_points,
    on_log_axis,
    smallest_normal,
)
from lstm_core.measurements import checkpoints, gradients
from lstm_core.measurements.checkpoints import Checkpoint

# Below this nothing is told apart any more; single precision ends at 1e-38.
FLOOR = 1e-100
SLOWEST_RATE = -3.0
MOST_POWERS = 30
SHEAR = torch.tensor([[0.5, 10.0], [0.0, 0.5]], dtype=torch.float64)
SHOWN_UNITS, STATE_COLUMNS = 12, 100
LONGEST_MEMORY = 12
REACH = (
    "measured",
    "bound, true slopes",
    "bound (γ σ_max)^(T-t)",
    "ρ^(T-t), no bound",
)
POWERS = ("‖W_hⁿ‖", "σ_maxⁿ", "ρⁿ", "‖Aⁿ‖", "ρ(A)ⁿ")


def _transforms(family: Family) -> bool:
    return family.transforms


def _adds(family: Family) -> bool:
    return family.adds


def _transforming(pair: tuple[Curve, Checkpoint]) -> bool:
    return pair[0].experiment.recurrent_cell.row.transforms


def _last(
    curves: Sequence[Curve], chosen: Callable[[Family], bool] = lambda family: True
) -> Iterator[tuple[Curve, Checkpoint]]:
    """The last checkpoint of each racer whose family is chosen."""
    for curve in curves:
        if not curve.ghost and chosen(curve.experiment.recurrent_cell.row):
            for checkpoint in _checkpoints(curve)[-1:]:
                yield curve, checkpoint


def _checkpoints(curve: Curve) -> list[Checkpoint]:
    if not curve.snapshots:
        return [checkpoints.beginning(curve.experiment)] if checkpoints.measurable(curve.experiment) else []
    return checkpoints.checkpoints(curve.experiment, curve.snapshots)


def _axis(names: Iterable[str], first: float, last: float) -> list[Point]:
    """Both ends of the axis, and the series in their order."""
    return [Point(x, math.nan, name, kind="frame") for name in names for x in (first, last)]


def _longest(curves: Sequence[Curve]) -> int:
    return max(curve.experiment.time_steps for curve in curves if not curve.ghost)


def _line(name: str, x: Iterable[float], y: Tensor, kind: str = "racer") -> list[Point]:
    return [Point(a, b, name, kind=kind) for a, b in zip(x, y.tolist(), strict=True)]


def _where_single_precision_ends(points: Iterable[Point]) -> list[Point]:
    """Points for a log axis, those that single precision could not tell from 0 marked, and said so once a line."""
    tiny, said, marked = torch.finfo(torch.float32).tiny, set(), []
    for point in on_log_axis(points, FLOOR):
        if point.y < tiny:
            note = "" if point.series in said else "underflow: 0 in single precision"
            said.add(point.series)
            point = point._replace(off=UNDERFLOW, note=note)
        marked.append(point)
    return marked


def reach_by_time_step(curves: Sequence[Curve]) -> pa.Table:
    """||dh_T/dh_t|| of the RNN, its two bounds and rho^(T-t); as a ghost, what was measured before training."""
    points: list[Point] = []
    for curve, checkpoint in _last(curves, _transforms):
        reach = checkpoints.reach(checkpoint)
        for name, values in zip(REACH, reach[1:], strict=False):
            points += _line(name, reach.steps, values)
        first = _checkpoints(curve)[0]
        points += _line("before training", reach.steps, checkpoints.reach(first).measured, "ghost")
    return of_points([*_axis(REACH, 0, _longest(curves)), *_where_single_precision_ends(points)])


def _highways(curve: Curve, checkpoint: Checkpoint) -> dict[str, Tensor]:
    if curve.experiment.recurrent_cell.row.transforms:
        reach = checkpoints.reach(checkpoint)
        return {f"{curve.label}: ∂h_T/∂h_t": reach.measured, "residual chain: ∂h_T/∂h_t": reach.residual}
    way = checkpoints.highway(checkpoint)
    return {
        f"{curve.label}: ∂c_T/∂c_t": way.cell,
        "direct: product of f": way.direct,
        "rest: gates and h": way.rest,
        f"{curve.label}: ∂h_T/∂h_t": way.hidden,
    }


def highway_by_time_step(curves: Sequence[Curve]) -> pa.Table:
    """dc_T/dc_t of the LSTM, its direct part and the rest, dh_T/dh_t, and that of the RNN and of a residual chain."""
    points: list[Point] = []
    for curve, checkpoint in sorted(_last(curves, lambda family: family.adds or family.transforms), key=_transforming):
        steps = checkpoints.shown_steps(curve.experiment.time_steps)
        for name, values in _highways(curve, checkpoint).items():
            # At T itself nothing lies between, and the rest is nothing.
            points += _line(name, steps[:-1], values[:-1])
    names = dict.fromkeys(point.series for point in points) or {curve.label: None for curve in curves}
    return of_points([*_axis(names, 0, _longest(curves)), *_where_single_precision_ends(points)])


def growth_by_training_step(curves: Sequence[Curve]) -> pa.Table:
    """Largest Lyapunov exponent and measured slope of every racer, at each checkpoint of its training."""
    points = []
    for curve in curves:
        for checkpoint in [] if curve.ghost else _checkpoints(curve):
            rate = checkpoints.growth(checkpoint)
            for part, y in (("largest Lyapunov exponent", rate.exponent), ("slope of log ‖∂s_T/∂s_t‖", rate.slope)):
                shown = Point(checkpoint.step, y, curve.label, part)
                points.append(shown if y > SLOWEST_RATE else shown._replace(y=SLOWEST_RATE, off=UNDERFLOW))
    level = level_lines(curves, [("neither grows nor fades", 0.0)])
    return of_points([*axis_ends(curves), *level, *noted_once(points, f"below {SLOWEST_RATE:g}")])


def eigenvalues(curves: Sequence[Curve]) -> pa.Table:
    """Eigenvalues of the RNN's W_h in the plane (x, y), the unit circle in the order of `step`, the axes' ends."""
    circle = [(math.cos(a), math.sin(a), "circle", k) for k in range(73) for a in [k * math.pi / 36]]
    spectra = [checkpoints.recurrent_spectrum(checkpoint) for _, checkpoint in _last(curves, _transforms)]
    rows = [(value.real, value.imag, "eigenvalue", 0) for one in spectra for value in one.eigenvalues.tolist()]
    reach = max([1.1, *(1.1 * one.radius for one in spectra)])
    rows += [(x, x, "frame", 0) for x in (-reach, reach)]
    return of_rows([*circle, *rows], ["x", "y", "kind", "step"])


def singular_values(curves: Sequence[Curve]) -> pa.Table:
    """Singular values of the RNN's W_h and absolute values of its eigenvalues, largest first; both largest as lines."""
    names = ("singular value", "|eigenvalue|")
    size = max(curve.experiment.hidden for curve in curves if not curve.ghost)
    points = [Point(x, 1.0, "1", kind="reference") for x in (1, size)]
    for _, checkpoint in _last(curves, _transforms):
        spectrum = checkpoints.recurrent_spectrum(checkpoint)
        for name, values in zip(names, (spectrum.singular_values, spectrum.eigenvalues.abs()), strict=True):
            points += _line(name, range(1, len(values) + 1), values)
        norm, radius = spectrum.norm, spectrum.radius
        for note, y in ((f"σ_max = {norm:.3g}", norm), (f"ρ = {radius:.3g}", radius)):
            points += [Point(1, y, note, kind="reference"), Point(size, y, note, kind="reference", note=note)]
    return of_points([*_axis(names, 1, size), *points])


def powers(curves: Sequence[Curve]) -> pa.Table:
    """||W_h^n|| of the RNN between rho^n and sigma_max^n; the same of a matrix with both eigenvalues .5 and norm 10."""
    n = torch.arange(1, MOST_POWERS + 1, dtype=torch.float64)
    sheared, halves = gradients.powers(SHEAR, MOST_POWERS), gradients.spectrum(SHEAR).radius ** n
    lines = dict(zip(POWERS[3:], (sheared, halves), strict=True))
    for _, checkpoint in _last(curves, _transforms):
        spectrum = checkpoints.recurrent_spectrum(checkpoint)
        measured = checkpoints.recurrent_powers(checkpoint, MOST_POWERS)
        lines |= zip(POWERS[:3], (measured, spectrum.norm**n, spectrum.radius**n), strict=True)
    points = [point for name, y in lines.items() for point in _line(name, n.tolist(), y)]
    return of_points([*_axis(POWERS, 1, MOST_POWERS), *_where_single_precision_ends(points)])


def state_growth(curves: Sequence[Curve]) -> pa.Table:
    """max |c_t| of the LSTM by time step, as set and with its forget gate held at 1."""
    names, points = ("as set", "f held at 1"), []
    for _, checkpoint in _last(curves, _adds):
        lines = {names[0]: checkpoints.states(checkpoint)}
        if checkpoint.cell.gates.find("f") >= 0 and not checkpoint.cell.coupled:
            lines[names[1]] = checkpoints.without_forgetting(checkpoint)
        for name, states in lines.items():
            points += _line(name, range(len(states)), states.abs().amax(1))
    return of_points([*_axis(names, 0, _longest(curves)), *(p for p in points if math.isfinite(p.y))])


def memory_ruler(curves: Sequence[Curve]) -> pa.Table:
    """
    How many units of the LSTM forget within `x` to `x2` steps, powers of 2, longer ones in the last bin; the sequence's
    length as `kind` "length".
    """
    last = 2.0**LONGEST_MEMORY
    rows: list[tuple[float, float, float, str]] = [(1, last, 0, "frame"), (_longest(curves), last, 0, "length")]
    for _, checkpoint in _last(curves, _adds):
        bins = checkpoints.time_constants(checkpoint).log2().clamp(max=LONGEST_MEMORY - 1).floor().long()
        rows += [(2.0**k, 2.0 ** (k + 1), n, "units") for k, n in enumerate(bins.bincount().tolist()) if n]
    return of_rows(rows, ["x", "x2", "y", "kind"])


def _of_states(curves: Sequence[Curve]) -> Iterator[tuple[str, str, Tensor]]:
    for curve, checkpoint in _last(curves):
        yield curve.label, curve.experiment.recurrent_cell.row.states[-1], checkpoints.states(checkpoint)


def states(curves: Sequence[Curve]) -> pa.Table:
    """The first units of each racer's state, one `channel` a unit, by time step (x to x2), relative to the largest."""
    rows = []
    for label, letter, values in _of_states(curves):
        largest = float(values.abs().max()) or 1.0
        stride = math.ceil((len(values) - 1) / STATE_COLUMNS)
        for unit in range(min(SHOWN_UNITS, values.shape[1])):
            for t in range(1, len(values), stride):
                value = float(values[t, unit])
                rows.append((t - 1, t - 1 + stride, f"{label} {letter}{unit + 1}", value / largest, value))
    rows = rows or [(0, _longest(curves), curve.label, 0.0, 0.0) for curve in curves if not curve.ghost]
    return of_rows(rows, ["x", "x2", "channel", "value", "state"])


def state_change(curves: Sequence[Curve]) -> pa.Table:
    """||s_t - s_(t-1)|| / ||s_t|| of each racer: 1 and more where a state is rewritten, small where it is added to."""
    points: list[Point] = []
    for label, _, values in _of_states(curves):
        change = (values[1:] - values[:-1]).norm(dim=1) / values[1:].norm(dim=1).clamp_min(FLOOR)
        points += [point for point in _line(label, range(1, len(values)), change) if math.isfinite(point.y)]
    return of_points([*axis_ends(curves, 1, _longest(curves)), *points])


def clipping(curves: Sequence[Curve]) -> pa.Table:
    """Norm of the whole gradient by training step, before and after clipping."""
    racers = [curve for curve in curves if not curve.ghost]
    points = by_step(racers, lambda snapshot: {"before": snapshot.grad_norm, "after": snapshot.clipped_grad_norm})
    experiment = racers[0].experiment
    level = [("clipped above", experiment.clip_at)] if experiment.clip == "norm" else []
    shown = on_log_axis(points, smallest_normal(curves))
    return of_points([*axis_ends(curves), *level_lines(curves, level), *shown])


def direction(curves: Sequence[Curve]) -> pa.Table:
    """Cosine of the angle between the gradient before and after clipping."""
    racers = [curve for curve in curves if not curve.ghost]
    points = by_step(racers, lambda snapshot: {"": snapshot.clip_cosine})
    return of_points([*axis_ends(curves), *(point for point in points if math.isfinite(point.y))])


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
            parts = {"before": norms}
            if curve.experiment.clip == "norm":
                parts["after"] = norms * (last.clipped_grad_norm / last.grad_norm)
            for part, values in parts.items():
                line = _line(curve.label, (steps + 1).tolist(), values[steps])
                points += [point._replace(part=part) for point in line]
    shown = noted_once(on_log_axis(points, smallest_normal(curves)))
    return of_points([*axis_ends(curves, 1, _longest(curves)), *shown])


def ablations(curves: Sequence[Curve]) -> pa.Table:
    """Loss of every LSTM on held-out sequences, as trained and with each learned gate at 1; `x`, `series`, `part`."""
    experiment = curves[0].experiment
    constant = experiment.problem.constant_loss(experiment.length)
    rows = [(constant, curve.label, "constant predictor", "reference") for curve in curves if not curve.ghost]
    trained = [curve for curve in curves if curve.snapshots]
    for curve, checkpoint in _last(trained, _adds):
        for gate, loss in checkpoints.ablations(checkpoint).items():
            if math.isfinite(loss):
                rows.append(
                    (
                        loss,
                        curve.label,
                        f"{checkpoint.cell.row.blocks[gate]} held at 1" if gate else "as trained",
                        "racer",
                    )
                )
    return of_rows(rows, ["x", "series", "part", "kind"])
