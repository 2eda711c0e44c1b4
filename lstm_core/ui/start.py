"""From which races may a visitor start? One click sets every control of a page."""

import streamlit as st

from lstm_core.language import _
from lstm_core.openings.record import recorded
from lstm_core.openings.starts import STARTS, Start
from lstm_core.ui import address
from lstm_core.ui.session import STARTED


def start_from(page: str) -> None:
    """Unfolds the rows of `STARTS` that are of this page; nothing where there are none."""
    rows = [start for start in STARTS if start.page == page]
    if not rows:
        return
    # By another key after every choice, or it would stay open.
    with st.popover(_("Start from ..."), type="tertiary", key=f"starts {st.session_state.get(STARTED, 0)}"):
        for start in rows:
            st.button(
                start.label,
                type="tertiary",
                key=f"start {start.name}",
                help=told(start),
                on_click=_choose,
                args=(start,),
            )


def told(start: Start) -> str:
    """Its claim, and for how many seeds that held."""
    row = recorded().get(start.key)
    return f"{start.claim} {_('Held for {held} of {seeds} seeds.').format(**row._asdict())}" if row else start.claim


def _choose(start: Start) -> None:
    st.session_state[STARTED] = st.session_state.get(STARTED, 0) + 1
    address.put(start.settings)
