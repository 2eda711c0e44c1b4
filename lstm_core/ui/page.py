"""Which pages are there, and what does each begin with? Its question, before anything heavy is loaded."""

import threading
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path, PurePosixPath

import streamlit as st

from lstm_core.borrowed.system import settle_process
from lstm_core.kernels.compilation import build_pieces
from lstm_core.kernels.piece import FRAME, USUAL
from lstm_core.language import _

ICON = str(Path(__file__).with_name("icon.svg"))


@dataclass(frozen=True)
class Page:
    """
    One row of `PAGES`: its name, which is that of its file, its label in the navigation, the question it asks, and the
    group of pages under which it unfolds; a page without one stands for itself.
    """

    name: str
    label: str
    icon: str
    question: str
    group: str = ""

    @property
    def path(self) -> str:
        """Of its file; the first page is the one that Streamlit is started with."""
        return "dashboard.py" if self.name == "dashboard" else str(PurePosixPath("pages") / f"{self.name}.py")


_WHY, _STRUCTURE, _EVIDENCE = _("Why"), _("Structure"), _("Evidence")
_ROWS = (
    Page("dashboard", _("Race"), ":material/sprint:", _("How long can a network remember?")),
    Page("activations", _("Activations"), ":material/ssid_chart:", _("Is the activation function to blame?"), _WHY),
    Page("gradient_flow", _("Gradient flow"), ":material/water:", _("How far back does the gradient reach?"), _WHY),
    Page("gates", _("Gates"), ":material/tune:", _("What does each gate buy?"), _STRUCTURE),
    Page(
        "concatenation",
        _("Concatenation"),
        ":material/join:",
        _("Is one matrix for [h; x] different from two?"),
        _STRUCTURE,
    ),
    Page("depth", _("Depth"), ":material/layers:", _("Does it help to wire layers as DenseNet does?"), _STRUCTURE),
    Page("highways", _("Other highways"), ":material/alt_route:", _("What came after the LSTM?"), _STRUCTURE),
    Page(
        "forecast", _("Forecast"), ":material/query_stats:", _("How well do these cells forecast a series?"), _EVIDENCE
    ),
    Page("claims", _("Claims"), ":material/fact_check:", _("Is what the article says true?"), _EVIDENCE),
    Page("sweeps", _("Sweeps"), ":material/table_chart:", _("What holds over many seeds?"), _EVIDENCE),
)

PAGES = {row.name: row for row in _ROWS}


def begin(name: str) -> None:
    """
    Begin a run of the page `name` of `PAGES`, before it imports what it needs. The first visitor of a process sees the
    question while torch is loaded, and so do those who come meanwhile: what all pages import is imported once, by one
    of them, while the first kernels are compiled beside.
    """
    page = PAGES[name]
    st.set_page_config(page_title=_("{page} · Gradient Highway").format(page=page.label), page_icon=ICON, layout="wide")
    cold = not _loaded.is_set()
    if cold:
        st.title(page.question, anchor=False)
        st.caption(_("The laboratory is being prepared, once for everybody: a few seconds."))
    _load()
    if cold:
        st.rerun()


_loaded = threading.Event()


@st.cache_resource(show_spinner=False)
def _load() -> None:
    settle_process()
    build_pieces("float32", (*FRAME, *USUAL), first=True)
    import_module("lstm_core.ui.loaded").warm_up()
    _loaded.set()
