"""What does every page begin with? Its name, the way to the others, and torch warmed up."""

from dataclasses import dataclass

import pyarrow as pa
import streamlit as st

from lstm_core.borrowed.system import freeze, keep_memory_small, settle_process
from lstm_core.experiment import PRECISIONS, Experiment
from lstm_core.kernels.compilation import build
from lstm_core.kernels.one_thread import settle_thread
from lstm_core.training import train
from lstm_core.ui import address
from lstm_core.ui.session import DEFAULTS, HERE


@dataclass(frozen=True)
class Page:
    """One row of `PAGES`: its name, which is that of its file, its label in the navigation, the question it asks."""

    name: str
    label: str
    icon: str
    question: str

    @property
    def path(self) -> str:
        """Of its file; the first page is the one that Streamlit is started with."""
        return "dashboard.py" if self.name == "dashboard" else f"pages/{self.name}.py"


_ROWS = (
    Page("dashboard", "Race", ":material/sprint:", "How long can a network remember?"),
    Page("activations", "Activations", ":material/ssid_chart:", "Is the activation function to blame?"),
    Page("gradient_flow", "Gradient flow", ":material/water:", "How far back does the gradient reach?"),
    Page("gates", "Gates", ":material/tune:", "What does each gate buy?"),
    Page("concatenation", "Concatenation", ":material/join:", "Is one matrix for [h; x] any different from two?"),
    Page("depth", "Depth", ":material/layers:", "Does it help to wire layers as DenseNet does?"),
    Page("forecast", "Forecast", ":material/query_stats:", "How well do these cells forecast a series?"),
    Page("claims", "Claims", ":material/fact_check:", "Is what the article says true?"),
    Page("sweeps", "Sweeps", ":material/table_chart:", "What holds over many seeds?"),
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


def _leave_other_pages(name: str) -> None:
    """Forget what was set on another page: controls share their keys, and every page opens on its own race."""
    if st.session_state.get(HERE) != name:
        for key in st.session_state.pop(DEFAULTS, {}):
            st.session_state.pop(key, None)
        st.session_state[HERE] = name


def setup(name: str) -> None:
    """Begin the page `name` of `PAGES`: tab title, navigation in the sidebar, and the question as heading."""
    page = PAGES[name]
    _leave_other_pages(name)
    st.set_page_config(page_title=f"{page.label} · Gradient Highway", page_icon=":material/timeline:", layout="wide")
    address.arrive()
    _warm_up()
    with st.sidebar:
        st.markdown("### Gradient Highway")
        for other in PAGES.values():
            st.page_link(other.path, label=other.label, icon=other.icon)
    st.title(page.question)
