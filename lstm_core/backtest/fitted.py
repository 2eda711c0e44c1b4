"""
What do ETS and ARIMA forecast of a series? Fitted once to the part to train on, and never again, by statsforecast of
requirements-forecast.txt, each in the form that a criterion picks (Hyndman and Khandakar 2008).

Seasons of more than 24 steps are none for them: ETS has no longer ones, and ARIMA with one would take hours.
"""

import importlib.util
import warnings
from collections.abc import Iterator, Mapping

import numpy as np
from torch import Tensor

from lstm_core.measurements.rivals import ARIMA, ETS
from lstm_core.tasks.series import Series

LONGEST_SEASON = 24
# ETS is fitted to all of the part to train on, ARIMA to its last values; and so many of the latest known values ARIMA
# sees. On an hourly series with its season, it takes a minute for these; three minutes were not enough for all.
ARIMA_FITTED, ARIMA_SEES = 1000, 500
DIGITS = 7


def check_installed() -> None:
    """ValueError that says what to install, where statsforecast is not."""
    if importlib.util.find_spec("statsforecast") is None:
        raise ValueError(
            f"statistics: {ETS} and {ARIMA} need statsforecast, which is not installed; in an environment of its own, "
            "pip install -r requirements-forecast.txt"
        )


def rolled(by: str, series: Series, asked: Mapping[int, Tensor]) -> Iterator[tuple[int, list[float]]]:
    """Of each horizon, the forecasts of the places that are `asked`, (N,), each from what is known so long before."""
    from statsforecast.models import AutoARIMA, AutoETS

    # A search tries forms that cannot be fitted.
    with warnings.catch_warnings(action="ignore"):
        model = {ETS: AutoETS, ARIMA: AutoARIMA}[by](season_length=_season(series))
        values = np.array(series.values)
        fitted, seen = (ARIMA_FITTED, ARIMA_SEES) if by == ARIMA else (len(values), len(values))
        model.fit(values[: series.train_end][-fitted:])
        for horizon, places in asked.items():
            ends = (places - horizon + 1).tolist()
            ahead = [model.forward(values[:end][-seen:], horizon)["mean"][-1] for end in ends]
            yield horizon, [float(f"{value:.{DIGITS}g}") for value in ahead]


def _season(series: Series) -> int:
    return series.period if 0 < series.period <= LONGEST_SEASON else 1
