"""What all tests share: one thread, as in the laboratory itself, kernels that are ready, a history, visits to pages."""

import os
import tempfile
from collections.abc import Iterator

import pytest
import streamlit as st
import torch
from streamlit.testing.v1 import AppTest

from lstm_core import engine
from lstm_core.borrowed.system import settle_process
from lstm_core.ui.session import SHOWING

settle_process()
torch.set_num_threads(1)
_folder = tempfile.TemporaryDirectory(prefix="history")
os.environ["GRADIENT_HIGHWAY_HISTORY"] = f"sqlite:///{_folder.name}/history.sqlite"
for dtype in (torch.float32, torch.float64):
    engine.resolve(engine.FUSED, dtype)


@pytest.fixture(autouse=True)
def _denormal_numbers() -> None:
    """Whatever a test before has set: only those are flushed to zero that a training has in its hands."""
    torch.set_flush_denormal(False)


@pytest.fixture
def visits() -> Iterator[list[AppTest]]:
    """Those of a test; their races stop with it."""
    opened: list[AppTest] = []
    yield opened
    for visit in opened:
        if SHOWING in visit.session_state:
            visit.session_state[SHOWING].race.pause()
    st.cache_resource.clear()
