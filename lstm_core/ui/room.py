"""How much room does a page have? A window of its own, a frame in another page, or a wall."""

import streamlit as st

from lstm_core.ui.session import PROJECTOR

LARGER = 1.35


def embedded() -> bool:
    """Whether it is shown inside another page, which takes one control and two charts, and nothing else."""
    return bool(st.context.is_embedded)


def projected() -> bool:
    """Whether it is shown to a class: larger type, controls, racers and two charts."""
    return bool(st.session_state.get(PROJECTOR))


def enlarge(larger: bool) -> None:
    """Set everything but the charts in larger type for this visitor; the theme's sizes hold for all."""
    base = st.get_option("theme.baseFontSize")
    st.html(f"<style>html {{ font-size: {base * LARGER if larger else base}px }}</style>")
