"""Does the page Sweeps show the runs of the history, all of them and no others?"""

import dataclasses
import re
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import streamlit as st
from hypothesis import HealthCheck, given, settings, strategies
from streamlit.testing.v1 import AppTest

from lstm_core import Experiment
from lstm_core.history.database import runs, store
from lstm_core.history.opening import PLACE, History, open_history
from lstm_core.history.records import failed, record_of
from lstm_core.race.race import Race
from lstm_core.race.runs import Run
from lstm_core.sweep.grid import read_grid
from lstm_core.ui.page import PAGES
from lstm_core.ui.session import SHOWING, TEXT, UNDER_WAY
from lstm_core.ui.small_grid import GRID as GREFF
from tests.histories import locked
from tests.visits import ROOT, check, written

SMALL = Experiment(length=4, hidden=4, batch=4, steps=30, cell="rnn")
GRID = """
[base]
length = 4
hidden = 4
steps = 20
[grid]
seeds = 2
cell = ["rnn", "gru"]
"""


def trained(experiment: Experiment) -> Run:
    run = Run(experiment)
    while not run.ended:
        run.advance()
    return run


STORED = [
    record_of(trained(dataclasses.replace(SMALL, cell=cell, seed=seed))) for cell in ("rnn", "gru") for seed in range(3)
]


@pytest.fixture
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[History]:
    monkeypatch.setenv(PLACE, f"sqlite:///{tmp_path}/history.sqlite")
    opened = open_history()
    yield opened
    st.cache_resource.clear()
    opened.dispose()


def visit(**address: str) -> AppTest:
    page = AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=60)
    page.query_params.update(address)
    return check(page.switch_page(PAGES["sweeps"].path).run())


def rows(page: AppTest) -> list[tuple[str, str]]:
    """Setting and share solved of every row of the ranking."""
    table = page.dataframe[0].value
    return list(zip(table["setting"], table["solved"], strict=True))


def test_an_empty_history_says_how_to_fill_it(history: History) -> None:
    page = visit()
    assert [shown.value for shown in page.header] == ["0 runs"]
    assert "Greff" in page.info[0].value
    assert any("sweeps/greff.toml" in shown.value for shown in page.markdown)


def test_an_empty_history_is_filled_with_the_runs_of_the_sample_by_one_click(history: History) -> None:
    page = visit()
    check(page.button(key="sample").click().run())
    asked = {one.key for group in read_grid(GREFF.read_text()) for one in group.experiments}
    assert set(runs(history).column("key").to_pylist()) == asked
    ranked = [setting for setting, _ in rows(page)]
    panels = [shown.value for shown in page.caption if shown.value in ranked]
    assert (len(ranked), panels) == (6, 2 * ranked[:3])


def test_greffs_variants_are_trained_from_an_empty_history_by_one_click(history: History) -> None:
    page = visit()
    check(page.button(key="first grid").click().run())
    race: Race = page.session_state[UNDER_WAY]
    race.pause()
    assert {racer.label for racer in race.racers} == {
        one.key for group in read_grid(GREFF.read_text()) for one in group.experiments
    }


def test_every_run_is_counted_and_none_that_is_not_there(history: History) -> None:
    store(history, STORED)
    page = visit()
    assert page.header[0].value == "6 runs"
    assert sorted(setting for setting, _ in rows(page)) == ["cell gru", "cell rnn"]
    assert {share.split(" of ")[1] for _, share in rows(page)} == {"3"}


def test_a_setting_of_which_every_run_failed_has_a_row_without_a_share(history: History) -> None:
    store(history, [failed(SMALL, "out of luck")])
    page = visit()
    assert rows(page) == [("all the same", "")]
    assert page.dataframe[0].value["crashed"].tolist() == [1]


def test_runs_are_chosen_by_their_fields(history: History) -> None:
    store(history, STORED)
    page = visit()
    check(page.multiselect(key="choose cell").set_value(["gru"]).run())
    assert page.header[0].value == "3 runs"
    assert [setting for setting, _ in rows(page)] == ["all the same"]


def test_a_row_opens_as_a_live_race_by_its_link(history: History) -> None:
    store(history, STORED)
    link = visit().dataframe[0].value["open"][0]
    page = visit(run=link.removeprefix("?run="))
    race = page.session_state[SHOWING].race
    assert race.running
    race.pause()
    assert race.racers[0].experiment in [record.experiment for record in STORED]


@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(strategies.text(max_size=20) | strategies.sampled_from(["0" * 16, "run", "' or 1=1 --", "\x00"]))
def test_no_link_does_harm(history: History, text: str) -> None:
    page = visit(run=text)
    assert SHOWING not in page.session_state


def test_streamlits_secrets_may_name_the_history(history: History, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/elsewhere.sqlite"
    elsewhere = open_history(url)
    store(elsewhere, STORED[:1])
    elsewhere.dispose()
    page = AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=60)
    page.secrets["history"] = url
    check(page.switch_page(PAGES["sweeps"].path).run())
    assert page.header[0].value == "1 run"


def test_a_secret_that_is_no_address_is_refused_without_being_shown(history: History) -> None:
    page = AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=60)
    page.secrets["history"] = {"url": "postgresql://u:hidden@127.0.0.1:1/x"}
    check(page.switch_page(PAGES["sweeps"].path).run())
    assert "There is no history here" in page.info[0].value
    assert "hidden" not in page.info[0].value


def test_a_history_that_was_out_of_reach_is_looked_at_again_at_the_next_visit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PLACE, f"sqlite:///{tmp_path}/mount/history.sqlite")
    assert "There is no history here" in visit().info[0].value
    (tmp_path / "mount").mkdir()
    assert visit().header[0].value == "0 runs"
    shutil.rmtree(tmp_path / "mount")
    assert "There is no history here" in visit().info[0].value
    st.cache_resource.clear()


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_table_that_is_locked_on_a_server_is_one_line_on_the_page(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PLACE, url)
    assert visit().header[0].value == "0 runs"
    with locked(url, "runs"):
        (told,) = visit().error
    assert re.fullmatch(r"history at .*: canceling statement due to lock timeout", told.value)
    assert visit().header[0].value == "0 runs"
    st.cache_resource.clear()


def test_a_history_that_is_locked_for_long_holds_up_no_page(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lstm_core.ui.history.PATIENCE_SECONDS", 0.2)
    page = visit()
    with closing(sqlite3.connect(str(history.url.database), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        started = time.perf_counter()
        check(page.button(key="sample").click().run())
        assert page.warning[0].value == "The history is busy. These runs are stored as soon as it is free."
        assert time.perf_counter() - started < 5
    written()
    assert check(page.run()).header[0].value == f"{runs(history).num_rows} runs"


def test_a_small_grid_is_run_behind_the_races_and_stored(history: History) -> None:
    page = visit()
    page.text_area(key=TEXT).set_value(GRID)
    check(page.button(key="run grid").click().run())
    race: Race = page.session_state[UNDER_WAY]
    assert race.behind
    patience = time.monotonic() + 60
    while not race.finished and time.monotonic() < patience:
        check(page.run())
    check(page.run())
    written()
    assert runs(history).num_rows == 4
    check(page.button(key="run grid").click().run())
    assert page.warning[0].value == "All runs of this grid are in the history already."


def test_a_grid_can_be_stopped(history: History) -> None:
    page = visit()
    page.text_area(key=TEXT).set_value(GRID.replace("steps = 20", "steps = 3000"))
    check(page.button(key="run grid").click().run())
    race: Race = page.session_state[UNDER_WAY]
    check(page.button(key="stop grid").click().run())
    assert not race.running
    assert UNDER_WAY not in page.session_state


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "nothing to cross"),
        ("[grid", "Expected"),
        ("[grid]\nseeds = 31", "31 runs are more than 30"),
        ("[grid]\ncell = ['transformer']", "cell: 'transformer'"),
        ("[base]\nhidden = 1024\nbatch = 1024\n[grid]\nseeds = 2", "Lower"),
        ("[grid]\nseeds = 1000000000", "seeds: 1000000000"),
        ("a = " + "[" * 2000, ""),
    ],
)
def test_a_bad_grid_gets_one_line(history: History, text: str, word: str) -> None:
    page = visit()
    page.text_area(key=TEXT).set_value(text)
    check(page.button(key="run grid").click().run())
    assert word in page.warning[0].value
    assert "\n" not in page.warning[0].value
    assert not isinstance(page.session_state[UNDER_WAY], Race)
