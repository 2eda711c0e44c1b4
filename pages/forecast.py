"""Forecast: how well do these cells forecast a series?"""

from lstm_core.ui.page import begin

begin("forecast")

import streamlit as st

from lstm_core.charts.words import variants as spelt_out
from lstm_core.language import _
from lstm_core.openings.presets import ACTIVATION_RACERS, OPENINGS
from lstm_core.openings.races import CELLS
from lstm_core.tasks.public import SERIES
from lstm_core.ui import controls
from lstm_core.ui.forecasts import scores, take_home, verdict
from lstm_core.ui.live import live
from lstm_core.ui.showing import refuse
from lstm_core.ui.stage import stage
from lstm_core.ui.texts import texts
from lstm_core.ui.upload import OWN, OWN_LABEL, own_series

CHARTS = ("loss", "forecasts", "validation", "residuals", "beyond", "free_running", "gradient_through_time")

page = stage("forecast", _("**Choose a series** or upload your own. Which network beats the simple forecasts?"))
opening = OPENINGS["forecast"]
with page.control:
    chosen = controls.series(OWN, OWN_LABEL)
    refusal, series = None, opening.base.series
    try:
        series = own_series(page.settings) if chosen == OWN else chosen
    except ValueError as error:
        refusal = str(error)
    if chosen != OWN:
        row = SERIES[chosen]
        season = _("Season: {steps} steps.").format(steps=row.period) if row.period else _("No season.")
        st.caption(f"{row.source}; {row.licence}. {season}")
with page.further:
    horizon = controls.draw("horizon", opening.base)
with page.rivals:
    activations = controls.several(
        _("Activations"),
        controls.same(ACTIVATION_RACERS),
        list(opening.racers),
        "activations",
        controls.ACTIVATION_WORDS,
    )
    words = {**controls.FAMILY_WORDS, **controls.GATE_WORDS}
    cells = controls.several(_("Other cells, with tanh"), spelt_out(CELLS), [], "cells", words)
with page.settings:
    length = controls.window(opening.base)
    cell = controls.draw("cell", opening.base)
    ways = {field: controls.draw(field, opening.base) for field in ("log", "difference")}

placed = {"task": "forecast", "length": length, "horizon": horizon, "cell": cell, "series": series, **ways}
try:
    racers = page.racers(activations=activations, cells=cells, **placed)
except ValueError as error:
    refusal = _("This series cannot be used: {reason}.").format(reason=error)
if refusal:
    with page.race:
        refuse(refusal)
else:
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
                _(
                    "One step ahead on Mackey-Glass, the best network ends with a tenth of the last value's "
                    "error or less, and sigmoid is last. A linear autoregression does better still: so close "
                    "ahead, the series is nearly a weighted sum of its latest values. Ten steps ahead it is not. "
                    "Free-running, all networks follow the truth for a while and then leave it, because the "
                    "series is chaotic."
                ),
                _(
                    "The sigmoid's slope is at most 1/4, so it trains slowly; the others have slopes of up to 1. "
                    "The window is short, so memory matters little here. What counts is how well a smooth "
                    "function is approximated. A random-walk-like series leaves nothing to learn. A trend takes "
                    "the network outside its training range."
                ),
                _(
                    "*A prediction test sets the activations apart.* Here it does: on one series, with one size "
                    "and one learning rate. If two are close, try other seeds before you believe the order. "
                    "There is no leakage: scaling, windows and weights use training data only."
                ),
            ),
            _("Scores"): scores,
            _("Take it home"): take_home,
        },
    )
