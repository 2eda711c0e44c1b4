"""What does a visitor guess, and was it right? Asked once a race, answered by the race itself."""

from collections.abc import Callable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lstm_core.experiment import Experiment
from lstm_core.language import _
from lstm_core.openings.guesses import Guess, question
from lstm_core.race.race import Race
from lstm_core.training.snapshot import Snapshot
from lstm_core.ui.session import GUESSED
from lstm_core.ui.showing import Showing


def ask(place: DeltaGenerator | None, shown: Showing) -> Callable[[], bool]:
    """
    Ask the question about this race, where there is one, or say what came out; whether, since then, the answer has
    come, so that the page has to be drawn anew. Of several seeds nothing is asked.
    """
    row = question(shown.page, dict(shown.experiments)) if place and shown.seeds == 1 else None
    if place is None or row is None:
        return lambda: False
    race = shown.race
    guessed, right = _guessed(shown), row.decided(*_so_far(race))
    with place:
        if right is not None:
            st.markdown(told(row, right, guessed))
            return lambda: False
        key = f"guess {id(race)}"
        shows, noted = row.answers.__getitem__, (row, shown, key)
        st.pills(
            row.question,
            range(len(row.answers)),
            default=guessed,
            format_func=shows,
            key=key,
            on_change=_note,
            args=noted,
        )
    return lambda: row.decided(*_so_far(race)) is not None


def _so_far(race: Race) -> tuple[dict[str, list[Snapshot]], dict[str, Experiment]]:
    """The snapshots and the experiments of its racers, by label."""
    return (
        {racer.label: racer.snapshots for racer in race.racers},
        {racer.label: racer.experiment for racer in race.racers},
    )


def told(row: Guess, right: int, guessed: int | None) -> str:
    """What came out, and, where somebody has guessed, whether that was right."""
    came_out = row.came_out[right]
    if guessed is None:
        return f"{row.question} {_('What came out: {came_out}').format(came_out=came_out)}"
    if guessed == right:
        return _(":green[:material/check:] You guessed right: {came_out}").format(came_out=came_out)
    return _("It came out otherwise: {came_out}").format(came_out=came_out)


def _note(row: Guess, shown: Showing, key: str) -> None:
    """Remember the guess; one that comes after the answer counts for nothing."""
    if row.decided(*_so_far(shown.race)) is None:
        st.session_state.setdefault(GUESSED, {})[shown.page] = shown.experiments, st.session_state[key]


def _guessed(shown: Showing) -> int | None:
    """What the visitor has guessed about this race, as the number of an answer, also before he went to another page."""
    of, guessed = st.session_state.get(GUESSED, {}).get(shown.page, ((), None))
    return guessed if of == shown.experiments else None
