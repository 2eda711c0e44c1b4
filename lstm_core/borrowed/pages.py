"""What does Streamlit know that its documentation does not say? Whether there are secrets; which upload is which."""

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile


def secret(name: str) -> str | None:
    """
    A secret of this app, None where it has none of that name, or none at all. Asked in the documented way, a missing
    file of secrets is an error, which Streamlit draws on the page; `load_if_toml_exists` asks without one.
    """
    return st.secrets.get(name) if st.secrets.load_if_toml_exists() else None


def identity(uploaded: UploadedFile) -> str:
    """Equal for equal uploads alone: not by name and size, which a second file may share, but by `file_id`."""
    return uploaded.file_id
