"""Sweeps: what holds over many seeds?"""

from lstm_core.ui.page import begin

begin("sweeps")

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
from lstm_core.history.opening import History, UnavailableError
from lstm_core.language import _, ngettext
from lstm_core.race.runs import FAILED
from lstm_core.streams import CURRENT
from lstm_core.sweep.scores import Setting, ranked
from lstm_core.training.snapshot import COMPLETED, DIVERGED, SOLVED
from lstm_core.ui import address
from lstm_core.ui.address import exact
from lstm_core.ui.control import text
from lstm_core.ui.history import chosen, files, opened, tell_left_out
from lstm_core.ui.live import live
from lstm_core.ui.navigation import setup
from lstm_core.ui.page import PAGES
from lstm_core.ui.small_grid import first_runs, is_under_way, small_grid
from lstm_core.ui.stage import plain
from lstm_core.ui.texts import equations_of

STEPS, RUN = _("median steps to solve"), "run"
MOST_RANKED, MOST_SHOWN, SHOWN_FIRST = 1000, 6, 3
STORED = {
    SOLVED: _("Stored: solved at step {step:,}, loss {loss:.4g}, {seconds:.1f} s on the {engine} engine. Now live:"),
    DIVERGED: _(
        "Stored: exploded at step {step:,}, loss {loss:.4g}, {seconds:.1f} s on the {engine} engine. Now live:"
    ),
    COMPLETED: _("Stored: ended at step {step:,}, loss {loss:.4g}, {seconds:.1f} s on the {engine} engine. Now live:"),
    FAILED: _("Stored: failed at step {step:,}, loss {loss:.4g}, {seconds:.1f} s on the {engine} engine. Now live:"),
}
QUANTITIES = {
    "mean_loss": (_("Loss"), spec(band_lines(_("loss, mean of 20 steps")))),
    "grad_norm": (_("Gradient norm"), spec(band_lines(_("gradient norm")))),
}


def ranking(settings: list[Setting]) -> list[Setting]:
    """The table, the best first; the settings whose rows are chosen, or the first few."""
    rows = [
        (
            f"?{urlencode(exact({RUN: setting.keys[0]}))}",
            setting.label,
            _("{solved} of {runs}").format(solved=setting.score.solved, runs=setting.score.runs)
            if setting.score
            else "",
            _("{low:.0f} to {high:.0f} %").format(low=100 * setting.score.low, high=100 * setting.score.high)
            if setting.score
            else "",
            math.nan if not setting.score or setting.score.median_steps is None else setting.score.median_steps,
            setting.score.median_loss if setting.score else math.nan,
            setting.failed,
        )
        for setting in settings
    ]
    names = ["open", _("setting"), _("solved"), _("95 % interval"), STEPS, _("median final loss"), _("crashed")]
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
            "open": st.column_config.LinkColumn(_("live"), display_text=":material/open_in_new:", width="small"),
            _("median final loss"): st.column_config.NumberColumn(format="%.3g"),
        },
    )
    return [settings[row] for row in picked["selection"]["rows"]] or settings[:SHOWN_FIRST]


def small_multiples(history: History, settings: list[Setting], left_out: set[str]) -> None:
    """A panel for each setting: the median over its seeds, and the middle half."""
    stored = curves(history, [key for setting in settings for key in setting.keys], left_out)
    of_key = {key: one for (key, _), one in stored.items()}
    members = [[of_key[key] for key in setting.keys if key in of_key] for setting in settings]
    for quantity, (title, picture) in QUANTITIES.items():
        st.markdown(_("**{title}**: median over seeds; the band holds the middle half of them").format(title=title))
        tables = bands(members, quantity)
        for setting, table, place in zip(settings, tables, st.columns(max(len(settings), SHOWN_FIRST)), strict=False):
            about = _("{title} of {setting} by training step.").format(title=title, setting=setting.label)
            with place:
                st.caption(setting.label)
                st.vega_lite_chart(table, picture, key=f"{quantity} {setting.label}", alt=about)
    st.caption(_("A finished run keeps its last value. All panels of a row share their axes."))


def opened_run(history: History, left_out: set[str]) -> None:
    """The run whose key the address tells, trained live once more."""
    key = address.place(text(_("Key of a run, to see it live"), 16), RUN, "")
    address.tell()
    if not key:
        address.write()
        return
    record = next(records(history, [key], left_out), None) if re.fullmatch("[0-9a-f]{16}", key) else None
    if record is None:
        st.warning(_("There is no run with this key in the history."))
        return
    st.caption(
        STORED[record.ended].format(
            step=record.last_step, loss=record.final_mean_loss, seconds=record.seconds, engine=record.computed_by
        )
    )
    if record.experiment.refusal:
        st.info(
            _(
                "This run used random numbers of an earlier version. Its stored curves are above; the race "
                "below has its settings, with today's random numbers."
            )
        )
    racers = {_("seed {seed}").format(seed=record.experiment.seed): replace(record.experiment, stream=CURRENT)}
    live(plain("sweeps"), racers, charts=("loss", "gradient_through_time"), below=equations_of(racers))


def page(history: History) -> None:
    """Choice, ranking, curves, a run live, a small grid, files."""
    left_out = set[str]()
    listed = chosen(history, left_out)
    st.header(ngettext("{number:,} run", "{number:,} runs", len(listed)).format(number=len(listed)), anchor=False)
    if len(listed):
        settings = ranked(listed)
        if len(settings) > MOST_RANKED:
            many = _("{number:,} settings; the best {shown:,} are shown. Choose fewer to see others.")
            st.caption(many.format(number=len(settings), shown=MOST_RANKED))
        small_multiples(history, ranking(settings[:MOST_RANKED])[:MOST_SHOWN], left_out)
    else:
        first_runs(history)
    opened_run(history, left_out)
    tell_left_out(left_out)
    with st.expander(_("Run a small grid"), key="small grid", icon=":material/grid_on:", expanded=is_under_way()):
        small_grid(history)
    with st.expander(_("Files"), key="files", icon=":material/folder:"):
        files(history, lambda: listed.column("key").to_pylist())


setup("sweeps")
st.title(PAGES["sweeps"].question, anchor=False)
st.markdown(
    _(
        "One seed proves nothing. These are the stored runs, grouped over seeds. **Choose by any "
        "field**, mark up to six rows to plot them, or open one as a live race."
    )
)
history = opened()
if history is not None:
    try:
        page(history)
    except UnavailableError as error:
        st.error(str(error))
