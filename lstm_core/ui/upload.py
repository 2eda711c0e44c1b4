"""How does a visitor bring a series? As a file, which stays in the memory of the session and nowhere else."""

import math
import secrets
import threading
import time
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.uploaded_file_manager import UploadedFile

from lstm_core.borrowed.arrow import of_rows
from lstm_core.borrowed.pages import identity
from lstm_core.borrowed.system import give_back_memory
from lstm_core.language import _
from lstm_core.race.race import LEASE_SECONDS
from lstm_core.reading.column import Choices, Column, column, guessed, of_numbers, shape
from lstm_core.reading.numbers import AmbiguousError, Doubt
from lstm_core.reading.table import MOST_BYTES, MOST_ROWS, Table, opened
from lstm_core.tasks.season import found_period
from lstm_core.tasks.series import FILLED, LEFT_OUT, MOST_BESIDE, Beside, Series, check_known, register
from lstm_core.ui.session import SHELF

OWN, OWN_LABEL = "own", _("Your own file")
NONE = _("none")
MOST_MB = MOST_BYTES // 2**20
# A server that was started anew has no file that was chosen before; the name of one would else still stand there.
CHOSEN = "csv" + secrets.token_hex(4)
# What is asked where a file can be read in two ways.
DOUBTS = {"decimal": _("Which number is meant?"), "dates": _("Which day is meant?")}


GAP_WORDS = {FILLED: _("Repeat the value before"), LEFT_OUT: _("Skip windows with gaps")}


class File(NamedTuple):
    """
    What is to be known of a file that is chosen: its columns, those of numbers, the two that are offered first, how it
    was read.
    """

    id: str
    names: tuple[str, ...]
    numbers: tuple[str, ...]
    first: tuple[str, str | None]
    shape: str


class Place(NamedTuple):
    """Where in which file a series stands: in a column, at times of another or `NONE`."""

    file: str
    name: str
    times: str


class Read(NamedTuple):
    """A column that was read, with others beside it, what was said of numbers and times, and what had to be asked."""

    place: Place
    beside: tuple[str, ...]
    said: tuple[tuple[str, str], ...]
    column: Column
    asked: tuple[Doubt, ...]


class Shelf:
    """
    What a session holds of its file. It lets go of it some time after its visitor has left, without waiting for
    Python to find out that nobody needs it, unless it was renewed: somebody else may have cleared all caches.
    """

    def __init__(self) -> None:
        self.file: File | None = None
        self.read: Read | None = None
        self.series: Series | None = None
        self.made: tuple[Any, ...] = ()
        # Whether the page was left since, which no browser's upload survives.
        self.kept = False
        self._renewed = 0.0

    def renew(self) -> None:
        self._renewed = time.monotonic()

    def leave(self) -> None:
        timer = threading.Timer(LEASE_SECONDS, self._let_go, [self._renewed])
        timer.daemon = True
        timer.start()

    def _let_go(self, renewed: float) -> None:
        if self._renewed == renewed:
            self.empty()

    def empty(self) -> None:
        self.file = self.read = self.series = None
        self.kept = False


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


def own_series(further: DeltaGenerator) -> str:
    """
    A file to upload, and columns to choose, those beside the series among what is `further` set: the name of the
    series. ValueError, why, as long as there is none.
    """
    shelf = _shelf()
    shelf.kept |= CHOSEN not in st.session_state and shelf.series is not None
    uploaded = st.file_uploader(
        _("CSV or Parquet file"), ["csv", "tsv", "txt", "parquet"], max_upload_size=MOST_MB, key=CHOSEN
    )
    if uploaded is None and shelf.kept and shelf.series:
        said = _("Your series from before: {name}, {number:,} values.")
        st.caption(said.format(name=_plain(shelf.series.label), number=len(shelf.series.values)))
        st.button(_("Let go of it"), on_click=shelf.empty, key="let go")
        return shelf.series.name
    if uploaded is None:
        shelf.empty()
        st.caption(
            _(
                "The first line names the columns; at most {mb} MB and {rows:,} rows. Your file stays in this session: "
                "no link, no restart keeps it."
            ).format(mb=MOST_MB, rows=MOST_ROWS)
        )
        raise ValueError(_("Choose a file with a series."))
    shelf.kept = False
    try:
        return _series(shelf, uploaded, further).name
    except ValueError as error:
        shelf.series = None
        raise ValueError(_plain(str(error))) from None


def _plain(text: str) -> str:
    """Of a file, as Markdown shows it and does not read it."""
    return text.replace("$", r"\$")


def _series(shelf: Shelf, uploaded: UploadedFile, further: DeltaGenerator) -> Series:
    table = cache(lambda: opened(uploaded.getvalue()))
    file = shelf.file
    if file is None or file.id != identity(uploaded):
        shelf.empty()
        file = shelf.file = _file(identity(uploaded), table())
    left, middle, right = st.columns(3)
    with left:
        name = st.selectbox(_("Column"), file.names, file.names.index(file.first[0]), key="column")
    others = [NONE, *(other for other in file.names if other != name)]
    first = others.index(file.first[1]) if file.first[1] in others else 0
    with middle:
        chosen = st.selectbox(_("Column of times"), others, first, key="times")
    place = Place(file.id, name, chosen)
    with further:
        beside = _beside(file, place)
    read = _read(shelf, table, place, beside)
    with right:
        season = _season(read)
    made = read.place, read.beside, read.said, season, _gaps() if read.column.known else FILLED
    if shelf.series is None or shelf.made != made:
        values, known, times = read.column.values, read.column.known, read.column.times
        others_read = tuple(map(Beside, beside, read.column.beside))
        shelf.series = register(Series(name[:40], values, season, times, known, made[-1], others_read))
        shelf.made = made
        give_back_memory()
    said = _("{number:,} values. {shape} {report}")
    st.caption(said.format(number=len(read.column.values), shape=file.shape, report=read.column.report))
    _show(read.column)
    return shelf.series


def _file(identity: str, table: Table) -> File:
    return File(identity, table.names, of_numbers(table), guessed(table), shape(table))


def _beside(file: File, place: Place) -> tuple[str, ...]:
    """The columns that stand beside the series; nothing is drawn where there is none to choose."""
    names = [name for name in file.numbers if name not in place]
    if not names:
        return ()
    about = _("Further columns that the networks see, up to the end of each window; the simple forecasts do not.")
    chosen: list[str] = st.multiselect(
        _("Columns beside the series"),
        names,
        max_selections=MOST_BESIDE,
        placeholder=NONE,
        key=f"beside {place}",
        help=about,
    )
    return tuple(name for name in names if name in chosen)


def _season(read: Read) -> int:
    key = f"season {read.place} {read.said}"
    if key not in st.session_state:
        column = read.column
        st.session_state[key] = float(found_period(Series(read.place.name[:40], column.values, known=column.known)))
    about = _(
        "Steps after which the series repeats, for the seasonal naive forecast; 0: none. At first, what was found in "
        "the training part."
    )
    return int(st.number_input(_("Season"), 0.0, float(MOST_ROWS), step=1.0, format="%.0f", key=key, help=about))


def _gaps() -> str:
    about = _("What is missing is never forecast and counts in no score.")
    chosen: str | None = st.segmented_control(
        _("Gaps"), list(GAP_WORDS), default=FILLED, format_func=GAP_WORDS.__getitem__, key="gaps", help=about
    )
    return chosen or FILLED


def _read(shelf: Shelf, table: Callable[[], Table], place: Place, beside: tuple[str, ...]) -> Read:
    """The column at a place, and those beside it. What can be read in two ways is asked."""
    read = shelf.read
    asked = read.asked if read and read.place == place else ()
    answers = {doubt.option: _answer(doubt, place) for doubt in asked}
    while read is None or read[:3] != (place, beside, (*answers.items(),)):
        time = None if place.times == NONE else place.times
        try:
            found = column(table(), place.name, time, Choices(**answers), beside)
        except AmbiguousError as error:
            asked = (*asked, error.doubt)
            answers[error.doubt.option] = _answer(error.doubt, place)
        else:
            read = shelf.read = Read(place, beside, (*answers.items(),), found, asked)
    return read


def _answer(doubt: Doubt, place: Place) -> str:
    """What a visitor says of this place alone; ValueError as long as he has not."""
    shows, key = doubt.choices.__getitem__, f"{doubt.option} {place}"
    chosen = st.radio(DOUBTS[doubt.option], list(doubt.choices), None, format_func=shows, key=key)
    if chosen is None:
        raise ValueError(_("Say which reading of your file is right."))
    return chosen


def _show(read: Column) -> None:
    """The first and the last rows, so that a wrong reading is seen."""
    names = [_("time"), _("in the file"), _("read as")]
    rows = [(stamp, cell, "" if math.isnan(value) else f"{value:.12g}") for _row, stamp, cell, value in read.rows]
    st.dataframe(of_rows(rows, names), hide_index=True, row_height=24, height=180, key="read")
