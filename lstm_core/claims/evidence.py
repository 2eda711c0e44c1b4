"""
When do measurements settle a sentence? By a rule that was set beforehand, from one number for each seed.

A sentence is true if it holds for more than half of all seeds there could be. It is `CONFIRMED` where the exact
interval of that share lies above one half, and `REFUTED` where the share is below by a test that is corrected for all
the questions asked together. Some sentences need no statistics: `ALWAYS` is for an equation, which holds for every seed
or for none, and `PROVEN` for a theorem, which is measured to show it, not to test it.
"""

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pyarrow as pa

from lstm_core.borrowed.arrow import of_rows
from lstm_core.language import _
from lstm_core.measurements.intervals import at_least, exact, of_median

CONFIRMED, CONDITIONAL, THEOREM, REFUTED, UNDECIDED = VERDICTS = (
    "confirmed",
    "conditional",
    "theorem",
    "refuted",
    "undecided",
)
MOSTLY, ALWAYS, PROVEN = KINDS = ("mostly", "always", "proven")
# What a sentence is to its statement: it has to hold; it says where the statement ends; it belongs to the picture.
DECIDES, LIMITS, BESIDE = ROLES = ("decides", "limits", "beside")
# So many seeds, from the first that no opening and no calibration has used. Where they leave a statement open half as
# many join them, and then, as this is a second chance, an interval has to hold 99 % instead of 95.
SEEDS, FIRST_SEED = 20, 100
FIRST_LEVEL, SECOND_LEVEL = 0.95, 0.99


def more(seeds: int) -> int:
    """With how many seeds a statement is judged that fewer have left open."""
    return seeds + seeds // 2


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


# Of what is 1 or 0, yes or no.
YES, NO = Region(low=1), Region(high=0)


@dataclass(frozen=True)
class Finding:
    """
    One number for each seed, nan where there is none, the `region` of those for which the sentence holds, the `kind` of
    the sentence, one of `KINDS`, and how many seeds were `planned` at first.
    """

    values: tuple[float, ...]
    region: Region
    kind: str = MOSTLY
    planned: int = SEEDS

    @property
    def level(self) -> float:
        """Of its intervals."""
        return FIRST_LEVEL if len(self.values) <= self.planned else SECOND_LEVEL

    @property
    def holding(self) -> int:
        """For how many seeds the sentence holds."""
        return sum(self.region.low <= value <= self.region.high for value in self.values)

    @property
    def against(self) -> int:
        """For how many it does not; what is no number speaks neither for it nor against it."""
        return sum(not math.isnan(value) for value in self.values) - self.holding

    @property
    def share(self) -> tuple[float, float]:
        """The exact interval of the share of seeds for which it holds."""
        return exact(self.holding, len(self.values), self.level)

    @property
    def median(self) -> float:
        """Of the values; nan where one is no number."""
        return math.nan if any(map(math.isnan, self.values)) else statistics.median(self.values)

    @property
    def interval(self) -> tuple[float, float]:
        """That of the median."""
        return of_median(self.values, self.level)

    @property
    def p_value(self) -> float:
        """The chance, twice that of one tail, of so many against it if it held for half of all seeds."""
        return min(1.0, 2 * at_least(self.against, len(self.values)))

    def verdict(self, p_value: float) -> str:
        """With the p-value as it is after the correction for the questions that are asked together."""
        if self.kind != MOSTLY:
            truth = THEOREM if self.kind == PROVEN else CONFIRMED
            all_hold, none_does = self.holding == len(self.values), self.against == len(self.values)
            return truth if all_hold else REFUTED if none_does and self.kind == ALWAYS else UNDECIDED
        if self.share[0] > 1 / 2:
            return CONFIRMED
        return REFUTED if p_value <= 1 - self.level else UNDECIDED


def together(answers: Iterable[tuple[str, str]]) -> str:
    """
    Of a statement, from role and verdict of each of its sentences. All that decide have to hold; where one of those
    does not that say where it ends, it holds under a condition.
    """
    said = list(answers)
    deciding = {verdict for role, verdict in said if role == DECIDES}
    for one in (REFUTED, UNDECIDED):
        if one in deciding:
            return one
    if deciding == {THEOREM}:
        return THEOREM
    unlimited = all(verdict == CONFIRMED for role, verdict in said if role == LIMITS)
    return CONFIRMED if unlimited else CONDITIONAL


def dots(finding: Finding, yes_or_no: bool) -> pa.Table:
    """
    What a picture shows of a finding, by `kind`: the "region" in which the sentence holds, the "interval" (both from x
    to x2), the "middle" and each "seed", and the "frame", the ends of the axis. Of what is `yes_or_no` for a seed, the
    share of seeds for which the sentence holds; of other numbers themselves, their median, and no interval where the
    sentence is no matter of statistics. What is not finite is left out.
    """
    region, seeds, middle, ends = finding.region, finding.values, finding.median, finding.interval
    if finding.kind != MOSTLY:
        ends = math.nan, math.nan
    if yes_or_no:
        region, seeds, middle, ends = Region(low=1 / 2), (0.0, 1.0), finding.holding / len(seeds), finding.share
    finite = [value for value in seeds if math.isfinite(value)]
    shown = [value for value in (*finite, middle, *ends, *region) if math.isfinite(value)]
    room = 0.08 * (max(shown) - min(shown)) or max(abs(shown[0]), 1.0) * 0.1
    first, last = min(shown) - room, max(shown) + room
    rows = [("frame", first, last), ("region", max(region.low, first), min(region.high, last))]
    if all(map(math.isfinite, ends)):
        rows += [("interval", *ends)]
    if math.isfinite(middle):
        rows += [("middle", middle, middle)]
    marks: Sequence[float] = () if yes_or_no else finite
    return of_rows([*rows, *(("seed", value, value) for value in marks)], ["kind", "x", "x2"])
