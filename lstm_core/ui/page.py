"""What does every page begin with? Its name, the way to the others, and torch warmed up."""

from dataclasses import dataclass

import pyarrow as pa
import streamlit as st

from lstm_core.borrowed.system import freeze, keep_memory_small, settle_process
from lstm_core.experiment import PRECISIONS, Experiment
from lstm_core.kernels.compilation import build
from lstm_core.training import train
from lstm_core.ui import address
from lstm_core.ui.session import DEFAULTS, HERE


@dataclass(frozen=True)
class Page:
    """One row of `PAGES`: the file, the name in the navigation, the question that the page asks."""

    path: str
    label: str
    icon: str
    question: str


PAGES = {
    "dashboard": Page("dashboard.py", "Race", ":material/sprint:", "How long can a network remember?"),
    "activations": Page(
        "pages/activations.py",
        "Activations",
        ":material/ssid_chart:",
        "Is the activation function to blame?",
    ),
    "gradient_flow": Page(
        "pages/gradient_flow.py", "Gradient flow", ":material/water:", "How far back does the gradient reach?"
    ),
    "gates": Page("pages/gates.py", "Gates", ":material/tune:", "What does each gate buy?"),
    "concatenation": Page(
        "pages/concatenation.py", "Concatenation", ":material/join:", "Is one matrix for [h; x] any different from two?"
    ),
    "depth": Page("pages/depth.py", "Depth", ":material/layers:", "Does it help to wire layers as DenseNet does?"),
    "forecast": Page(
        "pages/forecast.py", "Forecast", ":material/query_stats:", "How well do these cells forecast a series?"
    ),
    "claims": Page("pages/claims.py", "Claims", ":material/fact_check:", "Is what the article says true?"),
    "sweeps": Page("pages/sweeps.py", "Sweeps", ":material/table_chart:", "What holds over many seeds?"),
}


@st.cache_resource(show_spinner=False)
def _warm_up() -> None:
    """
    The first training loads the rest of torch, and what is loaded by then need not be collected again.
    Kernels are compiled, or loaded, in the background.
    """
    settle_process()
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
