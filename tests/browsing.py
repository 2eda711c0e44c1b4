"""With which browser do tests look at the dashboard? Debian's, with nothing of its own to say or to load."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, NamedTuple

from playwright.sync_api import Browser, Page, expect, sync_playwright

from lstm_core.streams import CURRENT

CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 60_000
CHARTS = "[...document.querySelectorAll('[data-testid=stVegaLiteChart] :is(svg, canvas)')]"
STEP = re.compile(r"^(?:step|paused at step) ([\d,]+) of|^finished after ([\d,]+) steps")
ON_STAGE = 4
# What comes with a page itself, and from no host.
WITHIN = {"data", "blob"}
# A race that lasts: at the lowest rate nobody solves anything, and nobody else has trained from this seed.
LONG = f"?seed=11&steps=3000&lr=0.0001&stream={CURRENT}"

Scheme = Literal["light", "dark"]


class Size(NamedTuple):
    """Of a window, in CSS pixels."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


# What a phone's browser says of itself, and does.
HANDHELD = {
    "user_agent": "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/150.0 Mobile Safari/537.36",
    "is_mobile": True,
    "has_touch": True,
}
LAPTOP, WIDER, DESKTOP, PHONE = Size(1366, 768), Size(1440, 900), Size(1920, 1080), Size(390, 844)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser, for whoever is no test; tests get theirs from pytest."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def window(browser: Browser, size: Size, scheme: Scheme = "light") -> Iterator[Page]:
    """An empty window of somebody who was never here."""
    context = browser.new_context(
        viewport={"width": size.width, "height": size.height},
        color_scheme=scheme,
        **(HANDHELD if size == PHONE else {}),  # type: ignore[arg-type]
    )
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    yield page
    context.close()


def place(address: str, name: str, query: str = "") -> str:
    """The address of the page `name` of `PAGES`; the first one stands at the root."""
    return f"{address}/{'' if name == 'dashboard' else name}{query}"


def step(page: Page) -> int:
    """How far its race says that it is."""
    said = STEP.match(page.get_by_text(STEP).inner_text())
    assert said
    return int((said[1] or said[2]).replace(",", ""))


def until_it_trains(page: Page) -> None:
    """Wait for all charts on the stage, for all that is still to come in a place of its own, and for the first step."""
    page.wait_for_function(f"{CHARTS}.length >= {ON_STAGE}")
    page.wait_for_function("!document.querySelector('[data-testid=stSkeleton]')")
    expect(page.get_by_text(re.compile(r"^step [1-9]|^finished after"))).to_be_visible(timeout=PATIENCE_MS)
