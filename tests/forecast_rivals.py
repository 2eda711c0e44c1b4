"""
What do ETS and ARIMA forecast? Fitted once to the part to train on, and never again, by statsforecast of
requirements-forecast.txt.

Seasons of more than 24 steps are none for them: ETS has no longer ones, and ARIMA with one would take hours.
"""

import warnings
from collections.abc import Iterator

import numpy as np
from tqdm import tqdm

from lstm_core.measurements.forecast import tested_places
from lstm_core.measurements.rivals import ARIMA, ETS, Forecasts
from lstm_core.tasks.series import SERIES, Series, known

LONGEST_SEASON = 24
# ETS is fitted to all of the part to train on, ARIMA to its last values; and so many of the latest known values ARIMA
# sees. On the hourly series with its season, it takes a minute for these; three minutes were not enough for all.
ARIMA_FITTED, ARIMA_SEES = 1000, 500
DIGITS = 7


def rolled(by: str, series: Series, horizons: tuple[int, ...]) -> Iterator[tuple[int, list[float]]]:
    """Of each horizon, the forecasts of all places that are tested, each from what is known so long before."""
    from statsforecast.models import AutoARIMA, AutoETS

    model = {ETS: AutoETS, ARIMA: AutoARIMA}[by](season_length=_season(series))
    values = np.array(series.values)
    fitted, seen = (ARIMA_FITTED, ARIMA_SEES) if by == ARIMA else (len(values), len(values))
    model.fit(values[: series.train_end][-fitted:])
    for horizon in horizons:
        ends = (tested_places(series, 1, horizon) - horizon + 1).tolist()
        ahead = [model.forward(values[:end][-seen:], horizon)["mean"][-1] for end in ends]
        yield horizon, [float(f"{value:.{DIGITS}g}") for value in ahead]


def _season(series: Series) -> int:
    return series.period if 0 < series.period <= LONGEST_SEASON else 1


def all_forecasts(horizons: tuple[int, ...]) -> Iterator[Forecasts]:
    """Of every series, by both."""
    for name in tqdm(SERIES, disable=None):
        for by in (ETS, ARIMA):
            # A search tries forms that cannot be fitted.
            with warnings.catch_warnings(action="ignore"):
                for horizon, forecasts in rolled(by, known(name), horizons):
                    yield Forecasts(SERIES[name].label, known(name).name, horizon, by, forecasts)
