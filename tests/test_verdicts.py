"""Does the command judge, record, and say where a verdict is not the recorded one?"""

import json
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from lstm_core import Experiment, __main__
from lstm_core.__main__ import main
from lstm_core.claims import Claim, Question, verdicts
from lstm_core.claims.evidence import Region
from lstm_core.claims.measures import held_out_loss
from lstm_core.history.database import with_weights
from lstm_core.history.opening import open_history

SMALL = Experiment(task="recall", length=4, hidden=4, batch=2, steps=5, cell="rnn")


def made_up(name: str, holds: Region) -> Claim:
    """A statement about two small networks."""
    return Claim(
        name,
        "It is said.",
        (Question("Its loss is small.", "loss", lambda of: held_out_loss(of["small"]), holds),),
        "It is so.",
        "Because.",
        "dashboard",
        (("loss", ""),),
        racers={"small": SMALL},
        drawn={"drawn": SMALL},
    )


RIGHT, WRONG = made_up("R", Region(high=100)), made_up("W", Region(low=100))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Two statements, nothing recorded, and the options for a history of their own."""
    monkeypatch.setattr(__main__, "ROWS", {"R": RIGHT, "W": WRONG})
    monkeypatch.setattr(__main__, "CLAIMS", (RIGHT, WRONG))
    monkeypatch.setattr(verdicts, "RECORDED", tmp_path / "verdicts.json")
    verdicts.recorded.cache_clear()
    yield ["--history", f"sqlite:///{tmp_path}/history.sqlite", "--workers", "1", "--seeds", "2"]
    verdicts.recorded.cache_clear()


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    status = main(["claims", *arguments])
    return status, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_verdict_that_is_not_recorded_ends_with_status_1_and_a_recorded_one_with_0(
    place: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    status, rows = run(capsys, *place)
    assert (status, [row["recorded"] for row in rows]) == (1, [None, None])
    assert run(capsys, "--record", *place)[0] == 0
    status, rows = run(capsys, *place)
    assert status == 0
    assert [(row["claim"], row["verdict"], row["recorded"]) for row in rows] == [
        ("R", "confirmed", "confirmed"),
        ("W", "refuted", "refuted"),
    ]
    changed = verdicts.RECORDED.read_text().replace('"verdict": "refuted", "date"', '"verdict": "confirmed", "date"')
    verdicts.RECORDED.write_text(changed)
    verdicts.recorded.cache_clear()
    assert run(capsys, "R", *place)[0] == 0
    assert run(capsys, "W", *place)[0] == 1


def test_a_line_tells_rule_values_interval_seeds_engine_and_date(
    place: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    _, (row,) = run(capsys, "R", *place)
    (answer,) = row["answers"]
    assert (answer["rule"], len(answer["values"]), row["seeds"]) == ("loss: at most 100", 2, [0, 1])
    assert answer["low"] < answer["mean"] < answer["high"]
    assert (row["engine"], len(row["date"])) == ("fused", 10)


def test_runs_are_kept_as_those_of_a_sweep_and_not_repeated(
    place: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, first = run(capsys, "R", *place)
    history = open_history(place[1])
    assert with_weights(history) == {one.key for seed in range(2) for one in RIGHT.trained(seed).values()}
    history.dispose()

    def nobody(workers: int) -> AbstractContextManager[Executor]:
        raise AssertionError("a run is trained once more")

    monkeypatch.setattr(__main__, "processes", nobody)
    assert run(capsys, "R", *place)[1] == first


def test_recording_one_row_leaves_the_others(place: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "--record", *place)
    before = verdicts.recorded()["W"]
    run(capsys, "R", "--record", *place)
    assert verdicts.recorded()["W"] == before
    assert list(verdicts.recorded()) == ["R", "W"]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [(["A99"], "name: 'A99'"), (["--seeds", "1"], "seeds: 1"), (["--workers", "0"], "workers: 0")],
)
def test_what_is_refused_gets_one_line_and_status_2(
    arguments: list[str], word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["claims", *arguments])
    printed = capsys.readouterr()
    assert (printed.out, printed.err.count("\n")) == ("", 1)
    assert word in printed.err
