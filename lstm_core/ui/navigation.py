"""How does a visitor get from page to page? By a line at the top; what is set goes with him."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lstm_core.ui import address
from lstm_core.ui.page import PAGES, Page
from lstm_core.ui.room import embedded


def setup(name: str) -> DeltaGenerator:
    """Arrive on the page `name` of `PAGES`, with the way to the others; the place for its icons."""
    address.arrive(name)
    return _navigation(PAGES[name])


def _navigation(here: Page) -> DeltaGenerator:
    """The way to the other pages, in one line, whose right end is free."""
    groups: dict[str, list[Page]] = {}
    for page in PAGES.values():
        groups.setdefault(page.group or page.label, []).append(page)
    line = st.container(horizontal=True, vertical_alignment="center", gap="xsmall")
    with line:
        for name, pages in () if embedded() else groups.items():
            if pages[0].group:
                # By another key on every page, or it would stay open after a choice.
                with st.popover(
                    f"**{name}**" if here in pages else name, type="tertiary", key=f"from {here.name} to {name}"
                ):
                    for page in pages:
                        st.page_link(page.path, label=page.label, icon=page.icon, help=page.question)
            else:
                st.page_link(pages[0].path, label=pages[0].label)
        st.space("stretch")
    return line
