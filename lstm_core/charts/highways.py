"""What is drawn of highways since the LSTM? Their direct paths, and how far eigenvalues leave the circle."""

from collections.abc import Sequence

import pyarrow as pa

from lstm_core.charts.chart import BY_TIME, chart
from lstm_core.charts.flow import HIGHWAY, where_single_precision_ends
from lstm_core.charts.marks import BY_STEP, lines
from lstm_core.charts.needs import Need, every, transforms
from lstm_core.charts.points import Curve, Point, axis_ends, line, longest, noted_once, of_points, on_log_axis
from lstm_core.language import _
from lstm_core.measurements import checkpoints

WHOLE, DIRECT = _("whole Jacobian"), _("direct path")
# What rounding leaves of a circle.
NEAREST = 1e-8

SPECTRA = Need(checkpoints.recurrent_spectrum, transforms, every)


@chart(
    "direct_path",
    _("Direct path and whole Jacobian"),
    lines(BY_TIME, _("spectral norm"), log=True, parts=_("line")),
    _("Both lines are one: nothing but what is kept carries the gradient."),
    _("where gates see the input alone, no other path is there."),
    "feng",
    _("Line chart on a log axis: norm of the state's whole Jacobian, and of its direct path, by time step."),
    needs=(HIGHWAY,),
    of_one_step=True,
)
def direct_path(curves: Sequence[Curve]) -> pa.Table:
    """Of each racer that adds to a state, ds_T/ds_t, and the product of what each step between keeps of it."""
    points = [
        # At T itself nothing lies between.
        point
        for curve, _step, way in HIGHWAY.found(curves)
        for part, norms in ((WHOLE, way.cell), (DIRECT, way.direct))
        for point in line(curve.label, way.steps[:-1], norms[:-1], part=part)
    ]
    return of_points([*axis_ends(curves, 0, longest(curves)), *where_single_precision_ends(points)])


@chart(
    "off_circle",
    _("How far eigenvalues of W_h leave the circle"),
    lines(BY_STEP, _("largest distance from 1"), log=True),
    _("Kept orthogonal, W_h stays on the circle; a free one leaves it."),
    _("on the circle, powers neither grow nor shrink."),
    "lezcano",
    _("Line chart on a log axis: the largest distance of an eigenvalue of W_h from the unit circle, by training step."),
    needs=(SPECTRA,),
)
def off_circle(curves: Sequence[Curve]) -> pa.Table:
    """max ||lambda| - 1| over the eigenvalues of W_h of each racer that has one, at each checkpoint."""
    points = [
        Point(step, float((spectrum.eigenvalues.abs() - 1).abs().max()), curve.label)
        for curve, step, spectrum in SPECTRA.found(curves)
    ]
    return of_points([*axis_ends(curves), *noted_once(on_log_axis(points, NEAREST), _("on the circle"))])
