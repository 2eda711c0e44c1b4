"""Does the command judge, record, and say where a verdict is not the recorded one?"""

import json
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from lstm_core import Experiment
from lstm_core.__main__ import main
from lstm_core.claims import Claim, Question, verdicts
from lstm_core.claims.evidence import FIRST_SEED, Region
from lstm_core.claims.measures import held_out_loss
from lstm_core.claims.provenance import Commit
from lstm_core.commands import judging
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


COMMIT = Commit("0" * 40, "2020-01-01T00:00:00+00:00")
# So many that all of them against a sentence refute it.
SEEDS = 8
RIGHT, WRONG = made_up("R", Region(high=100)), made_up("W", Region(low=100))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Two statements, nothing recorded, and the options for a history of their own."""
    monkeypatch.setattr(judging, "ROWS", {"R": RIGHT, "W": WRONG})
    monkeypatch.setattr(judging, "CLAIMS", (RIGHT, WRONG))
    monkeypatch.setattr(verdicts, "RECORDED", tmp_path / "verdicts.json")
    verdicts.recorded.cache_clear()
    monkeypatch.setattr(verdicts, "ROWS", {"R": RIGHT, "W": WRONG})
    monkeypatch.setattr(judging, "committed", lambda: COMMIT)
    yield ["--history", f"sqlite:///{tmp_path}/history.sqlite", "--workers", "1", "--seeds", str(SEEDS)]
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
    changed = verdicts.RECORDED.read_text().replace('"verdict": "refuted", "rules"', '"verdict": "confirmed", "rules"')
    verdicts.RECORDED.write_text(changed)
    verdicts.recorded.cache_clear()
    assert run(capsys, "R", *place)[0] == 0
    assert run(capsys, "W", *place)[0] == 1


def test_a_line_tells_rule_values_intervals_seeds_engine_and_origin(
    place: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    _, (row,) = run(capsys, "R", *place)
    (answer,) = row["answers"]
    assert row["seeds"] == list(range(FIRST_SEED, FIRST_SEED + SEEDS))
    assert (answer["rule"], len(answer["values"]), answer["holding"]) == ("loss: at most 100", SEEDS, SEEDS)
    assert answer["interval"][0] < answer["median"] < answer["interval"][1]
    assert answer["share"] == [pytest.approx(0.6306, abs=1e-4), 1]
    assert (row["engine"], len(row["rules"])) == ("fused", 16)
    assert datetime.fromisoformat(row["date"]).tzinfo
    assert {"processor", "blas", "versions"} <= set(row)


def test_a_record_names_the_commit_of_its_rules(place: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "--record", *place)
    assert {(row["commit"], row["committed"]) for row in verdicts.recorded().values()} == {COMMIT}


def test_what_few_seeds_leave_open_is_judged_again_by_half_as_many_more(
    place: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    place[-1] = "4"
    _, rows = run(capsys, *place)
    assert [(row["claim"], len(row["seeds"])) for row in rows] == [("R", 6), ("W", 6)]


def test_other_seeds_are_recorded_beside(place: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "--record", *place)[0] == 0
    before = dict(verdicts.recorded()["R"])
    assert run(capsys, "R", "--beside", "--first-seed", "1000", *place)[0] == 0
    after = verdicts.recorded()["R"]
    (beside,) = after.pop("beside")
    assert after == before
    assert (beside["verdict"], beside["seeds"][0], beside["holding"]) == ("confirmed", 1000, [SEEDS])
    assert beside["answers"] == ["confirmed"]


def test_what_is_not_recorded_is_refused_before_anything_is_trained_beside_it(
    place: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["claims", "R", "--beside", *place])
    printed = capsys.readouterr()
    assert (printed.out, printed.err.count("\n")) == ("", 1)
    assert "beside: nothing is recorded of R by the rules of today" in printed.err


def test_a_statement_is_corrected_for_the_questions_of_all_others(
    place: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twelve of twelve are against it: by chance once in 2,048 tests, so once in ten times two hundred."""
    assert run(capsys, "W", *place)[1][0]["verdict"] == "refuted"
    others = {f"R{k}": made_up(f"R{k}", Region(high=9)) for k in range(200)}
    monkeypatch.setattr(verdicts, "ROWS", {"W": WRONG, **others})
    assert run(capsys, "W", *place)[1][0]["verdict"] == "undecided"


def test_runs_are_kept_as_those_of_a_sweep_and_not_repeated(
    place: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, first = run(capsys, "R", *place)
    history = open_history(place[1])
    assert with_weights(history) == {
        one.key for seed in range(FIRST_SEED, FIRST_SEED + SEEDS) for one in RIGHT.trained(seed).values()
    }
    history.dispose()

    def nobody(workers: int) -> AbstractContextManager[Executor]:
        raise AssertionError("a run is trained once more")

    monkeypatch.setattr(judging, "processes", nobody)
    later = run(capsys, "R", *place)[1]
    assert [{**row, "date": ""} for row in later] == [{**row, "date": ""} for row in first]


def test_recording_one_row_leaves_the_others(place: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "--record", *place)
    before = verdicts.recorded()["W"]
    run(capsys, "R", "--record", *place)
    assert verdicts.recorded()["W"] == before
    assert list(verdicts.recorded()) == ["R", "W"]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["A99"], "name: 'A99'"),
        (["--seeds", "1"], "seeds: 1"),
        (["--first-seed", "-1"], "first_seed: -1"),
        (["--workers", "0"], "workers: 0"),
    ],
)
def test_what_is_refused_gets_one_line_and_status_2(
    arguments: list[str], word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["claims", *arguments])
    printed = capsys.readouterr()
    assert (printed.out, printed.err.count("\n")) == ("", 1)
    assert word in printed.err
