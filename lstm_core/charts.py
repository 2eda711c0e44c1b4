"""How are the tables drawn? One Altair chart for each, the same on a page and in a notebook."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import pyarrow as pa

from lstm_core import tables
from lstm_core.tables import OVERFLOW, UNDERFLOW, Curve

HEIGHT, PARTS_HEIGHT = 350, 70
QUIET = "#8a8f98"
HEAT_RANGE = [-12, 0]
BY_STEP = "training step"
# On a log axis only the powers of ten get a grid line.
POWERS_OF_TEN = {
    "condition": {"test": "abs(log(datum.value) / LN10 - round(log(datum.value) / LN10)) < 1e-6", "value": 1},
    "value": 0,
}


def lines(x: str, y: str, *, log: bool = False, parts: str | None = None, zero: bool = False) -> alt.LayerChart:
    """
    Lines over a table of `tables`: references dashed, earlier races grey, racers in colour, values off the axis as
    triangles with a word beside them, other notes as dots. With `parts`, the parts of a racer differ by dash. The chart
    never depends on the data.
    """
    across = alt.X("x:Q", title=x, scale=alt.Scale(nice=False, zero=False))
    up = alt.Y(
        "y:Q",
        title=y,
        scale=alt.Scale(type="log", nice=False) if log else alt.Scale(zero=zero),
        axis=alt.Axis(format="~g", tickCount=6, gridOpacity=POWERS_OF_TEN) if log else alt.Axis(tickCount=6),
    )
    colour = alt.Color("series:N", sort=None, title=None, legend=alt.Legend(orient="top", columns=3, labelLimit=110))
    dash = {}
    if parts is not None:
        legend = alt.Legend(orient="bottom", columns=2)
        dash = {"strokeDash": alt.StrokeDash("part:N", sort=None, title=f"{parts}:", legend=legend)}
    shape = alt.Shape(
        "off:N",
        legend=None,
        scale=alt.Scale(domain=[OVERFLOW, UNDERFLOW], range=["triangle-up", "triangle-down"]),
    )
    told = [
        alt.Tooltip("series:N", title="racer"),
        alt.Tooltip("part:N", title=parts or "part"),
        alt.Tooltip("x:Q", title=x),
        alt.Tooltip("y:Q", title=y, format=".3g"),
        alt.Tooltip("note:N", title="note"),
    ]

    grey, racer = alt.value(QUIET), "kind == 'racer'"

    def only(*conditions: str) -> alt.Chart:
        return alt.Chart().transform_filter(" && ".join(f"datum.{condition}" for condition in conditions))

    def noted(side: str) -> alt.Chart:
        chosen = only(racer, "note != ''", "off != ''", f"side == '{side}'").encode(
            x=across, y=up, text="note:N", color=colour
        )
        if side == "left":
            return chosen.mark_text(baseline="bottom", dy=-5, align="right", dx=-6)
        return chosen.mark_text(baseline="bottom", dy=-5, align="left", dx=6)

    return alt.layer(  # type: ignore[return-value]
        only("kind == 'frame'").mark_point(size=0).encode(x=across, color=colour),
        only("kind == 'reference'")
        .mark_line(strokeDash=[5, 4], strokeWidth=1)
        .encode(x=across, y=up, detail="series:N", color=grey),
        only("kind == 'reference'", "note != ''")
        .mark_text(baseline="bottom", align="right", dy=-11, dx=-4)
        .encode(x=across, y=up, text="note:N", color=grey),
        only("kind == 'ghost'")
        .mark_line(opacity=0.45, strokeWidth=1.2)
        .encode(x=across, y=up, detail=["series:N", "part:N"], color=grey, tooltip=told),
        only(racer).mark_line(strokeWidth=2).encode(x=across, y=up, color=colour, tooltip=told, **dash),
        only(racer, "off != ''")
        .mark_point(filled=True, size=36, opacity=0.8)
        .encode(x=across, y=up, color=colour, shape=shape, tooltip=told),
        only(racer, "note != ''", "off == ''")
        .mark_point(filled=True, size=70)
        .encode(x=across, y=up, color=colour, tooltip=told),
        noted("left"),
        noted("right"),
    ).properties(height=HEIGHT + (0 if parts is None else PARTS_HEIGHT))


@dataclass(frozen=True)
class Chart:
    """
    One row of `CHARTS`: a title, the table it draws, and what to see in it; `description` for those who cannot. With
    `of_a_moment`, it shows the training as it was at a step that the visitor goes back to.
    """

    title: str
    table: Callable[[Sequence[Curve]], pa.Table]
    picture: alt.LayerChart
    reading: str
    description: str
    of_a_moment: bool = False

    def of(self, curves: Sequence[Curve]) -> alt.LayerChart:
        """The chart of these curves, to show in a notebook or to save."""
        return self.picture.properties(data=self.table(curves), title=self.title)


CHARTS = {
    "loss": Chart(
        "Loss",
        tables.loss_by_step,
        lines(BY_STEP, "loss, mean of 20 steps", zero=True),
        "A curve on the upper dashed line has learned nothing but the average answer. ●: solved, ▲: above this chart.",
        "Line chart of the training loss of every racer by training step, with the constant predictor's loss dashed.",
    ),
    "gradient_through_time": Chart(
        "Gradient through time",
        tables.gradient_through_time,
        lines("time step of the sequence", "gradient norm", log=True, parts="gradient of"),
        "How much of the gradient reaches each time step: from nothing, nothing is learned. ▼: 0 to the computer.",
        "Line chart on a log axis: norm of the gradient with respect to hidden and cell state at every time step.",
        of_a_moment=True,
    ),
    "gradient_by_step": Chart(
        "Gradient by training step",
        tables.grad_norm_by_step,
        lines(BY_STEP, "gradient norm", log=True),
        "Peaks are explosions; whatever rises above the dashed line is shortened to it, in the same direction.",
        "Line chart on a log axis: norm of the gradient of all weights by training step, with the clipping threshold.",
    ),
    "openness": Chart(
        "Gate openness",
        tables.openness_by_step,
        lines(BY_STEP, "mean gate value", parts="gate"),
        "1 lets everything through, 0 nothing: a forget gate near 1 keeps, near 0 erases.",
        "Line chart of the mean value of every learned gate, between 0 and 1, by training step.",
        of_a_moment=True,
    ),
    "largest_state": Chart(
        "Largest state",
        tables.largest_state_by_step,
        lines(BY_STEP, "largest |c| or |h|", log=True),
        "The largest number in the cell state, or in the hidden state of cells without one: it should not run away.",
        "Line chart on a log axis: the largest absolute value of the cell state by training step.",
    ),
    "block_gradients": Chart(
        "Gradient of each gate",
        tables.block_grad_norms_by_step,
        lines(BY_STEP, "gradient norm", log=True, parts="rows of"),
        "A gate whose line lies far below the others is hardly being trained. ▼: below this chart.",
        "Line chart on a log axis: norm of the gradient in the weights of each gate by training step.",
    ),
    "accuracy": Chart(
        "Accuracy",
        tables.accuracy_by_step,
        lines(BY_STEP, "share of right answers"),
        "The share of right answers in each fresh batch; guessing gives one over the number of classes.",
        "Line chart of the share of right answers by training step.",
    ),
    "difference": Chart(
        "Difference of the two",
        tables.loss_difference,
        lines(BY_STEP, "difference of losses", log=True),
        "1e-16 is the last digit of a double; training magnifies it, as in any two runs that differ by a digit.",
        "Line chart on a log axis: absolute difference between the losses of the first two racers by training step.",
    ),
}

HEAT = (
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


SAMPLE = (
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

FUNCTIONS = lines("x", "φ(x)").properties(height=280)
SLOPES = lines("x", "φ'(x)").properties(height=280)


def spec(picture: alt.LayerChart | alt.Chart) -> dict[str, Any]:
    """The Vega-Lite specification without data, to which a page streams its tables."""
    specification = picture.to_dict()
    for part in (specification, *specification.get("layer", ())):
        part.pop("data", None)
    specification.pop("datasets", None)
    return specification
