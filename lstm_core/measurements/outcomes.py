"""How did a network, or a baseline, do on the test part, and how far may that be trusted?"""

from typing import NamedTuple
from weakref import WeakKeyDictionary

from torch import Tensor

from lstm_core.measurements import bootstrap, forecast
from lstm_core.measurements.bootstrap import Resampled
from lstm_core.measurements.checkpoints import Checkpoint
from lstm_core.measurements.forecast import BASELINES, Errors
from lstm_core.measurements.rivals import recorded_forecasts
from lstm_core.tasks.series import Series, known


class Outcome(NamedTuple):
    """Forecasts of the test part from true values, (N,), their errors, and the mean of their squares, resampled."""

    forecasts: Tensor
    errors: Errors
    squares: Resampled


def outcome(checkpoint: Checkpoint) -> Outcome:
    """How its network does."""
    experiment = checkpoint.experiment
    series = known(experiment.series)
    forecasts = forecast.from_truth(experiment, checkpoint.weights, forecast.tested_places(series))
    return _outcome(series, experiment.horizon, forecasts)


_outcomes: WeakKeyDictionary[Series, dict[int, dict[str, Outcome]]] = WeakKeyDictionary()


def baseline_outcomes(series: Series, horizon: int) -> dict[str, Outcome]:
    """How those do that there are for this series, by name, and those whose forecasts are recorded; computed once."""
    by_horizon = _outcomes.setdefault(series, {})
    if horizon not in by_horizon:
        places = forecast.tested_places(series)
        forecasts = {name: baseline(series, horizon, places) for name, baseline in BASELINES.items()}
        forecasts |= recorded_forecasts(series.name, horizon)
        there = {name: these for name, these in forecasts.items() if these.isfinite().all()}
        by_horizon[horizon] = {name: _outcome(series, horizon, these) for name, these in there.items()}
    return by_horizon[horizon]


def _outcome(series: Series, horizon: int, forecasts: Tensor) -> Outcome:
    places = forecast.tested_places(series)
    squares = (forecasts - forecast.truth(series, places)).square()
    return Outcome(forecasts, forecast.errors(series, forecasts, places), bootstrap.resampled(squares, horizon))
