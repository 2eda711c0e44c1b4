"""What stands in somebody's way? By axe-core, by the Tab key, and by the size of what a finger has to hit."""

import re
from contextlib import suppress

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as TookTooLong

from tests.browsing import PATIENCE_MS

SERIOUS = {"serious", "critical"}
REACHED_WITHIN = 8
LEAST_TARGET = 40
ATTEMPTS = 20
FOCUSED_AT_THE_LEFT = """() => {
    const focused = document.activeElement, left = document.querySelector('h1').closest('[data-testid=stColumn]');
    return left.contains(focused) && !(focused.getAttribute('aria-label') || '').startsWith('Help');
}"""
# A slider's input is hidden in its thumb, a link to the main content until it has the focus.
SMALL_TARGETS = f"""() => [...document.querySelectorAll('button, a, [role=tab], [role=radio]')]
    .filter(node => node.checkVisibility() && node.getAttribute('href') !== '#main-content')
    .map(node => [node.innerText || node.getAttribute('aria-label'), node.getBoundingClientRect()])
    .filter(([, box]) => box.width > 1 && (box.width < {LEAST_TARGET} || box.height < {LEAST_TARGET}))
    .map(([name, box]) => `${{name}}: ${{box.width}} x ${{box.height}}`)"""


def at_rest(page: Page) -> None:
    """Wait until it is there; a race, if it has one, is held on its way or has ended, so that nothing changes."""
    page.get_by_role("heading", level=1).wait_for()
    if page.get_by_test_id("stBottom").count():
        expect(page.get_by_text(re.compile(r"^step [1-9]|^finished after"))).to_be_visible(timeout=PATIENCE_MS)
        _hold(page)
    # What a run of the page has not drawn anew yet is pale, and loses that slowly.
    page.wait_for_function("!document.querySelector('[data-stale=true]')")
    page.wait_for_timeout(700)
    page.wait_for_function("!document.getAnimations().some((one) => one instanceof CSSTransition)")


def _hold(page: Page) -> None:
    """Press Pause; a race may end before the button is reached, which then says Resume and cannot be pressed."""
    still = page.get_by_text(re.compile(r"^paused at step|^finished after"))
    for _ in range(ATTEMPTS):
        if still.is_visible():
            return
        with suppress(TookTooLong):
            page.get_by_role("button", name="Pause", exact=True).click(timeout=PATIENCE_MS / ATTEMPTS)
    expect(still).to_be_visible()


def barriers(page: Page) -> list[str]:
    """What axe-core finds serious or critical: its rule, and the first of the nodes."""
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in found if one["impact"] in SERIOUS]


def tabs_to_the_main_control(page: Page) -> int:
    """
    How often Tab is pressed in a page just opened until the first control at the left has the focus, if Enter is
    pressed on the link that leads past the header.
    """
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to main content")).to_be_focused()
    page.keyboard.press("Enter")
    for pressed in range(2, 3 * REACHED_WITHIN):
        page.keyboard.press("Tab")
        if page.evaluate(FOCUSED_AT_THE_LEFT):
            return pressed
    return 3 * REACHED_WITHIN


def small_targets(page: Page) -> list[str]:
    """What can be pressed and is smaller than a finger needs."""
    found: list[str] = page.evaluate(SMALL_TARGETS)
    return found
