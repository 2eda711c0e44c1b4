"""Other highways: how do cells since the LSTM let a gradient survive a long way, and what does each of them give up?"""

from lstm_core.ui.page import begin

begin("highways")

from functools import partial

import streamlit as st

from lstm_core.charts.words import meanings
from lstm_core.language import _
from lstm_core.openings.presets import FAMILY_RACERS, OPENINGS
from lstm_core.openings.races import COUNTING, KEPT_ORTHOGONAL, ON_HIGHWAYS, PATHS, SINCE
from lstm_core.ui import controls, untrained
from lstm_core.ui.live import live, without_race
from lstm_core.ui.stage import stage
from lstm_core.ui.texts import texts

MEMORY, OVERFLOW = "memory", "overflow"
LOOKS = {
    SINCE: _("Copying or selecting?"),
    PATHS: _("Direct path, whole path"),
    COUNTING: _("Who can count?"),
    KEPT_ORTHOGONAL: _("W_h kept orthogonal"),
    MEMORY: _("The curse of memory"),
    OVERFLOW: _("The stabiliser off"),
}
# Of each look with a race its charts, its main control, and what to look for.
RACES = {
    SINCE: (
        ("loss", "gradient_through_time", "largest_state", "direct_path"),
        "task",
        _(
            "**Copying** asks to keep ten symbols as they are: cells that are linear in their state do it, gates "
            "forget too much. **Selecting** asks to keep two numbers of a hundred: gates do it, and a cell that is "
            "linear in its input cannot. Choose *Adding* with length 100, or start from *Select*: who wins one task "
            "loses the other."
        ),
    ),
    PATHS: (
        ("direct_path", "loss", "memory_ruler", "gradient_through_time"),
        "forget_bias",
        _(
            "In a minGRU, a minLSTM and an LRU the gates see the input alone. Nothing but what is kept carries the "
            "gradient, so both lines are one. In an LSTM gates see the hidden state too, and that opens other paths: "
            "at a forget bias of 1 they carry far more than the direct one. With *Chrono* the two come near each "
            "other. **Equal does not mean long**: at its own start the minGRU forgets soonest."
        ),
    ),
    COUNTING: (
        ("loss", "lengths", "gradient_through_time"),
        "length",
        _(
            "Parity asks to change sign at every 1. A number between 0 and 1 can only shrink the state, so it cannot "
            "count; one between -1 and 1 can. LSTM and GRU count because their state is mixed by W_h. Look at the "
            "second chart: who has found the rule keeps it at four times the length."
        ),
    ),
    KEPT_ORTHOGONAL: (
        ("off_circle", "loss", "eigenvalues", "gradient_through_time"),
        "lr",
        _(
            "All three start with every eigenvalue of W_h on the circle. One stays there by construction; the others "
            "leave it. Most of the gain comes from the lower rate of W_h, a tenth: the slow free one copies too. "
            "Raise the rate, and the free ones are lost first."
        ),
    ),
}

page = stage("highways", _("**Choose what to look at**, then change it. LRU: linear recurrent unit."))
opening = OPENINGS["highways"]
with page.control:
    look = controls.select_one(_("Look at"), LOOKS, "way", ON_HIGHWAYS)
if look in RACES:
    charts, main, text = RACES[look]
    placed = page.place(("task", "length", "lr", "forget_bias"), (main,), opening.base)
    with page.rivals:
        placed["racers"] = controls.several(
            _("Racers"), controls.same(FAMILY_RACERS), list(opening.racers), "racers", controls.FAMILY_WORDS
        )
    racers = page.racers(**placed)
    live(
        page,
        racers,
        charts=charts,
        weights=True,
        below={
            _("What to look for here"): partial(st.markdown, text, help=meanings(text)),
            **texts(
                racers,
                racers == opening.experiments(),
                _(
                    "The LRU and the RNN whose W_h is kept orthogonal copy all ten symbols. LSTM and GRU stay at the "
                    "dashed line: they know where the blanks are, and guess the symbols. Gradients hardly fade "
                    "here: what differs is whether the state stays as it is."
                ),
                _(
                    "To copy, a state has to be carried unchanged, and then read. A rotation does that at every step, "
                    "and its gradient neither fades nor grows. Gates have to learn to stay open first."
                ),
                _(
                    "The article ends with the LSTM of 1997. Its question, how a gradient survives a long way, has "
                    "had other answers since: keep the matrix orthogonal, or leave it out."
                ),
            ),
        },
    )
elif look == MEMORY:
    with page.further:
        steps = controls.draw("length", opening.base)
        at = untrained.eigenvalue(steps)
    curse = _(
        "The nearer |λ| is to 1, the longer a linear cell remembers, and the larger its state grows. A factor γ bounds "
        "the state. But the gradient by |λ| still grows: a small step of |λ| changes everything. Written as "
        "exp(-exp(ν)), it has a gradient that stays small."
    )
    without_race(page, partial(untrained.memory, steps, at), curse)
else:
    with page.further:
        bias = untrained.bias()
    broken = _(
        "An sLSTM may open its gates by an exponential function. Over many steps that overflows: first the sum that "
        "it divides by, and the answer is 0, which looks like a number and is wrong. The stabiliser keeps both in "
        "range by their largest exponent, and changes no result."
    )
    without_race(page, partial(untrained.overflow, bias), broken)
