"""What do the charts of the gradient's flow draw? What was measured of each curve's weights, as tables of `points`."""

import math
from collections.abc import Iterable, Sequence

import pyarrow as pa
import torch
from torch import Tensor

from lstm_core.borrowed.arrow import of_rows
from lstm_core.charts.chart import BY_TIME, chart
from lstm_core.charts.colours import slots
from lstm_core.charts.marks import BY_STEP, lines
from lstm_core.charts.needs import Need, adds, every, first, last, single, transforms
from lstm_core.charts.pictures import plane
from lstm_core.charts.points import (
    UNDERFLOW,
    Curve,
    Point,
    axis_ends,
    level,
    level_lines,
    line,
    longest,
    noted_once,
    of_points,
    on_log_axis,
)
from lstm_core.language import _
from lstm_core.measurements import checkpoints

# Below this nothing is told apart any more; single precision ends at 1e-38.
FLOOR = 1e-100
SLOWEST_RATE = -3.0
PlaneRow = tuple[float, float, str, int, str, int]
SHEARED = checkpoints.powers(torch.tensor([[0.5, 10.0], [0.0, 0.5]], dtype=torch.float64))
BOUNDS = (_("by slopes"), _("by (γσ)ⁿ"), "ρⁿ")
WAYS = ("∂c_T/∂c_t", _("direct: product of f"), _("rest: gates and h"), "∂h_T/∂h_t")
RESIDUAL = _("∂h_T/∂h_t of a residual chain")
POWER, POWER_BOUNDS, EXAMPLE = "‖W_hⁿ‖", ("σ_maxⁿ", "ρⁿ"), ("‖Aⁿ‖", "ρ(A)ⁿ")

REACH = Need(checkpoints.reach, transforms, last)
REACH_BEFORE = Need(checkpoints.reach, transforms, first)
HIGHWAY = Need(checkpoints.highway, adds, last)
GROWTH = Need(checkpoints.growth, single, every)
SPECTRUM = Need(checkpoints.recurrent_spectrum, transforms, last)
POWERS = Need(checkpoints.recurrent_powers, transforms, last)


def where_single_precision_ends(points: Iterable[Point]) -> list[Point]:
    """Points for a log axis, those that single precision could not tell from 0 marked, and said so once a line."""
    tiny, said, marked = torch.finfo(torch.float32).tiny, set(), []
    for point in on_log_axis(points, FLOOR):
        if point.y < tiny:
            note = "" if (point.series, point.part) in said else _("underflow: 0 in single precision")
            said.add((point.series, point.part))
            point = point._replace(off=UNDERFLOW, note=note)
        marked.append(point)
    return marked


@chart(
    "reach",
    _("How far back: ‖∂h_T/∂h_t‖ of the RNN"),
    lines(BY_TIME, _("spectral norm"), log=True, parts=_("line"), columns=4),
    _("The measured line lies far below both bounds. Thin: before training. ▼ 0 in single precision."),
    _("slopes are small; no direction is stretched every time."),
    "pascanu",
    _("Line chart on a log axis: norm of the Jacobian of the last hidden state by time step, with two bounds."),
    needs=(REACH, REACH_BEFORE),
    of_one_step=True,
)
def reach_by_time_step(curves: Sequence[Curve]) -> pa.Table:
    """||dh_T/dh_t|| of the RNN, its two bounds and rho^(T-t); as a ghost, what was measured before training."""
    points: list[Point] = []
    for curve, _step, reach in REACH.found(curves):
        points += line(curve.label, reach.steps, reach.measured, part=_("measured"))
        for name, values in zip(BOUNDS, reach[2:], strict=False):
            points += line(curve.label, reach.steps, values, "reference", name)
    for curve, _step, reach in REACH_BEFORE.found(curves):
        points += line(_("{label} before training").format(label=curve.label), reach.steps, reach.measured, "ghost")
    return of_points([*axis_ends(curves, 0, longest(curves)), *where_single_precision_ends(points)])


@chart(
    "highway",
    _("The direct path, and all other paths"),
    lines(BY_TIME, _("spectral norm"), log=True, parts=_("line")),
    _("The direct path is the product of the forget gates: exactly 1 without them."),
    _("all other paths run through gates and hidden state."),
    "hochreiter",
    _("Line chart on a log axis: norm of the cell's Jacobian, of its direct part and of the rest, by time step."),
    needs=(HIGHWAY, REACH),
    of_one_step=True,
)
def highway_by_time_step(curves: Sequence[Curve]) -> pa.Table:
    """dc_T/dc_t of the LSTM, its direct part and the rest, dh_T/dh_t, and that of the RNN and of a residual chain."""
    ways: list[tuple[str, str, list[int], Tensor]] = []
    for curve, _step, way in HIGHWAY.found(curves):
        parts = zip(WAYS, (way.cell, way.direct, way.rest, way.hidden), strict=True)
        ways += [(curve.label, part, way.steps, norms) for part, norms in parts]
    for curve, _step, reach in REACH.found(curves):
        ways += [(curve.label, WAYS[-1], reach.steps, reach.measured), ("", RESIDUAL, reach.steps, reach.residual)]
    # At T itself nothing lies between, and the rest is nothing.
    points = [
        point
        for label, part, steps, norms in ways
        for point in line(label, steps[:-1], norms[:-1], "racer" if label else "reference", part)
    ]
    return of_points([*axis_ends(curves, 0, longest(curves)), *where_single_precision_ends(points)])


@chart(
    "growth",
    _("Growth per step"),
    lines(BY_STEP, _("log of the factor per time step"), parts=_("measured")),
    _("Below 0 gradients fade, above 0 they grow. An LSTM that remembers is near 0."),
    _("the growth rate settles to the Lyapunov exponent."),
    "vogt",
    _("Line chart of the largest Lyapunov exponent and the measured slope of every racer by training step."),
    needs=(GROWTH,),
)
def growth_by_training_step(curves: Sequence[Curve]) -> pa.Table:
    """Largest Lyapunov exponent and measured slope of every racer, at each checkpoint of its training."""
    points = []
    for curve, step, rate in GROWTH.found(curves):
        for part, y in ((_("Lyapunov exponent"), rate.exponent), (_("measured slope"), rate.slope)):
            shown = Point(step, y, curve.label, part)
            points.append(shown if y > SLOWEST_RATE else shown._replace(y=SLOWEST_RATE, off=UNDERFLOW))
    neither = level_lines(curves, [(_("constant"), 0.0)])
    return of_points([*axis_ends(curves), *neither, *noted_once(points, _("below {rate:g}").format(rate=SLOWEST_RATE))])


@chart(
    "eigenvalues",
    _("Eigenvalues of W_h"),
    plane,
    _("Points outside the circle are directions that a linear network amplifies."),
    _("in the long run powers follow the spectral radius ρ."),
    "pascanu",
    _("The eigenvalues of the recurrent matrix in the complex plane, with the unit circle."),
    needs=(SPECTRUM,),
    of_one_step=True,
    stretched=False,
)
def eigenvalues(curves: Sequence[Curve]) -> pa.Table:
    """Eigenvalues of the RNN's W_h in the plane (x, y), the unit circle in the order of `step`, the axes' ends."""
    circle = [(math.cos(a), math.sin(a), "circle", k, "", -1) for k in range(73) for a in [k * math.pi / 36]]
    slot, reach, rows = slots([curve.label for curve in curves if not curve.ghost]), 1.1, list[PlaneRow]()
    for curve, _step, spectrum in SPECTRUM.found(curves):
        own = curve.label, slot[curve.label]
        rows += [(value.real, value.imag, "eigenvalue", 0, *own) for value in spectrum.eigenvalues.tolist()]
        reach = max(reach, 1.1 * spectrum.radius)
    rows += [(x, x, "frame", 0, "", -1) for x in (-reach, reach)]
    return of_rows([*circle, *rows], ["x", "y", "kind", "step", "series", "slot"])


@chart(
    "singular_values",
    _("Singular values beside eigenvalues"),
    lines(_("rank, largest first"), "value", zero=True, parts=_("value")),
    _("The lines differ at the left: the norm is not the largest eigenvalue."),
    _("singular values measure one multiplication, eigenvalues many."),
    "pascanu",
    _("Line chart of the singular values and the absolute eigenvalues of the recurrent matrix, largest first."),
    needs=(SPECTRUM,),
    of_one_step=True,
)
def singular_values(curves: Sequence[Curve]) -> pa.Table:
    """Singular values of the RNN's W_h and absolute values of its eigenvalues, largest first; both largest as lines."""
    names = (_("singular value"), "|eigenvalue|")
    size = max(curve.experiment.hidden for curve in curves if not curve.ghost)
    points = level("1", 1.0, 1, size)
    for curve, _step, spectrum in SPECTRUM.found(curves):
        for name, values in zip(names, (spectrum.singular_values, spectrum.eigenvalues.abs()), strict=True):
            points += line(curve.label, range(1, len(values) + 1), values, part=name)
        for name, y in (("σ_max", spectrum.norm), ("ρ", spectrum.radius)):
            points += level(f"{name} = {y:.3g}", y, 1, size)
    return of_points([*axis_ends(curves, 1, size), *points])


@chart(
    "powers",
    _("Powers: ‖Wⁿ‖"),
    lines("n", _("spectral norm"), log=True, parts=_("line")),
    _("‖Aⁿ‖ first grows to 20 times its spectral radius, then decays. W_hⁿ lies between ρⁿ and σ_maxⁿ."),
    _("A stretches sideways before it shrinks."),
    "pascanu",
    _("Line chart on a log axis: norms of the powers of the recurrent matrix and of an example matrix."),
    needs=(POWERS,),
    of_one_step=True,
)
def powers_of_weights(curves: Sequence[Curve]) -> pa.Table:
    """||W_h^n|| of the RNN between rho^n and sigma_max^n; the same of a matrix with both eigenvalues .5 and norm 10."""
    n, points = [float(k) for k in range(1, checkpoints.MOST_POWERS + 1)], list[Point]()
    for curve, _step, powers in POWERS.found(curves):
        points += line(curve.label, n, powers[0], part=POWER)
        for name, values in zip(POWER_BOUNDS, powers[1:], strict=True):
            points += line(name, n, values, "reference", name)
    for name, values in zip(EXAMPLE, (SHEARED.measured, SHEARED.radius), strict=True):
        points += line(name, n, values, "reference", name)
    return of_points([*axis_ends(curves, 1, checkpoints.MOST_POWERS), *where_single_precision_ends(points)])
