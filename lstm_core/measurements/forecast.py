"""
How well does a trained network forecast its series, and how well does somebody who has learned nothing?

A forecast of the value at place i, counted from 0, sees the window of values that ends `horizon` places before it.
Forecasts are in the units of the series.
"""

import math
from collections.abc import Callable
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from lstm_core.experiment import Experiment
from lstm_core.language import _
from lstm_core.measurements.checkpoints import Checkpoint
from lstm_core.network import Network
from lstm_core.tasks.series import Series, known
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
# Of what is computed once for a series, so many latest answers are kept.
MOST_KEPT = 8
P = ParamSpec("P")
Found = TypeVar("Found")


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


def once(of: Callable[Concatenate[Series, P], Found]) -> Callable[Concatenate[Series, P], Found]:
    """What a function says of a series, computed once for as long as the series is there, of the latest questions."""
    found: WeakKeyDictionary[Series, dict[Any, Found]] = WeakKeyDictionary()

    def kept(series: Series, /, *asked: P.args, **named: P.kwargs) -> Found:
        answers = found.setdefault(series, {})
        question = (asked, tuple(named.items()))
        answer = answers.get(question)
        if answer is None:
            answer = answers[question] = of(series, *asked, **named)
            for old in [*answers][:-MOST_KEPT]:
                answers.pop(old, None)
        return answer

    return kept


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


def from_truth(experiment: Experiment, weights: Tensor, places: Tensor) -> Tensor:
    """
    What a network with these weights, in one vector as a snapshot has them, forecasts from the true values, (N,); in
    its own precision, as double.
    """
    series, network = known(experiment.series), Network(experiment).load(weights)
    scaled = series.scaled.to(weights.dtype)
    back = torch.arange(experiment.length)[:, None] - experiment.length - experiment.horizon + 1
    parts = places.split(max(1, AT_A_TIME // (8 * experiment.length * experiment.hidden * experiment.layers)))
    answers = torch.cat([answer(network, scaled[part + back]) for part in parts])
    return series.mean + series.scale * answers.double()


@torch.no_grad()
def answer(network: Network, windows: Tensor) -> Tensor:
    """To scaled windows, (T, B), (B,)."""
    return network.readout(network.features(windows[:, :, None]))[:, 0]


def continued(network: Network, scaled: Tensor, length: int, horizon: int, steps: int) -> Tensor:
    """
    So many more values of scaled series (N, B), (steps, B), each forecast from the window that ends `horizon` before
    it, in which what is not known yet is a forecast too.
    """
    values = torch.cat([scaled, scaled.new_zeros(steps, scaled.shape[1])])
    for place in range(len(scaled), len(values)):
        end = place - horizon + 1
        values[place] = answer(network, values[end - length : end])
    return values[len(scaled) :]


def free_running(experiment: Experiment, weights: Tensor) -> Tensor:
    """The first `MOST_FREE` values of the test part, or all, (N,), from what was before it and own forecasts alone."""
    series, network = known(experiment.series), Network(experiment).load(weights)
    steps = min(MOST_FREE, len(series.values) - series.validation_end)
    before = series.scaled[: series.validation_end, None].to(weights.dtype)
    further = continued(network, before, experiment.length, experiment.horizon, steps)[:, 0]
    return series.mean + series.scale * further.double()


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
    experiment = checkpoint.experiment
    series, network = known(experiment.series), Network(experiment).load(checkpoint.weights)
    length, horizon = experiment.length, experiment.horizon
    steps = min(MOST_BEYOND, (series.validation_end - series.train_end) // 2)
    starts = targets(series, series.train_end, series.validation_end - steps + 1, length, horizon)
    starts = starts[torch.arange(min(len(starts), MOST_VALIDATED)) * len(starts) // min(len(starts), MOST_VALIDATED)]
    # The end of the series comes last: all go on side by side.
    ends = torch.cat([starts, torch.tensor([len(series.values)])])
    back = torch.arange(1 - length - horizon, 0)[:, None]
    further = continued(network, series.scaled.to(checkpoint.weights.dtype)[ends + back], length, horizon, steps)
    forecasts = series.mean + series.scale * further.double()
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
    series = known(experiment.series)
    places = tested_places(series, experiment.length, experiment.horizon)
    model = errors(series, from_truth(experiment, weights, places), places)
    return Scores(model.rmse, errors(series, last_value(series, experiment.horizon, places), places).rmse)


def validation_errors(experiment: Experiment, weights: Tensor) -> Errors:
    """On the validation part, of a network with these weights."""
    series = known(experiment.series)
    places = validated_places(series, experiment.length, experiment.horizon)
    return errors(series, from_truth(experiment, weights, places), places)


@once
def validated_baselines(series: Series, horizon: int, length: int = 1) -> dict[str, Errors]:
    """On the validation part, of those that there are for this series, by name, where windows of this length are."""
    places = validated_places(series, length, horizon)
    forecasts = {name: baseline(series, horizon, places) for name, baseline in BASELINES.items()}
    return {name: errors(series, these, places) for name, these in forecasts.items() if these.isfinite().all()}


def validated(checkpoint: Checkpoint) -> Errors:
    """Its errors on the validation part."""
    return validation_errors(checkpoint.experiment, checkpoint.weights)


def run_free(checkpoint: Checkpoint) -> Tensor:
    """Its forecasts of the beginning of the test part from its own forecasts, (N,)."""
    return free_running(checkpoint.experiment, checkpoint.weights)
