"""Where on a race page does everything stand? What is asked and set at the left, what happens at the right."""

import dataclasses
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lstm_core.experiment import Experiment
from lstm_core.language import _
from lstm_core.ui import address, controls
from lstm_core.ui.page import PAGES, setup
from lstm_core.ui.room import embedded, enlarge, projected
from lstm_core.ui.start import start_from

WIDTHS = (1, 3.6)
GUESS_HEIGHT = 110
SHARED = ("task", "length", "hidden", "optimizer", "lr", "seed")
RARE = ("steps", "batch", "clip", "clip_at", "init", "gain", "precision")


@dataclass(frozen=True)
class Stage:
    """
    The places of a race page, by its name: its main control, up to two `further` ones, all other `settings`, what to
    `keep`, the `race`, and above it the `chips` of its racers beside a place that unfolds for the choice of `rivals`;
    where one may `guess`, None in a frame or on a wall, and where the `notes` on a link stand, None in the middle of a
    page.
    """

    page: str
    control: DeltaGenerator
    further: DeltaGenerator
    rivals: DeltaGenerator
    chips: DeltaGenerator
    settings: DeltaGenerator
    keep: DeltaGenerator
    race: DeltaGenerator
    guess: DeltaGenerator | None = None
    notes: DeltaGenerator | None = None

    def experiment(self, base: Experiment, **placed: Any) -> Experiment:
        """
        The base experiment with what the visitor changed. `placed` are fields that the page has drawn itself, with
        their values; all others are among the settings.
        """
        values = dict(placed)
        with self.settings:
            for column, fields in zip(st.columns(2), (SHARED, RARE), strict=True):
                with column:
                    values |= {field: controls.draw(field, base) for field in fields if field not in placed}
            if "forget_bias" not in placed:
                values["forget_bias"] = controls.forget_bias(base, self.settings)
        return dataclasses.replace(base, **values)


def stage(name: str, touch: str) -> Stage:
    """Begin the race page `name` of `PAGES`, with a sentence that says what to `touch`."""
    with setup(name):
        if not embedded():
            about = _("Again from the opening: back to this page's first race.")
            st.button(":material/undo:", type="tertiary", key="opening", on_click=address.put, args=({},), help=about)
        keep = st.popover(":material/link:", type="tertiary")
        settings = st.popover(":material/tune:", type="tertiary")
    with settings:
        controls.projector()
    left, right = st.columns(WIDTHS, gap="medium")
    with left:
        st.title(PAGES[name].question, anchor=False)
        if not embedded():
            st.caption(touch)
        notes = st.container()
        narrow = embedded() or projected()
        if not narrow:
            start_from(name)
        main = st.container()
        guess = None if narrow else st.container(height=GUESS_HEIGHT, border=False)
        enlarge()
    further = settings if embedded() else main
    with right:
        return Stage(name, main, further, *_line(), settings, keep, st.container(), guess, notes)


def _line() -> tuple[DeltaGenerator, DeltaGenerator]:
    """In one line above a race: what unfolds at the right, and the place at the left."""
    with st.container(horizontal=True, vertical_alignment="center", wrap=False):
        chips = st.container().empty()
        return st.popover(_("Racers, seeds"), type="tertiary"), chips


def plain(name: str) -> Stage:
    """For a race in the middle of a page: all one below the other, nothing to set."""
    keep = st.popover(":material/link:")
    return Stage(name, st.container(), st.container(), *_line(), st.container(), keep, st.container())
