"""Does an interval settle what it should, and no more?"""

import math

import pytest

from lstm_core.claims.evidence import CONFIRMED, REFUTED, UNDECIDED, Region, finding, together
from lstm_core.measurements.intervals import interval


@pytest.mark.parametrize(
    ("region", "low", "high", "verdict"),
    [
        (Region(low=1), 1.0, 2.0, CONFIRMED),
        (Region(low=1), 0.0, 0.9, REFUTED),
        (Region(low=1), 0.9, 2.0, UNDECIDED),
        (Region(high=1), 0.0, 1.0, CONFIRMED),
        (Region(high=1), 1.1, 2.0, REFUTED),
        (Region(0, 1), -1.0, 2.0, UNDECIDED),
        (Region(0, 1), 0.2, 0.3, CONFIRMED),
        (Region(), math.nan, math.nan, UNDECIDED),
    ],
)
def test_an_interval_inside_confirms_outside_refutes_and_across_an_end_does_neither(
    region: Region, low: float, high: float, verdict: str
) -> None:
    assert region.judge(low, high) == verdict


@pytest.mark.parametrize(("region", "rule"), [(Region(high=2), "at most 2"), (Region(low=0.5), "at least 0.5")])
def test_a_rule_reads_as_a_sentence(region: Region, rule: str) -> None:
    assert str(region) == rule
    assert str(Region(1, 2)) == "from 1 to 2"


@pytest.mark.parametrize(
    ("values", "region", "share"),
    [
        ((1.0, 1.0, 1.0, 1.0, 0.0), Region(low=0.5), True),
        ((0.1, 0.9, -0.4, 0.6, 0.2), Region(low=0.0), False),
    ],
)
def test_what_is_undecided_says_how_many_seeds_would_settle_it(
    values: tuple[float, ...], region: Region, share: bool
) -> None:
    one = finding(values, region, share)
    assert one.verdict == UNDECIDED
    assert one.seeds_needed is not None
    assert one.seeds_needed > len(values)
    assert region.judge(*interval(values, share, one.seeds_needed)) == CONFIRMED
    assert region.judge(*interval(values, share, one.seeds_needed - 1)) == UNDECIDED


def test_what_a_thousand_seeds_do_not_settle_says_so() -> None:
    assert finding((-1.0, 1.0, -1.0, 1.0), Region(low=0.0)).seeds_needed is None


def test_a_value_that_is_no_number_leaves_it_undecided() -> None:
    assert finding((1.0, math.nan, 1.0), Region(low=0.0))[4:] == (UNDECIDED, None)


def test_equal_values_have_an_interval_of_no_width() -> None:
    assert finding((2.0, 2.0), Region(low=2.0))[1:5] == (2.0, 2.0, 2.0, CONFIRMED)


@pytest.mark.parametrize(
    ("verdicts", "all_of_them"),
    [
        ((CONFIRMED, CONFIRMED), CONFIRMED),
        ((CONFIRMED, UNDECIDED), UNDECIDED),
        ((CONFIRMED, UNDECIDED, REFUTED), REFUTED),
    ],
)
def test_a_statement_holds_if_all_its_sentences_do(verdicts: tuple[str, ...], all_of_them: str) -> None:
    assert together(verdicts) == all_of_them
