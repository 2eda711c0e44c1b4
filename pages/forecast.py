"""Forecast: how well do these cells forecast a series?"""

import dataclasses

import streamlit as st

from lstm_core.openings.presets import ACTIVATION_RACERS, FAMILY_RACERS, GATE_SETS, OPENINGS, variants
from lstm_core.tasks.series import SERIES
from lstm_core.ui import controls
from lstm_core.ui.forecasts import scores, take_home, verdict
from lstm_core.ui.live import live
from lstm_core.ui.showing import refuse
from lstm_core.ui.stage import stage
from lstm_core.ui.texts import texts
from lstm_core.ui.upload import OWN, OWN_LABEL, own_series

CHARTS = ("loss", "forecasts", "validation", "residuals", "free_running", "gradient_through_time")
CELLS = {**FAMILY_RACERS, **{name: {"cell": "lstm", **changes} for name, changes in GATE_SETS.items()}}

page = stage("forecast", "**Choose a series**, or bring your own: who beats repeating the last value?")
opening = OPENINGS["forecast"]
with page.control:
    chosen = controls.series(OWN, OWN_LABEL)
    refusal, series = None, opening.base.series
    try:
        series = own_series() if chosen == OWN else chosen
    except ValueError as error:
        refusal = str(error)
    if chosen != OWN:
        row = SERIES[chosen]
        season = f"Season: {row.period} steps." if row.period else "No season."
        st.caption(f"{row.source}; {row.licence}. {season}")
with page.further:
    horizon = controls.draw("horizon", opening.base)
with page.rivals:
    activations = controls.several(
        "Activations",
        controls.same(ACTIVATION_RACERS),
        list(opening.racers),
        "activations",
        controls.ACTIVATION_WORDS,
    )
    words = {**controls.FAMILY_WORDS, **controls.GATE_WORDS}
    cells = controls.several("Beside them, with tanh", controls.same(CELLS), [], "cells", words)
with page.settings:
    length = controls.window(opening.base)
    cell = controls.draw("cell", opening.base)

changes = {label: ACTIVATION_RACERS[label] for label in activations} | {label: CELLS[label] for label in cells}
base = page.experiment(opening.base, task="forecast", length=length, horizon=horizon, cell=cell)
if not refusal:
    try:
        base = dataclasses.replace(base, series=series)
    except ValueError as error:
        refusal = f"This series is too short: {error}."
if refusal:
    with page.race:
        refuse(refusal)
else:
    racers = variants(base, changes)
    live(
        page,
        racers,
        charts=CHARTS,
        sentence=verdict,
        weights=True,
        below={
            **texts(
                racers,
                racers == opening.experiments(),
                "One step ahead on Mackey-Glass, the best curve ends more than tenfold below the last value, and "
                "sigmoid is the last of the four. Free-running, all stay on the truth for a while and then leave it, "
                "because the series is chaotic. On the other series the table says who wins: it is often a baseline.",
                "The slope of the sigmoid is at most 1/4, so the candidate of its cell moves in small steps; the "
                "others pass a slope of up to 1. But the window is short, and nothing has to be remembered for long: "
                "what decides is how well a smooth function is approximated. A series whose next value is hardly more "
                "than its last leaves nothing to learn, and one whose level climbs takes the network to where it has "
                "never been.",
                "*A prediction test ranks the activations.* Here it does, on one series, with one size and one rate: "
                "look at other seeds before you believe an order that is close. Scaling, window and weights know "
                "nothing of what comes later; a test that changes the last part of a series leaves the training the "
                "same, bit for bit.",
            ),
            "Scores": scores,
            "Take it home": take_home,
        },
    )
