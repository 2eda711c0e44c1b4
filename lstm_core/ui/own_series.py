"""How does a visitor bring a series? As a CSV file, which stays in the memory of the session and nowhere else."""

from typing import Any, NamedTuple

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from lstm_core.series import Series, register
from lstm_core.series_file import MOST_BYTES, MOST_ROWS, SeriesFile, column, guessed, opened

OWN, OWN_LABEL = "own", "Your own file"
HELD, READ = "own series", "own file"
NO_TIMES = "none"
MOST_MB = MOST_BYTES // 2**20


class Held(NamedTuple):
    """A series, which lives as long as this does, what was chosen to read it, and what was done to its gaps."""

    choice: tuple[Any, ...]
    series: Series
    report: str


def own_series() -> str | None:
    """A file to upload, and columns to choose: the name of the series; None, with a word, until there is one."""
    uploaded = st.file_uploader("CSV file", ["csv", "tsv", "txt"], max_upload_size=MOST_MB, key="csv")
    if uploaded is None:
        for kept in (HELD, READ):
            st.session_state.pop(kept, None)
        st.caption(
            f"The first line names the columns; at most {MOST_MB} MB and {MOST_ROWS:,} rows. The file stays in the "
            "memory of this session and is gone with it: a link to this page does not carry it."
        )
        return None
    try:
        held = _read(uploaded.file_id, _opened(uploaded))
    except ValueError as error:
        st.session_state.pop(HELD, None)
        st.error(str(error).replace("$", r"\$"))
        return None
    st.caption(f"{len(held.series.values):,} values. {held.report}")
    return held.series.name


def _opened(uploaded: UploadedFile) -> SeriesFile:
    """The file, which is gone through once."""
    before: tuple[str, SeriesFile] | None = st.session_state.get(READ)
    if before is None or before[0] != uploaded.file_id:
        st.session_state.pop(READ, None)
        before = st.session_state[READ] = uploaded.file_id, opened(uploaded.getvalue())
    return before[1]


def _read(file_id: str, file: SeriesFile) -> Held:
    number, time = guessed(file)
    name = st.selectbox("Column", file.names, file.names.index(number), key="column")
    times = [NO_TIMES, *(other for other in file.names if other != name)]
    chosen = st.selectbox("Column of times", times, times.index(time) if time in times else 0, key="times")
    about = "Steps after which it repeats, for the seasonal naive forecast; 0: none."
    period = int(st.number_input("Season", 0.0, 10_000.0, 0.0, 1.0, format="%.0f", key="season", help=about))
    choice = file_id, name, chosen, period
    held: Held | None = st.session_state.get(HELD)
    if held is None or held.choice != choice:
        filled = column(file, name, None if chosen == NO_TIMES else chosen)
        held = Held(choice, register(Series(name[:40], filled.values, period, filled.times)), filled.report)
        st.session_state[HELD] = held
    return held
