"""Gates: what does each gate buy?"""

from lstm_core.ui.page import begin

begin("gates")

import streamlit as st

from lstm_core.charts.words import WORDS
from lstm_core.charts.words import variants as spelt_out
from lstm_core.language import _
from lstm_core.openings.presets import GATE_SETS, OPENINGS
from lstm_core.ui import controls
from lstm_core.ui.live import live
from lstm_core.ui.stage import stage
from lstm_core.ui.texts import texts

page = stage("gates", _("**Switch off a gate.** What happens to the loss and to the largest state?"))
opening = OPENINGS["gates"]
_yours, *rivals = opening.racers
with page.control:
    gates = controls.gates(opening.base, page.settings)
with page.further:
    forget_bias = controls.forget_bias(opening.base, page.settings)
with page.rivals:
    chosen = controls.several(_("Race it against"), spelt_out(GATE_SETS), rivals, "variants", controls.GATE_WORDS)
    st.caption(
        _(
            "Variants by Greff and others, 2017. V is their full LSTM with peepholes; each other variant "
            "changes one thing."
        ),
        help=WORDS[_("peephole")],
    )

racers = page.racers(**gates, forget_bias=forget_bias, variants=chosen)
live(
    page,
    racers,
    charts=("loss", "largest_state", "gradient_through_time", "gate_activation", "ablation", "block_gradients"),
    below=texts(
        racers,
        racers == opening.experiments(),
        _(
            "Without any gate the largest state reaches about T, because up to 1 is added at every step, "
            "and nothing is learned. Without the forget gate it is nearly as large; 3 of 5 seeds still "
            "solved the task, but late. With all three gates the state stays smaller, with coupled gates "
            "below 1, and both solve the task."
        ),
        _(
            "A removed gate is held at 1: everything is added and nothing is taken away. The state then "
            "leaves the range where tanh has a slope, so hardly any gradient comes back from the output. "
            "Coupled gates, f = 1 - i, average old and new, so the state cannot grow beyond 1."
        ),
        _(
            "*Adding at every step can explode, so input and forget gates balance it.* True: on longer "
            "sequences the largest state without gates grows further. But not all gates matter equally. "
            "Greff and others found in 5,400 runs that no variant beats the full LSTM by much. The first "
            "LSTM of 1997 had no forget gate and still learned to add."
        ),
    ),
)
