"""How far may a mean be trusted? Confidence intervals of 95 %."""

import math
import statistics
from collections.abc import Sequence
from functools import lru_cache


@lru_cache(10_000)
def wilson(solved: int, runs: int) -> tuple[float, float]:
    """The 95 % confidence interval of a share, by Wilson's score."""
    # It takes longer to import than everything else that a sweep's workers need.
    from scipy.stats import binomtest

    interval = binomtest(solved, runs).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)


def interval(values: Sequence[float], share: bool, seeds: int | None = None) -> tuple[float, float]:
    """
    Of the mean of at least two values, 95 %: Student's t, or for a share of zeros and ones Wilson's score. With
    `seeds`, what it would be from so many values of the same mean and spread.
    """
    number, mean = seeds or len(values), statistics.fmean(values)
    if not math.isfinite(mean):
        return math.nan, math.nan
    if share:
        return wilson(round(mean * number), number)
    # It takes longer to import than everything else that a sweep's workers need.
    from scipy.stats import t

    spread = statistics.stdev(values) / math.sqrt(number)
    if spread == 0:
        return mean, mean
    low, high = t.interval(0.95, number - 1, mean, spread)
    return float(low), float(high)
