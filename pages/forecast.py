"""Forecast: how well do these cells forecast a series?"""

import streamlit as st

from lstm_core.experiment import Experiment
from lstm_core.openings.presets import ACTIVATION_RACERS, FAMILY_RACERS, GATE_SETS, OPENINGS, variants
from lstm_core.tasks.series import SERIES
from lstm_core.ui import controls, sidebar
from lstm_core.ui.forecasts import standing, take_home
from lstm_core.ui.live import live
from lstm_core.ui.page import setup
from lstm_core.ui.showing import refuse
from lstm_core.ui.texts import equations, the_task, three_texts
from lstm_core.ui.upload import OWN, OWN_LABEL, own_series

CHARTS = ("loss", "validation", "forecasts", "residuals", "free_running", "gradient_through_time")
CELLS = {**FAMILY_RACERS, **{name: {"cell": "lstm", **changes} for name, changes in GATE_SETS.items()}}

setup("forecast")
st.markdown(
    "Networks that differ in one function learn the first 70 % of a series; the next 15 % pick among them, and the "
    "last 15 % are the test. **Choose another series**, or bring your own, and see whether they beat whoever says that "
    "everything stays as it is."
)

opening = OPENINGS["forecast"]
left, middle, right = st.columns(3)
with left:
    chosen = controls.series(OWN, OWN_LABEL)
    if chosen != OWN:
        row = SERIES[chosen]
        season = f"Season: {row.period} steps." if row.period else "No season."
        st.caption(f"{row.source}; {row.licence}. {season}")
with middle:
    length = controls.window(opening.base)
    horizon = controls.draw("horizon", opening.base)
with right:
    cell = controls.draw("cell", opening.base)
series = own_series() if chosen == OWN else chosen
activations = controls.several("Activations", controls.same(ACTIVATION_RACERS), list(opening.racers), key="activations")
cells = controls.several("Beside them, with tanh", controls.same(CELLS), [], key="cells")

changes = {label: ACTIVATION_RACERS[label] for label in activations} | {label: CELLS[label] for label in cells}


def raced(base: Experiment) -> dict[str, Experiment]:
    """The race on this series, its table, and what can be kept of it."""
    racers = variants(base, changes)
    live("forecast", racers, charts=CHARTS, extra=standing, weights=True)
    equations(racers)
    the_task(base)
    take_home()
    return racers


racers = None
placed = {"task": "forecast", "length": length, "horizon": horizon, "cell": cell}
try:
    base = sidebar.experiment(opening.base, **placed, series=series or opening.base.series)
except ValueError as error:
    refuse(f"This series is too short: {error}.")
else:
    if series is None:
        refuse("Choose a file with a series.")
    else:
        racers = raced(base)

three_texts(
    racers == opening.experiments(),
    "One step ahead on Mackey-Glass, the best curve ends more than tenfold below the last value, and sigmoid is the "
    "last of the four. Free-running, all stay on the truth for a while and then leave it, because the series is "
    "chaotic. On the other series the table says who wins: it is often a baseline.",
    "The slope of the sigmoid is at most 1/4, so the candidate of its cell moves in small steps; the others pass a "
    "slope of up to 1. But the window is short, and nothing has to be remembered for long: what decides is how well a "
    "smooth function is approximated. A series whose next value is hardly more than its last leaves nothing to learn, "
    "and one whose level climbs takes the network to where it has never been.",
    "*A prediction test ranks the activations.* Here it does, on one series, with one size and one rate: look at other "
    "seeds before you believe an order that is close. Scaling, window and weights know nothing of what comes later; a "
    "test that changes the last part of a series leaves the training the same, bit for bit.",
)
