"""Does a row of a history that is damaged take no other with it, and is it named?"""

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from lstm_core.__main__ import main
from lstm_core.history import database, opening
from lstm_core.history.exchange import from_csv, to_csv
from lstm_core.ui.page import PAGES
from tests.histories import made_up
from tests.visits import ROOT, check

SOUND, DAMAGED = made_up(0), made_up(1)
LISTED = {
    "last_step = 'x'": "last_step: 'x' cannot stand there",
    "last_step = -1": "last_step: -1 cannot stand there",
    "hidden = NULL": "hidden: None cannot stand there",
    "coupled = 'perhaps'": "coupled: 'perhaps' cannot stand there",
    "ended = 'gladly'": "ended: 'gladly' cannot stand there",
    "final_mean_loss = 'low'": "final_mean_loss: 'low' cannot stand there",
    "task = x'ff'": r"task: b'\xff' cannot stand there",
    "versions = cast(x'ff' AS TEXT), lr = 'x'": "lr: 'x' cannot stand there",
    "stored = 1e300": "stored: 1e+300 cannot stand there",
}
WHOLE = {
    "experiment = 'x'": "is not a JSON object",
    'experiment = \'{"task": "no such"}\'': "task: 'no such' is not one of",
    "last_step = 999999": "last_step: 999999 is not from 0 to 5",
}
CURVES = {
    "numbers = x'0102'": "curves: Error -3",
    "points = points + 1": "curves: they are not 3 points",
    "points = 'many'": "curves: 'many' points of bytes are none",
    "numbers = 'text'": "curves: 2 points of str are none",
}


@pytest.fixture
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[opening.History]:
    """With a run that is to be damaged beside one that is not."""
    monkeypatch.setenv(opening.PLACE, f"sqlite:///{tmp_path}/history.sqlite")
    opened = opening.open_history()
    database.store(opened, [SOUND, DAMAGED])
    yield opened
    st.cache_resource.clear()
    opened.dispose()


def damage(history: opening.History, table: str, change: str) -> None:
    with sqlite3.connect(str(history.url.database)) as connection:
        done = connection.execute(f"UPDATE {table} SET {change} WHERE key = ?", [DAMAGED.experiment.key])
        assert done.rowcount == 1


def named(left_out: set[str], reason: str) -> bool:
    (told,) = left_out
    return told.startswith(f"{DAMAGED.experiment.key} (fused), ") and reason in told


@pytest.mark.parametrize(("change", "reason"), LISTED.items(), ids=str)
def test_a_list_of_runs_leaves_out_a_bad_value_and_names_it(history: opening.History, change: str, reason: str) -> None:
    damage(history, "runs", change)
    left_out = set[str]()
    assert database.runs(history, left_out).column("key").to_pylist() == [SOUND.experiment.key]
    assert named(left_out, reason)


@pytest.mark.parametrize(("change", "reason"), (WHOLE | CURVES).items(), ids=str)
def test_records_leave_out_what_cannot_be_read_and_name_it(history: opening.History, change: str, reason: str) -> None:
    damage(history, "curves" if change in CURVES else "runs", change)
    left_out = set[str]()
    assert list(database.records(history, None, left_out)) == [SOUND]
    assert named(left_out, reason)


@pytest.mark.parametrize(("change", "reason"), CURVES.items(), ids=str)
def test_curves_are_those_that_can_be_read(history: opening.History, change: str, reason: str) -> None:
    damage(history, "curves", change)
    left_out = set[str]()
    keys = [SOUND.experiment.key, DAMAGED.experiment.key]
    assert list(database.curves(history, keys, left_out)) == [(SOUND.experiment.key, "fused")]
    assert named(left_out, reason)


@pytest.mark.parametrize(("table", "change"), [("runs", "last_step = 'x'"), ("curves", "numbers = 'x'")])
def test_a_damaged_run_gives_way_to_a_whole_one(history: opening.History, table: str, change: str) -> None:
    damage(history, table, change)
    assert database.store(history, [SOUND, DAMAGED]) == 1
    assert sorted(database.records(history), key=str) == sorted([SOUND, DAMAGED], key=str)


def test_a_run_without_curves_is_named_too(history: opening.History) -> None:
    with history.begin() as connection:
        connection.exec_driver_sql(f"DELETE FROM curves WHERE key = '{DAMAGED.experiment.key}'")
    left_out = set[str]()
    assert list(database.records(history, None, left_out)) == [SOUND]
    assert named(left_out, "curves: None points")


def test_a_file_of_runs_has_those_that_can_be_read(history: opening.History) -> None:
    damage(history, "curves", "numbers = x'0102'")
    assert from_csv(to_csv(database.records(history))) == [SOUND]


@pytest.mark.parametrize("change", ["last_step = 'x'", "hidden = NULL"])
def test_the_page_shows_all_others(history: opening.History, change: str) -> None:
    damage(history, "runs", change)
    page = visit()
    assert page.header[0].value == "1 run"
    assert page.warning[0].value == "1 damaged run is left out."
    assert page.code[0].value.startswith(f"{DAMAGED.experiment.key} (fused), {change.split()[0]}: ")


@pytest.mark.parametrize("table", ["one", "all"])
def test_the_page_names_runs_whose_curves_are_damaged(history: opening.History, table: str) -> None:
    with history.begin() as connection:
        only = f"WHERE key = '{DAMAGED.experiment.key}'" if table == "one" else ""
        connection.exec_driver_sql(f"UPDATE curves SET numbers = x'0102' {only}")
    page = visit()
    assert page.header[0].value == "2 runs"
    assert page.code[0].value.count("curves: ") == (1 if table == "one" else 2)


def visit() -> AppTest:
    page = AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=60)
    return check(page.switch_page(PAGES["sweeps"].path).run())


def test_a_report_names_it(history: opening.History, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    damage(history, "runs", "last_step = 'x'")
    grid = tmp_path / "grid.toml"
    grid.write_text("base = { task = 'recall', length = 4, hidden = 4, batch = 2, steps = 5 }\ngrid = { seeds = 2 }")
    assert main(["report", str(grid)]) == 0
    output = capsys.readouterr().out
    assert "| recall |  | 0 of 1 |" in output
    assert re.search(
        rf"\nDamaged runs, which are left out:\n\n- {DAMAGED.experiment.key} \(fused\), last_step: ", output
    )
