"""How far may a mean over neighbours in time be trusted? A moving-block bootstrap, which keeps neighbours together."""

import math
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from lstm_core.measurements.intervals import UPPER
from lstm_core.streams import Purpose, stream

RESAMPLES = 1000
# Of fewer values nothing is said; blocks are so short that so many lie side by side.
FEWEST, FEWEST_BLOCKS = 10, 5


class Resampled(NamedTuple):
    """Means of values drawn anew, (RESAMPLES,), and the share of them below the upper end of a 95 % interval."""

    means: Tensor
    upper: float


def block_length(number: int, horizon: int) -> int:
    """
    The third root of the number of values (Hall, Horowitz and Jing 1995), and at least the horizon: errors that far
    apart depend on each other, as they have unknown values in common (Diebold and Mariano 1995).
    """
    return min(max(math.ceil(round(number ** (1 / 3), 9)), horizon), number // FEWEST_BLOCKS)


@lru_cache(4)
def block_starts(number: int, length: int) -> Tensor:
    """Where the blocks of each resample begin, (RESAMPLES, blocks): always the same for as many values."""
    shape = RESAMPLES, math.ceil(number / length)
    return torch.from_numpy(stream(0, Purpose.BLOCKS).integers(0, number - length + 1, shape))


def resampled(values: Tensor, horizon: int) -> Resampled:
    """
    Of values (N,) in the order of time, in whole blocks of neighbours from anywhere (Künsch 1989). As many values are
    always drawn from the same places, so that differences of two results are those of pairs. Percentiles are taken as
    much farther out as Student's t is for so many blocks: intervals from few would be too narrow (Hesterberg 2015).
    """
    number = len(values)
    if number < FEWEST:
        return Resampled(torch.full((RESAMPLES,), torch.nan, dtype=torch.float64), UPPER)
    # Where it is needed, as in `intervals`.
    from scipy.special import ndtr, stdtrit

    length = block_length(number, horizon)
    sums = torch.cat([torch.zeros(1, dtype=torch.float64), values.double().cumsum(0)])
    means = (sums[length:] - sums[:-length])[block_starts(number, length)].mean(1) / length
    blocks = number / length
    return Resampled(means, float(ndtr(math.sqrt(blocks / (blocks - 1)) * stdtrit(blocks - 1, UPPER))))


def _interval(means: Tensor, upper: float) -> tuple[float, float]:
    """Between percentiles; nan where a mean is not finite."""
    if not bool(means.isfinite().all()):
        return math.nan, math.nan
    low, high = means.quantile(torch.tensor([1 - upper, upper], dtype=means.dtype)).tolist()
    return low, high


def root_interval(of: Resampled) -> tuple[float, float]:
    """The 95 % interval of the root of a mean of squares; nan for too few, or where a square is not finite."""
    return _interval(of.means.sqrt(), of.upper)


def apart(one: Resampled, other: Resampled) -> bool:
    """Whether 0 is outside the 95 % interval of the difference of two means over the same places; not for nan."""
    low, high = _interval(one.means - other.means, one.upper)
    return low > 0 or high < 0
