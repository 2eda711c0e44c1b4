"""Can another program read what commands print, and does -v tell more without being in its way?"""

import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lstm_core import __main__ as command_line
from lstm_core.__main__ import main
from lstm_core.commands.telling import rows
from lstm_core.installation import APP
from lstm_core.sweep.grid import read_grid

REPORT = """# How fast?

Made today.

## Alone

| case | ms | ratio |
|---|---|---|
| LSTM, T = 5 | 0.5 | 2 [1, 3] |
| RNN | not installed | |

## Together

| case | ms |
|---|---|
| GRU | 1e3 |
"""


@pytest.fixture(autouse=True)
def _quiet_again() -> Iterator[None]:
    logger = logging.getLogger("lstm_core")
    before = logger.handlers[:]
    yield
    logger.handlers[:] = before
    logger.setLevel(logging.NOTSET)


def test_every_row_of_every_table_is_an_object() -> None:
    assert list(map(json.loads, rows(REPORT.splitlines()))) == [
        {"table": "Alone", "case": "LSTM, T = 5", "ms": 0.5, "ratio": "2 [1, 3]"},
        {"table": "Alone", "case": "RNN", "ms": "not installed", "ratio": None},
        {"table": "Together", "case": "GRU", "ms": 1000},
    ]


def test_verbose_tells_of_the_history_and_of_runs_beside_what_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command_line, "processes", ThreadPoolExecutor)
    (tmp_path / "grid.toml").write_text("base = { length = 5, hidden = 4, steps = 3 }\ngrid = { seeds = 2 }")
    command = ["sweep", str(tmp_path / "grid.toml"), "--workers", "1", "--history", f"sqlite:///{tmp_path}/h.sqlite"]
    assert main([*command, "-v"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["ran"] == 2
    history, *runs = [line.split(maxsplit=1)[1] for line in printed.err.splitlines()]
    assert history == f"history at sqlite:///{tmp_path}/h.sqlite"
    assert len(runs) == 2
    assert all(": completed after 3 steps in " in line for line in runs)


def test_it_may_stand_before_the_command_and_without_it_nothing_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "grid.toml").write_text("base = { length = 5, hidden = 4, steps = 3 }\ngrid = { seeds = 1 }")
    arguments = ["report", str(tmp_path / "grid.toml"), "--history", f"sqlite:///{tmp_path}/h.sqlite", "--json"]
    assert main(arguments) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    row = json.loads(printed.out)
    assert (row["task"], row["runs"], row["missing"], row["failed"]) == ("adding", None, 1, 0)
    assert main(["-v", *arguments]) == 0
    assert "history at sqlite:///" in capsys.readouterr().err


def test_a_grid_that_comes_with_the_program_is_found_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["report", "sweeps/greff.toml", "--history", f"sqlite:///{tmp_path}/h.sqlite"]) == 0
    assert capsys.readouterr().out.count("\n| ") == len(read_grid((APP / "sweeps" / "greff.toml").read_text()))
