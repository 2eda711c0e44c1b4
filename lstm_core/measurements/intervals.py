"""How far may a mean be trusted? Confidence intervals of 95 %."""

import math
import statistics
from collections.abc import Sequence

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
    # Where it is needed: many processes import this module for a share alone. Not scipy.stats, which takes 50 MB.
    from scipy.special import stdtrit

    half = float(stdtrit(number - 1, UPPER)) * statistics.stdev(values) / math.sqrt(number)
    return mean - half, mean + half
