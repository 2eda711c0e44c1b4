"""After how many steps does a series repeat itself, if it does?"""

import math
import statistics
from collections.abc import Iterator
from itertools import groupby

import torch
from torch import Tensor

from lstm_core.tasks.series import Series

# A season is there so often in what is looked at, and is so much like the one before; of several such lags it is the
# first that is nearly as good as the best.
TIMES_THERE, LEAST, NEARLY = 3, 0.3, 0.85
# Changes that differ by less, in standard deviations of the series, are those of a straight line.
ROUNDING = 1e-9


def found_period(series: Series) -> int:
    """
    The season in steps, from the part to train on; 0 for none.

    It is a peak in the autocorrelation of changes over 1, 2, 4 ... steps, the first of these that have one: a change
    has no trend, and those of a random walk over k steps have nothing in common at lags from k on. Longer ones show a
    slow season where noise hides its small steps.
    """
    values = series.scaled[: series.train_end]
    stride = 1
    while 2 * TIMES_THERE * stride <= len(values):
        changes = values[stride:] - values[:-stride]
        period = _peak(autocorrelation(changes), stride) if float(changes.std()) > ROUNDING else 0
        if period:
            return period
        stride *= 2
    return 0


def autocorrelation(values: Tensor) -> Tensor:
    """Of values (N,) at lags from 0, (N,), by their spectrum, padded so that the end does not meet the beginning."""
    off = values - values.mean()
    spectrum = torch.fft.rfft(off, 2 * len(off)).abs().square()
    covariance = torch.fft.irfft(spectrum, 2 * len(off))[: len(off)]
    return covariance / covariance[0]


def _peak(alike: Tensor, stride: int) -> int:
    """The lag of the first high peak, of changes over so many steps; 0 for none."""
    lags = len(alike) // TIMES_THERE
    bound = max(LEAST, _by_chance(len(alike), lags, stride))
    shown = alike[: lags + 1].tolist()
    peaks = [lag for lag in _peaks(shown) if shown[lag] >= bound]
    highest = max((shown[lag] for lag in peaks), default=0.0)
    first = next((lag for lag in peaks if shown[lag] >= NEARLY * highest), 0)
    return _refined(alike[: 2 * len(alike) // 3].tolist(), first) if first else 0


def _by_chance(number: int, lags: int, stride: int) -> float:
    """
    What autocorrelations of a random walk's changes exceed upwards at any of these lags in at most 2.5 of 100 cases:
    1.96 / sqrt(N) for one lag and stride 1 (Bartlett 1946; Bonferroni for several lags).
    """
    spread = 1 + 2 * sum((1 - lag / stride) ** 2 for lag in range(1, stride))
    return statistics.NormalDist().inv_cdf(1 - 0.025 / lags) * math.sqrt(spread / number)


def _peaks(alike: list[float]) -> Iterator[int]:
    """The highest lag of each stretch above 0 between two below it, if that is near the middle of the stretch."""
    stretches = [list(lags) for _above, lags in groupby(range(len(alike)), lambda lag: alike[lag] > 0)]
    for lags in stretches[2:-1:2]:
        peak = max(lags, key=alike.__getitem__)
        if abs(2 * peak - lags[0] - lags[-1]) <= len(lags) // 2:
            yield peak


def _refined(alike: list[float], lag: int) -> int:
    """Near a lag, the one whose multiples are most alike: noise may move the first of them by a step or two."""
    near = range(max(2, lag - lag // 8 - 1), lag + lag // 8 + 2)
    times = max(1, (len(alike) - 1) // near[-1])
    return max(near, key=lambda one: sum(alike[one * k] for k in range(1, times + 1) if one * k < len(alike)))
