"""Activations: is the activation function to blame for the forgetting?"""

from functools import partial

import streamlit as st

from lstm_core.activations import ACTIVATIONS
from lstm_core.charts import tables
from lstm_core.charts.marks import FUNCTIONS, SLOPES, spec
from lstm_core.openings.presets import ACTIVATION_RACERS, OPENINGS, variants
from lstm_core.ui import controls
from lstm_core.ui.live import MOST_RACERS, live
from lstm_core.ui.stage import stage
from lstm_core.ui.texts import texts

SIDES = (
    (FUNCTIONS, "functions", "What becomes of a preactivation x."),
    (SLOPES, "slopes", "In an RNN the gradient is multiplied by this, once for every step back in time."),
)


def functions(names: list[str]) -> None:
    """The activations of the racers and their slopes, as curves and formulas."""
    for column, (picture, key, reading) in zip(st.columns(2), SIDES, strict=True):
        with column:
            table = tables.activation_curves(names, slope=key == "slopes")
            st.vega_lite_chart(table, spec(picture), key=key, alt=f"Activation {key} of the racers, -4 to 4.")
            st.caption(reading)
    for row in map(ACTIVATIONS.__getitem__, names):
        st.latex(
            rf"\begin{{aligned}} \text{{{row.label}: }} \varphi(x) &= {row.formula} \\[1ex]"
            rf" \varphi'(x) &= {row.slope_formula} \end{{aligned}}"
        )


page = stage("activations", "Networks that differ in one function. **Drag the activation**, from flat to steep.")
opening = OPENINGS["activations"]
_, *rivals = opening.racers
with page.control:
    front = ACTIVATIONS[controls.draw("activation", opening.base)]
with page.further:
    st.caption(f"Steepest slope of {front.label}: **{front.largest_slope:.3g}**. It comes first in the race.")
    init = controls.draw("init", opening.base)
with page.rivals:
    chosen = controls.several(
        "Race it against", controls.same(ACTIVATION_RACERS), rivals, "others", controls.ACTIVATION_WORDS
    )
with page.settings:
    cell = controls.draw("cell", opening.base)

base = page.experiment(opening.base, cell=cell, init=init)
changes = {label: ACTIVATION_RACERS[label] for label in dict.fromkeys([front.label, *chosen])}
racers = variants(base, changes)
shown = list(dict.fromkeys(experiment.activation for experiment in racers.values()))[:MOST_RACERS]
live(
    page,
    racers,
    charts=("loss", "gradient_through_time", "gradient_by_step", "largest_state"),
    below={
        **texts(
            racers,
            racers == opening.experiments(),
            "The sigmoid's gradient is gone after a few steps back, often to an exact 0. Tanh and ReLU carry it "
            "further, but by the time ReLU from the identity matrix has solved the task, tanh and sigmoid have not "
            "left the upper dashed line, and ReLU from random weights has not solved it.",
            "One step back multiplies the gradient by the slope and by the recurrent matrix. With a slope of at most "
            "1/4 the product vanishes unless the matrix stretches fourfold. But a slope of 1 does not save it: the "
            "random matrix shrinks it as well, and half of the ReLUs are shut.",
            "*Sigmoid and tanh make it worse, and ReLU does not do well either, because of W.* True with usual first "
            "weights, from which ReLU learns late or not at all. With W_h = I (Le, Jaitly and Hinton 2015) the plain "
            "ReLU network solves this task: it is the product of slope and matrix that counts.",
        ),
        "The functions": partial(functions, shown),
    },
)
