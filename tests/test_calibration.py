"""Do the opening races show what their pages say? Here for one seed; `python -m lstm_core openings` does five."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import pytest

from lstm_core import Experiment, train
from lstm_core.openings import calibration
from lstm_core.openings.presets import OPENINGS


@pytest.mark.parametrize("page", OPENINGS)
def test_the_claim_of_a_page_holds_for_its_own_seed(page: str) -> None:
    assert OPENINGS[page].holds(calibration.run(page, seed=0))


def test_the_report_counts_the_seeds_for_which_a_claim_held(monkeypatch: pytest.MonkeyPatch) -> None:
    small = dataclasses.replace(
        OPENINGS["dashboard"],
        base=Experiment(length=5, hidden=2, steps=2),
        holds=lambda results: results["LSTM"][0].loss > results["vanilla RNN"][0].loss,
    )
    wins = sum(small.holds({name: list(train(e)) for name, e in small.experiments(seed).items()}) for seed in range(5))
    monkeypatch.setattr(calibration, "OPENINGS", {"dashboard": small})
    with ThreadPoolExecutor(1) as executor:
        report = "\n".join(calibration.report(executor))
    assert f"Held for {wins} of 5 seeds" in report
    assert report.splitlines()[-1].count("yes") == wins
