"""Depth: does it help to wire layers as DenseNet does?"""

from lstm_core.openings.presets import OPENINGS, WIRING_RACERS, variants, within_budget
from lstm_core.ui import controls
from lstm_core.ui.live import live
from lstm_core.ui.stage import stage
from lstm_core.ui.texts import texts

STACKS, IN_TIME = "stacks", "time"
LOOKS = {STACKS: "Stacks of layers", IN_TIME: "Dense in time"}
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
EQUAL_SIZE, EQUAL_WEIGHTS = "size", "weights"
EQUAL = {EQUAL_SIZE: "equal hidden size", EQUAL_WEIGHTS: "equal number of weights"}

page = stage("depth", "**Drag the layers**, then compare at equal weights.")
opening = OPENINGS["depth"]
with page.control:
    look = controls.one_of("Look at", LOOKS, key="look")
stacked = look == STACKS
with page.further:
    if stacked:
        layers = controls.draw("layers", opening.base)
        compared = controls.one_of("Compare at", EQUAL, key="compared")
    else:
        sizes = controls.same(map(str, range(1, 9)))
        windows = controls.several("Sees its last k hidden states, k", sizes, ["1", "2", "4"], "windows", sizes)
with page.settings:
    placed = {field: controls.draw(field, opening.base) for field in ("cell", "sequences")}

if stacked:
    racers = variants(page.experiment(opening.base, layers=layers, **placed), WIRING_RACERS)
    if compared == EQUAL_WEIGHTS:
        racers = within_budget(racers)
else:
    changes = {f"k = {k}": {"cell": "rnn", "layers": 1, "window": int(k)} for k in windows}
    racers = variants(page.experiment(opening.base, **placed), changes)
live(
    page,
    racers,
    charts=CHARTS[look],
    weights=True,
    below=texts(
        racers,
        racers == opening.experiments(),
        "Four plain layers stay on the constant predictor; residual and dense ones come down from it. In the chart of "
        "gradients by layer the plain line falls to the left: its first layer hardly learns. At an equal number of "
        "weights the dense stack has fewer units in each layer, and learns all the same.",
        "A gradient that comes down a plain stack is multiplied by the weights and slopes of every layer. Where the "
        "readout sees a sum or a concatenation of all layers, each of them has a path of its own to the loss, and no "
        "matrix of another layer is on it.",
        "*DenseNet has the stronger gradient flow*: true here, and a sum does it as well. *Fewer parameters for the "
        "same quality*: compare at equal numbers of weights. *More diverse features*: look at their effective rank and "
        "their correlation. *Good with little data*: choose a small training set and watch where the lines part. None "
        "of this is what the LSTM's concatenation [h; x] does: that one is a sum of two products under another name.",
    ),
)
