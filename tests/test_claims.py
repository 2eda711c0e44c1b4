"""Is every statement of the article there, with a verdict that follows from its rule and comes out again?"""

import dataclasses
from datetime import datetime

import pytest

from lstm_core.charts.catalogue import CHARTS
from lstm_core.claims import CLAIMS, PUBLISHED, ROWS, Claim
from lstm_core.claims.evidence import ALWAYS, DECIDES, FIRST_SEED, KINDS, MOSTLY, ROLES, Finding, Region, more
from lstm_core.claims.provenance import fingerprint
from lstm_core.claims.testing import numbers
from lstm_core.claims.verdicts import answers, findings, recorded, verdict
from lstm_core.history.records import Record
from lstm_core.measurements.checkpoints import beginning
from lstm_core.measurements.stacks import features
from lstm_core.network import parameter_count
from lstm_core.sweep.sweep import train_one
from lstm_core.ui.page import PAGES

ALL_ROWS = [*CLAIMS, *PUBLISHED]

LONG_SECONDS = 30


def named(claim: Claim) -> str:
    return claim.name


def first_seed(claim: Claim) -> dict[str, Record]:
    return {label: train_one(experiment, weights=True) for label, experiment in claim.trained(FIRST_SEED).items()}


def on_one_side(finding: Finding) -> bool:
    """Whether all seeds agree."""
    return len(finding.values) in (finding.holding, finding.against)


def test_all_statements_are_there_and_have_a_name_of_their_own() -> None:
    assert {claim.name for claim in CLAIMS} == {f"A{number}" for number in range(1, len(CLAIMS) + 1)}
    assert [claim.name for claim in PUBLISHED] == [f"P{number}" for number in range(1, len(PUBLISHED) + 1)]
    assert len(ROWS) == len(ALL_ROWS)


def seconds_of_a_seed(claim: Claim) -> float:
    row = recorded()[claim.name]
    return float(row["seconds"] / len(row["seeds"]))


def is_short_and_settled(claim: Claim) -> bool:
    return seconds_of_a_seed(claim) < LONG_SECONDS and any(map(on_one_side, findings(claim)))


@pytest.mark.parametrize("claim", [*filter(is_short_and_settled, CLAIMS)], ids=named)
def test_a_statements_first_seed_answers_as_it_was_recorded(claim: Claim) -> None:
    """
    Whatever the machine: where all recorded seeds were on one side of the rule, this one is there too. What takes long
    is for `python -m lstm_core claims`.
    """
    found = claim.findings([numbers(claim, FIRST_SEED, first_seed(claim))])
    for question, now, then in zip(claim.questions, found, findings(claim), strict=True):
        if on_one_side(then):
            assert bool(now.holding) == bool(then.holding), question


@pytest.mark.parametrize("claim", ALL_ROWS, ids=named)
def test_a_record_is_of_todays_rules_and_not_older_than_they_are(claim: Claim) -> None:
    row = recorded()[claim.name]
    assert row["rules"] == fingerprint(claim)
    assert datetime.fromisoformat(row["committed"]) <= datetime.fromisoformat(row["date"])
    recorded_rules = [(answer["sentence"], answer["rule"], answer["kind"], answer["role"]) for answer in row["answers"]]
    assert recorded_rules == [(one.sentence, one.rule, one.kind, one.role) for one in claim.questions]


@pytest.mark.parametrize("change", ["said", "rule", "kind", "role", "network", "seeds"])
def test_a_rule_that_changes_makes_its_record_old(change: str) -> None:
    claim = ROWS["A1"]
    first, *others = claim.questions
    small = dataclasses.replace(claim.racers["T = 10"], hidden=8)
    changed = {
        "said": dataclasses.replace(claim, said="Else."),
        "rule": dataclasses.replace(claim, questions=(dataclasses.replace(first, holds=Region(low=2)), *others)),
        "kind": dataclasses.replace(claim, questions=(dataclasses.replace(first, kind=ALWAYS), *others)),
        "role": dataclasses.replace(claim, questions=(dataclasses.replace(first, role="beside"), *others)),
        "network": dataclasses.replace(claim, racers={**claim.racers, "T = 10": small}),
        "seeds": dataclasses.replace(claim, seeds=claim.seeds + 1),
    }
    assert fingerprint(changed[change]) != fingerprint(claim)


@pytest.mark.parametrize("claim", ALL_ROWS, ids=named)
def test_a_recorded_verdict_follows_from_the_recorded_values(claim: Claim) -> None:
    row = recorded()[claim.name]
    said = answers(claim, findings(claim))
    assert [answer["verdict"] for answer in row["answers"]] == said
    assert row["verdict"] == verdict(claim, said)
    for answer, one in zip(row["answers"], findings(claim), strict=True):
        assert (answer["holding"], answer["p_value"]) == (one.holding, pytest.approx(one.p_value, rel=1e-5))
        assert answer["share"] == pytest.approx(one.share, rel=1e-5)


@pytest.mark.parametrize("claim", ALL_ROWS, ids=named)
def test_nothing_is_confirmed_that_its_own_figures_are_against(claim: Claim) -> None:
    """By the figures alone, without the rules' own arithmetic."""
    for answer in recorded()[claim.name]["answers"]:
        seeds = len(answer["values"])
        if answer["verdict"] == "confirmed":
            assert answer["holding"] == seeds if answer["kind"] != MOSTLY else answer["holding"] / seeds >= 0.75
        if answer["verdict"] == "refuted":
            assert answer["holding"] / seeds <= 0.25


@pytest.mark.parametrize("claim", ALL_ROWS, ids=named)
def test_a_record_says_when_where_and_with_which_seeds(claim: Claim) -> None:
    row = recorded()[claim.name]
    assert row["engine"] == ("fused" if claim.racers else None)
    assert len(row["seeds"]) in (claim.seeds, more(claim.seeds))
    assert row["seeds"] == list(range(FIRST_SEED, FIRST_SEED + len(row["seeds"])))
    assert all(len(answer["values"]) == len(row["seeds"]) for answer in row["answers"])
    assert row["processor"]
    assert row["blas"]
    assert "torch" in row["versions"]
    assert len(row["commit"]) == 40


@pytest.mark.parametrize("claim", CLAIMS, ids=named)
def test_a_verdict_on_the_article_rests_on_twenty_seeds_that_no_opening_used(claim: Claim) -> None:
    assert claim.seeds >= 20
    assert max(range(5)) < FIRST_SEED


def test_no_repetition_turns_a_verdict_into_its_opposite() -> None:
    opposite = {("confirmed", "refuted"), ("refuted", "confirmed")}
    for row in recorded().values():
        for again in row.get("beside", []):
            assert set(again["seeds"]).isdisjoint(row["seeds"]) or again["blas"] != row["blas"]
            verdicts = [answer["verdict"] for answer in row["answers"]]
            assert opposite.isdisjoint(zip(verdicts, again["answers"], strict=True))
            assert (row["verdict"], again["verdict"]) not in opposite


@pytest.mark.parametrize("claim", ALL_ROWS, ids=named)
def test_what_a_row_points_to_is_there(claim: Claim) -> None:
    networks = {**claim.racers, **claim.drawn}
    assert len(networks) == len(claim.racers) + len(claim.drawn)
    assert {name for name, _ in claim.charts} <= set(CHARTS)
    assert {label for _, label in claim.charts} <= {"", *networks}
    assert claim.page in PAGES
    assert any(question.role == DECIDES for question in claim.questions)
    assert {question.kind for question in claim.questions} <= set(KINDS)
    assert {question.role for question in claim.questions} <= set(ROLES)


def test_seeds_change_the_seed_and_nothing_else() -> None:
    for claim in ALL_ROWS:
        for label, experiment in claim.trained(3).items():
            assert dataclasses.replace(experiment, seed=0) == claim.racers[label]


def test_stacks_that_are_compared_at_equal_weights_have_them() -> None:
    weights = {label: parameter_count(experiment) for label, experiment in ROWS["A14"].racers.items()}
    assert 0.95 * weights["plain"] < weights["dense"] <= weights["plain"] == weights["residual"]
    plain = weights["plain"]
    for label, experiment in ROWS["A15"].racers.items():
        part = int(label.rpartition("/")[2])
        assert 0.8 * plain / part < parameter_count(experiment) <= plain / part, label


def test_stacks_that_are_compared_at_equal_features_have_them() -> None:
    assert {features(beginning(one)).number for one in ROWS["A16"].racers.values()} == {36}
