"""What does every page begin with? Its name, the way to the others, and torch warmed up."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pyarrow as pa
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lstm_core.borrowed.system import freeze, keep_memory_small, settle_process
from lstm_core.experiment import PRECISIONS, Experiment
from lstm_core.kernels.compilation import build
from lstm_core.kernels.one_thread import settle_thread
from lstm_core.language import _
from lstm_core.training import train
from lstm_core.ui import address
from lstm_core.ui.room import embedded

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
    Page(
        "forecast", _("Forecast"), ":material/query_stats:", _("How well do these cells forecast a series?"), _EVIDENCE
    ),
    Page("claims", _("Claims"), ":material/fact_check:", _("Is what the article says true?"), _EVIDENCE),
    Page("sweeps", _("Sweeps"), ":material/table_chart:", _("What holds over many seeds?"), _EVIDENCE),
)

PAGES = {row.name: row for row in _ROWS}


@st.cache_resource(show_spinner=False)
def _warm_up() -> None:
    """
    The first training loads the rest of torch, and what is loaded by then need not be collected again.
    Kernels are compiled, or loaded, in the background.
    """
    settle_process()
    settle_thread()
    list(train(Experiment(length=2, steps=2, engine="reference")))
    freeze()
    keep_memory_small()
    # A thread for each visitor's page would otherwise keep freed memory of its own, and so would the tables.
    pa.set_memory_pool(pa.system_memory_pool())
    for precision in PRECISIONS:
        build(precision)


def _navigation(here: Page) -> DeltaGenerator:
    """The way to the other pages, in one line, whose right end is free."""
    groups: dict[str, list[Page]] = {}
    for page in PAGES.values():
        groups.setdefault(page.group or page.label, []).append(page)
    line = st.container(horizontal=True, vertical_alignment="center", gap="xsmall")
    with line:
        for name, pages in () if embedded() else groups.items():
            if pages[0].group:
                # By another key on every page, or it would stay open after a choice.
                with st.popover(
                    f"**{name}**" if here in pages else name, type="tertiary", key=f"from {here.name} to {name}"
                ):
                    for page in pages:
                        st.page_link(page.path, label=page.label, icon=page.icon, help=page.question)
            else:
                st.page_link(pages[0].path, label=pages[0].label)
        st.space("stretch")
    return line


def setup(name: str) -> DeltaGenerator:
    """Begin the page `name` of `PAGES`, with the way to the others; the place for its icons."""
    page = PAGES[name]
    st.set_page_config(page_title=_("{page} · Gradient Highway").format(page=page.label), page_icon=ICON, layout="wide")
    address.arrive(name)
    _warm_up()
    return _navigation(page)
