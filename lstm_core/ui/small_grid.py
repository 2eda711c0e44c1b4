"""How is a small grid run from a page? Behind all live races, each run stored as it ends."""

import streamlit as st

from lstm_core.experiment import Experiment
from lstm_core.history.database import outcomes, store
from lstm_core.history.records import record_of
from lstm_core.history.schema import History, UnavailableError
from lstm_core.language import _
from lstm_core.race.limits import too_much
from lstm_core.race.race import Race, Racer
from lstm_core.race.runs import FAILED
from lstm_core.sweep.grid import read_grid
from lstm_core.ui.session import STORED, TEXT, UNDER_WAY

MOST_RUNS = 30
TICK_SECONDS = 1.0
EXAMPLE = """\
[base]
length = 30
steps = 400
lr = 0.02

[grid]
seeds = 5

[[variants]]
name = "LSTM"

[[variants]]
name = "RNN"
cell = "rnn"
"""


def _asked(history: History, text: str) -> list[Experiment]:
    """The experiments of a grid that are not in the history; ValueError, in one line, where that is not possible."""
    every = {experiment.key: experiment for group in read_grid(text) for experiment in group.experiments}
    if len(every) > MOST_RUNS:
        raise ValueError(f"grid: {len(every):,} runs are more than {MOST_RUNS}; take the command line for more")
    known = outcomes(history)
    new = [experiment for key, experiment in every.items() if key not in known]
    if new and (refusal := too_much(new)):
        raise ValueError(refusal)
    return new


def _begin(history: History) -> None:
    _stop()
    try:
        new = _asked(history, st.session_state[TEXT])
    except (ValueError, RecursionError, UnavailableError) as error:
        st.session_state[UNDER_WAY] = str(error)
        return
    if not new:
        st.session_state[UNDER_WAY] = _("All runs of this grid are in the history already.")
        return
    race = Race({experiment.key: experiment for experiment in new}, behind=True)
    race.start()
    st.session_state[UNDER_WAY], st.session_state[STORED] = race, set()


def _stop() -> None:
    under_way = st.session_state.pop(UNDER_WAY, None)
    if isinstance(under_way, Race):
        under_way.pause()


def _store(history: History, race: Race) -> None:
    """What has ended since the last time."""
    stored: set[str] = st.session_state[STORED]
    new: list[Racer] = [racer for racer in race.racers if racer.ended and racer.label not in stored]
    if new:
        store(history, [record_of(racer.run) for racer in new])
        stored |= {racer.label for racer in new}


def small_grid(history: History) -> None:
    """A grid to write down, its progress, and a way to stop it."""
    about = _("TOML; every field of an experiment.")
    st.text_area(_("Grid"), EXAMPLE, height=330, key=TEXT, max_chars=5000, help=about)
    with st.container(horizontal=True):
        st.button(_("Run the grid"), icon=":material/play_arrow:", on_click=_begin, args=(history,), key="run grid")
        st.button(_("Stop it"), icon=":material/stop:", on_click=_stop, key="stop grid")
    under_way = st.session_state.get(UNDER_WAY)
    if isinstance(under_way, str):
        st.warning(under_way)
    if isinstance(under_way, Race):
        _watch(history, under_way)


def _watch(history: History, race: Race) -> None:
    moving = not race.finished

    @st.fragment(run_every=TICK_SECONDS if moving else None)
    def watch() -> None:
        race.renew()
        try:
            _store(history, race)
        except UnavailableError as error:
            st.error(str(error))
        ended = sum(bool(racer.ended) for racer in race.racers)
        failed = sum(racer.ended == FAILED for racer in race.racers)
        said = _progress(bool(failed), moving)
        st.progress(
            race.progress,
            said.format(done=ended, runs=len(race.racers), failed=failed, left=race.seconds_left if moving else 0),
        )
        if moving and race.finished:
            st.rerun()

    watch()


def _progress(failed: bool, moving: bool) -> str:
    """How far a grid is, with places for its numbers."""
    if failed and moving:
        return _("{done} of {runs} runs are done, {failed} failed, about {left:.0f} s left (live races go first)")
    if moving:
        return _("{done} of {runs} runs are done, about {left:.0f} s left (live races go first)")
    return _("{done} of {runs} runs are done, {failed} failed") if failed else _("{done} of {runs} runs are done")
