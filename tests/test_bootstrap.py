"""Are the intervals of scores those of a slow bootstrap, do they cover, and do they tell apart what differs?"""

import itertools
import math

import numpy as np
import pytest
import torch
from arch.bootstrap import MovingBlockBootstrap
from scipy import stats
from torch import Tensor

from lstm_core.measurements import bootstrap
from lstm_core.measurements.bootstrap import apart, block_length, resampled, root_interval

SERIES = 200


def autoregressive(rng: np.random.Generator, rho: float, number: int, series: int = SERIES) -> Tensor:
    """(S, N), each value rho times the one before and noise, of variance 1."""
    noise = rng.standard_normal((number, series)) * math.sqrt(1 - rho**2)
    values = [rng.standard_normal(series)]
    for more in noise[1:]:
        values.append(rho * values[-1] + more)
    return torch.from_numpy(np.stack(values, 1))


@pytest.mark.parametrize(("number", "horizon"), [(37, 1), (450, 1), (64, 10), (10, 3)])
def test_the_means_are_those_of_blocks_that_are_copied_one_by_one(number: int, horizon: int) -> None:
    values = torch.from_numpy(np.random.default_rng(0).standard_normal(number)).square()
    length = block_length(number, horizon)
    means = []
    for starts in bootstrap.block_starts(number, length).tolist():
        drawn = [values.tolist()[start : start + length] for start in starts]
        assert all(len(block) == length for block in drawn)
        means.append(np.mean(list(itertools.chain(*drawn))))
    torch.testing.assert_close(resampled(values, horizon).means, torch.tensor(means, dtype=torch.float64))


def test_the_spread_of_the_means_is_that_of_archs_moving_blocks() -> None:
    values = autoregressive(np.random.default_rng(1), 0.7, 450, 1)[0]
    theirs = MovingBlockBootstrap(block_length(450, 1), values.numpy(), seed=0).apply(np.mean, bootstrap.RESAMPLES)
    ours = resampled(values, 1).means
    # Of 1,000 resamples a standard deviation is known to about a fortieth.
    assert float(ours.std()) == pytest.approx(theirs.std(), rel=0.15)
    assert float(ours.mean()) == pytest.approx(theirs.mean(), abs=0.2 * theirs.std())


def test_the_blocks_of_a_resample_are_as_many_values_as_there_are_and_begin_anywhere() -> None:
    starts = bootstrap.block_starts(450, 8)
    assert starts.shape == (bootstrap.RESAMPLES, 57)
    assert set(starts.flatten().tolist()) == set(range(450 - 8 + 1))


@pytest.mark.parametrize(
    ("number", "horizon", "length"), [(27, 1, 3), (28, 1, 4), (1000, 1, 10), (1000, 10, 10), (450, 24, 24), (18, 10, 3)]
)
def test_a_block_is_the_third_root_long_or_the_horizon_but_five_of_them_fit(
    number: int, horizon: int, length: int
) -> None:
    assert block_length(number, horizon) == length


def test_the_interval_lies_between_percentiles_as_far_out_as_students_t() -> None:
    """18 values in blocks of 3, so that there are 5 degrees of freedom."""
    values = torch.from_numpy(np.random.default_rng(0).standard_normal(18)).square()
    upper = stats.norm.cdf(math.sqrt(6 / 5) * stats.t.ppf(0.975, 5))
    means = resampled(values, 1).means.numpy()
    assert root_interval(resampled(values, 1)) == pytest.approx(np.quantile(np.sqrt(means), [1 - upper, upper]))


def test_the_same_errors_have_the_same_interval() -> None:
    values = torch.arange(100.0).sin().square()
    bootstrap.block_starts.cache_clear()
    first = root_interval(resampled(values, 1))
    bootstrap.block_starts.cache_clear()
    assert root_interval(resampled(values.clone(), 1)) == first


@pytest.mark.parametrize("rho", [0.0, 0.5])
def test_about_95_of_100_intervals_contain_the_true_error(rho: float) -> None:
    errors = autoregressive(np.random.default_rng(3), rho, 300)
    intervals = [root_interval(resampled(one.square(), 1)) for one in errors]
    assert 0.88 <= np.mean([low <= 1 <= high for low, high in intervals]) <= 0.99


def test_of_two_that_err_alike_few_are_told_apart() -> None:
    one, other = (autoregressive(np.random.default_rng(seed), 0.5, 300) for seed in (4, 5))
    told = [apart(resampled(a.square(), 1), resampled(b.square(), 1)) for a, b in zip(one, other, strict=True)]
    assert 0.01 <= np.mean(told) <= 0.12


def test_errors_that_are_a_little_larger_everywhere_are_told_apart_though_their_intervals_overlap() -> None:
    squares = autoregressive(np.random.default_rng(6), 0.5, 300, 1)[0].square()
    one, other = resampled(squares, 1), resampled(1.05 * squares, 1)
    assert root_interval(one)[1] > root_interval(other)[0]
    assert apart(one, other)
    assert apart(other, one)
    assert not apart(one, one)


@pytest.mark.parametrize("values", [torch.ones(9), torch.tensor([1.0] * 20 + [math.nan]), torch.full((20,), math.inf)])
def test_too_few_errors_or_such_that_are_no_numbers_have_no_interval_and_are_never_told_apart(values: Tensor) -> None:
    one = resampled(values, 1)
    assert all(map(math.isnan, root_interval(one)))
    assert not apart(one, resampled(1 + values, 1))
    assert not apart(resampled(torch.zeros(len(values)), 1), one)


def test_errors_of_nothing_have_an_interval_of_nothing() -> None:
    assert root_interval(resampled(torch.zeros(100), 1)) == (0, 0)
