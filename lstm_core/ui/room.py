"""How much room does a page have? A window of its own, a frame in another page, or a wall."""

import streamlit as st

from lstm_core.ui.session import PROJECTED

LARGER = 1.35
# A chart is as high as on a laptop. Where a wall has more room, it is drawn larger as a whole; how wide it may be is
# measured in the window's own pixels, so its place has to say less.
ON_A_WALL = """
@media (min-height: 1000px) {
  [data-testid=stElementContainer]:has([data-testid=stVegaLiteChart]) { zoom: 1.5; width: 66.6% !important; }
}
"""
# Targets of 40 pixels. A slider is moved by its thumb alone, so that a swipe over its track scrolls the page.
FOR_FINGERS = """
@media (pointer: coarse) {
  button, [role=tab], [data-testid=stPageLink] a, [data-baseweb=select], label:has(input[type=checkbox]) {
    min-height: 40px !important; min-width: 40px !important; align-items: center;
  }
  [data-testid=stSlider] [role=group] > div { pointer-events: none; }
  [data-testid=stSlider] div:has(> div > input[type=range]) { pointer-events: auto; touch-action: pan-y !important; }
  [data-testid=stSlider] div:has(> div > input[type=range])::after { content: ""; position: absolute; inset: -15px; }
}
"""


def embedded() -> bool:
    """Whether it is shown inside another page, which takes one control and two charts, and nothing else."""
    return bool(st.context.is_embedded)


def projected() -> bool:
    """Whether it is shown to a class: larger type, controls, racers and two charts."""
    return bool(st.session_state.get(PROJECTED))


def type_scale() -> float:
    """How much larger the type is than the theme says."""
    return LARGER if projected() else 1.0


def handheld() -> bool:
    """Whether it is shown on a phone, by what its browser says of itself."""
    return "Mobi" in (st.context.headers.get("User-Agent") or "")


def shape_type() -> None:
    """Set the page in its type for this visitor, and for fingers; the theme's sizes hold for all."""
    css = ""
    if projected():
        css = f"html {{ font-size: {st.get_option('theme.baseFontSize') * type_scale()}px }} {ON_A_WALL}"
    st.html(f"<style>{css}{FOR_FINGERS}</style>")
