"""Do the races to begin with show what their pages say? Here for one seed; `python -m lstm_core openings` does five."""

import dataclasses
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lstm_core import Experiment
from lstm_core.openings import calibration, record
from lstm_core.openings.calibration import RACES, SEEDS
from lstm_core.openings.presets import OPENINGS

# Those that take little time.
CHEAP = ("dashboard: ten steps", "activations: no activation", "depth: dense in time")
LONG = ("activations", "forecast")


@pytest.mark.parametrize("name", [*(name for name in OPENINGS if name not in LONG), *CHEAP])
def test_the_claim_of_a_race_holds_for_its_own_seed(name: str) -> None:
    assert RACES[name].holds(calibration.run(name, seed=0))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[calibration.Verdicts]:
    """Those of one race, which take no time; whatever is recorded lies in a folder of its own."""
    race = dataclasses.replace(
        OPENINGS["dashboard"],
        base=Experiment(length=5, hidden=2, steps=2),
        holds=lambda results: results["LSTM"][0].loss > results["vanilla RNN"][0].loss,
    )
    monkeypatch.setattr(calibration, "RACES", {"dashboard": race})
    monkeypatch.setattr(record, "RECORDED", tmp_path / "record.json")
    with ThreadPoolExecutor(1) as executor:
        found = calibration.verdicts(executor)
    record.recorded.cache_clear()
    yield found
    record.recorded.cache_clear()


def test_a_verdict_is_that_of_the_claim_for_its_seed(small: calibration.Verdicts) -> None:
    race = calibration.RACES["dashboard"]
    held = [race.holds(calibration.run("dashboard", seed)) for seed in SEEDS]
    assert [verdict for verdict, _ in small["dashboard"]] == held
    assert len(set(held)) == 2


def test_the_report_counts_the_seeds_for_which_a_claim_held(small: calibration.Verdicts) -> None:
    wins = sum(held for held, _ in small["dashboard"])
    report = "\n".join(calibration.report(small))
    assert f"Held for {wins} of 5 seeds" in report
    assert report.splitlines()[-1].count("yes") == wins


def test_the_rows_tell_other_programs_the_same(small: calibration.Verdicts) -> None:
    (row,) = map(json.loads, map(json.dumps, calibration.rows(small)))
    assert row["race"] == "dashboard"
    assert row["held"] == [held for held, _ in small["dashboard"]]
    last = {label: snapshots[-1] for label, snapshots in calibration.run("dashboard", SEEDS[0]).items()}
    assert {label: ends[0] for label, ends in row["racers"].items()} == {
        label: {"solved": None, "mean_loss": snapshot.mean_loss} for label, snapshot in last.items()
    }


def test_what_is_kept_is_read_again(small: calibration.Verdicts) -> None:
    assert record.recorded() == {}
    calibration.keep(small)
    kept = record.recorded()["dashboard"]
    assert (kept.held, kept.seeds) == (sum(held for held, _ in small["dashboard"]), len(SEEDS))


def test_every_race_is_recorded_as_it_is_now() -> None:
    assert {name: row.experiments for name, row in record.recorded().items()} == {
        name: {label: experiment.key for label, experiment in race.experiments().items()}
        for name, race in RACES.items()
    }


@pytest.mark.parametrize("name", RACES)
def test_a_claim_has_held_for_four_of_five_seeds_or_all(name: str) -> None:
    row = record.recorded()[name]
    assert row.held >= 4
    assert row.seeds == len(SEEDS)
