"""
What does Streamlit do that its documentation does not say? It knows whether there are secrets, and which upload is
which; a fragment may be left behind by a run of the page that was stopped; and a visitor who leaves may be an error.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st
from streamlit.errors import StreamlitInvalidLayoutContextError
from streamlit.runtime.uploaded_file_manager import UploadedFile


def secret(name: str) -> str | None:
    """
    A secret of this app as text, None where it has none of that name, or none at all. Asked in the documented way, a
    missing file of secrets is an error, which Streamlit draws on the page; `load_if_toml_exists` asks without one.
    """
    found = st.secrets.get(name) if st.secrets.load_if_toml_exists() else None
    return None if found is None else str(found)


@contextmanager
def anew_if_left_behind() -> Iterator[None]:
    """
    For a fragment that draws into places outside it. Two runs of a page may go side by side, one of which is told to
    stop; on a busy server it may do so after it has replaced the other's fragment by its own, whose places are gone.
    Then the whole page is drawn anew.
    """
    try:
        yield
    except StreamlitInvalidLayoutContextError:
        st.rerun()


def identity(uploaded: UploadedFile) -> str:
    """Equal for equal uploads alone: not by name and size, which a second file may share, but by `file_id`."""
    return uploaded.file_id


def let_visitors_leave() -> None:
    """
    Whoever leaves while something is on its way to them is no error. Streamlit then waits for their next message on a
    socket that starlette knows to be closed, and uvicorn's log has a traceback of it.
    """
    logging.getLogger("uvicorn.error").addFilter(_is_an_error)


def _is_an_error(record: logging.LogRecord) -> bool:
    return record.exc_info is None or type(record.exc_info[1]).__module__ != "starlette.websockets"
