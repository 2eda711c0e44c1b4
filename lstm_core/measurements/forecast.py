"""
How well does a trained network forecast its series, and how well does somebody who has learned nothing?

A forecast of the value at place i, counted from 0, sees the window of values that ends `horizon` places before it.
Forecasts are in the units of the series.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from lstm_core.experiment import Experiment
from lstm_core.language import _
from lstm_core.measurements.checkpoints import Checkpoint
from lstm_core.network import Network
from lstm_core.tasks import windows
from lstm_core.tasks.once import once
from lstm_core.tasks.scaling import Scaling
from lstm_core.tasks.series import Series
from lstm_core.tasks.windows import targets

# Of long series, so that nobody waits: so many values of the validation part, evenly spaced, and the first of the test.
MOST_VALIDATED, MOST_TESTED, MOST_FREE = 256, 2000, 200
# Beyond the end of a series so many values are forecast; of fewer errors no range is told.
MOST_BEYOND, FEWEST_ERRORS = 20, 20
AT_A_TIME = 2**21
LAST_VALUE, DRIFT, SEASONAL = _("last value"), _("drift"), _("seasonal naive")
LINEAR = _("linear autoregression")
# So many of the latest known values may enter a linear autoregression, which is fitted to the last of the part to train
# on; there are at least so many equations for each coefficient.
ORDERS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
MOST_FITTED, EQUATIONS = 10_000, 3


class Errors(NamedTuple):
    """
    Mean absolute error and root of the mean squared error, in units of the series, and the mean absolute error over
    that of the last value, one step ahead, in the part to train on (Hyndman and Koehler 2006). That is their scale for
    a series without a season; it is taken for all, so that numbers can be compared. nan where it is 0: where that part
    changes at gaps alone, which windows may not have.
    """

    mae: float
    rmse: float
    mase: float


class Scores(NamedTuple):
    """RMSE on the test part, in units of the series: of the network, and of the last value as forecast."""

    model: float
    last_value: float


def tested_places(series: Series, length: int, horizon: int) -> Tensor:
    """Of the test part, or the first of it."""
    return targets(series, series.validation_end, len(series.values), length, horizon)[:MOST_TESTED]


def validated_places(series: Series, length: int, horizon: int) -> Tensor:
    """Of the validation part, or some of it, spread so that a season is not always met in the same places."""
    places = targets(series, series.train_end, series.validation_end, length, horizon)
    number = min(len(places), MOST_VALIDATED)
    return places[torch.arange(number) * len(places) // number]


def truth(series: Series, places: Tensor) -> Tensor:
    """The values themselves, in double precision."""
    return torch.tensor(series.values, dtype=torch.float64)[places]


def last_value(series: Series, horizon: int, places: Tensor) -> Tensor:
    """Everything stays as it is."""
    return truth(series, places - horizon)


def drift(series: Series, horizon: int, places: Tensor) -> Tensor:
    """
    The line through the first and the last known value, continued (Hyndman and Athanasopoulos 2021, section 5.2). nan
    where less than two are known.
    """
    steps = (places - horizon).clamp(min=0)
    latest, first = truth(series, steps), series.values[0]
    return latest + horizon * (latest - first) / steps


def seasonal_naive(series: Series, horizon: int, places: Tensor) -> Tensor:
    """
    As it was one season before, or, where the horizon is longer than that, as many as it takes. nan where the series
    does not reach back so far, and everywhere if it has no season.
    """
    if not series.period:
        return torch.full(places.shape, torch.nan, dtype=torch.float64)
    before = places - series.period * -(-horizon // series.period)
    return torch.where(before >= 0, truth(series, before.clamp(min=0)), torch.nan)


def linear_autoregression(series: Series, horizon: int, places: Tensor) -> Tensor:
    """
    A constant and a weighted sum of the latest values that are known, by least squares on the part to train on; the
    validation part says of how many values. nan where the series does not reach back so far, and everywhere if it is
    too short to fit one.
    """
    weights = _fit(series, horizon)
    first = horizon + len(weights) - 2
    if not len(weights):
        return torch.full(places.shape, torch.nan, dtype=torch.float64)
    forecasts = _regressors(series, horizon, places.clamp(min=first), len(weights) - 1) @ weights
    return torch.where(places >= first, series.mean + series.scale * forecasts, torch.nan)


@once
def _fit(series: Series, horizon: int) -> Tensor:
    """The weights, (1 + P,), of P latest values; none if the part to train on is too short for one."""
    places = {p: targets(series, 0, series.train_end, p, horizon) for p in ORDERS}
    orders = [p for p in ORDERS if len(places[p]) >= EQUATIONS * (p + 1)]
    if not orders:
        return torch.empty(0, dtype=torch.float64)
    fitted = places[orders[-1]][-MOST_FITTED:]
    regressors = _regressors(series, horizon, fitted, orders[-1])
    # One factor for all orders: the columns of the first are the first columns of the last.
    factor = torch.linalg.qr(torch.cat([regressors, series.scaled[fitted, None]], 1), mode="r").R
    fits = [torch.linalg.lstsq(factor[:, : 1 + p], factor[:, -1:], driver="gelsd").solution[:, 0] for p in orders]
    validated = validated_places(series, 1, horizon)
    expected = series.scaled[validated]
    return min(
        fits, key=lambda fit: float((_regressors(series, horizon, validated, len(fit) - 1) @ fit - expected).norm())
    )


def _regressors(series: Series, horizon: int, places: Tensor, order: int) -> Tensor:
    """1, and the scaled values from `horizon` places before on back, (N, 1 + P)."""
    back = horizon + torch.arange(order)
    known_values = series.scaled[places[:, None] - back]
    return torch.cat([torch.ones_like(known_values[:, :1]), known_values], 1)


BASELINES: dict[str, Callable[[Series, int, Tensor], Tensor]] = {
    LAST_VALUE: last_value,
    DRIFT: drift,
    SEASONAL: seasonal_naive,
    LINEAR: linear_autoregression,
}


def tested_by(experiment: Experiment) -> Tensor:
    """The places on which an experiment is tested."""
    view = experiment.view
    return tested_places(view.series, view.seen(experiment.length), view.horizon)


def from_truth(experiment: Experiment, weights: Tensor, places: Tensor) -> Tensor:
    """
    What a network with these weights, in one vector as a snapshot has them, forecasts from the true values, (N,), in
    units of the series; in its own precision, as double.
    """
    view, network = experiment.view, Network(experiment).load(weights)
    parts = places.split(max(1, AT_A_TIME // (8 * experiment.length * experiment.hidden * experiment.layers)))
    answers = [answer(network, windows.at(view, experiment.length, part).to(weights.dtype)) for part in parts]
    return view.restored(torch.cat(answers), places)


@torch.no_grad()
def answer(network: Network, inputs: Tensor) -> Tensor:
    """To windows as they are read, (T, B, D), (B,)."""
    return network.readout(network.features(inputs))[:, 0]


class Known(NamedTuple):
    """What is known of several beginnings of a series: what is read, (N, B, D), and the levels, (N, B), in double."""

    inputs: Tensor
    levels: Tensor


def continued(network: Network, scaling: Scaling, before: Known, length: int, horizon: int, steps: int) -> Tensor:
    """
    So many more values, (steps, B), each forecast from the window that ends `horizon` before it, in which what is not
    known yet is a forecast too; what stands beside the series stays as it was.
    """
    number = len(before.levels)
    inputs = torch.cat([before.inputs, before.inputs[-1:].expand(steps, -1, -1)])
    levels = torch.cat([before.levels, before.levels.new_zeros(steps, before.levels.shape[1])])
    for place in range(number, number + steps):
        end = place - horizon + 1
        given = answer(network, inputs[end - length : end])
        levels[place] = scaling.answered(given.double(), levels[place - horizon])
        inputs[place, :, 0] = given if scaling.change is None else scaling.read(levels[place - 1 : place + 1])[1]
    return scaling.values(levels[number:])


def free_running(experiment: Experiment, weights: Tensor) -> Tensor:
    """The first `MOST_FREE` values of the test part, or all, (N,), from what was before it and own forecasts alone."""
    view, network = experiment.view, Network(experiment).load(weights)
    end = view.series.validation_end
    steps = min(MOST_FREE, len(view.series.values) - end)
    before = Known(view.inputs[:end, None].to(weights.dtype), view.levels[:end, None])
    return continued(network, view.scaling, before, experiment.length, experiment.horizon, steps)[:, 0]


class Beyond(NamedTuple):
    """
    What comes after the last value of a series, (M,), and the ends of the range that has 95 % of all errors so many
    steps ahead on the validation part; nan where that has too few.
    """

    forecasts: Tensor
    low: Tensor
    high: Tensor


def beyond(checkpoint: Checkpoint) -> Beyond:
    """From the end of a series on, from its own forecasts where it needs what is not known."""
    experiment, view = checkpoint.experiment, checkpoint.experiment.view
    series, network = view.series, Network(experiment).load(checkpoint.weights)
    length, horizon = experiment.length, experiment.horizon
    steps = min(MOST_BEYOND, (series.validation_end - series.train_end) // 2)
    starts = targets(series, series.train_end, series.validation_end - steps + 1, view.seen(length), horizon)
    starts = starts[torch.arange(min(len(starts), MOST_VALIDATED)) * len(starts) // min(len(starts), MOST_VALIDATED)]
    # The end of the series comes last: all go on side by side.
    ends = torch.cat([starts, torch.tensor([len(series.values)])])
    back = ends + torch.arange(1 - length - horizon, 0)[:, None]
    before = Known(view.inputs.to(checkpoint.weights.dtype)[back], view.levels[back])
    forecasts = continued(network, view.scaling, before, length, horizon, steps)
    places = starts + torch.arange(steps)[:, None]
    wrong = truth(series, places) - forecasts[:, :-1]
    there = series.missing_before[places + 1] == series.missing_before[places]
    tails = torch.tensor([0.025, 0.975], dtype=torch.float64)
    low, high = torch.where(there, wrong, torch.nan).nanquantile(tails, 1)
    enough = there.sum(1) >= FEWEST_ERRORS
    own = forecasts[:, -1]
    return Beyond(own, *(torch.where(enough, own + end, torch.nan) for end in (low, high)))


def errors(series: Series, forecasts: Tensor, places: Tensor) -> Errors:
    """Of forecasts (N,) for these places."""
    wrong = (forecasts - truth(series, places)).abs()
    later = targets(series, 0, series.train_end, 1, 1)
    mae, scale = float(wrong.mean()), float((truth(series, later) - last_value(series, 1, later)).abs().mean())
    return Errors(mae, float(wrong.square().mean().sqrt()), mae / scale if scale else math.nan)


def scores(experiment: Experiment, weights: Tensor) -> Scores:
    """On the test part, of a network with these weights, in one vector as a snapshot has them."""
    series, places = experiment.view.series, tested_by(experiment)
    model = errors(series, from_truth(experiment, weights, places), places)
    return Scores(model.rmse, errors(series, last_value(series, experiment.horizon, places), places).rmse)


def validation_errors(experiment: Experiment, weights: Tensor) -> Errors:
    """On the validation part, of a network with these weights."""
    view = experiment.view
    places = validated_places(view.series, view.seen(experiment.length), view.horizon)
    return errors(view.series, from_truth(experiment, weights, places), places)


@once
def validated_baselines(series: Series, horizon: int, seen: int = 1) -> dict[str, Errors]:
    """On the validation part, of those that there are for this series, by name, where so many values are seen."""
    places = validated_places(series, seen, horizon)
    forecasts = {name: baseline(series, horizon, places) for name, baseline in BASELINES.items()}
    return {name: errors(series, these, places) for name, these in forecasts.items() if these.isfinite().all()}


def validated(checkpoint: Checkpoint) -> Errors:
    """Its errors on the validation part."""
    return validation_errors(checkpoint.experiment, checkpoint.weights)


def run_free(checkpoint: Checkpoint) -> Tensor:
    """Its forecasts of the beginning of the test part from its own forecasts, (N,)."""
    return free_running(checkpoint.experiment, checkpoint.weights)
