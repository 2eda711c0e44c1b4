"""
How far may a share, or a middle value, be trusted? Exact intervals, which assume nothing of how values are distributed.

`scipy.special` is imported where it is needed: many processes import this module, and not for this.
"""

import math
import statistics
from collections.abc import Sequence

import numpy as np

# Where 97.5 % of a distribution end: 2.5 % lie beyond the interval on either side.
UPPER = 0.975
NORMAL_QUANTILE = statistics.NormalDist().inv_cdf(UPPER)


def wilson(solved: int, runs: int) -> tuple[float, float]:
    """The 95 % confidence interval of a share, by Wilson's score (Wilson 1927)."""
    squared = NORMAL_QUANTILE**2
    middle = (solved + squared / 2) / (runs + squared)
    half = NORMAL_QUANTILE * math.sqrt(solved * (runs - solved) / runs + squared / 4) / (runs + squared)
    # Where none is solved, this is 0 to the last bit; where all are, rounding would miss 1.
    return middle - half, middle + half if solved < runs else 1.0


def exact(some: int, number: int, level: float) -> tuple[float, float]:
    """The confidence interval of a share of so many, which holds its level for every share (Clopper, Pearson 1934)."""
    from scipy.special import betaincinv

    tail = (1 - level) / 2
    low = float(betaincinv(some, number - some + 1, tail)) if some else 0.0
    high = float(betaincinv(some + 1, number - some, 1 - tail)) if some < number else 1.0
    return low, high


def at_least(some: int, number: int) -> float:
    """The chance of so many heads or more of a fair coin that is thrown `number` times."""
    return math.fsum(math.comb(number, k) for k in range(some, number + 1)) / 2**number


def of_median(values: Sequence[float], level: float) -> tuple[float, float]:
    """
    The confidence interval of a median, between two of the values (David and Nagaraja 2003, section 7.1); infinite ends
    where they are too few, nan where one is no number.
    """
    number = len(values)
    if any(math.isnan(value) for value in values):
        return math.nan, math.nan
    beyond = 0
    while 2 * at_least(number - beyond, number) <= 1 - level:
        beyond += 1
    ordered = [-math.inf, *sorted(values), math.inf]
    return ordered[beyond], ordered[number + 1 - beyond]


def holm(p_values: Sequence[float]) -> list[float]:
    """
    Of tests that are made together, p-values at which the chance of a single false rejection is what they say (Holm
    1979).
    """
    p = np.asarray(p_values, dtype=float)
    order = np.argsort(p)
    adjusted = np.empty_like(p)
    adjusted[order] = np.maximum.accumulate(p[order] * (len(p) - np.arange(len(p)))).clip(max=1)
    return [float(one) for one in adjusted]
