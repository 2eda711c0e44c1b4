"""What do ETS and ARIMA forecast of the series that everybody has? As it is recorded."""

from collections.abc import Iterator

from tqdm import tqdm

from lstm_core.backtest.fitted import rolled
from lstm_core.measurements.forecast import tested_places
from lstm_core.measurements.rivals import ARIMA, ETS, Forecasts
from lstm_core.tasks.public import SERIES
from lstm_core.tasks.series import known


def all_forecasts(horizons: tuple[int, ...]) -> Iterator[Forecasts]:
    """Of every series, by both."""
    for name in tqdm(SERIES, disable=None):
        series = known(name)
        asked = {horizon: tested_places(series, 1, horizon) for horizon in horizons}
        for by in (ETS, ARIMA):
            for horizon, forecasts in rolled(by, series, asked):
                yield Forecasts(SERIES[name].label, series.name, horizon, by, forecasts)
