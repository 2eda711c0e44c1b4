"""Do the pages behave in a real browser, which keeps addresses, redraws charts, and remembers what was set?"""

import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from lstm_core.presets import OPENINGS
from lstm_core.ui.setup import PAGES

ROOT = Path(__file__).parents[2]
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

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs a browser: apt-get install chromium")


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/_stcore/health", timeout=5) as response:
            return response.status == 200
    except (urllib.error.URLError, TimeoutError):
        return False


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A dashboard of our own; it has to end cleanly in the middle of a race."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "dashboard.py", "--server.headless", "true"]
    options = ["--server.address", "127.0.0.1", "--server.port", str(port)]
    with subprocess.Popen(command + options, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        started = time.monotonic()
        while not answers(f"http://127.0.0.1:{port}"):
            assert time.monotonic() < started + 60, "the dashboard does not start"
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
        server.terminate()
        assert server.wait(30) == 0


@pytest.fixture
def page(address: str) -> Iterator[Page]:
    """A fresh visitor on the first page."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        visitor = browser.new_page(viewport={"width": 1440, "height": 1000})
        visitor.set_default_timeout(PATIENCE_MS)
        visitor.goto(address)
        yield visitor
        browser.close()


def expect_opening_race(page: Page, name: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(PAGES[name].question, timeout=PATIENCE_MS)
    opening = OPENINGS[name]
    for label in opening.racers:
        expect(page.get_by_text(f"● {label} ·").first).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_text(" weights · ")).to_have_count(1, timeout=PATIENCE_MS)
    told = page.get_by_text(" weights · ").inner_text()
    assert told.count("●") == len(opening.racers)
    progress = re.compile(rf"^(step|paused at step) [\d,]+ of {opening.base.steps:,}|^finished after")
    expect(page.get_by_text(progress)).to_be_visible(timeout=PATIENCE_MS)


def test_every_page_opens_on_its_own_race_wherever_one_comes_from(page: Page, address: str) -> None:
    """Also after a control was moved on another page, and with a clean address."""
    expect_opening_race(page, "dashboard")
    page.get_by_role("slider", name="Length T").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**/?length=105")
    for name in [*list(PAGES)[1:], "dashboard"]:
        page.get_by_role("link", name=PAGES[name].label, exact=True).first.click()
        expect_opening_race(page, name)
        assert "?" not in page.url


def test_no_live_chart_is_redrawn_while_it_grows_or_after_a_changed_slider(page: Page) -> None:
    expect_opening_race(page, "dashboard")
    page.wait_for_function(f"{CHARTS}.length == 7")
    page.wait_for_timeout(5000)
    page.evaluate(f"{CHARTS}.forEach(node => node.dataset.seen = 'yes')")
    page.wait_for_timeout(3000)
    page.get_by_role("slider", name="Length T").focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_url("**/?length=95")
    page.wait_for_timeout(3000)
    assert page.evaluate(f"{CHARTS}.filter(node => node.dataset.seen).length") == 7
    assert page.evaluate("window.scrollY") == 0
