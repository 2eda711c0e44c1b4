"""How do finished runs come onto a page, and from it? The history, its choice, its files."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pyarrow as pa
import streamlit as st

from lstm_core.borrowed.pages import secret
from lstm_core.history.database import records, runs, store
from lstm_core.history.exchange import BadFileError, from_csv, from_parquet, to_csv, to_parquet
from lstm_core.history.records import Record
from lstm_core.history.schema import History, UnavailableError, open_history
from lstm_core.language import _, ngettext
from lstm_core.sweep.scores import differing

SECRET = "history"
MOST_FIELDS, MOST_UPLOAD_MB, MOST_EXPORTED = 8, 5, 10_000
PARQUET, CSV = "application/vnd.apache.parquet", "text/csv"


@st.cache_resource(show_spinner=False)
def _opened(url: str | None) -> History | str:
    """The history, or why there is none."""
    try:
        return open_history(url)
    except UnavailableError as error:
        return str(error)


def configured() -> History | str:
    """The history that Streamlit's secrets or the environment name, or why there is none."""
    return _opened(secret(SECRET))


def opened() -> History | None:
    """The history; None, and a word about it, where there is none."""
    history = configured()
    if isinstance(history, str):
        st.info(
            _("There is no history here, so nothing is stored: {reason}. All other pages work without one.").format(
                reason=history
            )
        )
        return None
    return history


def chosen(history: History) -> pa.Table:
    """The runs that the visitor chooses by their fields, of which those are asked that have several values."""
    everything = runs(history)
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


def _written(history: History, keys: Callable[[], list[str]], write: Callable[[Iterator[Record]], bytes]) -> bytes:
    return write(records(history, keys()[:MOST_EXPORTED]))


def files(history: History, keys: Callable[[], list[str]]) -> None:
    """Export of the chosen runs, import of others'."""
    exports = (("Parquet", to_parquet, PARQUET), ("CSV", to_csv, CSV))
    with st.container(horizontal=True):
        for name, write, kind in exports:
            content, file = partial(_written, history, keys, write), f"runs.{name.lower()}"
            icon = ":material/download:"
            st.download_button(
                _("Chosen runs, {file_type}").format(file_type=name), content, file, kind, icon=icon, on_click="ignore"
            )
    uploaded = st.file_uploader(_("Add runs from a file"), ["parquet", "csv"], max_upload_size=MOST_UPLOAD_MB)
    if uploaded and st.button(_("Add them")):
        read = from_parquet if uploaded.name.endswith(".parquet") else from_csv
        try:
            new = store(history, read(uploaded.getvalue()))
        except (BadFileError, UnavailableError) as error:
            st.error(str(error))
        else:
            said = ngettext("{number:,} new run is in the history.", "{number:,} new runs are in the history.", new)
            st.success(said.format(number=new))
