"""Activations: is the activation function to blame for the forgetting?"""

from lstm_core.ui.page import begin

begin("activations")

from functools import partial

import streamlit as st

from lstm_core.activations import ACTIVATIONS
from lstm_core.charts import tables
from lstm_core.charts.marks import FUNCTIONS, SLOPES, spec
from lstm_core.language import _
from lstm_core.openings.presets import ACTIVATION_RACERS, OPENINGS
from lstm_core.ui import controls
from lstm_core.ui.live import MOST_RACERS, live
from lstm_core.ui.stage import stage
from lstm_core.ui.texts import texts

SIDES = (
    (FUNCTIONS, "functions", _("Each function, from input x to output φ(x).")),
    (SLOPES, "slopes", _("Its slope. An RNN's gradient is multiplied by it at every step back in time.")),
)


def functions(names: list[str]) -> None:
    """The activations of the racers and their slopes, as curves and formulas."""
    for column, (picture, key, reading) in zip(st.columns(2), SIDES, strict=True):
        with column:
            table = tables.activation_curves(names, slope=key == "slopes")
            st.vega_lite_chart(
                table, spec(picture), key=key, alt=_("Curves of the activations in this race, from -4 to 4.")
            )
            st.caption(reading)
    for row in map(ACTIVATIONS.__getitem__, names):
        st.latex(
            rf"\begin{{aligned}} \text{{{row.label}: }} \varphi(x) &= {row.formula} \\[1ex]"
            rf" \varphi'(x) &= {row.slope_formula} \end{{aligned}}"
        )


page = stage(
    "activations",
    _("They differ in their activation; one also starts from W_h = I. **Drag the activation**, from flat to steep."),
)
opening = OPENINGS["activations"]
_first, *rivals = opening.racers
with page.control:
    front = controls.draw("activation", opening.base)
with page.further:
    row = ACTIVATIONS[front]
    st.caption(_("Steepest slope of {label}: **{slope:.3g}**.").format(label=row.label, slope=row.largest_slope))
    init = controls.draw("init", opening.base)
with page.rivals:
    chosen = controls.several(
        _("Race it against"), controls.same(ACTIVATION_RACERS), rivals, "others", controls.ACTIVATION_WORDS
    )
with page.settings:
    cell = controls.draw("cell", opening.base)

racers = page.racers(activation=front, others=chosen, cell=cell, init=init)
shown = list(dict.fromkeys(experiment.activation for experiment in racers.values()))[:MOST_RACERS]
live(
    page,
    racers,
    charts=("loss", "gradient_through_time", "gradient_by_step", "largest_state", "step_length"),
    below={
        **texts(
            racers,
            racers == opening.experiments(),
            _(
                "The sigmoid's gradient is gone after a few steps back, often to exactly 0. Tanh and ReLU "
                "carry it further. Only ReLU with W_h = I solves the task. At that moment tanh and sigmoid "
                "still guess the average, and ReLU with random weights has not solved it."
            ),
            _(
                "Each step back multiplies the gradient by the slope and by the recurrent matrix. The "
                "sigmoid's slope is at most 1/4, so its product vanishes unless the matrix stretches "
                "fourfold. A slope of 1 is not enough either: a random matrix shrinks the gradient too, and "
                "about half of the ReLUs are off."
            ),
            _(
                "*Sigmoid and tanh make it worse, and ReLU does not do well either, because of W_h.* True "
                "with random first weights. But with W_h = I (Le, Jaitly and Hinton, 2015) the plain ReLU "
                "network learns this task. What counts is the product of slope and matrix."
            ),
        ),
        _("The functions"): partial(functions, shown),
    },
)
