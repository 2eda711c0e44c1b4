"""Is all that a race page is about in sight before anybody scrolls? Where it stands, and what is hidden."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from playwright.sync_api import Page

from tests.browsing import DESKTOP, PHONE, Size

SETTLED_MS = 500
LEAST_PLOT, LEAST_PLANE = 250, 220
LOWEST_ON_A_PHONE = 600
# A line that ends between two pixels is whole.
ROUNDED = 0.5
# The left column is that of the heading; the sentence follows the row of the first two charts.
PLACES = """() => {
    const box = node => { const b = node.getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom]; };
    const named = name => `[data-testid=${name}]`;
    const heading = document.querySelector('h1'), left = heading.closest(named('stColumn'));
    const right = left.nextElementSibling, charts = [...right.querySelectorAll(named('stVegaLiteChart'))];
    const second = charts[1].closest(named('stHorizontalBlock'));
    return {
        bar: box(document.querySelector(named('stBottom')))[1],
        heading: box(heading),
        controls: [...left.querySelectorAll(named('stElementContainer'))].map(box),
        racers: box(right.querySelector(named('stHorizontalBlock'))),
        charts: charts.slice(0, 4).map(chart => box(chart.querySelector('svg, canvas'))),
        plots: charts.slice(0, 4).map(chart => chart.querySelector('g.root > g > path.background')).map(
            plot => plot ? box(plot) : [0, 0, 0, 0]),
        sentence: box(second.parentElement.nextElementSibling),
    };
}"""


class Box(NamedTuple):
    """Where something stands in the window, in pixels from its upper left corner."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def least(self) -> int:
        """How high a plot has to be: less is enough for a plane, which is as wide as high."""
        return LEAST_PLANE if abs(self.right - self.left - self.height) < 1 else LEAST_PLOT


class View(NamedTuple):
    """
    What stands where in a window of this size: the top of the `bar`, and the boxes of all else. Of the charts on the
    stage `charts` are the whole ones, with the titles of their axes, and `plots` what these enclose.
    """

    size: Size
    bar: float
    heading: Box
    controls: list[Box]
    racers: Box
    charts: list[Box]
    plots: list[Box]
    sentence: Box


def seen(page: Page, size: Size) -> View:
    """Of a race page, in a window of this size from now on, as soon as it stands for a moment."""
    page.set_viewport_size({"width": size.width, "height": size.height})
    page.wait_for_timeout(SETTLED_MS)
    found: dict[str, Any] = page.evaluate(PLACES)
    heading, racers, sentence = (Box(*found[name]) for name in ("heading", "racers", "sentence"))
    controls, charts, plots = ([Box(*box) for box in found[name]] for name in ("controls", "charts", "plots"))
    return View(size, found["bar"], heading, controls, racers, charts, plots, sentence)


def faults(view: View) -> list[str]:
    """What is not in sight as it should be, and by how many pixels; nothing, if all is."""
    return [*(_on_a_phone(view) if view.size == PHONE else _on_a_screen(view))]


def _on_a_phone(view: View) -> Iterator[str]:
    if view.charts[0].top > LOWEST_ON_A_PHONE:
        yield f"the first chart begins {view.charts[0].top - LOWEST_ON_A_PHONE:.0f} px too low"


def _on_a_screen(view: View) -> Iterator[str]:
    whole = 4 if view.size == DESKTOP else 2
    parts = {"the heading": view.heading, "the line of racers": view.racers, "the sentence": view.sentence}
    parts |= {f"control {number}": box for number, box in enumerate(view.controls, 1)}
    parts |= {f"chart {number}": box for number, box in enumerate(view.charts[:whole], 1)}
    for name, box in parts.items():
        yield from _hidden(name, box, view)
    for number, plot in enumerate(view.plots[:2], 1):
        if plot.height < plot.least - ROUNDED:
            yield f"the plot of chart {number} is {plot.least - plot.height:.0f} px too low"


def _hidden(name: str, box: Box, view: View) -> Iterator[str]:
    """Behind the bar, or outside the window."""
    if box.height <= 0:
        yield f"{name} is not there"
    if (below := box.bottom - view.bar) > ROUNDED:
        yield f"{name} ends {below:.0f} px below the top of the bar"
    if (above := -box.top) > ROUNDED:
        yield f"{name} begins {above:.0f} px above the window"
    if (beside := max(-box.left, box.right - view.size.width)) > ROUNDED:
        yield f"{name} is cut off {beside:.0f} px at the side"
