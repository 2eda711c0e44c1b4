"""Which series does everybody have? Made ones, and real ones out of a package."""

import importlib.util
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lstm_core.language import _
from lstm_core.reading.column import Column, column
from lstm_core.reading.table import opened
from lstm_core.streams import Purpose, stream


@dataclass(frozen=True)
class SeriesRow:
    """One row of `SERIES`: what it is, who measured it, who may use it, and how it comes about."""

    label: str
    source: str
    licence: str
    period: int
    read: Callable[[], Column]


def mackey_glass(steps: int, tau: int = 17, per_step: int = 10, skipped: int = 500) -> list[float]:
    """
    x' = .2 x(t - tau) / (1 + x(t - tau)^10) - .1 x, at so many times 1 apart, after the first `skipped` (Mackey and
    Glass 1977).

    Runge and Kutta's fourth order on a grid that tau falls on; between two of its points the past is the cubic that has
    their values and slopes. x is 1.2 up to t = 0. By products and sums alone, so that every machine has the same.
    """
    step, lag = 1 / per_step, tau * per_step
    x, slopes = [1.2] * (lag + 1), [0.0] * (lag + 1)

    def slope(now: float, past: float) -> float:
        square = past * past
        fourth = square * square
        return 0.2 * past / (1 + fourth * fourth * square) - 0.1 * now

    slopes[-1] = slope(1.2, 1.2)
    for place in range(per_step * (skipped + steps - 1)):
        a, b, now = x[place], x[place + 1], x[-1]
        # The slope at t = 0 is told from the right, and the past that ends there had none.
        end = 0.0 if place + 1 == lag else slopes[place + 1]
        between = (a + b) / 2 + step * (slopes[place] - end) / 8
        k1 = slope(now, a)
        k2 = slope(now + step / 2 * k1, between)
        k3 = slope(now + step / 2 * k2, between)
        k4 = slope(now + step * k3, b)
        x.append(now + step / 6 * (k1 + 2 * k2 + 2 * k3 + k4))
        slopes.append(slope(x[-1], b))
    return x[lag + per_step * skipped :: per_step]


def _sines() -> Column:
    """Two periods, 25 and 60 steps, and noise of standard deviation .1, the same for ever."""
    noise = stream(0, Purpose.NOISE).standard_normal(2000).tolist()
    turn = 2 * math.pi
    return Column(tuple(math.sin(turn * t / 25) + 0.5 * math.sin(turn * t / 60) + 0.1 * noise[t] for t in range(2000)))


def _packaged(file: str, name: str, time: str) -> Callable[[], Column]:
    """A column of a file of vega_datasets, which is not imported, because it would import pandas."""

    def read() -> Column:
        package = importlib.util.find_spec("vega_datasets")
        if package is None or not package.submodule_search_locations:
            raise ValueError("series: vega_datasets is not installed; pip install -r requirements.txt")
        content = (Path(package.submodule_search_locations[0]) / "_data" / file).read_bytes()
        return column(opened(content), name, time)

    return read


_PUBLIC = _("public domain, a work of the US government")
_FREE = _("free to use")

SERIES = {
    "mackey_glass": SeriesRow(
        _("Mackey-Glass, τ = 17"),
        _("Computed here, after Mackey and Glass 1977"),
        _FREE,
        0,
        lambda: Column(tuple(mackey_glass(3000))),
    ),
    "sines": SeriesRow(_("Two sines and noise"), _("Made here, with one seed"), _FREE, 300, _sines),
    "seattle_daily": SeriesRow(
        _("Seattle, warmest of each day, °C, 2012 to 2015"),
        _("NOAA, in vega_datasets: seattle-weather.csv"),
        _PUBLIC,
        365,
        _packaged("seattle-weather.csv", "temp_max", "date"),
    ),
    "san_francisco_hourly": SeriesRow(
        _("San Francisco, usual temperature of each hour, °F, 2010"),
        _("NOAA, in vega_datasets: sf-temps.csv"),
        _PUBLIC,
        24,
        _packaged("sf-temps.csv", "temp", "date"),
    ),
    "us_employment": SeriesRow(
        _("US employment, thousands, by month, 2006 to 2015"),
        _("Bureau of Labor Statistics, seasonally adjusted, in vega_datasets: us-employment.csv"),
        _PUBLIC,
        12,
        _packaged("us-employment.csv", "nonfarm", "month"),
    ),
}
