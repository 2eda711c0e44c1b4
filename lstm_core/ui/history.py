"""How do finished runs come onto a page, and from it? The history, its choice, its files."""

import os
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future
from functools import cache, partial
from typing import Any

import pyarrow as pa
import streamlit as st

from lstm_core.borrowed.pages import secret
from lstm_core.history.database import records, runs
from lstm_core.history.exchange import BadFileError, from_csv, from_parquet, to_csv, to_parquet
from lstm_core.history.opening import PLACE, History, UnavailableError, open_history, readable
from lstm_core.history.records import Record
from lstm_core.history.writer import Writer
from lstm_core.language import _, ngettext
from lstm_core.sweep.scores import differing
from lstm_core.ui.session import LEFT_OUT

SECRET = "history"
MOST_FIELDS, MOST_UPLOAD_MB, MOST_EXPORTED, MOST_NAMED = 8, 5, 10_000, 20
PARQUET, CSV = "application/vnd.apache.parquet", "text/csv"


# A visitor who has asked for runs to be stored waits so long to see them.
PATIENCE_SECONDS = 2.0


@st.cache_resource(show_spinner=False, validate=readable)
def _opened(url: str | None) -> History:
    return open_history(url)


@cache
def _writer(url: str | None) -> Writer:
    return Writer(partial(open_history, url))


def _url() -> str | None:
    """What Streamlit's secrets or the environment name."""
    return secret(SECRET) or os.environ.get(PLACE)


def writer() -> Writer:
    """Whom finished runs are given to, whether there is a history or not."""
    return _writer(_url())


def stored(future: Future[int] | None) -> int | str:
    """The number of new runs among those given to the writer, or what to tell a visitor who has given them."""
    if future is None:
        return _("Too many runs wait for the history. Try it again in a minute.")
    try:
        return future.result(PATIENCE_SECONDS)
    except TimeoutError:
        return _("The history is busy. These runs are stored as soon as it is free.")
    except UnavailableError as error:
        return str(error)


def tell_problem() -> None:
    """That runs are not stored at the moment, if so."""
    if problem := writer().problem:
        st.caption(_("Runs are not stored at the moment: {reason}").format(reason=problem))


def opened() -> History | None:
    """The history; None, and a word about it, where there is none at this visit."""
    try:
        return _opened(_url())
    except UnavailableError as error:
        said = _("There is no history here, so nothing is stored: {reason}. All other pages work without one.")
        st.info(said.format(reason=error))
        return None


def chosen(history: History, left_out: set[str]) -> pa.Table:
    """The runs that the visitor chooses by their fields, of which those are asked that have several values."""
    everything = runs(history, left_out)
    wanted: dict[str, Any] = {}
    fields = list(differing(everything).items())[:MOST_FIELDS]
    places = [place for _ in range(0, len(fields), 4) for place in st.columns(4)]
    for (name, values), column in zip(fields, places, strict=False):
        with column:
            by_text = {str(value): value for value in values}
            picked = st.multiselect(name.replace("_", " "), list(by_text), key=f"choose {name}", placeholder=_("all"))
            if picked:
                wanted[name] = [by_text[one] for one in picked]
    return runs(history, **wanted) if wanted else everything


def tell_left_out(left_out: Collection[str]) -> None:
    """Which runs are damaged, if any are."""
    if left_out:
        said = ngettext("{number:,} damaged run is left out.", "{number:,} damaged runs are left out.", len(left_out))
        st.warning(said.format(number=len(left_out)))
        st.code("\n".join(sorted(left_out)[:MOST_NAMED]), language=None)


def _written(
    history: History, keys: Callable[[], list[str]], write: Callable[[Iterator[Record]], bytes], left_out: set[str]
) -> bytes:
    left_out.clear()
    return write(records(history, keys()[:MOST_EXPORTED], left_out))


def files(history: History, keys: Callable[[], list[str]]) -> None:
    """Export of the chosen runs, import of others'; what the last export has left out is told when a page is drawn."""
    left_out: set[str] = st.session_state.setdefault(LEFT_OUT, set())
    exports = (("Parquet", to_parquet, PARQUET), ("CSV", to_csv, CSV))
    with st.container(horizontal=True):
        for name, write, kind in exports:
            content, file = partial(_written, history, keys, write, left_out), f"runs.{name.lower()}"
            icon = ":material/download:"
            st.download_button(
                _("Chosen runs, {file_type}").format(file_type=name), content, file, kind, icon=icon, on_click="ignore"
            )
    tell_left_out(left_out)
    uploaded = st.file_uploader(_("Add runs from a file"), ["parquet", "csv"], max_upload_size=MOST_UPLOAD_MB)
    if uploaded and st.button(_("Add them")):
        read = from_parquet if uploaded.name.endswith(".parquet") else from_csv
        try:
            new = stored(writer().keep(read(uploaded.getvalue())))
        except BadFileError as error:
            st.error(str(error))
            return
        if isinstance(new, str):
            st.warning(new)
        else:
            said = ngettext("{number:,} new run is in the history.", "{number:,} new runs are in the history.", new)
            st.success(said.format(number=new))
