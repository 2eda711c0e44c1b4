"""
How long does a visitor wait? `python -m tests.waits CHECKOUT > benchmarks/waits.md`: each race page of this checkout in
alternation with that of another one, such as an earlier state, and with the barest live page.
"""

import argparse
import contextlib
import datetime
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import streamlit
from playwright.sync_api import Browser, Page

from lstm_core.borrowed.system import processor
from lstm_core.openings.presets import OPENINGS
from lstm_core.streams import CURRENT
from lstm_core.ui.page import PAGES
from tests.browsing import CHARTS, LAPTOP, chromium, place, window
from tests.serving import ROOT, serve

THIS, OTHER, BARE = "this", "other", "barest"
SETTLED_MS = 500
TIMES, RATE = 10, "Learning rate"
# Two charts that are drawn anew, and nothing else.
BAREST = """
import random, time
import altair as alt
import streamlit as st

@st.fragment(run_every=0.3)
def live():
    for column in st.columns(2):
        values = [{"x": k, "y": random.random()} for k in range(100)]
        column.altair_chart(alt.Chart(alt.Data(values=values)).mark_line().encode(x="x:Q", y="y:Q"))

live()
"""
# When the first chart stood there; and, after a key, when the race that it begins had trained its first steps.
WATCH = f"""
    const step = () => +(/step ([\\d,]+) of/.exec(document.body.textContent) ?? [0, '0'])[1].replace(',', '');
    const look = () => {{
        window.chart ??= document.body && {CHARTS}.length ? performance.now() : undefined;
        if (window.pressed && !window.point && step() && step() < window.before)
            window.point = performance.now() - window.pressed;
        requestAnimationFrame(look);
    }};
    requestAnimationFrame(look);
    window.trains = () => step() > 20;
    window.arm = () => {{
        window.before = step();
        window.addEventListener('keydown', () => window.pressed ??= performance.now(), {{capture: true}});
    }};
"""


class Wait(NamedTuple):
    """Of one visit: seconds to the first chart, megabytes until then, seconds from a change to its first point."""

    chart: float
    sent: float
    point: float


def _counted(page: Page) -> list[int]:
    """What arrives, as it travels: of files and of the page's socket."""
    session, sizes = page.context.new_cdp_session(page), list[int]()
    session.send("Network.enable")
    session.on("Network.loadingFinished", lambda event: sizes.append(int(event["encodedDataLength"])))
    session.on("Network.webSocketFrameReceived", lambda event: sizes.append(len(event["response"]["payloadData"])))
    return sizes


def _answered(page: Page) -> float:
    """Seconds from a notch of the slider of the learning rate, in sight or among what unfolds, to the first point."""
    page.wait_for_function("window.trains()")
    slider = page.get_by_role("slider", name=RATE)
    if not slider.count():
        page.get_by_role("button", name="tune").last.click()
    slider.focus()
    page.wait_for_timeout(SETTLED_MS)
    page.evaluate("window.arm()")
    slider.press("ArrowRight")
    page.wait_for_function("window.point")
    return float(page.evaluate("window.point")) / 1000


def _visit(browser: Browser, address: str, touched: bool = True) -> Wait:
    with window(browser, LAPTOP) as page:
        page.add_init_script(WATCH)
        sizes = _counted(page)
        page.goto(address)
        page.wait_for_function("window.chart")
        sent, chart = sum(sizes) / 1e6, float(page.evaluate("window.chart")) / 1000
        return Wait(chart, sent, _answered(page) if touched else 0.0)


def _visits(browser: Browser, addresses: Mapping[str, str], name: str, times: int) -> dict[str, list[Wait]]:
    """In turn; without the first ones, who find servers that have never shown this page."""
    seen: dict[str, list[Wait]] = {where: [] for where in addresses}
    for number in range(times + 1):
        query = f"?seed={100 + number}&steps=3000&stream={CURRENT}"
        for where, address in addresses.items():
            bare = where == BARE
            seen[where].append(_visit(browser, address if bare else place(address, name, query), not bare))
    return {where: visits[1:] for where, visits in seen.items()}


def _spread(values: Sequence[float]) -> str:
    low, middle, high = statistics.quantiles(values, n=4)
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


def _row(name: str, seen: Mapping[str, list[Wait]]) -> str:
    def ratio(other: str, what: Callable[[Wait], float]) -> str:
        """Of visits that followed each other."""
        return _spread([what(a) / what(b) for a, b in zip(seen[THIS], seen[other], strict=True)])

    cells = [
        PAGES[name].label,
        _spread([one.chart for one in seen[THIS]]),
        ratio(OTHER, lambda one: one.chart),
        ratio(BARE, lambda one: one.chart),
        f"{statistics.median(one.sent for one in seen[THIS]):.2f}",
        ratio(OTHER, lambda one: one.sent),
        _spread([one.point for one in seen[THIS]]),
        ratio(OTHER, lambda one: one.point),
    ]
    return f"| {' | '.join(cells)} |"


def _head(browser: Browser, times: int) -> None:
    print("# How long a visitor waits\n")
    print(f"Made by `python -m tests.waits` on {datetime.datetime.now(tz=datetime.UTC).date()}: {processor()},")
    print(f"{os.cpu_count()} cores, Streamlit {streamlit.__version__}, Chromium {browser.version}, {LAPTOP}.\n")
    print(f"Each page was visited {times} times with an empty browser, in turn with the other checkout and with a page")
    print("that has but two charts drawn anew; the servers had been visited before. Medians with quartiles; ratios are")
    print("of visits that followed each other. MB are what had arrived when the first chart stood there. A change is")
    print("one notch of the learning rate in the middle of a race; the first steps of the new one answer it.\n")
    print("| page | first chart, s | / other | / barest | MB | / other | change to first point, s | / other |")
    print("|---|---|---|---|---|---|---|---|")


def main(arguments: Sequence[str]) -> None:
    """The table, row by row."""
    parser = argparse.ArgumentParser(prog="python -m tests.waits")
    parser.add_argument("other", type=Path, help="a checkout")
    parser.add_argument("--times", type=int, default=TIMES, help="visits of each page")
    asked = parser.parse_args(arguments)
    with contextlib.ExitStack() as stack:
        bare = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (bare / "dashboard.py").write_text(BAREST)
        folders = {BARE: bare, OTHER: asked.other, THIS: ROOT}
        addresses = {name: stack.enter_context(serve(folder=folder)).address for name, folder in folders.items()}
        browser = stack.enter_context(chromium())
        _head(browser, asked.times)
        for name in OPENINGS:
            print(_row(name, _visits(browser, addresses, name, asked.times)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
