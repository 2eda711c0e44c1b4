"""Does the page Forecast take a visitor's series, say who wins, and let go of everything with the session?"""

import io
import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from lstm_core import Experiment
from lstm_core.tasks.public import SERIES
from lstm_core.ui import live
from lstm_core.ui.forecasts import WAITING, snippet
from lstm_core.ui.session import SHOWING
from tests.visits import check, open_page, settled, unfolded

QUICK = {"steps": "100", "hidden": "4", "batch": "8", "activations": "tanh"}
WAVE = [math.sin(i / 7) + 0.2 * math.cos(i * i) for i in range(150)]


def upload(visit: AppTest, content: bytes) -> AppTest:
    return check(visit.file_uploader[0].upload("own.csv", content, "text/csv").run())


def experiment(visit: AppTest) -> Experiment:
    one: Experiment = visit.session_state[SHOWING].race.racers[0].experiment
    return one


def texts(visit: AppTest) -> str:
    return "\n".join(element.value for kind in ("markdown", "caption") for element in getattr(visit, kind))


def test_changes_and_logarithms_are_in_the_link_and_scored_in_units_of_the_series(visits: list[AppTest]) -> None:
    said = {"series": "us_employment", "log": "true", "difference": "true", "length": "20", **QUICK}
    visit = settled(open_page(visits, "forecast", **said))
    assert (experiment(visit).log, experiment(visit).difference) == (True, True)
    assert (visit.query_params["log"], visit.query_params["difference"]) == ("true", "true")
    scores = unfolded(visit, "Scores").dataframe[-1].value.set_index("forecast by")["test RMSE"]
    assert 50 < scores["tanh"] < 3 * scores["last value"] < 3000


def test_what_is_measured_as_soon_as_a_page_is_drawn_is_shown_too(
    visits: list[AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    visit = settled(open_page(visits, "forecast", seed="1", **QUICK))
    race = visit.session_state[SHOWING].race
    race.racers[0].run.measured.clear()

    @contextmanager
    def drawn(kind: int) -> Iterator[None]:
        yield
        for job in race.jobs:
            job()

    monkeypatch.setattr(live, "held", drawn)
    assert "** is the best network on validation." in texts(check(visit.run()))


def test_a_finished_race_says_who_wins_and_offers_it_to_take_home(visits: list[AppTest]) -> None:
    visit = open_page(visits, "forecast", **QUICK)
    assert WAITING in texts(visit)
    settled(visit)
    assert "** is the best network on validation." in texts(visit)
    unfolded(visit, "Take it home")
    assert [button.proto.label for button in visit.get("download_button")][-3:] == [
        "All forecasts, CSV",
        "Model, safetensors",
        "Experiment, JSON",
    ]
    (code,) = [block.value for block in visit.code if "lstm_core" in block.value]
    assert code == snippet("tanh.safetensors", "mackey_glass", 30)


def test_the_scores_have_intervals_and_those_that_were_recorded_as_far_ahead(visits: list[AppTest]) -> None:
    visit = settled(open_page(visits, "forecast", **QUICK))
    scores = unfolded(visit, "Scores").dataframe[0].value
    assert list(scores["forecast by"])[-2:] == ["ETS, recorded", "ARIMA, recorded"]
    for rmse, text in zip(scores["test RMSE"], scores["95 % range of the test RMSE"], strict=True):
        low, high = map(float, text.split(" to "))
        assert low < rmse < high
    visit = settled(open_page(visits, "forecast", horizon="2", **QUICK))
    assert list(unfolded(visit, "Scores").dataframe[0].value["forecast by"]) == [
        "tanh",
        "last value",
        "drift",
        "linear autoregression",
    ]


def test_every_series_says_where_it_is_from(visits: list[AppTest]) -> None:
    visit = open_page(visits, "forecast", **QUICK)
    for row in SERIES.values():
        check(visit.selectbox(key="series").set_value(_name(visit, row.label)).run())
        assert row.source in texts(visit)
        assert row.licence in texts(visit)


def _name(visit: AppTest, label: str) -> Any:
    return next(name for name, row in SERIES.items() if row.label == label)


def test_cells_and_gate_sets_race_beside_the_activations(visits: list[AppTest]) -> None:
    visit = open_page(visits, "forecast", cells="GRU", **QUICK)
    assert [racer.experiment.cell for racer in visit.session_state[SHOWING].race.racers] == ["lstm", "gru"]


def test_the_snippet_runs_with_the_core_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lstm_core import train
    from lstm_core.measurements.saved import to_safetensors

    one = Experiment(task="forecast", length=10, hidden=4, steps=3)
    *_, last = train(one, weights_every=3)
    assert last.weights is not None
    (tmp_path / "it.safetensors").write_bytes(to_safetensors(one, last.weights))
    monkeypatch.chdir(tmp_path)
    out = io.StringIO()
    monkeypatch.setattr("sys.stdout", out)
    exec(snippet("it.safetensors", "mackey_glass", 10), {})
    assert len(json.loads(out.getvalue())) == 10
