"""Is a season found where there is one, and none where there is none?"""

import math
from collections import Counter

import numpy as np
import pytest
import torch

from lstm_core.tasks.season import autocorrelation, found_period
from lstm_core.tasks.series import Series, known

Values = np.ndarray
SEEDS = range(100)


def found(values: Values) -> int:
    return found_period(Series("x", tuple(map(float, values))))


def noise(seed: int, number: int) -> Values:
    return np.random.default_rng(seed).standard_normal(number)


@pytest.mark.parametrize("period", [2, 3, 7, 12, 24, 52])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.3])
def test_the_period_of_a_sine_in_noise_is_found(period: int, share: float) -> None:
    turns = 2 * math.pi * np.arange(2000) / period
    assert [found(np.sin(turns + 0.3) + share * noise(seed, 2000)) for seed in range(5)] == [period] * 5


def test_what_noise_leaves_of_a_slow_sine_is_not_taken_for_a_fast_one() -> None:
    """Changes of noise alternate, so that lags of 2 and 3 look like peaks beside a slow wave."""
    turns = 2 * math.pi * np.arange(1000) / 60
    times = [found(np.sin(turns) + 0.15 * noise(seed, 1000)) for seed in range(40)]
    assert sum(abs(period - 60) <= 2 for period in times) >= 38


def test_the_hours_of_a_day_are_found() -> None:
    assert found_period(Series("hours", known("san_francisco_hourly").values)) == 24


def test_months_on_a_trend_are_found() -> None:
    """Of any shape, also where a year nearly repeats within itself: nearly always."""
    months = np.arange(120)
    shapes = [2 * noise(seed, 12)[months % 12] for seed in range(20)]
    times = Counter(found(0.5 * months + shape + 0.3 * noise(100 + k, 120)) for k, shape in enumerate(shapes))
    assert times[12] >= 19


@pytest.mark.parametrize("number", [60, 300, 1000])
def test_white_noise_has_no_season(number: int) -> None:
    assert Counter(found(noise(seed, number)) for seed in SEEDS)[0] >= 95


@pytest.mark.parametrize("number", [60, 300, 1000])
def test_a_random_walk_has_no_season(number: int) -> None:
    assert Counter(found(noise(seed, number).cumsum()) for seed in SEEDS)[0] >= 95


def test_a_trend_alone_has_no_season() -> None:
    assert found(np.arange(100.0)) == 0
    assert found(np.arange(100.0) ** 2) == 0


def test_only_the_part_to_train_on_is_looked_at() -> None:
    values = np.sin(2 * math.pi * np.arange(1000) / 7)
    values[700:] = np.sin(2 * math.pi * np.arange(300) / 11)
    assert found(values) == 7
    assert found(np.concatenate([noise(0, 700), 100 * values[:300]])) == 0


def test_the_autocorrelation_is_the_sum_of_products() -> None:
    values = noise(1, 50)
    off = values - values.mean()
    expected = [sum(off[k] * off[k + lag] for k in range(50 - lag)) / (off @ off) for lag in range(50)]
    torch.testing.assert_close(autocorrelation(torch.from_numpy(values)), torch.tensor(expected, dtype=torch.float64))
