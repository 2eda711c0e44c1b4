"""With which marks is a table of lines drawn, and how does a picture come onto a page? It never depends on the data."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import altair as alt

from lstm_core.charts.axes import (
    BY_STEP,
    DASHES,
    QUIET,
    Picture,
    axis,
    legend,
    log_axis,
    log_scale,
    only,
    up_axis,
    when_asked,
)
from lstm_core.charts.colours import HUES, SHAPES
from lstm_core.charts.pictures import HEIGHT, band_lines, evidence, heat, sample
from lstm_core.charts.points import OVERFLOW, UNDERFLOW
from lstm_core.language import _

__all__ = [
    "BY_STEP",
    "FUNCTIONS",
    "SLOPES",
    "Picture",
    "band_lines",
    "computed",
    "evidence",
    "heat",
    "lines",
    "sample",
    "spec",
]

TRIANGLE_INSET = 5
FONTS = ("labelFontSize", "titleFontSize")


def _scale(log: bool, zero: bool, ends: tuple[float, float] | None) -> alt.Scale:
    if log:
        return log_scale(ends)
    return alt.Scale(domain=ends) if ends else alt.Scale(zero=zero, nice=not zero)


@when_asked
def lines(
    x: str,
    y: str,
    *,
    log: bool = False,
    parts: str | None = None,
    zero: bool = False,
    ends: tuple[float, float] | None = None,
    back: bool = False,
    columns: int = 3,
    height: int = HEIGHT,
    times: tuple[int, ...] = (),
) -> alt.LayerChart:
    """
    Lines over a table of `points`: racers in colour, the first on top, with their symbols here and there, single seeds
    thin; references grey and dashed, earlier races and what is no racer grey. Values off the axis are triangles on its
    edge, an ending is a ring, the place that is looked at a grey rule. With `parts`, the parts of a racer differ by
    dash. The axis goes up from 0 with `zero`, from end to end with `ends`; with `back`, x goes to the left. The key of
    dashes has so many `columns`. With `times`, x is so many times T, on a log axis.
    """
    along, told_along = _along(back, times)
    across = alt.X("x:Q", title=x, scale=along, axis=told_along)
    scale = _scale(log, zero, ends)
    up = alt.Y("y:Q", title=y, scale=scale)
    # Said once, for all layers: a page sends the whole of it with every frame.
    upright = alt.Y("y:Q", title=y, scale=scale, axis=log_axis() if log else up_axis(tickCount=6))
    racer = alt.Color("series:N", sort=None, title=None, legend=legend(columns=3))
    shape = alt.Shape("series:N", sort=None, title=None, scale=alt.Scale(range=SHAPES), legend=None)
    colour = alt.condition("datum.slot < 0", alt.value(QUIET), racer)
    dashes = alt.Scale(range=DASHES if parts else DASHES[1:])
    dash = alt.StrokeDash(
        "part:N", sort=None, title=None, scale=dashes, legend=legend(columns=columns, symbolSize=250, columnPadding=6)
    )
    line: dict[str, Any] = {
        "x": across,
        "y": up,
        "detail": [alt.Detail(f"{name}:N") for name in ("series", "part", "segment")],
    }
    told = _told(x, y, parts)
    dot: dict[str, Any] = {"x": across, "y": up, "color": colour, "tooltip": told}
    return alt.layer(  # type: ignore[return-value]
        only("kind == 'frame'").mark_point(size=0).encode(x=across, color=racer, shape=shape),
        only("kind == 'frame'").mark_point(size=0).encode(y=upright),
        *_strokes({**line, "tooltip": told}, colour, dash, bool(parts)),
        only("mark == 'symbol'").mark_point(filled=True, size=70, opacity=1).encode(**dot, shape=shape),
        only("kind == 'shown'").mark_rule(color=QUIET, strokeWidth=1.5).encode(x=across),
        _triangle(OVERFLOW, "up", TRIANGLE_INSET).encode(**dot),
        _triangle(UNDERFLOW, "down", -TRIANGLE_INSET).encode(**dot),
        only("mark == 'ended'").mark_point(size=170, strokeWidth=3, opacity=1, shape="circle").encode(**dot),
    ).properties(height=height)


def _along(back: bool, times: tuple[int, ...]) -> tuple[alt.Scale, alt.Axis]:
    if times:
        label = "(datum.value == 1 ? '' : datum.value) + 'T'"
        return alt.Scale(type="log", base=2, nice=False), axis(values=list(times), labelExpr=label, titlePadding=2)
    return alt.Scale(nice=False, zero=False, reverse=back), axis(tickMinStep=1, titlePadding=2)


@when_asked
def computed(x: str, y: str, names: str, powers: bool = False) -> alt.LayerChart:
    """
    Lines over a table of `points` that are no racer's, on a log axis, their names in a key; with `powers` along a log
    axis too. A dot stands where a point has a note, triangles for what is off the axis.
    """
    along = {"scale": alt.Scale(type="log", nice=False), "axis": log_axis()} if powers else {"axis": axis()}
    key = legend(columns=2, symbolSize=250, columnPadding=6, symbolType="stroke")
    # Every layer has both, so that there is one key of them.
    drawn: dict[str, Any] = {
        "x": alt.X("x:Q", title=x, **along),
        "y": alt.Y("y:Q", title=y, scale=log_scale(), axis=log_axis()),
        "color": alt.Color("part:N", sort=None, title=None, legend=key),
        "strokeDash": alt.StrokeDash("part:N", sort=None, title=None, scale=alt.Scale(range=DASHES), legend=key),
        "tooltip": _told(x, y, names)[1:],
    }
    return alt.layer(  # type: ignore[return-value]
        only("kind == 'other'").mark_line(strokeWidth=2.5).encode(**drawn, detail="segment:N"),
        _triangle(OVERFLOW, "up", TRIANGLE_INSET).encode(**drawn),
        _triangle(UNDERFLOW, "down", -TRIANGLE_INSET).encode(**drawn),
        only("mark == 'ended'").mark_point(filled=True, size=110, opacity=1, shape="circle").encode(**drawn),
    ).properties(height=HEIGHT)


def _told(x: str, y: str, parts: str | None) -> list[alt.Tooltip]:
    return [
        alt.Tooltip("series:N", title=_("racer")),
        alt.Tooltip("part:N", title=parts or _("part")),
        alt.Tooltip("x:Q", title=x),
        alt.Tooltip("y:Q", title=y, format=".3g"),
        alt.Tooltip("note:N", title=_("note")),
    ]


def _strokes(line: dict[str, Any], colour: Any, dash: alt.StrokeDash, parts: bool) -> Iterator[alt.Chart]:
    """The lines of one picture, from the bottom to the top."""
    grey = {**line, "color": alt.value(QUIET)}
    yield only("kind == 'ghost'").mark_line(opacity=0.5, strokeWidth=1.2).encode(**grey)
    yield only("kind == 'seed'").mark_line(opacity=0.4, strokeWidth=1).encode(**line, color=colour)
    main = alt.Chart().transform_filter("datum.kind == 'racer' || datum.kind == 'other'").mark_line(strokeWidth=2.5)
    yield main.encode(**line, color=colour, **({"strokeDash": dash} if parts else {}))
    yield only("kind == 'reference'").mark_line(strokeWidth=1.5).encode(**grey, strokeDash=dash)


def _triangle(off: str, where: str, inset: int) -> alt.Chart:
    """Whole, on the inner side of the edge."""
    these = only("mark == 'triangle'", f"off == '{off}'")
    return these.mark_point(filled=True, size=50, opacity=1, shape=f"triangle-{where}", yOffset=inset)


FUNCTIONS = lines("x", "φ(x)", height=280)
SLOPES = lines("x", "φ'(x)", height=280)


def _enlarged(part: Any, scale: float) -> Any:
    """The same with larger type, in the whole of a specification but its legends, which are in one line."""
    if isinstance(part, dict):
        return {
            name: value if name == "legend" else value * scale if name in FONTS else _enlarged(value, scale)
            for name, value in part.items()
        }
    return [_enlarged(one, scale) for one in part] if isinstance(part, list) else part


def title_of_x(picture: Picture) -> str:
    """What its axis to the right is called."""
    parts = (part.get("encoding", {}).get("x", {}) for part in (spec(picture), *spec(picture).get("layer", ())))
    return next((x["title"] for x in parts if x.get("title")), "")


@cache
def spec(picture: Picture, scale: float = 1.0) -> dict[str, Any]:
    """
    The Vega-Lite specification without data, to which a page streams its tables; once made, it is kept. Racers have
    the colour of their slot, and no legend: a page has one for all its charts. Its type is larger by `scale`.
    """
    specification: dict[str, Any] = _enlarged(picture().to_dict(validate=False), scale)
    for part in (specification, *specification.get("layer", ())):
        part.pop("data", None)
        for channel in part.get("encoding", {}).values():
            if isinstance(channel, dict) and channel.get("field") == "series" and "legend" in channel:
                all_slots = {**channel.get("scale", {}), "domain": list(range(len(HUES)))}
                channel |= {"field": "slot", "legend": None, "scale": all_slots}
    specification.pop("datasets", None)
    # Those who cannot see it are told of the chart as a whole, not of nameless marks.
    config = specification.get("config", {}) | {"mark": {"aria": False}}
    # Streamlit leaves 20 pixels free below a chart that does not say how many.
    return specification | {"padding": {"bottom": 4}, "config": config}
