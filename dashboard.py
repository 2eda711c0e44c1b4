"""The race: a vanilla RNN against an LSTM, live, and the way to every other page."""

import streamlit as st

from lstm_core.openings.presets import FAMILY_RACERS, OPENINGS, variants
from lstm_core.ui import controls, sidebar
from lstm_core.ui.live import live
from lstm_core.ui.page import PAGES, setup
from lstm_core.ui.texts import equations, the_task, three_texts

setup("dashboard")
st.markdown(
    "A vanilla RNN and an LSTM learn the same task from the same data, here and now. **Drag the length** and see who "
    "still remembers the beginning when the end has come."
)

opening = OPENINGS["dashboard"]
left, right = st.columns(2)
with left:
    length = controls.draw("length", opening.base)
with right:
    chosen = controls.several("Racers", controls.same(FAMILY_RACERS), list(opening.racers), key="racers")
base = sidebar.experiment(opening.base, length=length)

racers = variants(base, {label: FAMILY_RACERS[label] for label in chosen})
live(
    "dashboard",
    racers,
    charts=("loss", "gradient_through_time", "gradient_by_step", "largest_state"),
)

equations(racers)
the_task(base)
three_texts(
    racers == opening.experiments(),
    "The loss of the RNN stays on the upper dashed line: it answers with the average, whatever it has read. The LSTM "
    "leaves that line, passes the lower one, and solves the task. In the chart beside it the RNN's gradient has died "
    "long before it reaches the first inputs.",
    "Going back one step multiplies the gradient of the RNN by a matrix. A hundred such products leave almost nothing, "
    "so what stood far back cannot teach the weights anything. The LSTM adds to its cell state instead of rewriting "
    "it: while a forget gate is open, the gradient of its cell passes almost unchanged on the direct path. Here the "
    "gates start open for times up to the length of the task (*chrono*, under More).",
    "*An RNN forgets what lies far back, and an additive cell state is the remedy.* It holds here: the claim of this "
    "page was checked for five seeds. It is not a law: make the sequence 15 steps short, and the RNN comes down from "
    "its line too; start with a forget bias of 1 (under More), and the LSTM is late or does not solve it in time.",
)

st.subheader("Go on")
for page in list(PAGES.values())[1:]:
    st.page_link(page.path, label=page.label, icon=page.icon)
    st.caption(page.question)
