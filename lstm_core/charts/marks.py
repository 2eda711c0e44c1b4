"""With which marks is a table drawn? Altair charts without data, which never depend on the data."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any, ParamSpec

import altair as alt

from lstm_core.charts.points import OVERFLOW, UNDERFLOW

# Made when somebody looks at it: altair takes a tenth of a second for one.
Picture = Callable[[], alt.LayerChart | alt.Chart]
Given = ParamSpec("Given")

HEIGHT, PARTS_HEIGHT, EVIDENCE_HEIGHT = 350, 70, 80
QUIET = "#8a8f98"
HEAT_RANGE = [-12, 0]
PLANE_SIZE = 320
BY_STEP = "training step"
# On a log axis only the powers of ten get a grid line.
POWERS_OF_TEN = {
    "condition": {"test": "abs(log(datum.value) / LN10 - round(log(datum.value) / LN10)) < 1e-6", "value": 1},
    "value": 0,
}


def when_asked(make: Callable[Given, alt.LayerChart | alt.Chart]) -> Callable[Given, Picture]:
    """The same as a picture, one for equal arguments."""
    return cache(lambda *given, **named: partial(make, *given, **named))  # type: ignore[return-value]


@when_asked
def lines(
    x: str,
    y: str,
    *,
    log: bool = False,
    parts: str | None = None,
    zero: bool = False,
    long_names: bool = False,
    height: int = HEIGHT,
) -> alt.LayerChart:
    """
    Lines over a table of `tables`: references dashed, earlier races grey, racers in colour, values off the axis as
    triangles with a word beside them, other notes as dots. With `parts`, the parts of a racer differ by dash; with
    `long_names`, the legend has room for them. The chart never depends on the data.
    """
    across = alt.X("x:Q", title=x, scale=alt.Scale(nice=False, zero=False), axis=alt.Axis(tickMinStep=1))
    up = alt.Y(
        "y:Q",
        title=y,
        scale=alt.Scale(type="log", nice=False) if log else alt.Scale(zero=zero),
        axis=alt.Axis(format="~g", tickCount=6, gridOpacity=POWERS_OF_TEN) if log else alt.Axis(tickCount=6),
    )
    legend = alt.Legend(orient="top", columns=2 if long_names else 3, labelLimit=170 if long_names else 110)
    colour = alt.Color("series:N", sort=None, title=None, legend=legend)
    dash = {}
    if parts is not None:
        below = alt.Legend(orient="bottom", columns=2)
        dash = {"strokeDash": alt.StrokeDash("part:N", sort=None, title=f"{parts}:", legend=below)}
    shape = alt.Shape(
        "off:N",
        legend=None,
        scale=alt.Scale(domain=[OVERFLOW, UNDERFLOW], range=["triangle-up", "triangle-down"]),
    )
    tooltip = [
        alt.Tooltip("series:N", title="racer"),
        alt.Tooltip("part:N", title=parts or "part"),
        alt.Tooltip("x:Q", title=x),
        alt.Tooltip("y:Q", title=y, format=".3g"),
        alt.Tooltip("note:N", title="note"),
    ]

    grey, racer = alt.ColorValue(QUIET), "kind == 'racer'"

    def only(*conditions: str) -> alt.Chart:
        return alt.Chart().transform_filter(" && ".join(f"datum.{condition}" for condition in conditions))

    def noted(side: str) -> alt.Chart:
        chosen = only(racer, "note != ''", "off != ''", f"side == '{side}'").encode(
            x=across, y=up, text=alt.Text("note:N"), color=colour
        )
        if side == "left":
            return chosen.mark_text(baseline="bottom", dy=-5, align="right", dx=-6)
        return chosen.mark_text(baseline="bottom", dy=-5, align="left", dx=6)

    return alt.layer(  # type: ignore[return-value]
        only("kind == 'frame'").mark_point(size=0).encode(x=across, color=colour),
        only("kind == 'reference'")
        .mark_line(strokeDash=[5, 4], strokeWidth=1)
        .encode(x=across, y=up, detail=alt.Detail("series:N"), color=grey),
        only("kind == 'reference'", "note != ''")
        .mark_text(baseline="bottom", align="right", dy=-11, dx=-4)
        .encode(x=across, y=up, text=alt.Text("note:N"), color=grey),
        only("kind == 'ghost'")
        .mark_line(opacity=0.45, strokeWidth=1.2)
        .encode(x=across, y=up, detail=[alt.Detail("series:N"), alt.Detail("part:N")], color=grey, tooltip=tooltip),
        only(racer).mark_line(strokeWidth=2).encode(x=across, y=up, color=colour, tooltip=tooltip, **dash),
        only(racer, "off != ''")
        .mark_point(filled=True, size=36, opacity=0.8)
        .encode(x=across, y=up, color=colour, shape=shape, tooltip=tooltip),
        only(racer, "note != ''", "off == ''")
        .mark_point(filled=True, size=70)
        .encode(x=across, y=up, color=colour, tooltip=tooltip),
        noted("left"),
        noted("right"),
    ).properties(height=height + (0 if parts is None else PARTS_HEIGHT))


def heat() -> alt.Chart:
    """A gradient norm by time step, across, and by training step, up."""
    return (
        alt.Chart()
        .mark_rect()
        .encode(
            x=alt.X("x:Q", title="time step", scale=alt.Scale(nice=False)),
            x2="x2:Q",
            y=alt.Y("y:Q", title=BY_STEP, scale=alt.Scale(nice=False)),
            y2="y2:Q",
            color=alt.Color(
                "value:Q",
                title="log10 of the norm",
                scale=alt.Scale(scheme="viridis", domain=HEAT_RANGE, clamp=True),
                legend=alt.Legend(orient="top", gradientLength=110),
            ),
            tooltip=[
                alt.Tooltip("x2:Q", title="time step"),
                alt.Tooltip("y:Q", title=BY_STEP),
                alt.Tooltip("norm:Q", title="norm", format=".3g"),
            ],
        )
        .properties(height=290)
    )


def sample() -> alt.Chart:
    """The channels of one sequence of a task, by time step."""
    return (
        alt.Chart(height=alt.Step(20))
        .mark_rect()
        .encode(
            x=alt.X("x:Q", title="time step", scale=alt.Scale(nice=False)),
            x2="x2:Q",
            y=alt.Y("channel:N", sort=None, title=None),
            color=alt.Color("part:N", sort=None, title=None, legend=alt.Legend(orient="top")),
            opacity=alt.Opacity("value:Q", legend=None, scale=alt.Scale(range=[0.08, 1])),
            tooltip=[
                alt.Tooltip("channel:N"),
                alt.Tooltip("x2:Q", title="time step"),
                alt.Tooltip("value:Q", format=".3g"),
            ],
        )
    )


def _only(kind: str) -> alt.Chart:
    return alt.Chart().transform_filter(f"datum.kind == '{kind}'")


def plane() -> alt.LayerChart:
    """Eigenvalues, the unit circle, and the axes as wide as high."""
    scale = alt.Scale(nice=False, zero=False)
    across, up = alt.X("x:Q", title="real part", scale=scale), alt.Y("y:Q", title="imaginary part", scale=scale)
    tooltip = [
        alt.Tooltip("x:Q", title="real part", format=".3g"),
        alt.Tooltip("y:Q", title="imaginary part", format=".3g"),
    ]
    return alt.layer(  # type: ignore[return-value]
        _only("frame").mark_point(size=0).encode(x=across, y=up),
        _only("circle").mark_line(strokeWidth=1).encode(x=across, y=up, order="step:Q", color=alt.value(QUIET)),
        _only("eigenvalue").mark_point(filled=True, size=40, opacity=0.8).encode(x=across, y=up, tooltip=tooltip),
    ).properties(width=PLANE_SIZE, height=PLANE_SIZE)


def ruler() -> alt.LayerChart:
    """A histogram over powers of 2, with the length of the sequence as a rule."""
    across = alt.X("x:Q", title="time constant 1/(1 - f), steps", scale=alt.Scale(type="log", base=2, nice=False))
    up = alt.Y("y:Q", title="units", axis=alt.Axis(tickMinStep=1))
    tooltip = [
        alt.Tooltip("x:Q", title="from, steps"),
        alt.Tooltip("x2:Q", title="to, steps"),
        alt.Tooltip("y:Q", title="units"),
    ]
    return alt.layer(  # type: ignore[return-value]
        _only("frame").mark_rect(opacity=0).encode(x=across, x2="x2:Q", y=up),
        _only("units")
        .mark_rect(stroke="white", strokeWidth=1)
        .encode(x=across, x2="x2:Q", y=up, y2=alt.datum(0), tooltip=tooltip),
        _only("length").mark_rule(strokeDash=[5, 4]).encode(x=across, color=alt.value(QUIET)),
        _only("length")
        .mark_text(align="left", baseline="top", dx=4)
        .encode(x=across, y=alt.value(0), text=alt.value("T, the sequence"), color=alt.value(QUIET)),
    ).properties(height=HEIGHT)


def ablations() -> alt.LayerChart:
    """A dot for each loss, a row for each racer, the constant predictor as a rule."""
    across = alt.X(
        "x:Q",
        title="loss on held-out sequences",
        scale=alt.Scale(type="log", nice=False),
        axis=alt.Axis(format="~g", tickCount=6, gridOpacity=POWERS_OF_TEN),
    )
    up = alt.Y("series:N", title=None, sort=None)
    colour = alt.Color("part:N", sort=["as trained"], title=None, legend=alt.Legend(orient="top", columns=2))
    tooltip = [
        alt.Tooltip("series:N", title="racer"),
        alt.Tooltip("part:N", title="gates"),
        alt.Tooltip("x:Q", title="loss", format=".3g"),
    ]
    return alt.layer(  # type: ignore[return-value]
        _only("reference").mark_rule(strokeDash=[5, 4]).encode(x=across, color=alt.value(QUIET)),
        _only("racer")
        .mark_point(filled=True, size=120, opacity=0.8)
        .encode(x=across, y=up, color=colour, tooltip=tooltip),
    ).properties(height=HEIGHT)


def states() -> alt.Chart:
    """The hidden states of racers, unit by unit, by time step."""
    return (
        alt.Chart()
        .mark_rect()
        .encode(
            x=alt.X("x:Q", title="time step of the sequence", scale=alt.Scale(nice=False)),
            x2="x2:Q",
            y=alt.Y("channel:N", sort=None, title=None),
            color=alt.Color(
                "value:Q",
                title="state, by the racer's largest",
                scale=alt.Scale(scheme="redblue", domain=[-1, 1], reverse=True),
                legend=alt.Legend(orient="top", gradientLength=110),
            ),
            tooltip=[
                alt.Tooltip("channel:N", title="unit"),
                alt.Tooltip("x2:Q", title="time step"),
                alt.Tooltip("state:Q", title="state", format=".3g"),
            ],
        )
        .properties(height=HEIGHT)
    )


@when_asked
def band_lines(y: str) -> alt.LayerChart:
    """A line over a table of `bands`, on a log axis, and the band around it."""
    across = alt.X("x:Q", title=BY_STEP, scale=alt.Scale(nice=False))
    scale = alt.Scale(type="log", nice=False)
    axis = alt.Axis(format="~g", tickCount=5, gridOpacity=POWERS_OF_TEN)
    up, low = (alt.Y(f"{name}:Q", title=y, scale=scale, axis=axis) for name in ("y", "low"))
    tooltip = [alt.Tooltip(f"{name}:Q", format=".3g") for name in ("x", "y", "low", "high")]
    return alt.layer(  # type: ignore[return-value]
        _only("frame").mark_point(size=0).encode(x=across, y=up),
        _only("band").mark_area(opacity=0.25).encode(x=across, y=low, y2="high:Q"),
        _only("band").mark_line(strokeWidth=2).encode(x=across, y=up, tooltip=tooltip),
    ).properties(height=220)


def evidence() -> alt.LayerChart:
    """A dot for each seed, their mean and its interval, and the region in which the sentence holds."""
    axis = alt.Axis(tickCount=6, format=".5~g", grid=False)
    across = alt.X("x:Q", title=None, scale=alt.Scale(nice=False, zero=False), axis=axis)
    tooltip = [alt.Tooltip("kind:N"), alt.Tooltip("x:Q", title="value", format=".4g")]
    return alt.layer(  # type: ignore[return-value]
        _only("frame").mark_rect(opacity=0).encode(x=across, x2="x2:Q"),
        _only("region")
        .mark_rect(opacity=0.2)
        .encode(x=across, x2="x2:Q", y=alt.value(0), y2=alt.value("height"), color=alt.value(QUIET)),
        _only("interval").mark_bar(size=4, opacity=0.6).encode(x=across, x2="x2:Q", tooltip=tooltip),
        _only("mean").mark_tick(thickness=3, size=24).encode(x=across, tooltip=tooltip),
        _only("seed").mark_point(filled=True, size=60, opacity=0.6).encode(x=across, tooltip=tooltip),
    ).properties(height=EVIDENCE_HEIGHT)


FUNCTIONS = lines("x", "φ(x)", height=280)
SLOPES = lines("x", "φ'(x)", height=280)


@cache
def spec(picture: Picture) -> dict[str, Any]:
    """The Vega-Lite specification without data, to which a page streams its tables; once made, it is kept."""
    specification = picture().to_dict(validate=False)
    for part in (specification, *specification.get("layer", ())):
        part.pop("data", None)
    specification.pop("datasets", None)
    return specification
