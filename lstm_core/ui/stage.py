"""Where on a race page does everything stand? What is asked and set at the left, what happens at the right."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lstm_core.experiment import Experiment
from lstm_core.language import _
from lstm_core.openings.presets import OPENINGS
from lstm_core.openings.races import race_on
from lstm_core.ui import address, controls
from lstm_core.ui.navigation import setup
from lstm_core.ui.page import PAGES
from lstm_core.ui.room import embedded, handheld, projected, shape_type
from lstm_core.ui.start import start_from

WIDTHS = (1, 3.6)
GUESS_HEIGHT = 104
SHARED = ("task", "length", "hidden", "optimizer", "lr", "seed")
RARE = ("steps", "batch", "clip", "clip_at", "init", "gain", "precision")


@dataclass(frozen=True)
class Stage:
    """
    The places of a race page, by its name: its main control, up to two `further` ones (on a phone among the settings),
    all other `settings`, what to `keep`, the `race`, and above it the `chips` of its racers beside a place that unfolds
    for the choice of `rivals`; where one may `guess`, None in a frame or on a wall, and where the `notes` on a link
    stand, None in the middle of a page.
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

    def racers(self, **placed: Any) -> dict[str, Experiment]:
        """
        The experiments of this page by label, with what the visitor has set. `placed` are values of controls that the
        page has drawn itself, by their keys; all other fields are among the settings. ValueError where they do not go
        together.
        """
        values = self._set(OPENINGS[self.page].base, placed)
        return race_on(self.page, values, values["seed"])

    def place(self, fields: Sequence[str], main: Sequence[str], base: Experiment) -> dict[str, Any]:
        """Draw the controls of these fields, the `main` ones in sight, the others among the settings; their values."""
        values: dict[str, Any] = {}
        for field in fields:
            away = field not in main
            with self.settings if away else self.further:
                if field == "gates":
                    values |= controls.gates(base, self.settings, away)
                elif field == "forget_bias":
                    values[field] = controls.forget_bias(base, self.settings, away)
                else:
                    values[field] = controls.draw(field, base, away)
        return values

    def experiment(self, base: Experiment, **placed: Any) -> Experiment:
        """The same of a base experiment alone, for a page without an opening."""
        return dataclasses.replace(base, **self._set(base, placed))

    def _set(self, base: Experiment, placed: Mapping[str, Any]) -> dict[str, Any]:
        values = dict(placed)
        with self.settings:
            for column, fields in zip(st.columns(2), (SHARED, RARE), strict=True):
                with column:
                    values |= {field: controls.draw(field, base) for field in fields if field not in placed}
            if "forget_bias" not in placed:
                values["forget_bias"] = controls.forget_bias(base, self.settings)
        return values


def stage(name: str, touch: str) -> Stage:
    """Begin the race page `name` of `PAGES`, with a sentence that says what to `touch`."""
    navigation = setup(name)
    narrow = embedded() or projected()
    left, right = st.columns(WIDTHS, gap="medium")
    with left:
        st.title(PAGES[name].question, anchor=False)
        if not embedded():
            st.caption(touch)
        below, main = st.container(), st.container()
        beside = st.container()
    with right:
        line = st.container(horizontal=True, vertical_alignment="center", wrap=False, gap="xsmall")
        with line:
            chips, rivals = _racers()
        race = st.container()
    # What comes first stands first, for a finger and for a keyboard: on a phone the charts, else the main control.
    with navigation if handheld() else line:
        keep, settings = _icons()
    # Where there is room, beside the navigation, and nothing moves.
    with below if handheld() else navigation:
        notes = st.container(width="content")
    with right if handheld() else beside:
        if not narrow:
            start_from(name)
        guess = None if narrow else st.container(height=GUESS_HEIGHT, border=False)
    shape_type()
    further = settings if embedded() or handheld() else main
    return Stage(name, main, further, rivals, chips, settings, keep, race, guess, notes)


def _racers() -> tuple[DeltaGenerator, DeltaGenerator]:
    """A place for the racers' chips, and beside it what unfolds to choose them."""
    chips = st.container().empty()
    return chips, st.popover(_("Racers, seeds"), type="tertiary")


def _icons() -> tuple[DeltaGenerator, DeltaGenerator]:
    """The way back to the opening; what unfolds to keep a race, and to set all that has no place in sight."""
    if not embedded():
        about = _("Again from the opening: back to this page's first race.")
        st.button(":material/undo:", type="tertiary", key="opening", on_click=address.put, args=({},), help=about)
    keep = st.popover(":material/link:", type="tertiary", help=_("Link to this race, files"))
    settings = st.popover(":material/tune:", type="tertiary", help=_("All settings"))
    with settings:
        controls.projector()
    return keep, settings


def plain(name: str) -> Stage:
    """For a race in the middle of a page: all one below the other, nothing to set."""
    keep = st.popover(":material/link:", help=_("Link to this race, files"))
    main, further = st.container(), st.container()
    with st.container(horizontal=True, vertical_alignment="center", wrap=False):
        chips, rivals = _racers()
    return Stage(name, main, further, rivals, chips, st.container(), keep, st.container())
