"""What does a visitor see first? `python -m tests.views > benchmarks/views.md`: every race page on every window."""

import datetime
import os
import platform
import re
from collections.abc import Iterator

import streamlit
from playwright.sync_api import Browser, expect

from lstm_core.kernels.compilation import PRECISIONS
from lstm_core.kernels.pieces import build
from lstm_core.openings.presets import OPENINGS
from lstm_core.ui.page import PAGES
from tests.browsing import (
    DESKTOP,
    LAPTOP,
    LONG,
    PATIENCE_MS,
    PHONE,
    WIDER,
    Scheme,
    chromium,
    place,
    until_it_trains,
    window,
)
from tests.serving import serve
from tests.views.accessible import (
    LEAST_TARGET,
    REACHED_WITHIN,
    at_rest,
    barriers,
    small_targets,
    tabs_to_the_main_control,
)
from tests.views.calm import TRAINING_MS, calm
from tests.views.first import LEAST_PLANE, LEAST_PLOT, LOWEST_ON_A_PHONE, View, faults, seen

# A screen's window is made larger; a phone is another device.
DEVICES = ((LAPTOP, WIDER, DESKTOP), (PHONE,))
SCHEMES: tuple[Scheme, ...] = ("light", "dark")


def _views(browser: Browser, address: str, name: str) -> Iterator[tuple[str, View]]:
    """A page in every window, light and dark, while it trains; and when its opening race is over."""
    for sizes in DEVICES:
        for scheme in SCHEMES:
            with window(browser, sizes[0], scheme) as page:
                page.goto(place(address, name, LONG))
                until_it_trains(page)
                yield from ((f"{scheme}, trains", seen(page, size)) for size in sizes)
        with window(browser, sizes[0]) as page:
            page.goto(place(address, name))
            expect(page.get_by_text(re.compile("^finished after"))).to_be_visible(timeout=5 * PATIENCE_MS)
            yield from (("light, race over", seen(page, size)) for size in sizes)


def _row(name: str, how: str, view: View) -> str:
    controls = max(box.bottom for box in view.controls)
    cells = [
        PAGES[name].label,
        str(view.size),
        how,
        f"{controls:.0f}",
        f"{view.racers.top:.0f} to {view.racers.bottom:.0f}",
        ", ".join(f"{box.top:.0f} to {box.bottom:.0f}" for box in view.charts),
        ", ".join(f"{box.height:.0f}" for box in view.plots[:2]),
        f"{view.sentence.bottom:.0f}",
        f"{view.bar:.0f}",
        "; ".join(f"**{fault}**" for fault in faults(view)) or "yes",
    ]
    return f"| {' | '.join(cells)} |"


def _head(browser: Browser) -> None:
    print("# What a visitor sees first\n")
    print(f"Made by `python -m tests.views` on {datetime.datetime.now(tz=datetime.UTC).date()}: {platform.machine()},")
    print(f"{os.cpu_count()} cores, Streamlit {streamlit.__version__}, Chromium {browser.version}.\n")


def _first_views(browser: Browser, address: str) -> None:
    print("Every page with a race. All numbers are pixels from the top of the window. On a screen the")
    print("heading, the controls at the left, the racers, two whole charts with their axes, and the sentence have to")
    print(f"stand above the bar, with plots at least {LEAST_PLOT} px high, square ones {LEAST_PLANE}; at {DESKTOP} all")
    print(f"four charts. On a phone the first chart has to begin above {LOWEST_ON_A_PHONE}.\n")
    print(
        "| page | window | | controls end | racers | charts | plots are high | sentence ends | bar begins | in sight |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name in OPENINGS:
        for how, view in _views(browser, address, name):
            print(_row(name, how, view), flush=True)


def _stillness(browser: Browser, address: str) -> None:
    print(f"\n## While it trains, {LAPTOP}, light\n")
    print("Layout shifts, in the unit of browsers, and charts replaced by others, from 1.5 s after the charts appear,")
    print(f"over {TRAINING_MS / 1000:g} s of training.\n")
    print("| page | training steps meanwhile | layout shift | charts | replaced | keeps still |")
    print("|---|---|---|---|---|---|")
    for name in OPENINGS:
        over = calm(browser, address, name)
        still = "yes" if over.kept else "**no**"
        cells = [PAGES[name].label, *map(str, (over.steps, f"{over.shift:.4f}", over.charts, over.replaced)), still]
        print(f"| {' | '.join(cells)} |", flush=True)


def _for_everybody(browser: Browser, address: str) -> None:
    print("\n## With a screen reader, a keyboard, a finger\n")
    print(
        "What axe-core finds serious or critical, light and dark; how often Tab is pressed until the first control has"
    )
    print(f"the focus, {REACHED_WITHIN} at most; what is smaller than {LEAST_TARGET} pixels on a phone.\n")
    print("| page | light | dark | tabs | too small |\n|---|---|---|---|---|")
    for name in PAGES:
        cells = [PAGES[name].label]
        for scheme in SCHEMES:
            with window(browser, LAPTOP, scheme) as page:
                page.goto(place(address, name))
                at_rest(page)
                cells.append("; ".join(barriers(page)) or "nothing")
        with window(browser, LAPTOP) as page:
            page.goto(place(address, name))
            page.wait_for_timeout(TRAINING_MS)
            cells.append(str(tabs_to_the_main_control(page)) if name in OPENINGS else "")
        with window(browser, PHONE) as page:
            page.goto(place(address, name))
            at_rest(page)
            cells.append("; ".join(small_targets(page)) or "nothing")
        print(f"| {' | '.join(cells)} |", flush=True)


def main() -> None:
    """All tables."""
    # A server that compiles them would be measured with its compiler.
    for precision in PRECISIONS:
        build(precision).done.result()
    with serve() as server, chromium() as browser:
        _head(browser)
        _first_views(browser, server.address)
        _stillness(browser, server.address)
        _for_everybody(browser, server.address)


if __name__ == "__main__":
    main()
