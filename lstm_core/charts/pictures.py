"""With which marks are the tables drawn that are no lines? Altair charts without data, which never depend on it."""

from typing import Any

import altair as alt

from lstm_core.charts.axes import BY_STEP, QUIET, axis, legend, log_axis, log_scale, only, when_asked
from lstm_core.language import _

HEIGHT, EVIDENCE_HEIGHT, PLANE_SIZE = 327, 80, 300
HEAT_RANGE = [-12, 0]
# The edges of a cell have its colour: the ground would shine through between two cells.
SEAMLESS: dict[str, Any] = {"stroke": {"expr": "scale('color', datum.value)"}, "strokeWidth": 1}
# As trained, and with a gate held at 1.
GATES = ["circle", "cross", "square", "diamond", "triangle-up"]


def _colour(title: str, scale: alt.Scale) -> alt.Color:
    return alt.Color("value:Q", title=title, scale=scale, legend=legend(gradientLength=130))


def _by_time(marks: alt.Chart, first: alt.Tooltip, last: alt.Tooltip, **channels: Any) -> alt.Chart:
    """Cells from x to x2 along the time steps of a sequence, with these channels besides."""
    across = alt.X("x:Q", title=_("time step"), scale=alt.Scale(nice=False))
    told = [first, alt.Tooltip("x2:Q", title=_("time step")), last]
    return marks.encode(x=across, x2="x2:Q", tooltip=told, **channels)


def heat() -> alt.Chart:
    """A gradient norm by time step, across, and by training step, up."""
    return _by_time(
        alt.Chart(height=290).mark_rect(**SEAMLESS),
        alt.Tooltip("y:Q", title=BY_STEP),
        alt.Tooltip("norm:Q", title=_("norm"), format=".3g"),
        y=alt.Y("y:Q", title=BY_STEP, scale=alt.Scale(nice=False)),
        y2="y2:Q",
        color=_colour(_("log10 of the norm"), alt.Scale(scheme="viridis", domain=HEAT_RANGE, clamp=True)),
    )


def sample() -> alt.Chart:
    """The channels of one sequence of a task, by time step."""
    return _by_time(
        alt.Chart(height=alt.Step(20)).mark_rect(),
        alt.Tooltip("channel:N"),
        alt.Tooltip("value:Q", format=".3g"),
        y=alt.Y("channel:N", sort=None, title=None),
        color=alt.value(QUIET),
        opacity=alt.Opacity("value:Q", legend=None, scale=alt.Scale(range=[0.08, 1])),
    )


def _of_racer(legend: alt.Legend | None) -> alt.Color:
    return alt.Color("series:N", sort=None, title=None, legend=legend)


def plane() -> alt.LayerChart:
    """Eigenvalues, the unit circle, and the axes as wide as high."""
    scale = alt.Scale(nice=False, zero=False)
    across, up = alt.X("x:Q", title=_("real part"), scale=scale), alt.Y("y:Q", title=_("imaginary part"), scale=scale)
    tooltip = [
        alt.Tooltip("x:Q", title=_("real part"), format=".3g"),
        alt.Tooltip("y:Q", title=_("imaginary part"), format=".3g"),
    ]
    return alt.layer(  # type: ignore[return-value]
        only("kind == 'frame'").mark_point(size=0).encode(x=across, y=up),
        only("kind == 'circle'")
        .mark_line(strokeWidth=1)
        .encode(x=across, y=up, order="step:Q", color=alt.value(QUIET)),
        only("kind == 'eigenvalue'")
        .mark_point(filled=True, size=50, opacity=0.8)
        .encode(x=across, y=up, color=_of_racer(legend()), tooltip=tooltip),
    ).properties(width=PLANE_SIZE, height=PLANE_SIZE)


def ruler() -> alt.LayerChart:
    """A histogram over powers of 2, with the length of the sequence as a rule."""
    across = alt.X("x:Q", title=_("time constant 1/(1 - f), steps"), scale=alt.Scale(type="log", base=2, nice=False))
    up = alt.Y("y:Q", title=_("units"), axis=axis(tickMinStep=1))
    tooltip = [
        alt.Tooltip("x:Q", title=_("from, steps")),
        alt.Tooltip("x2:Q", title=_("to, steps")),
        alt.Tooltip("y:Q", title=_("units")),
    ]
    return alt.layer(  # type: ignore[return-value]
        only("kind == 'frame'").mark_rect(opacity=0).encode(x=across, x2="x2:Q", y=up),
        only("kind == 'units'")
        .mark_rect(fillOpacity=0.6, strokeWidth=2)
        .encode(x=across, x2="x2:Q", y=up, y2=alt.datum(0), color=_of_racer(legend()), tooltip=tooltip),
        only("kind == 'length'").mark_rule(strokeDash=[5, 4]).encode(x=across, color=alt.value(QUIET)),
        only("kind == 'length'")
        .mark_text(align="left", baseline="top", dx=4)
        .encode(x=across, y=alt.value(0), text=alt.value(_("T, the sequence")), color=alt.value(QUIET)),
    ).properties(height=HEIGHT)


def ablations() -> alt.LayerChart:
    """A row for each racer, in its colour, a mark for each of its losses, the constant predictor as a rule."""
    across = alt.X("x:Q", title=_("loss on held-out sequences"), scale=log_scale(), axis=log_axis())
    up = alt.Y("series:N", title=None, sort=None)
    shape = alt.Shape("part:N", sort=None, title=None, scale=alt.Scale(range=GATES), legend=legend(columns=2))
    tooltip = [
        alt.Tooltip("series:N", title=_("racer")),
        alt.Tooltip("part:N", title=_("gates")),
        alt.Tooltip("x:Q", title=_("loss"), format=".3g"),
    ]
    return alt.layer(  # type: ignore[return-value]
        only("kind == 'reference'").mark_rule(strokeDash=[5, 4]).encode(x=across, color=alt.value(QUIET)),
        only("kind == 'racer'")
        .mark_point(size=150, strokeWidth=2.5, opacity=1)
        .encode(x=across, y=up, color=_of_racer(None), shape=shape, tooltip=tooltip),
    ).properties(height=HEIGHT)


def states() -> alt.Chart:
    """The hidden states of racers, unit by unit, by time step."""
    return _by_time(
        alt.Chart(height=HEIGHT).mark_rect(**SEAMLESS),
        alt.Tooltip("channel:N", title=_("unit")),
        alt.Tooltip("state:Q", title=_("state"), format=".3g"),
        y=alt.Y("channel:N", sort=None, title=None),
        color=_colour(_("state, by the racer's largest"), alt.Scale(scheme="redblue", domain=[-1, 1], reverse=True)),
    )


@when_asked
def band_lines(y: str) -> alt.LayerChart:
    """A line over a table of `bands`, on a log axis, and the band around it."""
    across = alt.X("x:Q", title=BY_STEP, scale=alt.Scale(nice=False))
    up, low = (alt.Y(f"{name}:Q", title=y, scale=log_scale(), axis=log_axis()) for name in ("y", "low"))
    tooltip = [alt.Tooltip(f"{name}:Q", format=".3g") for name in ("x", "y", "low", "high")]
    return alt.layer(  # type: ignore[return-value]
        only("kind == 'frame'").mark_point(size=0).encode(x=across, y=up),
        only("kind == 'band'").mark_area(opacity=0.25).encode(x=across, y=low, y2="high:Q"),
        only("kind == 'band'").mark_line(strokeWidth=2).encode(x=across, y=up, tooltip=tooltip),
    ).properties(height=220)


def evidence() -> alt.LayerChart:
    """A dot for each seed, their middle and its interval, and the region in which the sentence holds."""
    values = axis(tickCount=6, format=".5~g", grid=False)
    across = alt.X("x:Q", title=None, scale=alt.Scale(nice=False, zero=False), axis=values)
    tooltip = [alt.Tooltip("kind:N"), alt.Tooltip("x:Q", title=_("value"), format=".4g")]
    return alt.layer(  # type: ignore[return-value]
        only("kind == 'frame'").mark_rect(opacity=0).encode(x=across, x2="x2:Q"),
        only("kind == 'region'")
        .mark_rect(fillOpacity=0.2, strokeWidth=2, strokeOpacity=0.5, stroke=QUIET, fill=QUIET)
        .encode(x=across, x2="x2:Q", y=alt.value(0), y2=alt.value("height")),
        only("kind == 'interval'").mark_bar(size=4, opacity=0.6).encode(x=across, x2="x2:Q", tooltip=tooltip),
        only("kind == 'middle'").mark_tick(thickness=3, size=24).encode(x=across, tooltip=tooltip),
        only("kind == 'seed'").mark_point(filled=True, size=60, opacity=0.6).encode(x=across, tooltip=tooltip),
    ).properties(height=EVIDENCE_HEIGHT)
