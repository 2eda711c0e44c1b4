"""When do measurements settle a sentence? When the interval of their mean lies on one side of a rule set beforehand."""

import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple

import pyarrow as pa

from lstm_core.borrowed.arrow import of_rows
from lstm_core.language import _
from lstm_core.measurements.intervals import interval

CONFIRMED, REFUTED, UNDECIDED = VERDICTS = ("confirmed", "refuted", "undecided")
MOST_SEEDS = 1000


class Region(NamedTuple):
    """The numbers for which a sentence holds, both ends among them."""

    low: float = -math.inf
    high: float = math.inf

    def __str__(self) -> str:
        if self.low == -math.inf:
            return _("at most {high:g}").format(high=self.high)
        if self.high == math.inf:
            return _("at least {low:g}").format(low=self.low)
        return _("from {low:g} to {high:g}").format(low=self.low, high=self.high)

    def judge(self, low: float, high: float) -> str:
        """Of an interval: inside, it confirms; outside, it refutes; across an end, or without a number, neither."""
        if self.low <= low and high <= self.high:
            return CONFIRMED
        return REFUTED if high < self.low or low > self.high else UNDECIDED


class Finding(NamedTuple):
    """
    One number for each seed, their mean with its 95 % interval, and the verdict; where there is none, about how many
    seeds would settle it if the others were like these, None if more than `MOST_SEEDS`.
    """

    values: tuple[float, ...]
    mean: float
    low: float
    high: float
    verdict: str
    seeds_needed: int | None


def finding(values: Sequence[float], region: Region, share: bool = False) -> Finding:
    """What these values, one for each seed, say of the sentence that holds in a region."""
    low, high = interval(values, share)
    verdict = region.judge(low, high)
    needed = _seeds_needed(values, region, share) if verdict == UNDECIDED else None
    return Finding(tuple(values), statistics.fmean(values), low, high, verdict, needed)


def dots(finding: Finding, region: Region) -> pa.Table:
    """
    What a picture shows of a finding, by `kind`: the "region" in which the sentence holds, the "interval" (both from x
    to x2), the "mean", each "seed", and the "frame", the ends of the axis; what is no number is left out.
    """
    seeds = [value for value in finding.values if _is_number(value)]
    shown = [value for value in (*seeds, finding.mean, finding.low, finding.high, *region) if _is_number(value)]
    room = 0.08 * (max(shown) - min(shown)) or max(abs(shown[0]), 1.0) * 0.1
    first, last = min(shown) - room, max(shown) + room
    rows = [("frame", first, last), ("region", max(region.low, first), min(region.high, last))]
    if _is_number(finding.low):
        rows += [("interval", finding.low, finding.high), ("mean", finding.mean, finding.mean)]
    return of_rows([*rows, *(("seed", value, value) for value in seeds)], ["kind", "x", "x2"])


def _is_number(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _seeds_needed(values: Sequence[float], region: Region, share: bool) -> int | None:
    more = range(len(values) + 1, MOST_SEEDS + 1)
    return next((n for n in more if region.judge(*interval(values, share, n)) != UNDECIDED), None)


def together(verdicts: Sequence[str]) -> str:
    """Of a statement that holds if all its sentences do."""
    if REFUTED in verdicts:
        return REFUTED
    return CONFIRMED if set(verdicts) == {CONFIRMED} else UNDECIDED
