"""Concatenation: is one matrix for [h; x] different from two?"""

from lstm_core.ui.page import begin

begin("concatenation")

import statistics

import streamlit as st

from lstm_core.language import _
from lstm_core.openings.presets import OPENINGS
from lstm_core.race.race import Race
from lstm_core.ui import controls
from lstm_core.ui.live import live
from lstm_core.ui.outcome import short
from lstm_core.ui.stage import stage
from lstm_core.ui.texts import texts
from lstm_core.ui.view import BySeed

# What may differ: rows of `COMPARISONS`.
DIFFERENCES = {
    "weights": _("same weights"),
    "init": _("own first weights"),
    "biases": _("second bias"),
    "speed": _("speed"),
}
NOTES = {
    "weights": _("Both start from the same numbers in double precision. Only the layout differs."),
    "init": _(
        "Each layout draws its first weights as torch.nn.Linear does: within 1/sqrt(H + D) for one "
        "matrix, 1/sqrt(H) and 1/sqrt(D) for two."
    ),
    "biases": _("torch and cuDNN keep a bias for each matrix. Only their sum matters, but it learns twice as fast."),
    "speed": _("Two matrices: W_x x is computed once for the whole sequence. One matrix: again at every step."),
}


def measured(race: Race, by_seed: BySeed) -> list[str]:
    """Largest difference of the losses so far, and the time of a training step, one against the other."""
    one, other = race.racers[:2]
    pairs = [pair for curves in by_seed for pair in zip(*(curve.snapshots for curve in curves), strict=False)]
    difference = max((abs(a.loss - b.loss) for a, b in pairs), default=0.0)
    said = _("Largest difference between the two losses: **{difference}**").format(difference=short(difference))
    ratios = [b / a for a, b in zip(one.durations[1:], other.durations[1:], strict=False)]
    if len(ratios) < 4:
        return [said]
    low, median, high = statistics.quantiles(ratios, n=4)
    timed = _("time per step, {other} / {one}: **{median:.2f}** ({low:.2f} to {high:.2f})")
    return [f"{said} &ensp; {timed.format(other=other.label, one=one.label, median=median, low=low, high=high)}"]


page = stage("concatenation", _("**Choose what may differ**, one thing at a time. Does it change the result?"))
opening = OPENINGS["concatenation"]
with page.control:
    compared = controls.one_of(_("What may differ"), DIFFERENCES, key="compare")
with page.further:
    st.caption(NOTES[compared])
    cell = controls.draw("cell", opening.base)

fixed = {"init": opening.base.init, "precision": opening.base.precision}
racers = page.racers(compare=compared, cell=cell, **fixed)
live(
    page,
    racers,
    charts=("loss", "difference", "gradient_through_time", "gradient_by_step"),
    sentence=measured,
    below=texts(
        racers,
        racers == opening.experiments(),
        _(
            "With the same weights the two curves coincide. The difference starts at the last digit of "
            "double precision and grows, because training magnifies any rounding. With their own first "
            "weights, or a second bias, the curves part. The cause is not the layout, but what usually "
            "comes with it."
        ),
        _(
            "[W_h W_x] [h; x] = W_h h + W_x x. Both sides are the same sum in another order, and so are "
            "the gradients. Only the range of the first weights, the number of biases and the speed can "
            "differ."
        ),
        _(
            "*The LSTM concatenates h and x, as DenseNet does.* The formula is right, but the comparison "
            "is only formal. DenseNet concatenates the outputs of **all** earlier layers, which shortens "
            "the gradient's way back. [h; x] holds one earlier state only. The LSTM's short way back is "
            "its additive cell state."
        ),
    ),
)
