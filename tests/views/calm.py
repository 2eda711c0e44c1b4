"""Does a page keep still while it trains? How far anything jumps, and how many charts are drawn anew."""

from typing import NamedTuple

from playwright.sync_api import Browser

from tests.browsing import CHARTS, LAPTOP, LONG, place, step, until_it_trains, window

SETTLED_MS, TRAINING_MS = 1500, 6000
WATCH = """
    window.shifts = [];
    new PerformanceObserver(list => window.shifts.push(...list.getEntries())).observe(
        {type: 'layout-shift', buffered: true});
"""


class Calm(NamedTuple):
    """
    What happened over some seconds, in which so many `steps` were trained: the sum of all layout shifts, in shares of
    the window, as browsers count them, and how many of so many `charts` were replaced by others.
    """

    steps: int
    shift: float
    charts: int
    replaced: int

    @property
    def kept(self) -> bool:
        """Whether it trained, and all stood still."""
        return self.steps > 0 and self.shift == 0 and self.replaced == 0


def calm(browser: Browser, address: str, name: str) -> Calm:
    """Watch the page `name` in the middle of a long race."""
    with window(browser, LAPTOP) as page:
        page.add_init_script(WATCH)
        page.goto(place(address, name, LONG))
        until_it_trains(page)
        page.wait_for_timeout(SETTLED_MS)
        page.evaluate(f"{CHARTS}.forEach(node => node.dataset.seen = 'yes')")
        since, first, before = page.evaluate("performance.now()"), step(page), page.evaluate(f"{CHARTS}.length")
        page.wait_for_timeout(TRAINING_MS)
        shifts = f"window.shifts.filter(shift => shift.startTime >= {since})"
        shift = page.evaluate(f"{shifts}.reduce((sum, shift) => sum + shift.value, 0)")
        kept = page.evaluate(f"{CHARTS}.filter(node => node.dataset.seen).length")
        return Calm(step(page) - first, shift, before, before - kept)
