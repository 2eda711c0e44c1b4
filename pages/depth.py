"""Depth: does it help to wire layers as DenseNet does?"""

from lstm_core.ui.page import begin

begin("depth")

import streamlit as st

from lstm_core.charts.words import WORDS
from lstm_core.language import _
from lstm_core.openings.presets import OPENINGS, WIRING_RACERS
from lstm_core.openings.races import EQUAL_SIZE, EQUAL_WEIGHTS, IN_TIME, STACKS
from lstm_core.ui import controls
from lstm_core.ui.live import live
from lstm_core.ui.stage import stage
from lstm_core.ui.texts import texts

LOOKS = {STACKS: _("Stacks of layers"), IN_TIME: _("Dense in time")}
CHARTS = {
    STACKS: (
        "loss",
        "gradient_by_layer",
        "first_layer",
        "loss_by_weights",
        "effective_rank",
        "correlation",
        "readout_by_layer",
        "held_out_loss",
    ),
    IN_TIME: ("loss", "gradient_through_time", "shortest_path"),
}
EQUAL = {EQUAL_SIZE: _("equal hidden size"), EQUAL_WEIGHTS: _("equal number of weights")}

page = stage("depth", _("**Drag the number of layers**, then compare at equal numbers of weights."))
opening = OPENINGS["depth"]
plain, *rivals = opening.racers
with page.control:
    look = controls.one_of(_("Look at"), LOOKS, key="look")
    placed = {"layers": controls.draw("layers", opening.base)} if look == STACKS else {}
with page.further:
    if look == STACKS:
        placed["compared"] = controls.one_of(_("Compare at"), EQUAL, key="compared")
    else:
        sizes, asked = controls.same(map(str, range(1, 9))), _("Number k of last hidden states it sees")
        placed["windows"] = controls.several(asked, sizes, ["1", "2", "4"], "windows", sizes)
if look == STACKS:
    with page.rivals:
        wirings = controls.same(name for name in WIRING_RACERS if name != plain)
        placed["wirings"] = controls.several(_("Race plain layers against"), wirings, rivals, "wirings", wirings)
        about = WORDS[_("highway stack")]
        st.caption(_("A highway stack has gates between its layers: Srivastava and others, 2015."), help=about)
with page.settings:
    placed |= {field: controls.draw(field, opening.base) for field in ("cell", "sequences")}

racers = page.racers(look=look, **placed)
live(
    page,
    racers,
    charts=CHARTS[look],
    weights=True,
    below=texts(
        racers,
        racers == opening.experiments(),
        _(
            "Four plain layers only guess the average; residual and dense stacks learn. In the chart of "
            "gradients by layer the plain line falls to the left: its first layer hardly learns. With "
            "equal numbers of weights the dense stack has fewer units per layer and still learns."
        ),
        _(
            "In a plain stack the gradient is multiplied by the weights and slopes of every layer on its "
            "way down. A residual or dense stack gives each layer its own path to the loss, without the "
            "matrices of other layers."
        ),
        _(
            "*DenseNet has stronger gradient flow*: true here, and a residual sum has it too. *Fewer "
            "parameters for the same quality*: compare at equal numbers of weights. *More diverse "
            "features*: look at effective rank and correlation. *Good with little data*: choose a small "
            "training set and see where the two losses part. The LSTM's [h; x] does none of this; it is "
            "just W_h h + W_x x written as one product."
        ),
    ),
)
