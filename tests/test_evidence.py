"""Does a rule settle what it should, and no more?"""

import math
from typing import Any

import pytest

from lstm_core.claims.evidence import (
    ALWAYS,
    BESIDE,
    CONDITIONAL,
    CONFIRMED,
    DECIDES,
    LIMITS,
    MOSTLY,
    NO,
    PROVEN,
    REFUTED,
    SEEDS,
    THEOREM,
    UNDECIDED,
    YES,
    Finding,
    Region,
    dots,
    more,
    together,
)

BELOW = Region(high=0)


def of(holding: int, seeds: int = SEEDS, **others: Any) -> Finding:
    """A sentence that holds for so many seeds."""
    return Finding((1.0,) * holding + (0.0,) * (seeds - holding), YES, **others)


@pytest.mark.parametrize(("region", "rule"), [(Region(high=2), "at most 2"), (Region(low=0.5), "at least 0.5")])
def test_a_rule_reads_as_a_sentence(region: Region, rule: str) -> None:
    assert str(region) == rule
    assert str(Region(1, 2)) == "from 1 to 2"


def test_seeds_at_the_ends_of_a_region_are_inside() -> None:
    assert Finding((0.0, 1.0, -0.1, 1.1, math.inf), Region(0, 1)).holding == 2


def test_what_is_no_number_is_neither_for_a_sentence_nor_against_it() -> None:
    one = Finding((math.nan, 1.0, -1.0, -1.0), BELOW)
    assert (one.holding, one.against, len(one.values)) == (2, 1, 4)
    assert math.isnan(one.median)
    assert all(math.isnan(end) for end in one.interval)


# From any table of the binomial distribution: 15 of 20, and of 30, at 99 %, 23.
@pytest.mark.parametrize(("holding", "seeds", "settled"), [(14, 20, 0), (15, 20, 1), (22, 30, 0), (23, 30, 1)])
def test_a_sentence_is_confirmed_from_so_many_seeds_on(holding: int, seeds: int, settled: int) -> None:
    assert of(holding, seeds).verdict(1.0) == (UNDECIDED, CONFIRMED)[settled]


@pytest.mark.parametrize(("holding", "seeds", "settled"), [(6, 20, 0), (5, 20, 1), (8, 30, 0), (7, 30, 1)])
def test_it_is_refuted_from_so_few_on_where_nothing_else_is_asked(holding: int, seeds: int, settled: int) -> None:
    one = of(holding, seeds)
    assert one.verdict(one.p_value) == (UNDECIDED, REFUTED)[settled]


def test_a_correction_for_other_questions_can_take_a_refutation_back() -> None:
    one = of(5)
    assert one.verdict(one.p_value) == REFUTED
    assert one.verdict(2 * one.p_value) == UNDECIDED


def test_five_seeds_settle_nothing() -> None:
    assert {of(holding, 5).verdict(of(holding, 5).p_value) for holding in range(6)} == {UNDECIDED}


def test_an_equation_holds_for_all_seeds_or_for_none() -> None:
    assert [of(holding, kind=ALWAYS).verdict(1.0) for holding in (20, 19, 1, 0)] == [
        CONFIRMED,
        UNDECIDED,
        UNDECIDED,
        REFUTED,
    ]


def test_a_theorem_that_is_not_seen_is_a_defect_and_not_refuted() -> None:
    assert [of(holding, kind=PROVEN).verdict(1.0) for holding in (20, 19, 0)] == [THEOREM, UNDECIDED, UNDECIDED]


def test_half_as_many_seeds_join_those_that_leave_it_open() -> None:
    assert (more(SEEDS), more(6)) == (30, 9)


@pytest.mark.parametrize(
    ("answers", "all_of_them"),
    [
        ([(DECIDES, CONFIRMED), (DECIDES, CONFIRMED)], CONFIRMED),
        ([(DECIDES, CONFIRMED), (DECIDES, UNDECIDED)], UNDECIDED),
        ([(DECIDES, CONFIRMED), (DECIDES, UNDECIDED), (DECIDES, REFUTED)], REFUTED),
        ([(DECIDES, CONFIRMED), (LIMITS, CONFIRMED)], CONFIRMED),
        ([(DECIDES, CONFIRMED), (LIMITS, UNDECIDED)], CONDITIONAL),
        ([(DECIDES, CONFIRMED), (LIMITS, REFUTED)], CONDITIONAL),
        ([(DECIDES, REFUTED), (LIMITS, REFUTED)], REFUTED),
        ([(DECIDES, CONFIRMED), (BESIDE, REFUTED)], CONFIRMED),
        ([(DECIDES, THEOREM), (LIMITS, REFUTED)], THEOREM),
        ([(DECIDES, THEOREM), (DECIDES, CONFIRMED)], CONFIRMED),
    ],
)
def test_a_statement_holds_if_all_its_sentences_do(answers: list[tuple[str, str]], all_of_them: str) -> None:
    assert together(answers) == all_of_them


def drawn(finding: Finding, yes_or_no: bool = False) -> dict[str, list[tuple[float, float]]]:
    found: dict[str, list[tuple[float, float]]] = {}
    for row in dots(finding, yes_or_no).to_pylist():
        found.setdefault(row["kind"], []).append((row["x"], row["x2"]))
    return found


def test_a_picture_shows_region_interval_median_and_every_seed() -> None:
    values = tuple(float(k) for k in range(20))
    shown = drawn(Finding(values, Region(low=3)))
    assert shown["interval"] == [(5.0, 14.0)]
    assert shown["middle"] == [(9.5, 9.5)]
    assert [x for x, _ in shown["seed"]] == list(values)
    assert shown["region"] == [(3.0, shown["frame"][0][1])]


def test_a_picture_of_yes_or_no_shows_the_share_for_which_the_sentence_holds() -> None:
    one = Finding((0.0,) * 18 + (1.0,) * 2, NO)
    shown = drawn(one, yes_or_no=True)
    assert shown["middle"] == [(0.9, 0.9)]
    assert shown["interval"] == [one.share]
    assert shown["region"][0][0] == 0.5
    assert "seed" not in shown


def test_a_picture_leaves_out_what_is_not_finite() -> None:
    shown = drawn(Finding((math.inf, -math.inf, math.nan, 1.0), Region(low=0), MOSTLY))
    assert shown["seed"] == [(1.0, 1.0)]
    assert "interval" not in shown


@pytest.mark.parametrize("kind", [ALWAYS, PROVEN])
def test_what_is_no_matter_of_statistics_has_no_interval(kind: str) -> None:
    assert "interval" not in drawn(Finding((1.0,) * 20, YES, kind))
