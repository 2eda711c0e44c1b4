"""How does a visitor bring a series? As a CSV file, which stays in the memory of the session and nowhere else."""

import secrets
import threading
import time
from typing import Any, NamedTuple

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from lstm_core.borrowed.pages import identity
from lstm_core.language import _
from lstm_core.race.race import LEASE_SECONDS
from lstm_core.tasks.season import found_period
from lstm_core.tasks.series import Series, check_known, register
from lstm_core.tasks.series_file import MOST_BYTES, MOST_ROWS, SeriesFile, column, guessed, opened
from lstm_core.ui.session import SHELF

OWN, OWN_LABEL = "own", _("Your own file")
NO_TIMES = _("none")
MOST_MB = MOST_BYTES // 2**20
# A server that was started anew has no file that was chosen before; the name of one would else still stand there.
CHOSEN = "csv" + secrets.token_hex(4)


class Held(NamedTuple):
    """A series, which lives as long as this does, what was chosen to read it, and what was done to its gaps."""

    choice: tuple[Any, ...]
    series: Series
    report: str


class Shelf:
    """
    What a session holds of its file. It lets go of it some time after its visitor has left, without waiting for
    Python to find out that nobody needs it, unless it was renewed: somebody else may have cleared all caches.
    """

    def __init__(self) -> None:
        self.held: Held | None = None
        self.file: tuple[str, SeriesFile] | None = None
        self._renewed, self._leaving = 0.0, False

    def renew(self) -> None:
        self._renewed = time.monotonic()

    def leave(self) -> None:
        if not self._leaving:
            self._leaving = True
            timer = threading.Timer(LEASE_SECONDS, self._let_go, [self._renewed])
            timer.daemon = True
            timer.start()

    def _let_go(self, renewed: float) -> None:
        self._leaving = False
        if self._renewed == renewed:
            self.held = self.file = None


def _leave(shelves: list[Shelf]) -> None:
    for shelf in shelves:
        shelf.leave()


@st.cache_resource(scope="session", on_release=_leave, show_spinner=False)
def _watched() -> list[Shelf]:
    """The shelf of this visitor."""
    return []


def _shelf() -> Shelf:
    shelf: Shelf = st.session_state.setdefault(SHELF, Shelf())
    _watched()[:] = [shelf]
    shelf.renew()
    return shelf


def stay(name: str) -> None:
    """Say that this visitor still looks at a series; the page reads its file once more if that was let go of."""
    _shelf()
    try:
        check_known(name)
    except ValueError:
        st.rerun()


def own_series() -> str:
    """A file to upload, and columns to choose: the name of the series. ValueError, why, as long as there is none."""
    shelf = _shelf()
    uploaded = st.file_uploader(_("CSV file"), ["csv", "tsv", "txt"], max_upload_size=MOST_MB, key=CHOSEN)
    if uploaded is None:
        shelf.held = shelf.file = None
        st.caption(
            _(
                "The first line names the columns; at most {mb} MB and {rows:,} rows. Your file stays in this session: "
                "no link, no restart keeps it."
            ).format(mb=MOST_MB, rows=MOST_ROWS)
        )
        raise ValueError(_("Choose a file with a series."))
    try:
        held = _read(shelf, identity(uploaded), _opened(shelf, uploaded))
    except ValueError as error:
        shelf.held = None
        raise ValueError(str(error).replace("$", r"\$")) from None
    st.caption(_("{number:,} values. {report}").format(number=len(held.series.values), report=held.report))
    return held.series.name


def _opened(shelf: Shelf, uploaded: UploadedFile) -> SeriesFile:
    """The file, which is gone through once."""
    if shelf.file is None or shelf.file[0] != identity(uploaded):
        shelf.file = None
        shelf.file = identity(uploaded), opened(uploaded.getvalue())
    return shelf.file[1]


def _read(shelf: Shelf, file_id: str, file: SeriesFile) -> Held:
    number, time_column = guessed(file)
    left, middle, right = st.columns(3)
    with left:
        name = st.selectbox(_("Column"), file.names, file.names.index(number), key="column")
    times = [NO_TIMES, *(other for other in file.names if other != name)]
    first = times.index(time_column) if time_column in times else 0
    with middle:
        chosen = st.selectbox(_("Column of times"), times, first, key="times")
    filled = None
    key = f"season {file_id} {name}"
    if key not in st.session_state:
        filled = column(file, name, None if chosen == NO_TIMES else chosen)
        st.session_state[key] = float(found_period(Series(name[:40], filled.values)))
    about = _(
        "Steps after which the series repeats, for the seasonal naive forecast; 0: none. At first, what was found in "
        "the training part."
    )
    with right:
        season = int(st.number_input(_("Season"), 0.0, 10_000.0, step=1.0, format="%.0f", key=key, help=about))
    choice = file_id, name, chosen, season
    held = shelf.held
    if held is None or held.choice != choice:
        filled = filled or column(file, name, None if chosen == NO_TIMES else chosen)
        held = Held(choice, register(Series(name[:40], filled.values, season, filled.times)), filled.report)
        shelf.held = held
    return held
