"""Do the rules of verdicts err as seldom as they say? Small versions of `python -m tests.verdict_rules`."""

import numpy as np
import pytest

from lstm_core.claims.evidence import FIRST_LEVEL, SECOND_LEVEL, SEEDS, more
from tests.verdict_rules import (
    DISTRIBUTIONS,
    WANTED,
    chances,
    flips,
    median_coverage,
    needed,
    report,
    share_coverage,
    statistical_questions,
)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_the_interval_of_a_median_covers_it_however_values_are_distributed(name: str) -> None:
    assert median_coverage(*DISTRIBUTIONS[name], SEEDS, FIRST_LEVEL, 2000) >= 0.94


@pytest.mark.parametrize(("seeds", "level"), [(5, FIRST_LEVEL), (SEEDS, FIRST_LEVEL), (more(SEEDS), SECOND_LEVEL)])
def test_the_interval_of_a_share_covers_every_share(seeds: int, level: float) -> None:
    assert share_coverage(seeds, level) >= level


def test_what_is_a_coin_flip_is_settled_in_fewer_than_one_of_twenty_tests() -> None:
    assert sum(chances(0.5)) < 0.05


def test_a_verdict_turns_into_its_opposite_in_at_most_one_of_a_thousand_repetitions() -> None:
    assert flips(1) <= 1e-3
    assert flips(statistical_questions()) <= 1e-4


def test_the_chances_are_those_of_simulated_seeds() -> None:
    rng, groups = np.random.default_rng(0), 4000
    first, later = rng.binomial(SEEDS, 0.75, groups), rng.binomial(more(SEEDS) - SEEDS, 0.75, groups)
    confirmed = ((first >= 15) | (first + later >= 23)).mean()
    assert chances(0.75)[0] == pytest.approx(confirmed, abs=4 * 0.5 / groups**0.5)


def test_what_holds_for_nine_of_ten_seeds_is_confirmed_as_planned() -> None:
    assert needed() < 0.9
    assert chances(needed())[0] >= WANTED > chances(needed() - 0.01)[0]


def test_the_report_tells_of_coverage_power_and_flips() -> None:
    text = "\n".join(report(50))
    assert all(name in text for name in DISTRIBUTIONS)
    assert f"corrected for {statistical_questions()} questions" in text
    assert "power" in text
