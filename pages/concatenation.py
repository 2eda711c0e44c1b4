"""Concatenation: is one matrix for [h; x] any different from two?"""

import statistics

import streamlit as st

from lstm_core.openings.presets import COMPARISONS, OPENINGS, variants
from lstm_core.race.race import Race
from lstm_core.ui import controls, sidebar
from lstm_core.ui.live import live
from lstm_core.ui.page import setup
from lstm_core.ui.texts import equations, the_task, three_texts

NOTES = {
    "same weights": "Both start from the very same numbers, in double precision: only the layout is left to differ.",
    "own first weights": "Each layout draws as torch.nn.Linear would: within 1/sqrt(H + D) for one matrix, within "
    "1/sqrt(H) and 1/sqrt(D) for two.",
    "second bias": "torch and cuDNN keep one bias for each matrix. Only their sum counts, but it moves twice as fast.",
    "speed": "With two matrices the part of x is computed for all time steps at once, with one at every step anew.",
}


def measured(race: Race) -> None:
    """Largest difference of the losses so far, and the time of a training step, one against the other."""
    one, other = race.racers
    difference = max((abs(a.loss - b.loss) for a, b in zip(one.snapshots, other.snapshots, strict=False)), default=0.0)
    ratios = [b / a for a, b in zip(one.durations[1:], other.durations[1:], strict=False)]
    ratio = "-"
    if len(ratios) >= 4:
        low, median, high = statistics.quantiles(ratios, n=4)
        ratio = f"{median:.2f} ({low:.2f} to {high:.2f})"
    with st.container(horizontal=True):
        st.metric("Largest difference of the losses so far", f"{difference:.1e}" if difference else "0")
        st.metric(
            f"Time of a step: {other.label} / {one.label}", ratio, help="Median and quartiles over pairs of turns."
        )


setup("concatenation")
st.markdown(
    "The article multiplies one matrix by [h; x], torch keeps two matrices. **Choose what may differ**, one thing at a "
    "time, and see whether anything does."
)

opening = OPENINGS["concatenation"]
left, right = st.columns(2)
with left:
    compared = controls.one_of("What may differ", controls.same(COMPARISONS), key="compare")
    st.caption(NOTES[compared])
with right:
    cell = controls.draw("cell", opening.base)

fixed = {"init": opening.base.init, "precision": opening.base.precision}
racers = variants(sidebar.experiment(opening.base, cell=cell, **fixed), COMPARISONS[compared])
live(
    "concatenation",
    racers,
    charts=("loss", "difference", "gradient_through_time", "gradient_by_step"),
    extra=measured,
)

equations(racers)
the_task(next(iter(racers.values())))
three_texts(
    racers == opening.experiments(),
    "With the same weights the two curves lie on each other. The difference begins at the last digit of a double and "
    "grows only as training magnifies any rounding. With first weights of their own, or a second bias, the curves "
    "part: not because of the layout, but because of what usually comes with it.",
    "[W_h W_x] [h; x] = W_h h + W_x x. It is the same sum, taken in another order, and so are its gradients. What "
    "may differ is the range of the first weights, the number of biases, and the speed.",
    "*The LSTM concatenates h and x, as DenseNet does.* The formula is right, the comparison is only formal. DenseNet "
    "concatenates the outputs of **all** earlier layers, which gives the gradient short ways back. [h; x] holds "
    "one earlier state; its way back is as long as ever. The short way of an LSTM is its additive cell state.",
)
