"""What does a link say beside settings? Whose random numbers it means, and which engine has computed its race."""

from collections.abc import Iterable, Mapping
from typing import Any

import streamlit as st

from lstm_core.engine import FUSED, REFERENCE_ENGINE
from lstm_core.streams import CURRENT
from lstm_core.ui.session import ARRIVED, NAMED

STREAM, ENGINE = "stream", "engine"
NEWER = "This link is older than today's random numbers: the settings are its own, the curves are new."


def exact(settings: Mapping[str, Any], engines: Iterable[str] = ()) -> dict[str, Any]:
    """The parameters of a link that gives the same numbers again, where one engine has computed them all."""
    parameters = {name: value for name, value in settings.items() if name != ENGINE} | {STREAM: str(CURRENT)}
    computed_by = set(engines)
    return parameters | {ENGINE: computed_by.pop()} if len(computed_by) == 1 else parameters


def arrive() -> None:
    """Say, once a visit, if the link means other random numbers; then addresses with settings name today's."""
    parameters = st.query_params.to_dict()
    other = bool(parameters) and parameters.get(STREAM) != str(CURRENT)
    if ARRIVED not in st.session_state:
        st.session_state[ARRIVED] = True
        if other:
            st.toast(NEWER, icon=":material/history:", duration="long")
        if parameters.get(ENGINE) in (FUSED, REFERENCE_ENGINE):
            st.session_state[NAMED] = parameters[ENGINE]
    if other:
        st.query_params[STREAM] = str(CURRENT)


def leave_engine() -> None:
    """This is no longer the race that the link is about."""
    st.session_state.pop(NAMED, None)
    st.query_params.pop(ENGINE, None)


def other_engine(engines: Iterable[str]) -> str:
    """Words on engines at work that are not the one which the link names; nothing where it is that one."""
    named = st.session_state.get(NAMED)
    others = {engine for engine in engines if named and engine != named}
    return f"; the link was made on the {named} engine, whose last digits are others" if others else ""
