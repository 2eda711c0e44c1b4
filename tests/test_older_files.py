"""
Do histories, files of runs, models, snippets and links that an earlier version has made still open?

The files in `old` were made by version 0.1.0, when a seed gave other random numbers and experiments told no stream.
"""

import dataclasses
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import streamlit as st
from streamlit.testing.v1 import AppTest

from lstm_core.experiment import Experiment
from lstm_core.history.database import curves, outcomes, records, runs, store, weights
from lstm_core.history.exchange import from_csv, from_parquet
from lstm_core.history.opening import PLACE, History, open_history
from lstm_core.history.records import Record
from lstm_core.measurements.saved import load
from lstm_core.streams import CURRENT
from lstm_core.sweep.scores import ranked
from lstm_core.sweep.sweep import plan, train_one
from lstm_core.ui import address
from lstm_core.ui.forecasts import snippet
from lstm_core.ui.session import SHOWING
from tests.visits import check, open_page

OLD = Path(__file__).parent / "old"
EXPECTED: dict[str, Any] = json.loads((OLD / "told.json").read_text())


@pytest.fixture
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[History]:
    shutil.copy(OLD / "history.db", tmp_path / "history.sqlite")
    monkeypatch.setenv(PLACE, f"sqlite:///{tmp_path}/history.sqlite")
    opened = open_history()
    yield opened
    st.cache_resource.clear()
    opened.dispose()


def as_expected(kept: list[Record]) -> bool:
    losses = {record.experiment.key: str(record.final_mean_loss) for record in kept}
    return losses == dict(zip(EXPECTED["keys"], EXPECTED["final_mean_loss"], strict=True))


def test_experiments_of_that_time_keep_their_keys() -> None:
    experiments = [Experiment.from_json(text) for text in EXPECTED["experiments"]]
    assert [experiment.key for experiment in experiments] == EXPECTED["keys"]
    assert {experiment.stream for experiment in experiments} == {1}
    assert [experiment.to_json() for experiment in experiments] == EXPECTED["experiments"]


def test_a_history_of_that_time_has_all_its_runs_curves_and_weights(history: History) -> None:
    assert as_expected(list(records(history)))
    assert set(runs(history).column("stream").to_pylist()) == {1}
    assert len(runs(history, stream=1)) == len(EXPECTED["keys"])
    assert len(curves(history, EXPECTED["keys"])) == len(EXPECTED["keys"])
    assert len(weights(history, EXPECTED["keys"])) == 1


def test_a_history_of_that_time_becomes_the_same_as_a_new_one(history: History, tmp_path: Path) -> None:
    new = open_history(f"sqlite:///{tmp_path}/new.sqlite")
    columns = [{(one["name"], str(one["type"])) for one in sa.inspect(h).get_columns("runs")} for h in (history, new)]
    new.dispose()
    assert columns[0] == columns[1]


def test_old_and_new_runs_of_the_same_settings_are_never_one_setting(history: History) -> None:
    (old,) = records(history, EXPECTED["keys"][:1])
    new = dataclasses.replace(old.experiment, stream=CURRENT)
    assert plan([new], outcomes(history)).left == [new]
    store(history, [train_one(new)])
    settings = ranked(runs(history, cell="rnn", task="adding"))
    assert sorted((setting.fields["stream"], len(setting.keys)) for setting in settings) == [(1, 2), (2, 1)]


@pytest.mark.parametrize(
    ("file", "read"), [("runs.parquet", from_parquet), ("runs.csv", from_csv)], ids=["Parquet", "CSV"]
)
def test_files_of_runs_of_that_time_are_read(file: str, read: Any) -> None:
    assert as_expected(read((OLD / file).read_bytes()))


def test_a_model_of_that_time_forecasts_what_it_did() -> None:
    expected, forecaster = EXPECTED["forecaster"], load(OLD / "forecaster.safetensors")
    assert forecaster(expected["values"], expected["steps"]) == pytest.approx(expected["forecast"], rel=1e-6)
    assert forecaster.experiment.stream == 1


def test_a_downloaded_snippet_of_that_time_runs(capsys: pytest.CaptureFixture[str]) -> None:
    script = snippet(str(OLD / "forecaster.safetensors"), "mackey_glass", 11)
    assert "from lstm_core.saved import load" in script
    exec(script, {})
    assert len(json.loads(capsys.readouterr().out)) == 10


def test_a_link_of_that_time_races_with_new_numbers_and_says_so(visits: list[AppTest]) -> None:
    visit = open_page(visits, "gates", length="100", seed="3")
    assert f"{address.LINK} {address.NEWER}" in [text.value for text in visit.caption]
    racers = dict(visit.session_state[SHOWING].experiments)
    assert {(one.length, one.seed, one.stream) for one in racers.values()} == {(100, 3, CURRENT)}
    check(visit.run())
    assert visit.query_params["stream"] == str(CURRENT)


@pytest.mark.parametrize("link", [{}, {"length": "100", "stream": str(CURRENT)}], ids=["bare", "new"])
def test_an_address_of_today_says_nothing_of_other_numbers(link: dict[str, str], visits: list[AppTest]) -> None:
    visit = open_page(visits, "gates", **link)
    assert not any(text.value.startswith(address.LINK) for text in visit.caption)
    assert dict(visit.query_params) == link


def test_an_old_run_is_looked_at_and_its_settings_race_with_new_numbers(
    history: History, visits: list[AppTest]
) -> None:
    visit = open_page(visits, "sweeps", run=EXPECTED["keys"][0], stream=str(CURRENT))
    assert "random numbers of an earlier version" in visit.info[0].value
    ((_, racer),) = visit.session_state[SHOWING].experiments
    assert racer == dataclasses.replace(Experiment.from_json(EXPECTED["experiments"][0]), stream=CURRENT)
