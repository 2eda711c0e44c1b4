"""Who forecasts best, in numbers and words, and what of it can be taken home?"""

import io
from functools import partial

import pyarrow.csv
import streamlit as st

from lstm_core.charts import outlook, standings
from lstm_core.charts.needs import measured
from lstm_core.charts.points import Curve
from lstm_core.charts.words import meanings
from lstm_core.export.archive import file_name
from lstm_core.language import _
from lstm_core.measurements.checkpoints import Checkpoint
from lstm_core.measurements.saved import needed, to_safetensors
from lstm_core.race.race import Race
from lstm_core.tasks.public import SERIES
from lstm_core.tasks.series import number_beside
from lstm_core.ui.folded import ticking
from lstm_core.ui.showing import Showing, showing
from lstm_core.ui.upload import stay
from lstm_core.ui.view import BySeed

WAITING = _(":gray[Test scores appear when the training ends.]")


def verdict(race: Race, by_seed: BySeed) -> list[str]:
    """Who wins, once all have ended, by the first seed."""
    stay(race.racers[0].experiment.series)
    return [standings.verdict(standings.standings(by_seed[0])) or WAITING]


def scores() -> None:
    """A table of all racers and baselines."""
    if shown := showing():
        ticking(shown.race, partial(_table, shown))


def _table(shown: Showing) -> None:
    rows = standings.standings(shown.by_seed[0])
    explained = {standings.BY: meanings(*(row.label for row in rows)), standings.RANGE: meanings(standings.RANGE)}
    texts = {name: st.column_config.TextColumn(help=said) for name, said in explained.items()}
    numbers = {name: st.column_config.NumberColumn(format="%.4g", help=meanings(name)) for name in standings.NUMBERS}
    st.dataframe(
        standings.standings_table(rows),
        hide_index=True,
        width="content",
        key="standings",
        column_config=texts | numbers,
    )


def take_home() -> None:
    """The forecasts of the race that this visitor sees, and each racer's model, when all have ended."""
    shown = showing()
    if shown is None or not shown.race.finished or shown.race.moving:
        st.caption(_("Forecasts, models and code to run them appear here when the training ends."))
        return
    curves = shown.by_seed[0]
    checkpoints = {curve.label: curve.checkpoint(step) for curve in curves for step in outlook.chosen(curve)}
    if not checkpoints:
        st.caption(_("All networks exploded; there is nothing to download."))
        return
    errors = {row.label: row.validation.rmse for row in standings.standings(curves) if row.validation}
    best = min(checkpoints, key=errors.__getitem__)
    label = st.selectbox(_("Model of"), list(checkpoints), list(checkpoints).index(best), key="taken")
    _downloads(curves, label, checkpoints[label])


def _downloads(curves: tuple[Curve, ...], label: str, checkpoint: Checkpoint) -> None:
    experiment, file = checkpoint.experiment, f"{file_name(label)}.safetensors"
    icon = ":material/download:"
    with st.container(horizontal=True):
        st.download_button(
            _("All forecasts, CSV"), lambda: _csv(curves), "forecasts.csv", "text/csv", icon=icon, on_click="ignore"
        )
        st.download_button(
            _("Model, safetensors"),
            lambda: to_safetensors(experiment, checkpoint.weights),
            file,
            "application/octet-stream",
            icon=icon,
            on_click="ignore",
        )
        st.download_button(
            _("Experiment, JSON"),
            experiment.to_json(),
            "experiment.json",
            "application/json",
            icon=icon,
            on_click="ignore",
        )
    st.code(snippet(file, experiment.series, needed(experiment)), language="python")


def snippet(file: str, series: str, needed: int) -> str:
    """Python that loads a model and lets it go on where a series ends."""
    given = "values, steps=10"
    if series in SERIES:
        values = f'from lstm_core.series import known\n\nvalues = known("{series}").values'
    else:
        values = f"\nvalues = [...]  # your series, the latest value last; at least {needed} of them"
    if beside := number_beside(series):
        values += f"\nbeside = [{', '.join(['[...]'] * beside)}]  # the columns beside it, as many values of each"
        given += ", beside=beside"
    return f'from lstm_core.saved import load\n{values}\nforecaster = load("{file}")\nprint(forecaster({given}))'


def _csv(curves: tuple[Curve, ...]) -> bytes:
    written = io.BytesIO()
    pyarrow.csv.write_csv(outlook.table(measured(curves, [outlook.BEYOND])), written)
    return written.getvalue()
