"""How does a test visit a page? By Streamlit's own tests of apps, and nothing that it does may raise."""

import time
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from lstm_core.ui.history import writer
from lstm_core.ui.page import PAGES
from lstm_core.ui.session import AGAIN, SHOWING, TAB

ROOT = Path(__file__).parent.parent
WIDGETS = ("slider", "select_slider", "selectbox", "number_input", "toggle", "pills", "segmented_control")


def open_page(visits: list[AppTest], name: str, **address: str | tuple[str, ...]) -> AppTest:
    """A first visit to a page, with what its address says, added to the `visits` of a test."""
    visit = AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=60)
    visits.append(visit)
    visit.query_params.update({key: value if isinstance(value, str) else list(value) for key, value in address.items()})
    if name != "dashboard":
        visit.switch_page(PAGES[name].path)
    return check(visit.run())


def check(visit: AppTest) -> AppTest:
    """The same visit, if nothing was raised."""
    assert [error.value for error in visit.exception] == []
    return visit


def settled(visit: AppTest) -> AppTest:
    """The same visit when nothing is to come any more: all has been trained, measured and drawn."""
    moving = True
    while moving:
        races = [visit.session_state[SHOWING].race] if SHOWING in visit.session_state else []
        races += [visit.session_state[AGAIN].untrained] if AGAIN in visit.session_state else []
        while any(race.moving for race in races):
            for race in races:
                race.renew()
            time.sleep(0.02)
        check(visit.run())
        # What was asked for in this run is drawn in the next one.
        moving = any(race.moving or race.jobs for race in races)
    return visit


def written() -> None:
    """Return when all runs that pages have given to the history are there."""
    while writer().waiting:
        time.sleep(0.01)


def unfolded(visit: AppTest, tab: str) -> AppTest:
    """The same visit, with another of the tabs open."""
    visit.session_state[TAB] = tab
    return check(visit.run())


def redrawn_from_now(monkeypatch: pytest.MonkeyPatch) -> list[float | None]:
    """After how many seconds each part of a page that is drawn from now on is to be drawn again; None if never."""
    fragment, every = st.fragment, list[float | None]()

    def noted(run_every: float | None) -> Any:
        every.append(run_every)
        return fragment(run_every=run_every)

    monkeypatch.setattr(st, "fragment", noted)
    return every


def controls(visit: AppTest) -> list[tuple[str, str]]:
    """Kind and key of every control that the page shows; a guess sets nothing."""
    shown = [(kind, widget.key) for kind in WIDGETS for widget in getattr(visit, kind) if widget.key]
    return [(kind, key) for kind, key in shown if not key.startswith("guess ")]


def another_value(widget: Any, kind: str) -> Any:
    """A value that the control does not have now."""
    if kind == "toggle":
        return not widget.value
    if kind in ("slider", "number_input"):
        return widget.max if widget.value != widget.max else widget.min
    if kind == "pills":
        return widget.value[:-1]
    names = widget.format_func.__self__  # it is the look-up in a table of names
    return next(option for option in names if option != widget.value)


def moved(visit: AppTest) -> list[str]:
    """The keys of all controls, after each was moved that the ones before have not taken away."""
    keys = []
    while left := [(kind, key) for kind, key in controls(visit) if key not in keys]:
        kind, key = left[0]
        keys.append(key)
        widget = getattr(visit, kind)(key=key)
        check(widget.set_value(another_value(widget, kind)).run())
    return keys
