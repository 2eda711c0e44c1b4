"""What does the chart of the step length draw? On which side of the loss's valley each update ends."""

from collections.abc import Sequence

import altair as alt
import pyarrow as pa

from lstm_core.charts.axes import BY_STEP, LABEL, QUIET, TEXT, axis, legend, only
from lstm_core.charts.chart import chart
from lstm_core.charts.colours import SHAPES
from lstm_core.charts.needs import Need, begun, every
from lstm_core.charts.pictures import HEIGHT
from lstm_core.charts.points import Curve, Point, axis_ends, below, level_lines, of_points
from lstm_core.language import _
from lstm_core.measurements.step_length import step_length

ENDS = (-1.2, 2.2)
LEVELS = ((_("no step"), -1.0), (_("floor"), 0.0), (_("as high as before"), 1.0))
# Where the words stand, each a little above its height.
ZONES = {_("too short"): -1.0, _("near side"): -0.5, _("far side"): 0.5, _("loss rises"): 1.5}
STEP_LENGTH = Need(step_length, begun, every)


def gauge() -> alt.LayerChart:
    """Symbols of racers by training step, triangles at the upper edge; lines at the levels between words for zones."""
    across = alt.X("x:Q", title=BY_STEP, scale=alt.Scale(nice=False, zero=False), axis=axis(tickMinStep=1))
    scale = alt.Scale(domain=ENDS, nice=False)
    up = alt.Y("y:Q", title=_("step length α"), scale=scale, axis=axis(values=[y for _name, y in LEVELS]))
    racer = alt.Color("series:N", sort=None, title=None, legend=legend(columns=3))
    shape = alt.Shape("series:N", sort=None, title=None, scale=alt.Scale(range=SHAPES), legend=None)
    told = [
        alt.Tooltip("series:N", title=_("racer")),
        alt.Tooltip("x:Q", title=BY_STEP),
        alt.Tooltip("y:Q", title=_("step length α"), format=".3g"),
        alt.Tooltip("off:N", title=_("note")),
    ]
    dot = {"x": across, "y": up, "color": racer, "tooltip": told}
    word = {"x": across, "y": up, "color": alt.value(QUIET)}
    beyond = only("kind == 'racer'", "off == 'overflow'")
    return alt.layer(  # type: ignore[return-value]
        only("kind == 'frame'").mark_point(size=0).encode(x=across, color=racer, shape=shape),
        only("kind == 'reference'").mark_line(strokeDash=[5, 4]).encode(**word, detail="part:N"),
        only("kind == 'zone'")
        .mark_text(align="left", baseline="bottom", dx=4, fontSize=TEXT, limit=LABEL)
        .encode(**word, text="note:N"),
        only("kind == 'racer'", "off == ''").mark_point(filled=True, size=70, opacity=0.8).encode(**dot, shape=shape),
        beyond.mark_point(filled=True, size=60, opacity=0.8, shape="triangle-up", yOffset=6).encode(**dot),
    ).properties(height=HEIGHT)


@chart(
    "step_length",
    _("A step that is too long"),
    gauge,
    _("Below 0 a step ends before the valley's floor, above 0 beyond it. From 1 on the loss rises."),
    _("it climbs the far side."),
    "schneider",
    _("Dots by training step: the normalised length of each racer's update, -1 none, 0 the floor, 1 too long."),
    needs=(STEP_LENGTH,),
)
def step_length_by_training_step(curves: Sequence[Curve]) -> pa.Table:
    """alpha of the update of each checkpoint, on its own batch, with the words of the zones as `kind` "zone"."""
    points = [Point(step, alpha, curve.label) for curve, step, alpha in STEP_LENGTH.found(curves)]
    words = [Point(0, y, "", word, "zone", note=word) for word, y in ZONES.items()]
    return of_points([*axis_ends(curves), *words, *level_lines(curves, LEVELS), *below(points, ENDS[1])])
