"""How much room does a page have? A window of its own, a frame in another page, or a wall."""

import streamlit as st

from lstm_core.ui.session import PROJECTED

LARGER = 1.35


def embedded() -> bool:
    """Whether it is shown inside another page, which takes one control and two charts, and nothing else."""
    return bool(st.context.is_embedded)


def projected() -> bool:
    """Whether it is shown to a class: larger type, controls, racers and two charts."""
    return bool(st.session_state.get(PROJECTED))


def type_scale() -> float:
    """How much larger the type is than the theme says."""
    return LARGER if projected() else 1.0


def enlarge() -> None:
    """Set the page in its type for this visitor; the theme's sizes hold for all."""
    if projected():
        size = st.get_option("theme.baseFontSize") * type_scale()
        st.html(f"<style>html {{ font-size: {size}px }}</style>")
