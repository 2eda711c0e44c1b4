"""Gates: what does each gate buy?"""

import dataclasses

import streamlit as st

from lstm_core.openings.presets import GATE_SETS, OPENINGS, variants
from lstm_core.ui import controls
from lstm_core.ui.live import live
from lstm_core.ui.stage import stage
from lstm_core.ui.texts import texts

page = stage("gates", "**Switch off a gate** and watch the largest state.")
opening = OPENINGS["gates"]
yours, *rivals = opening.racers
with page.control:
    gates = controls.gates(opening.base, page.settings)
with page.further:
    forget_bias = controls.forget_bias(opening.base, page.settings)
with page.rivals:
    chosen = controls.several("Race it against", controls.same(GATE_SETS), rivals, "variants", controls.GATE_WORDS)
    st.caption(
        "Variants of Greff and others, 2017. V: vanilla, with peepholes. From it, NIG, NFG, NOG: no input, forget, "
        "output gate; NIAF, NOAF: no input, output activation; CIFG: coupled gates; NP: no peepholes."
    )

base = page.experiment(opening.base, forget_bias=forget_bias)
cell = dataclasses.replace(base, **gates)
racers = {yours: cell, **variants(base, {name: GATE_SETS[name] for name in chosen})}
live(
    page,
    racers,
    charts=("loss", "largest_state", "gradient_through_time", "gate_activation", "ablation", "block_gradients"),
    below=texts(
        racers,
        racers == opening.experiments(),
        "Without any gate the largest state stands near T: up to 1 is added at every step of the sequence, and nothing "
        "is learned. Without the forget gate alone it is nearly as large; sometimes the task is learned all the same, "
        "but late. With all three gates it stays well below, with coupled ones below 1, and both solve the task.",
        "A gate that is removed is held at 1: everything is added and nothing is taken away. The state then leaves the "
        "range where tanh has a slope, and with it the gradient of what is read from it. Coupling f = 1 - i makes the "
        "new state an average of old and new, which cannot grow beyond 1.",
        "*Adding at every step can explode, so input and forget gates balance it.* True: make the sequence longer, and "
        "the largest state without gates grows with it. But the gates are not equally important everywhere: Greff and "
        "others found in 5,400 runs that no variant beats the full LSTM by much, and the first LSTM of 1997 solved "
        "adding without a forget gate.",
    ),
)
