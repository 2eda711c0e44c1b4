"""Gradient flow: how far back does the gradient reach, and what bounds it?"""

import dataclasses
from functools import partial

import streamlit as st

from lstm_core.openings.presets import OPENINGS
from lstm_core.ui import controls
from lstm_core.ui.live import live
from lstm_core.ui.stage import stage
from lstm_core.ui.texts import texts

# Of each section its title, its charts, its main controls, and what to look for.
SECTIONS = {
    "reach": (
        "How far back?",
        ("reach", "growth", "loss", "gradient_through_time"),
        ("activation", "init"),
        "**Why does ReLU not cure it?** Its slope is 1, so the bound no longer shrinks by itself; but half of the "
        "units are off at any step, and W_h shrinks what is left. Set the activation to ReLU: the measured line still "
        "falls. Then set the first weights to the identity: nothing shrinks, and the line stays high (the *IRNN* of Le "
        "and others, 2015). **Sigmoid** has slopes of at most 1/4, and its gradient leaves single precision within the "
        "sequence: where the chart says *underflow*, a network in single precision computes 0.",
    ),
    "norm": (
        "Norm or eigenvalue?",
        ("eigenvalues", "singular_values", "powers", "reach"),
        ("gain", "activation"),
        "**The article says:** the L2 norm of W_h is its largest eigenvalue, and above 1 the gradient explodes, below "
        "1 it vanishes. **What is right:** the norm is the largest *singular* value, and it is never below the "
        "spectral radius. A norm below 1/γ, γ the largest slope, is enough for vanishing. **Why is a norm above 1 not "
        "enough for an explosion?** It says that one direction is stretched in one step. To explode, what was "
        "stretched must be stretched again: the next step turns it elsewhere, the slope of tanh shrinks it, and in the "
        "long run powers follow ρ. Here the norm is above 1 and the measured line falls. Even ρ above 1 is no "
        "explosion for tanh, whose slopes fall as its units saturate: at a scale of 1.75 ρ is above 1, and before "
        "training the line still falls; at 3, with ρ near 2, it grows ten-thousandfold, where the bound says 1e50.",
    ),
    "highway": (
        "The highway",
        ("highway", "state_growth", "loss", "largest_state"),
        ("gates",),
        "**What does the forget gate cost the highway?** Without it the direct path is exactly 1: what the article "
        "calls a super highway. With it the path is the product of all forget gates, which fades unless they are near "
        "1; that is the price for a state that does not climb without end. **Switch off f** and see both: the path "
        "becomes 1, and the largest |c| climbs. But the whole Jacobian ∂c_T/∂c_t is *not* 1: gates and hidden state "
        "add paths of their own, smaller or larger than the direct one. Only without recurrent weights would they be "
        "gone. A residual chain h' = h + φ(...) has the same direct path of 1, and its rest grows.",
    ),
    "ruler": (
        "Memory ruler",
        ("memory_ruler", "gate_activation", "highway", "loss"),
        ("forget_bias",),
        "A forget gate at f keeps 1/e of the state for about 1/(1 - f) steps; at the start, with bias b, that is "
        "1 + e^b. **Drag the forget bias**: at 0 every unit forgets within two steps, at ln 99 = 4.6 it takes a "
        "hundred. *Chrono* spreads the units from 1 to T, so that some unit fits every distance.",
    ),
    "states": (
        "Transform or add?",
        ("states", "state_change", "reach", "highway"),
        ("forget_bias", "activation"),
        "**The article says:** an RNN transforms its state, an LSTM adds to it. That is what the pictures show: look "
        "at the steps where the mark of the adding task comes. Adding is no law of nature, though: close the forget "
        "gate (b = -2), and the cell state is rewritten as well.",
    ),
    "clipping": (
        "Clipping",
        ("clipping", "direction", "clipped_through_time", "loss"),
        ("gain", "clip_at"),
        "Clipping by norm shortens a step that would lead too far, and keeps its direction; it is the cure for "
        "explosions, and was never one for vanishing. Choose *by value* among the settings to see the direction "
        "change.",
    ),
}

page = stage("gradient_flow", "A vanilla RNN and an LSTM while they train. **Move a control** and see what bounds it.")
opening = OPENINGS["gradient_flow"]
with page.control:
    titles = {name: row[0] for name, row in SECTIONS.items()}
    section = controls.select_one("Look at", titles, key="section")
_title, charts, main, text = SECTIONS[section]
values = {}
for field in ("activation", "init", "gain", "clip_at", "gates", "forget_bias"):
    with page.further if field in main else page.settings:
        if field == "gates":
            gates = controls.gates(opening.base, page.settings)
        elif field == "forget_bias":
            forget_bias = controls.forget_bias(opening.base, page.settings)
        else:
            values[field] = controls.draw(field, opening.base)
both = {"clip_at": values.pop("clip_at"), "forget_bias": forget_bias}
base = page.experiment(opening.base, activation="tanh", init=opening.base.init, gain=1.0, **both)
rnn, lstm = opening.racers
racers = {
    rnn: dataclasses.replace(base, cell="rnn", **values),
    lstm: dataclasses.replace(base, **gates),
}
live(
    page,
    racers,
    charts=charts,
    weights=True,
    below={
        "What to look for here": partial(st.markdown, text),
        **texts(
            racers,
            racers == opening.experiments(),
            "Before training next to nothing of the RNN's gradient comes back to the first steps, although both bounds "
            "are far above 1. The LSTM's cell keeps a path that reaches the beginning, and keeps it while it learns.",
            "The gradient of an RNN is a product of Jacobians, diag(φ'(a)) W_h, one for each step, and long products "
            "of matrices that do not keep lengths fade or explode. The cell state of an LSTM has, among others, a path "
            "without any matrix: the product of its forget gates.",
            "*The gradient is bounded by a power of the norm of W_h*: true, but loose. *The norm is the largest "
            "eigenvalue*: false. *Above 1 it explodes*: necessary, not sufficient. *The cell state is a super "
            "highway*: true for the direct path, exactly 1 without a forget gate; the whole Jacobian is something "
            "else.",
        ),
    },
)
