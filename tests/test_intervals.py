"""Are the intervals those of scipy.stats and statsmodels, which are too heavy for the app?"""

import math

import pytest
from hypothesis import given, strategies
from scipy import stats
from statsmodels.stats.multitest import multipletests

from lstm_core.measurements.intervals import at_least, exact, holm, of_median, wilson


@pytest.mark.parametrize("runs", [1, 2, 3, 5, 10, 30, 100, 1000])
def test_every_share_of_so_many_runs_has_the_interval_of_scipy(runs: int) -> None:
    for solved in range(runs + 1):
        oracle = stats.binomtest(solved, runs).proportion_ci(method="wilson")
        assert wilson(solved, runs) == pytest.approx((oracle.low, oracle.high), rel=1e-12, abs=1e-12)


def test_an_interval_of_none_begins_at_0_and_one_of_all_ends_at_1_exactly() -> None:
    for runs in range(1, 1001):
        assert (wilson(0, runs)[0], wilson(runs, runs)[1]) == (0, 1)
        assert (exact(0, runs, 0.95)[0], exact(runs, runs, 0.95)[1]) == (0, 1)


@pytest.mark.parametrize("level", [0.95, 0.99])
@pytest.mark.parametrize("number", [1, 5, 20, 30, 1000])
def test_the_exact_interval_of_a_share_is_that_of_scipy(number: int, level: float) -> None:
    for some in range(number + 1):
        oracle = stats.binomtest(some, number).proportion_ci(level, "exact")
        assert exact(some, number, level) == pytest.approx((oracle.low, oracle.high), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("number", [1, 5, 20, 30])
def test_the_chance_of_so_many_heads_is_that_of_scipy(number: int) -> None:
    for some in range(number + 1):
        assert at_least(some, number) == pytest.approx(float(stats.binom.sf(some - 1, number, 0.5)), rel=1e-12)


@pytest.mark.parametrize("level", [0.95, 0.99])
@pytest.mark.parametrize("number", [5, 6, 9, 20, 30])
def test_the_interval_of_a_median_is_that_of_scipys_test_of_quantiles(number: int, level: float) -> None:
    values = [math.sin(7 * k) for k in range(number)]
    oracle = stats.quantile_test(values, q=0, p=0.5).confidence_interval(level)
    expected = [
        -math.inf if math.isnan(oracle.low) else oracle.low,
        math.inf if math.isnan(oracle.high) else oracle.high,
    ]
    assert list(of_median(values, level)) == expected


@given(strategies.lists(strategies.floats(0, 1), min_size=1, max_size=60))
def test_holms_correction_is_that_of_statsmodels(p_values: list[float]) -> None:
    assert holm(p_values) == pytest.approx(list(multipletests(p_values, method="holm")[1]), rel=1e-12)
