"""How is a small grid run from a page? Behind all live races, each run stored as it ends."""

from concurrent.futures import Future

import streamlit as st

from lstm_core.experiment import Experiment
from lstm_core.history.database import outcomes
from lstm_core.history.exchange import from_parquet
from lstm_core.history.opening import History, UnavailableError
from lstm_core.history.records import record_of
from lstm_core.installation import APP
from lstm_core.language import _
from lstm_core.race.limits import too_much
from lstm_core.race.race import Race
from lstm_core.race.runs import FAILED
from lstm_core.sweep.grid import read_grid
from lstm_core.ui.history import stored, tell_problem, writer
from lstm_core.ui.session import STORED, TEXT, UNDER_WAY

MOST_RUNS = 30
TICK_SECONDS = 1.0
# Greff's variants, and their runs as `python -m docs.sample` has trained them.
GRID = APP / "sweeps" / "small.toml"
SAMPLE = GRID.with_suffix(".parquet")


def _asked(history: History, text: str) -> list[Experiment]:
    """The experiments of a grid that are not in the history; ValueError, in one line, where that is not possible."""
    every = {experiment.key: experiment for group in read_grid(text, MOST_RUNS) for experiment in group.experiments}
    known = outcomes(history)
    new = [experiment for key, experiment in every.items() if key not in known]
    if new and (refusal := too_much(new)):
        raise ValueError(refusal)
    return new


def _begin(history: History) -> None:
    _stop()
    try:
        new = _asked(history, st.session_state[TEXT])
    except (ValueError, UnavailableError) as error:
        st.session_state[UNDER_WAY] = str(error)
        return
    if not new:
        st.session_state[UNDER_WAY] = _("All runs of this grid are in the history already.")
        return
    race = Race({experiment.key: experiment for experiment in new}, behind=True)
    race.start()
    st.session_state[UNDER_WAY], st.session_state[STORED] = race, {}


def _stop() -> None:
    under_way = st.session_state.pop(UNDER_WAY, None)
    if isinstance(under_way, Race):
        under_way.stop()


def _keep(race: Race) -> bool:
    """Have stored what has ended since the last time; whether anything is not stored yet."""
    kept: dict[str, Future[int]] = st.session_state[STORED]
    new = [racer for racer in race.racers if racer.ended and racer.label not in kept]
    if new and (future := writer().keep([record_of(racer.run) for racer in new])):
        kept |= dict.fromkeys((racer.label for racer in new), future)
    return len(kept) < len(race.racers) or not all(future.done() for future in kept.values())


def first_runs(history: History) -> None:
    """What to do with a history that is empty: train a first grid, or load it trained."""
    runs = sum(len(group.experiments) for group in read_grid(GRID.read_text()))
    st.info(_("No runs yet. Begin with the LSTM, its gates removed one at a time, as Greff and others did in 2017."))
    with st.container(horizontal=True):
        train = _("Train these {runs} runs now").format(runs=runs)
        st.button(train, icon=":material/play_arrow:", on_click=_begin_first, args=(history,), key="first grid")
        load = _("Load them already trained")
        st.button(load, icon=":material/download:", on_click=_load_first, key="sample")
    st.markdown(_("The whole grid, 80 runs on two tasks: `python -m lstm_core sweep sweeps/greff.toml` in a terminal."))


def _begin_first(history: History) -> None:
    st.session_state[TEXT] = GRID.read_text()
    _begin(history)


def _load_first() -> None:
    new = stored(writer().keep(from_parquet(SAMPLE.read_bytes())))
    if isinstance(new, str):
        st.session_state[UNDER_WAY] = new


def is_under_way() -> bool:
    """Whether a grid has something to say."""
    return UNDER_WAY in st.session_state


def small_grid(history: History) -> None:
    """A grid to write down, its progress, and a way to stop it."""
    about = _("TOML; every field of an experiment.")
    st.session_state.setdefault(TEXT, GRID.read_text())
    st.text_area(_("Grid"), height=330, key=TEXT, max_chars=5000, help=about)
    with st.container(horizontal=True):
        st.button(_("Run the grid"), icon=":material/play_arrow:", on_click=_begin, args=(history,), key="run grid")
        st.button(_("Stop it"), icon=":material/stop:", on_click=_stop, key="stop grid")
    under_way = st.session_state.get(UNDER_WAY)
    if isinstance(under_way, str):
        st.warning(under_way)
    if isinstance(under_way, Race):
        _watch(under_way)


def _watch(race: Race) -> None:
    moving = _keep(race)

    @st.fragment(run_every=TICK_SECONDS if moving else None)
    def watch() -> None:
        race.renew()
        coming = _keep(race)
        ended = sum(bool(racer.ended) for racer in race.racers)
        failed = sum(racer.ended == FAILED for racer in race.racers)
        left = race.seconds_left if race.preparing is None else 0
        said = _progress(bool(failed), bool(left))
        st.progress(race.progress, said.format(done=ended, runs=len(race.racers), failed=failed, left=left))
        if coming and race.finished:
            st.caption(_("The last runs wait until the history is free."))
        tell_problem()
        given_up = {future.exception() for future in st.session_state[STORED].values() if future.done()} - {None}
        for error in given_up:
            st.error(str(error))
        if moving and not coming:
            st.rerun()

    watch()


def _progress(failed: bool, estimated: bool) -> str:
    """How far a grid is, with places for its numbers."""
    if failed and estimated:
        return _("{done} of {runs} runs are done, {failed} failed, about {left:.0f} s left (live races go first)")
    if estimated:
        return _("{done} of {runs} runs are done, about {left:.0f} s left (live races go first)")
    return _("{done} of {runs} runs are done, {failed} failed") if failed else _("{done} of {runs} runs are done")
