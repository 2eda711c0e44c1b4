"""Is what a page is about in sight at once? On a small screen and a phone; `python -m tests.views` tries them all."""

import pytest
from playwright.sync_api import Browser

from lstm_core.openings.presets import OPENINGS
from tests.browsing import LAPTOP, LONG, PHONE, Scheme, Size, place, until_it_trains, window
from tests.views.first import faults, seen

SCHEMES: dict[str, Scheme] = {name: "dark" if number % 2 else "light" for number, name in enumerate(OPENINGS)}


@pytest.mark.parametrize("size", [LAPTOP, PHONE], ids=str)
@pytest.mark.parametrize("name", OPENINGS)
def test_nothing_of_the_first_view_is_hidden(browser: Browser, address: str, name: str, size: Size) -> None:
    with window(browser, size, SCHEMES[name]) as page:
        page.goto(place(address, name, LONG))
        until_it_trains(page)
        assert faults(seen(page, size)) == []
