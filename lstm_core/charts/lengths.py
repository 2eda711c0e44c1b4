"""What does the chart of longer sequences draw? The loss at T, 2 T and 4 T, as a table of `points`."""

from collections.abc import Sequence

import pyarrow as pa

from lstm_core.charts.chart import chart
from lstm_core.charts.marks import lines
from lstm_core.charts.needs import Need, last
from lstm_core.charts.points import Curve, Point, axis_ends, level, noted_once, of_points, on_log_axis
from lstm_core.language import _
from lstm_core.measurements.lengths import TIMES, longer
from lstm_core.tasks.task import SOLVED_FRACTION

# Below this nothing is told apart any more.
FLOOR = 1e-6


def _of_any_length(curve: Curve) -> bool:
    return curve.experiment.problem.of is None


LONGER = Need(longer, _of_any_length, last)


@chart(
    "lengths",
    _("Longer than trained"),
    lines(_("length of the sequences"), _("loss / constant predictor's"), log=True, times=TIMES),
    _("Low and level: a rule for any length. Rising: it learned its own length T."),
    _("longer sequences bring states never seen in training."),
    "deletang",
    _("Line chart on log axes: every racer's loss on held-out sequences of T, 2T and 4T, relative to guessing."),
    needs=(LONGER,),
    of_one_step=True,
)
def loss_by_length(curves: Sequence[Curve]) -> pa.Table:
    """Loss on sequences of T, 2 T and 4 T in parts of the constant predictor's, which is 1; what counts as solved."""
    first, last = TIMES[0], TIMES[-1]
    points = [
        Point(times, loss, curve.label)
        for curve, _step, losses in LONGER.found(curves)
        for times, loss in losses.items()
    ]
    levels = [
        *level(_("constant predictor"), 1.0, first, last),
        *level(_("counts as solved"), SOLVED_FRACTION, first, last),
    ]
    return of_points([*axis_ends(curves, first, last), *levels, *noted_once(on_log_axis(points, FLOOR))])
