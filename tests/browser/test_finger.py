"""Does a phone do what a finger wants?"""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from lstm_core.ui.page import PAGES
from tests.browsing import PHONE, place, window
from tests.views.accessible import at_rest

THUMB = """() => {
    const thumb = document.querySelector('[data-testid=stSlider] input[type=range]').parentElement.parentElement;
    const box = thumb.getBoundingClientRect();
    return [box.x + box.width / 2, box.y + box.height / 2];
}"""


@pytest.fixture
def phone(browser: Browser, address: str) -> Iterator[Page]:
    with window(browser, PHONE) as page:
        page.goto(place(address, "dashboard"))
        at_rest(page)
        yield page


def swipe(page: Page, x: float, y: float, to_x: float, to_y: float) -> None:
    """One finger, from here to there."""
    session = page.context.new_cdp_session(page)
    for number in range(11):
        at = {"x": x + (to_x - x) * number / 10, "y": y + (to_y - y) * number / 10}
        kind = "touchMove" if number else "touchStart"
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [at]})
        page.wait_for_timeout(20)
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.wait_for_timeout(500)


def test_a_swipe_over_a_slider_scrolls_and_its_thumb_sets_it(phone: Page) -> None:
    slider, scrolled = phone.get_by_role("slider").first, "document.querySelector('[data-testid=stMain]').scrollTop"
    before = slider.input_value()
    x, y = phone.evaluate(THUMB)
    swipe(phone, x - 80, y, x - 80, y - 150)
    assert phone.evaluate(scrolled) > 0
    assert slider.input_value() == before
    phone.evaluate("document.querySelector('[data-testid=stMain]').scrollTop = 0")
    x, y = phone.evaluate(THUMB)
    swipe(phone, x + 12, y, x - 60, y)
    assert float(slider.input_value()) < float(before)


def test_the_navigation_of_a_phone_closes_after_a_choice(phone: Page) -> None:
    phone.get_by_role("button", name=re.compile("^menu icon")).tap()
    phone.get_by_role("link", name=PAGES["gates"].label, exact=True).tap()
    phone.get_by_role("heading", name=PAGES["gates"].question).wait_for()
    phone.get_by_role("link", name=PAGES["depth"].label, exact=True).wait_for(state="hidden")
