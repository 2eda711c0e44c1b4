"""
What do all pages need, and is loaded once, by the first visitor of a process? A library that one visitor's thread is
still importing is found half made by others.
"""

import sqlite3  # noqa: F401

import altair  # noqa: F401
import pyarrow as pa
import pyarrow.compute
from scipy import special  # noqa: F401
from streamlit import material_icon_names  # noqa: F401

from lstm_core.borrowed.pages import let_visitors_leave
from lstm_core.borrowed.system import freeze, keep_memory_small
from lstm_core.charts import bands  # noqa: F401
from lstm_core.experiment import PRECISIONS, Experiment
from lstm_core.kernels.one_thread import settle_thread
from lstm_core.kernels.pieces import build
from lstm_core.training.train import train
from lstm_core.ui import claims, forecasts, history, live, outcome, small_grid, stage, texts, untrained, upload  # noqa: F401


def warm_up() -> None:
    """
    The first training loads the rest of torch, and what is loaded by then need not be collected again.
    Kernels are compiled, or loaded, in the background.
    """
    settle_thread()
    let_visitors_leave()
    list(train(Experiment(length=2, steps=2, engine="reference")))
    freeze()
    keep_memory_small()
    # A thread for each visitor's page would otherwise keep freed memory of its own, and so would the tables.
    pa.set_memory_pool(pa.system_memory_pool())
    for precision in PRECISIONS:
        build(precision)
