"""Concatenation: is one matrix for [h; x] different from two?"""

import statistics

import streamlit as st

from lstm_core.openings.presets import COMPARISONS, OPENINGS, variants
from lstm_core.race.race import Race
from lstm_core.ui import controls
from lstm_core.ui.live import live
from lstm_core.ui.outcome import short
from lstm_core.ui.stage import stage
from lstm_core.ui.texts import texts
from lstm_core.ui.view import BySeed

# What may differ, the words of the choice, and the rows of `COMPARISONS`.
DIFFERENCES = {
    "weights": "same weights",
    "init": "own first weights",
    "biases": "second bias",
    "speed": "speed",
}
NOTES = {
    "same weights": "Both start from the very same numbers, in double precision: only the layout is left to differ.",
    "own first weights": "Each layout draws as torch.nn.Linear would: within 1/sqrt(H + D) for one matrix, within "
    "1/sqrt(H) and 1/sqrt(D) for two.",
    "second bias": "torch and cuDNN keep one bias for each matrix. Only their sum counts, but it moves twice as fast.",
    "speed": "Two matrices: W_x x is computed once for the whole sequence. One matrix: again at every step.",
}


def measured(race: Race, by_seed: BySeed) -> list[str]:
    """Largest difference of the losses so far, and the time of a training step, one against the other."""
    one, other = race.racers[:2]
    pairs = [pair for curves in by_seed for pair in zip(*(curve.snapshots for curve in curves), strict=False)]
    difference = max((abs(a.loss - b.loss) for a, b in pairs), default=0.0)
    said = f"Largest difference of the two losses: **{short(difference)}**"
    ratios = [b / a for a, b in zip(one.durations[1:], other.durations[1:], strict=False)]
    if len(ratios) < 4:
        return [said]
    low, median, high = statistics.quantiles(ratios, n=4)
    return [f"{said} &ensp; time of {other.label} / {one.label}: **{median:.2f}** ({low:.2f} to {high:.2f})"]


page = stage("concatenation", "**Choose what may differ**, one thing at a time: does it?")
opening = OPENINGS["concatenation"]
with page.control:
    compared = DIFFERENCES[controls.one_of("What may differ", DIFFERENCES, key="compare")]
with page.further:
    st.caption(NOTES[compared])
    cell = controls.draw("cell", opening.base)

fixed = {"init": opening.base.init, "precision": opening.base.precision}
racers = variants(page.experiment(opening.base, cell=cell, **fixed), COMPARISONS[compared])
live(
    page,
    racers,
    charts=("loss", "difference", "gradient_through_time", "gradient_by_step"),
    sentence=measured,
    below=texts(
        racers,
        racers == opening.experiments(),
        "With the same weights the two curves lie on each other. The difference begins at the last digit of a double "
        "and grows only as training magnifies any rounding. With first weights of their own, or a second bias, the "
        "curves part: not because of the layout, but because of what usually comes with it.",
        "[W_h W_x] [h; x] = W_h h + W_x x. It is the same sum, taken in another order, and so are its gradients. What "
        "may differ is the range of the first weights, the number of biases, and the speed.",
        "*The LSTM concatenates h and x, as DenseNet does.* The formula is right, the comparison is only formal. "
        "DenseNet concatenates the outputs of **all** earlier layers, which gives the gradient short ways back. [h; x] "
        "holds one earlier state; its way back is as long as ever. The short way of an LSTM is its additive cell "
        "state.",
    ),
)
