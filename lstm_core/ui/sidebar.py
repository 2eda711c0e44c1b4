"""Which settings do all pages have? Those in the sidebar, the rarely needed ones folded."""

import dataclasses
from typing import Any

import streamlit as st

from lstm_core.experiment import Experiment
from lstm_core.ui import controls
from lstm_core.ui.session import DEFAULTS

SHARED = ("task", "length", "hidden", "optimizer", "lr", "seed")
FOLDED = ("steps", "batch", "clip", "clip_at", "init", "gain", "precision")


def experiment(base: Experiment, **placed: Any) -> Experiment:
    """
    The settings that all pages have, in the sidebar: the base experiment with what the visitor changed. `placed` are
    fields that the page has drawn itself, with their values.
    """
    values = dict(placed)
    with st.sidebar:
        values |= {field: controls.draw(field, base) for field in SHARED if field not in placed}
        with st.expander("More"):
            values |= {field: controls.draw(field, base) for field in FOLDED if field not in placed}
            if "forget_bias" not in placed:
                values["forget_bias"] = controls.forget_bias(base)
        st.button(
            "Opening settings",
            icon=":material/undo:",
            type="tertiary",
            on_click=_reset,
            help="Back to this page's first race.",
        )
    return dataclasses.replace(base, **values)


def _reset() -> None:
    """Put every control back to this page's default."""
    for key, default in st.session_state[DEFAULTS].items():
        if key in st.session_state:
            st.session_state[key] = default
