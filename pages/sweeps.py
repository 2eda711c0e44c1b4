"""Sweeps: what holds over many seeds?"""

import math
import re
from dataclasses import replace
from urllib.parse import urlencode

import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

from lstm_core.borrowed.arrow import of_rows
from lstm_core.charts.bands import bands
from lstm_core.charts.marks import band_lines, spec
from lstm_core.history.database import curves, records
from lstm_core.history.schema import History, UnavailableError
from lstm_core.streams import CURRENT
from lstm_core.sweep.scores import Setting, ranked
from lstm_core.ui import address
from lstm_core.ui.address import exact
from lstm_core.ui.control import text
from lstm_core.ui.history import chosen, files, opened
from lstm_core.ui.live import live
from lstm_core.ui.page import PAGES, setup
from lstm_core.ui.small_grid import small_grid
from lstm_core.ui.stage import plain
from lstm_core.ui.texts import equations_of

STEPS, RUN = "median steps to solve", "run"
MOST_RANKED, MOST_SHOWN, SHOWN_FIRST = 1000, 6, 3
QUANTITIES = {
    "mean_loss": ("Loss", spec(band_lines("loss, mean of 20 steps"))),
    "grad_norm": ("Gradient norm", spec(band_lines("gradient norm"))),
}


def ranking(settings: list[Setting]) -> list[Setting]:
    """The table, the best first; the settings whose rows are chosen, or the first few."""
    rows = [
        (
            f"?{urlencode(exact({RUN: setting.keys[0]}))}",
            setting.label,
            f"{setting.score.solved} of {setting.score.runs}" if setting.score else "",
            f"{100 * setting.score.low:.0f} to {100 * setting.score.high:.0f} %" if setting.score else "",
            math.nan if not setting.score or setting.score.median_steps is None else setting.score.median_steps,
            setting.score.median_loss if setting.score else math.nan,
            setting.failed,
        )
        for setting in settings
    ]
    names = ["open", "setting", "solved", "95 % interval", STEPS, "median final loss", "failed"]
    table = of_rows(rows, names)
    steps = table.column(STEPS)
    # Not pa.scalar, which imports pandas, 35 MB, to ask whether it was given something of it.
    nothing = pa.nulls(len(rows), pa.float64())
    picked = st.dataframe(
        table.set_column(names.index(STEPS), STEPS, pc.if_else(pc.is_nan(steps), nothing, steps)),
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row",
        key="ranking",
        column_config={
            "open": st.column_config.LinkColumn("live", display_text=":material/open_in_new:", width="small"),
            "median final loss": st.column_config.NumberColumn(format="%.3g"),
        },
    )
    return [settings[row] for row in picked["selection"]["rows"]] or settings[:SHOWN_FIRST]


def small_multiples(history: History, settings: list[Setting]) -> None:
    """A panel for each setting: the median over its seeds, and the middle half."""
    stored = curves(history, [key for setting in settings for key in setting.keys])
    of_key = {key: one for (key, _), one in stored.items()}
    members = [[of_key[key] for key in setting.keys if key in of_key] for setting in settings]
    for quantity, (title, picture) in QUANTITIES.items():
        st.markdown(f"**{title}**: median over seeds, and the band that holds the middle half of them")
        tables = bands(members, quantity)
        for setting, table, place in zip(settings, tables, st.columns(max(len(settings), SHOWN_FIRST)), strict=False):
            about = f"{title} of {setting.label} by training step."
            with place:
                st.caption(setting.label)
                st.vega_lite_chart(table, picture, key=f"{quantity} {setting.label}", alt=about)
    st.caption("A run that has ended keeps its last value. All panels of a row have the same axes.")


def opened_run(history: History) -> None:
    """The run whose key the address tells, trained live once more."""
    key = address.place(text("Key of a run, to see it live", 16), RUN, "")
    address.tell()
    if not key:
        address.write()
        return
    record = next(records(history, [key]), None) if re.fullmatch("[0-9a-f]{16}", key) else None
    if record is None:
        st.warning("There is no run of that key in this history.")
        return
    how = f"{record.ended} at step {record.last_step:,}, loss {record.final_mean_loss:.4g}"
    st.caption(f"Stored: {how}, {record.seconds:.1f} s on the {record.computed_by} engine. Now again, live:")
    if record.experiment.refusal:
        st.info(
            "It was trained with random numbers of an earlier version, which are no longer drawn. Its curves can be "
            "seen above; what races here has its settings, and the random numbers of today."
        )
    racers = {f"seed {record.experiment.seed}": replace(record.experiment, stream=CURRENT)}
    live(plain("sweeps"), racers, charts=("loss", "gradient_through_time"), below=equations_of(racers))


def page(history: History) -> None:
    """Choice, ranking, curves, a run live, a small grid, files."""
    listed = chosen(history)
    st.subheader(f"{len(listed):,} run{'' if len(listed) == 1 else 's'}")
    if len(listed):
        settings = ranked(listed)
        if len(settings) > MOST_RANKED:
            st.caption(f"{len(settings):,} settings; the best {MOST_RANKED:,} are shown. Choose fewer to see others.")
        small_multiples(history, ranking(settings[:MOST_RANKED])[:MOST_SHOWN])
    else:
        st.info("There are none yet. Run a small grid below, or `python -m lstm_core sweep sweeps/greff.toml`.")
    opened_run(history)
    with st.expander("Run a small grid", key="small grid", icon=":material/grid_on:"):
        small_grid(history)
    with st.expander("Files", key="files", icon=":material/folder:"):
        files(history, lambda: listed.column("key").to_pylist())


setup("sweeps")
st.title(PAGES["sweeps"].question, anchor=False)
st.markdown(
    "One seed proves nothing. Here are the runs that were kept, those that differ in their seeds alone taken together. "
    "**Choose by any field**, mark up to six rows to see their curves, or open one as a live race."
)
history = opened()
if history is not None:
    try:
        page(history)
    except UnavailableError as error:
        st.error(str(error))
