"""Does the page Claims show every verdict, put statements to the test, and survive any link?"""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies
from streamlit.testing.v1 import AppTest

from lstm_core.claims import CLAIMS, LOOK, PUBLISHED, ROWS, Claim
from lstm_core.claims.testing import UnderTest
from lstm_core.claims.verdicts import recorded
from lstm_core.history.database import with_weights
from lstm_core.history.opening import PLACE, open_history
from lstm_core.measurements.checkpoints import beginning, recurrent_spectrum
from lstm_core.streams import CURRENT
from lstm_core.ui import claims
from lstm_core.ui.claims import is_quick
from lstm_core.ui.page import PAGES
from lstm_core.ui.session import ADDRESS, AGAIN, OPEN, SHOWING
from tests.test_pages import drawn
from tests.visits import check, open_page, redrawn_from_now, settled, written

OPENED = [*CLAIMS, *PUBLISHED]
WIDGETS = ("slider", "select_slider", "selectbox", "segmented_control", "pills")


@pytest.fixture(autouse=True)
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PLACE, f"sqlite:///{tmp_path}/history.sqlite")


def named(claim: Claim) -> str:
    return claim.name


def under_test(visit: AppTest) -> UnderTest:
    test: UnderTest = visit.session_state[AGAIN].test
    return test


def test_every_statement_has_a_row_with_its_recorded_verdict(visits: list[AppTest]) -> None:
    labels = open_page(visits, "claims").radio[0].options
    signs = [claims.SIGNS[recorded()[claim.name]["verdict"]] for claim in OPENED]
    assert labels == [f"{sign} **{claim.name}** {claim.said}" for sign, claim in zip(signs, OPENED, strict=True)]


def test_the_heading_counts_the_articles_statements_by_verdict(visits: list[AppTest]) -> None:
    heading = open_page(visits, "claims").markdown[0].value
    verdicts = [recorded()[claim.name]["verdict"] for claim in CLAIMS]
    assert [int(number) for number in re.findall(r" (\d+)\]", heading)] == [
        verdicts.count(one) for one in claims.BADGES
    ]
    assert sum(map(int, re.findall(r" (\d+)\]", heading))) == len(CLAIMS)


def test_a_look_of_five_seeds_is_no_verdict(visits: list[AppTest]) -> None:
    visit = open_page(visits, "claims", claim="A10")
    while not under_test(visit).finished:
        check(visit.run())
    check(visit.run())
    badges = [text.value for text in visit.markdown if "-badge[a look" in text.value]
    assert [badge.startswith(":gray-badge[a look: 5 of 5 seeds]") for badge in badges] == [True] * 2


@pytest.mark.parametrize("claim", OPENED, ids=named)
def test_a_row_opens_by_its_link_and_shows_all_there_is(claim: Claim, visits: list[AppTest]) -> None:
    visit = open_page(visits, "claims", claim=claim.name)
    texts = [text.value for text in visit.markdown]
    assert any(claim.takeaway in text for text in texts)
    for question in claim.questions:
        assert any(question.sentence in text for text in texts)
        assert any(question.rule in text.value for text in visit.caption) or question.yes_or_no
    assert any("\\begin{aligned}" in text for text in texts)
    assert (AGAIN in visit.session_state) == (is_quick(claim) and claim not in PUBLISHED)


def setting(visit: AppTest, key: str) -> Any:
    """What a control of this name is set to, wherever the page draws it."""
    return visit.session_state[visit.session_state[ADDRESS].spots[key]]


@pytest.mark.parametrize("claim", [one for one in OPENED if one.address], ids=named)
def test_the_page_that_a_row_points_to_takes_its_settings(claim: Claim, visits: list[AppTest]) -> None:
    """Each of them is another one than the page opens with."""
    plain, asked = open_page(visits, claim.page), open_page(visits, claim.page, **claim.address)
    for key in claim.address:
        assert setting(plain, key) != setting(asked, key), key


def test_a_statement_is_put_to_the_test_to_its_end_and_its_runs_are_kept(
    visits: list[AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "LOOK", 2)
    visit = open_page(visits, "claims", claim="A13")
    while not under_test(visit).finished:
        check(visit.run())
    check(visit.run())
    captions = " ".join(text.value for text in visit.caption)
    assert captions.count("Now: ") == len(ROWS["A13"].questions)
    written()
    history = open_history()
    wanted = {one.key for seed in range(2) for one in ROWS["A13"].trained(seed).values()}
    assert with_weights(history) == wanted
    history.dispose()


def test_a_statement_without_anything_to_train_is_tested_beside_the_page(visits: list[AppTest]) -> None:
    visit = open_page(visits, "claims", claim="A10")
    while not under_test(visit).finished:
        check(visit.run())
    assert list(under_test(visit).numbers) == list(range(LOOK))
    assert SHOWING not in visit.session_state


def test_what_goes_wrong_while_a_statement_is_tested_is_said(
    visits: list[AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(test: UnderTest, seed: int) -> tuple[float, ...]:
        raise ArithmeticError(f"seed {seed} has no number")

    monkeypatch.setattr(UnderTest, "answer", broken)
    visit = open_page(visits, "claims", claim="A10")
    while not under_test(visit).finished:
        check(visit.run())
    check(visit.run())
    assert [error.value for error in visit.error] == ["ArithmeticError: seed 0 has no number"]


def test_the_charts_of_networks_as_they_are_drawn_show_those_of_the_first_seed(visits: list[AppTest]) -> None:
    table = drawn(settled(open_page(visits, "claims", claim="A4")), "singular_values")
    spectrum = recurrent_spectrum(beginning(ROWS["A4"].looked_at(0)["random"]))
    shown = table[(table.kind == "racer") & (table.part == "singular value")]
    assert shown.y.tolist() == spectrum.singular_values.tolist()


def test_a_test_can_be_stopped_and_run_again(visits: list[AppTest]) -> None:
    visit = open_page(visits, "claims", claim="A12")
    race = visit.session_state[SHOWING].race
    check(visit.button(key="stop claim").click().run())
    assert not race.running
    assert SHOWING not in visit.session_state
    check(visit.button(key="run claim").click().run())
    once_more = visit.session_state[SHOWING].race
    assert once_more.running
    assert {racer.run for racer in once_more.racers}.isdisjoint({racer.run for racer in race.racers})


def test_whoever_opens_the_same_statement_shares_its_runs(visits: list[AppTest]) -> None:
    one, other = (open_page(visits, "claims", claim="A12").session_state[SHOWING].race for _ in range(2))
    assert [racer.run for racer in one.racers] == [racer.run for racer in other.racers]


def test_a_test_that_is_started_over_trains_its_runs_anew(visits: list[AppTest]) -> None:
    visit = open_page(visits, "claims", claim="A12")
    race = visit.session_state[SHOWING].race
    check(visit.button(key="run claim").click().run())
    assert not race.running
    assert {racer.run for racer in visit.session_state[SHOWING].race.racers}.isdisjoint(
        {racer.run for racer in race.racers}
    )


def test_a_test_is_drawn_again_and_again_until_it_has_ended(
    visits: list[AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    every = redrawn_from_now(monkeypatch)
    visit = open_page(visits, "claims", claim="A10")
    assert every[0]
    while not under_test(visit).finished:
        check(visit.run())
    settled(visit)
    assert every[-1] is None


def test_a_statement_that_takes_minutes_names_its_command(visits: list[AppTest]) -> None:
    visit = open_page(visits, "claims", claim="P1")
    assert any("python -m lstm_core claims P1" in text.value for text in visit.caption)
    assert AGAIN not in visit.session_state


def test_another_page_stops_the_test(visits: list[AppTest]) -> None:
    visit = open_page(visits, "claims", claim="A12")
    race = visit.session_state[SHOWING].race
    check(visit.switch_page(PAGES["gates"].path).run())
    assert not race.running


def test_another_row_stops_the_test(visits: list[AppTest]) -> None:
    visit = open_page(visits, "claims", claim="A12")
    race = visit.session_state[SHOWING].race
    check(visit.radio[0].set_value("P1").run())
    assert not race.running


def test_without_a_history_statements_are_tested_all_the_same(
    visits: list[AppTest], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv(PLACE, f"sqlite:///{tmp_path}/file/history.sqlite")
    monkeypatch.setattr(claims, "LOOK", 2)
    visit = open_page(visits, "claims", claim="A13")
    while not under_test(visit).finished:
        check(visit.run())
    check(visit.run())


@settings(max_examples=6, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(strategies.text(max_size=20) | strategies.sampled_from(["none", "a6", "A99", "A6 ", "\x00"]))
def test_a_link_to_no_statement_opens_the_first_and_says_so(visits: list[AppTest], text: str) -> None:
    visit = open_page(visits, "claims", claim=text, stream=str(CURRENT))
    assert visit.session_state[OPEN] == CLAIMS[0].name
    assert any("cannot be used" in text.value for text in visit.caption)
