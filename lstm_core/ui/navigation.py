"""How does a visitor get from page to page? By a line at the top; what is set goes with him."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lstm_core.ui import address
from lstm_core.ui.page import PAGES, Page
from lstm_core.ui.room import embedded, handheld


def setup(name: str) -> DeltaGenerator:
    """Arrive on the page `name` of `PAGES`, with the way to the others; the place for its icons."""
    address.arrive(name)
    return _navigation(PAGES[name])


def _navigation(here: Page) -> DeltaGenerator:
    """The way to the other pages, in one line, whose right end is free."""
    groups: dict[str, list[Page]] = {}
    for page in PAGES.values():
        groups.setdefault(page.group, []).append(page)
    line = st.container(horizontal=True, vertical_alignment="center", gap="xsmall")
    with line:
        if handheld() and not embedded():
            _menu(here, f":material/menu: **{here.label}**", [*PAGES.values()])
        elif not embedded():
            for group, pages in groups.items():
                _group(here, group, pages)
        st.space("stretch")
    return line


def _group(here: Page, group: str, pages: list[Page]) -> None:
    if group:
        _menu(here, f"**{group}**" if here in pages else group, pages)
    else:
        for page in pages:
            st.page_link(page.path, label=page.label)


def _menu(here: Page, label: str, pages: list[Page]) -> None:
    """What unfolds to choose one of these pages."""
    # By another key on every page, or it would stay open after a choice.
    with st.popover(label, type="tertiary", key=f"from {here.name} to {label}"):
        for page in pages:
            st.page_link(page.path, label=page.label, icon=page.icon, help=page.question)
