"""
Is what a page is about in sight at once, and can everybody use it? On a small screen and a phone; all windows and
themes: `python -m tests.views`.
"""

import pytest
from playwright.sync_api import Browser

from lstm_core.openings.presets import OPENINGS
from lstm_core.ui.page import PAGES
from tests.browsing import LAPTOP, LONG, PHONE, Scheme, place, until_it_trains, window
from tests.views.accessible import REACHED_WITHIN, at_rest, barriers, small_targets, tabs_to_the_main_control
from tests.views.first import faults, seen

SCHEMES: dict[str, Scheme] = {name: "dark" if number % 2 else "light" for number, name in enumerate(PAGES)}


@pytest.mark.parametrize("name", ["dashboard", "gradient_flow", "depth", "forecast"])
def test_on_a_screen_nothing_is_hidden_nothing_serious_in_the_way_and_the_main_control_a_few_tabs_away(
    browser: Browser, address: str, name: str
) -> None:
    with window(browser, LAPTOP, SCHEMES[name]) as page:
        page.goto(place(address, name, LONG))
        until_it_trains(page)
        hidden, tabs = faults(seen(page, LAPTOP)), tabs_to_the_main_control(page)
        at_rest(page)
        assert (hidden, barriers(page)) == ([], [])
        assert tabs <= REACHED_WITHIN


@pytest.mark.parametrize("name", ["dashboard", "gates", "forecast"])
def test_on_a_phone_a_chart_is_in_sight_and_what_a_finger_presses_is_large_enough(
    browser: Browser, address: str, name: str
) -> None:
    with window(browser, PHONE, SCHEMES[name]) as page:
        page.goto(place(address, name, LONG))
        until_it_trains(page)
        assert (faults(seen(page, PHONE)), small_targets(page)) == ([], [])


@pytest.mark.parametrize("name", sorted(PAGES.keys() - OPENINGS.keys()))
def test_axe_finds_nothing_serious_on_pages_without_a_race(browser: Browser, address: str, name: str) -> None:
    with window(browser, LAPTOP, SCHEMES[name]) as page:
        page.goto(place(address, name))
        at_rest(page)
        assert barriers(page) == []
