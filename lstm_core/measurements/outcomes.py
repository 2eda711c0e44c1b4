"""How did a network, or a baseline, do on the test part, and how far may that be trusted?"""

from typing import NamedTuple

from torch import Tensor

from lstm_core.measurements import forecast
from lstm_core.measurements.bootstrap import Resampled, resampled, root_interval
from lstm_core.measurements.checkpoints import Checkpoint
from lstm_core.measurements.forecast import BASELINES, Errors
from lstm_core.measurements.rivals import recorded_forecasts
from lstm_core.tasks.once import once
from lstm_core.tasks.series import Series


class Outcome(NamedTuple):
    """
    Forecasts of the test part from true values, (N,), their errors, the mean of their squares, resampled, and the 95 %
    interval of its root.
    """

    forecasts: Tensor
    errors: Errors
    squares: Resampled
    rmse_interval: tuple[float, float]


def outcome(checkpoint: Checkpoint) -> Outcome:
    """How its network does."""
    experiment, places = checkpoint.experiment, forecast.tested_by(checkpoint.experiment)
    forecasts = forecast.from_truth(experiment, checkpoint.weights, places)
    return outcome_of(experiment.view.series, experiment.horizon, places, forecasts)


@once
def baseline_outcomes(series: Series, horizon: int, seen: int = 1) -> dict[str, Outcome]:
    """
    How those do that there are for this series, by name, and those whose forecasts are recorded, where so many values
    are seen.
    """
    places = forecast.tested_places(series, seen, horizon)
    forecasts = {name: baseline(series, horizon, places) for name, baseline in BASELINES.items()}
    forecasts |= recorded_forecasts(series.name, horizon)
    there = {name: these for name, these in forecasts.items() if these.isfinite().all()}
    return {name: outcome_of(series, horizon, places, these) for name, these in there.items()}


def outcome_of(series: Series, horizon: int, places: Tensor, forecasts: Tensor) -> Outcome:
    """Of forecasts for these places of the test part, (N,)."""
    squares = resampled((forecasts - forecast.truth(series, places)).square(), horizon)
    return Outcome(forecasts, forecast.errors(series, forecasts, places), squares, root_interval(squares))
