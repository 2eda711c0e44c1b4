"""Who measures and trains for a page? The race's threads, and never the page's own."""

import itertools
import threading
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
import torch
from streamlit.testing.v1 import AppTest

from lstm_core.charts.catalogue import CHARTS
from lstm_core.charts.needs import measured
from lstm_core.measurements import forecast
from lstm_core.measurements.checkpoints import Checkpoint
from lstm_core.training import train
from lstm_core.ui import claims
from lstm_core.ui.session import SHOWING
from lstm_core.ui.showing import curves_of
from tests.test_pages import drawn
from tests.visits import check, open_page, settled

# Whoever trains, differentiates or runs a trained network comes by one of these.
WORK: list[tuple[Any, str]] = [
    (train, "_train"),
    (torch.autograd, "backward"),
    (torch.autograd, "grad"),
    (torch.func, "vjp"),
    (Checkpoint, "network"),
    (forecast, "from_truth"),
]
SECTIONS = [
    ("dashboard", {}),
    ("activations", {}),
    ("gradient_flow", {"section": "How far back?"}),
    ("gradient_flow", {"section": "Norm or eigenvalue?"}),
    ("gradient_flow", {"section": "The highway"}),
    ("gradient_flow", {"section": "Memory ruler"}),
    ("gradient_flow", {"section": "Transform or add?"}),
    ("gradient_flow", {"section": "Clipping"}),
    ("gates", {}),
    ("concatenation", {}),
    ("depth", {"look": "Dense in time"}),
    ("depth", {}),
    ("forecast", {}),
    ("claims", {"claim": "A10"}),
    ("claims", {"claim": "A13"}),
    ("sweeps", {}),
]


# Nobody else has trained these.
SEEDS = map(str, itertools.count(100))


def noting(work: Callable[..., Any], name: str, by: dict[str, set[str]]) -> Callable[..., Any]:
    def noted(*arguments: Any, **options: Any) -> Any:
        by[threading.current_thread().name].add(name)
        return work(*arguments, **options)

    return noted


@pytest.fixture
def workers(visits: list[AppTest], monkeypatch: pytest.MonkeyPatch) -> dict[str, set[str]]:
    """From the second visit on: which threads do what."""
    open_page(visits, "sweeps")
    by: dict[str, set[str]] = defaultdict(set)
    for place, name in WORK:
        monkeypatch.setattr(place, name, noting(getattr(place, name), name, by))
    return by


@pytest.mark.parametrize(("page", "address"), SECTIONS, ids=str)
def test_a_page_never_trains_measures_or_differentiates(
    page: str,
    address: dict[str, str],
    visits: list[AppTest],
    workers: dict[str, set[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(claims, "LOOK", 1)
    small = {} if page in ("claims", "sweeps") else {"steps": "20", "seed": next(SEEDS), "hidden": "8"}
    settled(open_page(visits, page, **address, **small))
    assert set(workers) == ({"races"} if page != "sweeps" else set())


@pytest.mark.parametrize("step", [1, 30, 60])
def test_a_look_back_is_measured_and_drawn(step: int, visits: list[AppTest]) -> None:
    visit = open_page(visits, "gradient_flow", section="The highway", steps="60", seed="32", length="20")
    contest = visit.session_state[SHOWING].race
    settled(visit)
    check(visit.slider(key="moment").set_value(step).run())
    settled(visit)
    for name in ("highway", "state_growth"):
        then = measured([curve.at(step) for curve in curves_of(contest)], CHARTS[name].needs)
        pd.testing.assert_frame_equal(drawn(visit, name), CHARTS[name].table(then).to_pandas())
    assert not any("measuring" in text.value for text in visit.markdown)
