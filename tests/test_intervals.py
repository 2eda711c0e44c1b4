"""Are the intervals of 95 % those of scipy.stats, which is too heavy for the app?"""

import math
import random
import statistics
from collections.abc import Iterable
from typing import Any

import pytest
from scipy import stats

from lstm_core.measurements.intervals import interval, wilson

# Two-sided 95 % quantiles of Student's t, from any table of it.
T_QUANTILES = {2: 12.706, 5: 2.776, 10: 2.262}


def same(oracle: Iterable[float]) -> Any:
    return pytest.approx([float(end) for end in oracle], rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("number", T_QUANTILES)
def test_the_interval_of_a_mean_is_students(number: int) -> None:
    values = [math.sin(k) for k in range(number)]
    mean = sum(values) / number
    spread = math.sqrt(sum((value - mean) ** 2 for value in values) / (number - 1) / number)
    expected = (mean - T_QUANTILES[number] * spread, mean + T_QUANTILES[number] * spread)
    assert interval(values, share=False) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("runs", [1, 2, 3, 5, 10, 30, 100, 1000])
def test_every_share_of_so_many_runs_has_the_interval_of_scipy(runs: int) -> None:
    for solved in range(runs + 1):
        oracle = stats.binomtest(solved, runs).proportion_ci(method="wilson")
        assert list(wilson(solved, runs)) == same((oracle.low, oracle.high))


def test_an_interval_of_none_begins_at_0_and_one_of_all_ends_at_1_exactly() -> None:
    for runs in range(1, 1001):
        assert (wilson(0, runs)[0], wilson(runs, runs)[1]) == (0, 1)


@pytest.mark.parametrize("number", [2, 3, 4, 5, 7, 10, 30, 100, 1000])
@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
def test_the_interval_of_a_mean_is_that_of_scipy(number: int, scale: float) -> None:
    rng = random.Random(number)
    values = [scale * rng.gauss(1, 1) for _ in range(number)]
    low, high = interval(values, share=False)
    mean, error = statistics.fmean(values), statistics.stdev(values) / math.sqrt(number)
    oracle = stats.t.interval(0.95, number - 1, mean, error)
    # An end near zero is the difference of two numbers of this scale.
    assert [low / scale, high / scale] == same([end / scale for end in oracle])


@pytest.mark.parametrize("seeds", [5, 6, 50, 1000])
def test_an_interval_foretold_for_more_seeds_is_that_of_scipy(seeds: int) -> None:
    values = [0.1, 0.9, -0.4, 0.6, 0.2]
    error = statistics.stdev(values) / math.sqrt(seeds)
    oracle = stats.t.interval(0.95, seeds - 1, statistics.fmean(values), error)
    assert list(interval(values, share=False, seeds=seeds)) == same(oracle)
