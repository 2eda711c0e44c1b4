"""Does a click on a race to start from bring exactly that race, and say for how many seeds its claim held?"""

import pytest
from streamlit.testing.v1 import AppTest

from lstm_core.openings.guesses import question
from lstm_core.openings.presets import OPENINGS
from lstm_core.openings.races import race_on
from lstm_core.openings.record import Held
from lstm_core.openings.starts import STARTS, Start
from lstm_core.race.limits import too_much
from lstm_core.ui import live, navigation, stage, start
from lstm_core.ui.session import ADDRESS
from tests.test_pages import experiments
from tests.visits import check, open_page

MOST_WORDS = 25
every_start = pytest.mark.parametrize("row", STARTS, ids=lambda row: row.key)


def of_page(name: str) -> list[Start]:
    return [row for row in STARTS if row.page == name]


def click(visit: AppTest, row: Start) -> AppTest:
    return check(visit.button(key=f"start {row.name}").click().run())


def offered(visit: AppTest) -> list[str]:
    return [button.label for button in visit.button if (button.key or "").startswith("start ")]


@pytest.mark.parametrize("name", OPENINGS)
def test_every_race_page_offers_two_to_four(name: str) -> None:
    assert 2 <= len(of_page(name)) <= 4


def test_no_two_have_one_name() -> None:
    assert len({row.key for row in STARTS}) == len(STARTS)


@pytest.mark.parametrize("name", OPENINGS)
def test_without_settings_a_page_shows_its_opening_race(name: str) -> None:
    assert race_on(name, {}, seed=3) == OPENINGS[name].experiments(3)


@every_start
def test_a_visitor_may_ask_for_it(row: Start) -> None:
    assert too_much(row.experiments().values()) is None


@every_start
def test_it_is_another_race_than_the_opening(row: Start) -> None:
    assert row.experiments() != OPENINGS[row.page].experiments()


@every_start
def test_what_is_asked_about_it_can_be_decided_by_its_racers(row: Start) -> None:
    experiments = row.experiments()
    asked = question(row.page, experiments)
    assert asked is None or asked.decided({label: [] for label in experiments}, experiments) is None


@pytest.mark.parametrize("name", OPENINGS)
def test_a_click_brings_its_race_one_after_the_other(name: str, visits: list[AppTest]) -> None:
    visit = open_page(visits, name)
    for row in [*of_page(name), *reversed(of_page(name))]:
        shown = experiments(click(visit, row))
        assert list(shown.items()) == list(row.experiments().items()), row.key


@pytest.mark.parametrize("name", OPENINGS)
def test_its_settings_are_keys_of_controls_of_its_page(name: str, visits: list[AppTest]) -> None:
    visit = open_page(visits, name)
    for row in of_page(name):
        placed = click(visit, row).session_state[ADDRESS].placed
        assert set(row.settings) <= set(placed), row.key


def test_its_help_says_for_how_many_seeds_its_claim_held(
    visits: list[AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    row = STARTS[0]
    monkeypatch.setattr(start, "recorded", lambda: {row.key: Held(row.key, 4, 5, "2026-11-27", {})})
    shown = open_page(visits, row.page).button(key=f"start {row.name}")
    assert shown.help == f"{row.claim} Held for 4 of 5 seeds."


@every_start
def test_its_help_is_short(row: Start) -> None:
    assert len(start.told(row).split()) <= MOST_WORDS


def test_in_a_frame_and_on_a_wall_none_is_offered(visits: list[AppTest], monkeypatch: pytest.MonkeyPatch) -> None:
    assert offered(open_page(visits, "gates")) == [row.label for row in of_page("gates")]
    assert offered(open_page(visits, "gates", projector="true")) == []
    for module in (live, navigation, stage):
        monkeypatch.setattr(module, "embedded", lambda: True)
    assert offered(open_page(visits, "gates")) == []
