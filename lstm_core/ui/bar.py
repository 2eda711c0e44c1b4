"""How is a race held, led back and kept? From the bar at the bottom, which stays in sight."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lstm_core.language import _
from lstm_core.race.race import Race
from lstm_core.race.runs import snapshots_every
from lstm_core.ui.pins import MOST_PINS, pin, pinned_races, pins
from lstm_core.ui.session import STEP_SHOWN
from lstm_core.ui.showing import Showing, last_step, start_over


def bar(shown: Showing) -> DeltaGenerator:
    """Pause, step, again, pin, and the way back; the place that says how far the race is."""
    with st.bottom, st.container(horizontal=True, vertical_alignment="center"):
        _buttons(shown)
        place = st.container(width=190).empty()
        # Above its thumb, for who does not see that it is a slider.
        how, last = _("see step %d"), last_step(shown.race)
        st.slider(_("Rewind to step"), 1, last, format=how, key=STEP_SHOWN, label_visibility="collapsed")
    return place


def _buttons(shown: Showing) -> None:
    race = shown.race
    goes = race.running and not race.finished
    st.button(
        _("Pause") if goes else _("Resume"),
        icon=":material/pause:" if goes else ":material/play_arrow:",
        on_click=race.pause if goes else race.start,
        key="pause",
        disabled=race.finished,
    )
    still = not race.running and not race.finished
    # While it runs, the bar is not drawn anew: then it says how far most steps go.
    st.button(
        f"+{_next(race) if still else snapshots_every(last_step(race))}",
        icon=":material/skip_next:",
        on_click=race.step,
        key="step",
        disabled=not still,
        help=_("Train this many more steps, while the race is paused."),
    )
    st.button(
        _("Again"),
        icon=":material/replay:",
        on_click=start_over,
        key="restart",
        help=_("Train once more from the start."),
    )
    st.button(
        _("Pin"),
        icon=":material/keep:",
        on_click=lambda: pin(shown.by_seed[0]),
        key="pin",
        disabled=len(pins()) >= MOST_PINS,
        help=_("Keep these curves in grey behind the next race."),
    )
    if pins():
        with st.popover(_("{number} pinned").format(number=len(pins()))):
            pinned_races()


def _next(race: Race) -> int:
    """Training steps up to the next snapshot of whoever is furthest; the first step is one always."""
    furthest = max(race.racers, key=lambda racer: racer.steps)
    if not furthest.steps:
        return 1
    every = snapshots_every(furthest.experiment.steps)
    return min((furthest.steps // every + 1) * every, furthest.experiment.steps) - furthest.steps
