"""Is every statement of the article there, with a verdict that follows from its rule and comes out again?"""

import dataclasses

import pytest

from lstm_core.charts.catalogue import CHARTS
from lstm_core.claims import CLAIMS, PUBLISHED, ROWS, Claim
from lstm_core.claims.evidence import UNDECIDED, Finding, finding, together
from lstm_core.claims.testing import numbers
from lstm_core.claims.verdicts import findings, recorded
from lstm_core.history.records import Record
from lstm_core.network import parameter_count
from lstm_core.sweep.sweep import train_one
from lstm_core.ui.page import PAGES

ALL_ROWS = [*CLAIMS, *PUBLISHED]

LONG_SECONDS = 30


def named(claim: Claim) -> str:
    return claim.name


def first_seed(claim: Claim) -> dict[str, Record]:
    return {label: train_one(experiment, weights=True) for label, experiment in claim.trained(0).items()}


def on_one_side(finding: Finding, holds: tuple[float, float]) -> bool:
    """Whether all seeds agree with a verdict that is settled."""
    inside = {holds[0] <= value <= holds[1] for value in finding.values if value is not None}
    return finding.verdict != UNDECIDED and len(inside) == 1


def test_all_eighteen_statements_are_there_in_their_order() -> None:
    assert [claim.name for claim in CLAIMS] == [f"A{number}" for number in range(1, 19)]
    assert len(ROWS) == len(ALL_ROWS)


@pytest.mark.parametrize(
    "claim", [claim for claim in CLAIMS if recorded()[claim.name]["seconds"] < LONG_SECONDS], ids=named
)
def test_a_statements_first_seed_answers_as_it_was_recorded(claim: Claim) -> None:
    """
    Whatever the machine: where all recorded seeds were on one side of the rule, this one is there too. What takes long
    is for `python -m lstm_core claims`.
    """
    answers = numbers(claim, 0, first_seed(claim))
    settled = 0
    for question, one, answer in zip(claim.questions, findings(claim), answers, strict=True):
        if on_one_side(one, question.holds):
            settled += 1
            assert (question.holds.low <= answer <= question.holds.high) == (one.verdict == "confirmed"), question
    assert settled


@pytest.mark.parametrize("claim", ALL_ROWS, ids=named)
def test_what_is_recorded_is_of_todays_questions_and_rules(claim: Claim) -> None:
    row = recorded()[claim.name]
    assert row["said"] == claim.said
    recorded_answers = [(answer["sentence"], answer["rule"], answer["decides"]) for answer in row["answers"]]
    assert recorded_answers == [(question.sentence, question.rule, question.decides) for question in claim.questions]


@pytest.mark.parametrize("claim", ALL_ROWS, ids=named)
def test_a_recorded_verdict_follows_from_the_recorded_values(claim: Claim) -> None:
    row = recorded()[claim.name]
    decisive = []
    for question, one in zip(claim.questions, findings(claim), strict=True):
        anew = finding(one.values, question.holds, question.share)
        assert one.verdict == anew.verdict
        assert (one.mean, one.low, one.high) == pytest.approx((anew.mean, anew.low, anew.high), rel=1e-3, abs=1e-9)
        assert (one.seeds_needed is None) == (anew.seeds_needed is None)
        if question.decides:
            decisive.append(anew.verdict)
    assert row["verdict"] == together(decisive)


@pytest.mark.parametrize("claim", ALL_ROWS, ids=named)
def test_a_recorded_verdict_has_its_date_engine_and_at_least_five_seeds(claim: Claim) -> None:
    row = recorded()[claim.name]
    assert len(row["date"]) == len("2026-01-01")
    assert row["engine"] == ("fused" if claim.racers else None)
    assert row["seeds"] == list(range(len(row["seeds"])))
    assert len(row["seeds"]) >= 5
    assert all(len(answer["values"]) == len(row["seeds"]) for answer in row["answers"])


@pytest.mark.parametrize("claim", ALL_ROWS, ids=named)
def test_what_a_row_points_to_is_there(claim: Claim) -> None:
    networks = {**claim.racers, **claim.drawn}
    assert len(networks) == len(claim.racers) + len(claim.drawn)
    assert {name for name, _ in claim.charts} <= set(CHARTS)
    assert {label for _, label in claim.charts} <= {"", *networks}
    assert claim.page in PAGES
    assert any(question.decides for question in claim.questions)


def test_seeds_change_the_seed_and_nothing_else() -> None:
    for claim in ALL_ROWS:
        for label, experiment in claim.trained(3).items():
            assert dataclasses.replace(experiment, seed=0) == claim.racers[label]


def test_stacks_that_are_compared_at_equal_weights_have_them() -> None:
    for name in ("A15", "A16", "A17"):
        weights = {label: parameter_count(experiment) for label, experiment in ROWS[name].racers.items()}
        assert 0.95 * weights["plain"] < weights["dense"] <= weights["plain"]
        assert 0.95 * weights["plain"] < weights["one layer"] <= weights["plain"]
    weights = {label: parameter_count(experiment) for label, experiment in ROWS["A15"].racers.items()}
    assert 2 * weights["dense, half the weights"] <= weights["plain"]
