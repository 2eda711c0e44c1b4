"""Gradient flow: how far back does the gradient reach, and what bounds it?"""

from lstm_core.ui.page import begin

begin("gradient_flow")

from functools import partial

import streamlit as st

from lstm_core.charts.words import meanings
from lstm_core.language import _
from lstm_core.openings.presets import OPENINGS
from lstm_core.ui import controls
from lstm_core.ui.live import live
from lstm_core.ui.stage import stage
from lstm_core.ui.texts import texts

# Of each section its title, its charts, its main controls, and what to look for.
SECTIONS = {
    "reach": (
        _("How far back?"),
        ("reach", "growth", "loss", "gradient_through_time"),
        ("activation", "init"),
        _(
            "**Why does ReLU not cure it?** Its slope is 1, so the bound no longer shrinks by itself. "
            "But about half of the units are off at any step, and W_h shrinks the rest. Set the "
            "activation to ReLU: the measured line still falls. Then set the first weights to the "
            "identity: nothing shrinks, and the line stays high (the *IRNN* of Le and others, 2015). "
            "**Sigmoid** has slopes of at most 1/4. Its gradient gets too small for single precision: "
            "where the chart says *underflow*, a network in single precision computes 0."
        ),
    ),
    "norm": (
        _("Norm or eigenvalue?"),
        ("eigenvalues", "singular_values", "powers", "reach"),
        ("gain", "activation"),
        _(
            "**The article says:** the L2 norm of W_h is its largest eigenvalue; above 1 the gradient "
            "explodes, below 1 it vanishes. **What is right:** the norm is the largest *singular value*, "
            "and it is never below the spectral radius ρ. A norm below 1/γ, where γ is the largest "
            "slope, is enough for vanishing. **Why is a norm above 1 not enough for an explosion?** It "
            "says that one direction is stretched in one step. To explode, the *same* direction must be "
            "stretched at every step. Usually the next step rotates it away and tanh shrinks it; over "
            "many steps ρ decides. Here the norm is above 1, and the measured line falls. Even ρ above 1 "
            "is not enough for tanh, whose slopes shrink as its units saturate. Set the scale to 1.75: ρ "
            "is above 1, but before training the line still falls. Set it to 3, with ρ near 2: the "
            "gradient grows ten-thousandfold, while the bound says 1e50."
        ),
    ),
    "highway": (
        _("The highway"),
        ("highway", "state_growth", "loss", "largest_state"),
        ("gates",),
        _(
            "**What does the forget gate cost the highway?** Without it the direct path is exactly 1: "
            "the article's super highway. With it the path is the product of all forget gates, which "
            "fades unless every gate is near 1. That is the price of a bounded state. **Switch off f** "
            "and see both: the path becomes 1, and the largest |c| grows. But the whole Jacobian "
            "∂c_T/∂c_t is *not* 1. Gates and hidden state add paths of their own, smaller or larger than "
            "the direct one. Only without recurrent weights would they disappear. A residual chain h' = "
            "h + φ(...) also has a direct path of 1, and its other paths grow."
        ),
    ),
    "ruler": (
        _("Memory ruler"),
        ("memory_ruler", "gate_activation", "highway", "loss"),
        ("forget_bias",),
        _(
            "A forget gate with value f keeps 1/e of the state for about 1/(1 - f) steps. At the start, "
            "with bias b, that is 1 + e^b steps. **Drag the forget bias**: at 0 every unit remembers for "
            "about 2 steps, at ln 99 = 4.6 for about 100. *Chrono* spreads the units from 2 to T steps, "
            "so that some unit fits every distance."
        ),
    ),
    "states": (
        _("Transform or add?"),
        ("states", "state_change", "reach", "highway"),
        ("forget_bias", "activation"),
        _(
            "**The article says:** an RNN transforms its state, an LSTM adds to it. The charts show it: "
            "look at the steps with a mark of the adding task. But it depends on the forget gate: close "
            "it (b = -2), and the LSTM rewrites its cell state too."
        ),
    ),
    "clipping": (
        _("Clipping"),
        ("clipping", "direction", "clipped_through_time", "loss"),
        ("gain", "clip_at"),
        _(
            "Clipping by norm shortens a step that would go too far and keeps its direction. It cures "
            "exploding gradients, but not vanishing ones. Choose *by value* in the settings to see the "
            "direction change."
        ),
    ),
}

page = stage(
    "gradient_flow",
    _(
        "A vanilla RNN and an LSTM, measured while they train. **Move a control**: how far back does "
        "the gradient reach?"
    ),
)
opening = OPENINGS["gradient_flow"]
with page.control:
    titles = {name: row[0] for name, row in SECTIONS.items()}
    section = controls.select_one(_("Look at"), titles, key="section")
_title, charts, main, text = SECTIONS[section]
placed = page.place(("activation", "init", "gain", "clip_at", "gates", "forget_bias"), main, opening.base)
racers = page.racers(section=section, **placed)
live(
    page,
    racers,
    charts=(*charts, "step_length"),
    weights=True,
    below={
        _("What to look for here"): partial(st.markdown, text, help=meanings(text)),
        **texts(
            racers,
            racers == opening.experiments(),
            _(
                "Before training almost none of the RNN's gradient reaches the first steps, although both "
                "bounds are far above 1. The LSTM's cell keeps a path to the first step, before training and "
                "while it learns."
            ),
            _(
                "An RNN's gradient is a product of Jacobians, diag(φ'(a)) W_h, one for each step. Long "
                "products of matrices usually vanish or explode. The cell state of an LSTM also has a path "
                "without any matrix: the product of its forget gates."
            ),
            _(
                "*A power of the norm of W_h bounds the gradient*: true, but loose. *The norm is the largest "
                "eigenvalue*: false. *Above 1 it explodes*: necessary, not sufficient. *The cell state is a "
                "super highway*: true for the direct path, which is exactly 1 without a forget gate. The "
                "whole Jacobian is something else."
            ),
        ),
    },
)
