"""What all tests share: one thread, as in the laboratory itself, kernels that are ready, a history, visits to pages."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
import streamlit as st
import torch
from streamlit.testing.v1 import AppTest
from xdist import get_xdist_worker_id, is_xdist_controller

from lstm_core.borrowed.system import settle_process
from lstm_core.history import opening
from lstm_core.kernels.compilation import PRECISIONS
from lstm_core.kernels.pieces import build
from lstm_core.race import runs
from lstm_core.ui import showing
from lstm_core.ui.session import SHOWING
from tests.postgres import missing, postgres

settle_process()
torch.set_num_threads(1)
_folder = tempfile.TemporaryDirectory(prefix="history")
os.environ["GRADIENT_HIGHWAY_HISTORY"] = f"sqlite:///{_folder.name}/history.sqlite"

# Files whose tests open pages, start processes or servers, or train for long: more than a minute, all together.
SLOW = {
    "test_additions",
    "test_archive",
    "test_calibration",
    "test_claims",
    "test_claims_page",
    "test_command_line",
    "test_copies",
    "test_crowd",
    "test_damaged",
    "test_derivatives",
    "test_exchange",
    "test_facts",
    "test_first_view",
    "test_guesses",
    "test_forecast",
    "test_forecast_page",
    "test_own_file_page",
    "test_fused_autograd",
    "test_history",
    "test_history_choice",
    "test_history_opening",
    "test_hooks",
    "test_hosts",
    "test_installation",
    "test_leases",
    "test_links",
    "test_live_pages",
    "test_numbers",
    "test_optimizers",
    "test_pages",
    "test_process",
    "test_script",
    "test_seeds_and_pins",
    "test_stage",
    "test_starts",
    "test_streams",
    "test_structure",
    "test_sweep",
    "test_sweep_faults",
    "test_sweeps_page",
    "test_transforms",
    "test_verdicts",
}


def pytest_sessionstart(session: pytest.Session) -> None:
    """Where nothing is compiled yet, each of two workers compiles the kernels of one precision, and loads the other."""
    if is_xdist_controller(session):
        return
    for precision in PRECISIONS if get_xdist_worker_id(session) != "gw1" else reversed(PRECISIONS):
        with Path(tempfile.gettempdir(), f"{precision}-kernels-{os.getuid()}").open("w") as place:
            fcntl.flock(place, fcntl.LOCK_EX)
            build(precision).done.result()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.stem in SLOW:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(autouse=True)
def _denormal_numbers() -> None:
    """Whatever a test before has set: only those are flushed to zero that a training has in its hands."""
    torch.set_flush_denormal(False)


@pytest.fixture
def visits(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[AppTest]]:
    """Those of a test; their races begin at once, and stop with it."""
    monkeypatch.setattr(showing, "FIRST_SECONDS", 0)
    opened: list[AppTest] = []
    yield opened
    for visit in opened:
        if SHOWING in visit.session_state:
            visit.session_state[SHOWING].race.stop()
    st.cache_resource.clear()


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    with postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of a database with nothing in it."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/history.sqlite"
    if reason := missing():
        pytest.skip(reason)
    server: str = request.getfixturevalue("server")
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        name = f"h{abs(hash(str(tmp_path)))}"
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return f"{server}{name}"


@pytest.fixture
def kept(url: str) -> Iterator[opening.History]:
    """An open history with nothing in it."""
    opened = opening.open_history(url)
    yield opened
    opened.dispose()


@pytest.fixture
def nobody_trained_anything_before() -> Iterator[None]:
    """Nor will it have been for the next one."""
    yield
    runs._kept.clear()
    runs._known.clear()
