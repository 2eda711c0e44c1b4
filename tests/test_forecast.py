"""Are forecasts what the network says, are their errors those of the textbook, and does nothing leak from the test?"""

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from lstm_core import Experiment, train
from lstm_core.measurements import forecast
from lstm_core.measurements.checkpoints import Checkpoint
from lstm_core.measurements.saved import Forecaster
from lstm_core.network import Network
from lstm_core.tasks.public import SERIES
from lstm_core.tasks.scaling import Scaling
from lstm_core.tasks.series import Series, known, register

SMALL = Experiment(task="forecast", series="sines", length=12, hidden=5, batch=8, steps=20, precision="float64")
WAVE = tuple(math.sin(i / 3) + 0.1 * math.cos(i * i) for i in range(200))


def weights_of(experiment: Experiment) -> Tensor:
    *_, last = train(experiment, experiment.steps, experiment.steps)
    assert last.weights is not None
    return last.weights


def by_torch(experiment: Experiment, weights: Tensor) -> tuple[nn.LSTM, nn.Linear]:
    """The same network in torch's own modules."""
    network = Network(experiment).load(weights)
    lstm, readout = nn.LSTM(1, experiment.hidden).double(), nn.Linear(experiment.hidden, 1).double()
    ours, size = network.layer.tensors(), experiment.hidden
    order = [slice(network.layer.cell.rows.index(gate) * size, None) for gate in "ifgo"]
    rows = torch.cat([torch.arange(4 * size)[part][:size] for part in order])
    zeros = torch.zeros(4 * size, dtype=torch.float64)
    tensors = (ours.input[rows], ours.recurrent[rows], ours.bias[rows], zeros)
    lstm.load_state_dict(dict(zip(lstm.state_dict(), tensors, strict=True)))
    readout.load_state_dict(network.readout.state_dict())
    return lstm.requires_grad_(False), readout.requires_grad_(False)


@pytest.mark.parametrize("horizon", [1, 5])
def test_a_forecast_is_the_readout_of_the_window_that_ends_a_horizon_before(horizon: int) -> None:
    experiment = dataclasses.replace(SMALL, horizon=horizon)
    weights, series = weights_of(experiment), known("sines")
    lstm, readout = by_torch(experiment, weights)
    places = torch.tensor([1400, 1555, 1999])
    for place, value in zip(places.tolist(), forecast.from_truth(experiment, weights, places).tolist(), strict=True):
        window = torch.tensor(series.values[place - horizon - 11 : place - horizon + 1], dtype=torch.float64)
        scaled = (window - series.mean) / series.scale
        answer = readout(lstm(scaled[:, None, None])[0][-1])
        assert value == pytest.approx(series.mean + series.scale * float(answer[0, 0]), abs=1e-12)


@pytest.mark.parametrize("horizon", [1, 3])
def test_free_running_feeds_on_its_own_forecasts(horizon: int) -> None:
    experiment = dataclasses.replace(SMALL, horizon=horizon)
    weights, series = weights_of(experiment), known("sines")
    lstm, readout = by_torch(experiment, weights)
    values = list(series.values[: series.validation_end])
    for _ in range(8):
        window = torch.tensor(values[len(values) - horizon - 11 : len(values) - horizon + 1], dtype=torch.float64)
        scaled = (window - series.mean) / series.scale
        values.append(series.mean + series.scale * float(readout(lstm(scaled[:, None, None])[0][-1])[0, 0]))
    free = forecast.free_running(experiment, weights)
    assert len(free) == forecast.MOST_FREE
    assert free[:8].tolist() == pytest.approx(values[-8:], abs=1e-10)


@pytest.mark.parametrize("horizon", [1, 3])
def test_beyond_the_end_it_goes_on_as_a_saved_forecaster_does_with_the_range_of_such_errors(horizon: int) -> None:
    """Against the errors of the forecaster, one beginning after the other."""
    experiment = dataclasses.replace(SMALL, horizon=horizon)
    weights, series = weights_of(experiment), known("sines")
    forecaster = Forecaster(Network(experiment).load(weights), experiment, Scaling(series.mean, series.scale))
    found = forecast.beyond(Checkpoint(experiment, 1, "reference", weights))
    assert found.forecasts.tolist() == pytest.approx(forecaster(series.values, 20), rel=1e-5)
    starts = range(1400, 1681)
    begun = [starts[k * len(starts) // 256] for k in range(256)]
    wrong = np.array([np.array(series.values[k : k + 20]) - forecaster(series.values[:k], 20) for k in begun])
    low, high = np.quantile(wrong, [0.025, 0.975], 0)
    np.testing.assert_allclose(found.low - found.forecasts, low, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(found.high - found.forecasts, high, rtol=1e-3, atol=1e-5)


def test_free_running_never_sees_the_test_part() -> None:
    one = register(Series("x", WAVE))
    other = register(Series("x", (*WAVE[: one.validation_end], *[9.0] * (len(WAVE) - one.validation_end))))
    experiment = dataclasses.replace(SMALL, series=one.name)
    weights = weights_of(experiment)
    elsewhere = dataclasses.replace(experiment, series=other.name)
    assert torch.equal(forecast.free_running(experiment, weights), forecast.free_running(elsewhere, weights))


@pytest.mark.parametrize("engine", ["reference", "fused"])
@pytest.mark.parametrize("changed", ["test", "validation and test"])
@pytest.mark.parametrize("sequences", [0, 16])
def test_what_lies_behind_the_part_to_train_on_leaves_training_bitwise_the_same(
    changed: str, engine: str, sequences: int
) -> None:
    one = register(Series("x", WAVE))
    end = one.validation_end if changed == "test" else one.train_end
    other = register(Series("x", (*WAVE[:end], *[1e6 + i for i in range(len(WAVE) - end)])))
    assert one.name != other.name
    base = Experiment(
        task="forecast", series=one.name, length=10, hidden=6, steps=15, engine=engine, sequences=sequences
    )
    pair = [list(train(dataclasses.replace(base, series=name), 1, 1)) for name in (one.name, other.name)]
    assert pair[0] == pair[1]
    for mine, others in zip(*pair, strict=True):
        assert mine.weights is not None
        assert others.weights is not None
        assert torch.equal(mine.weights, others.weights)


def by_hand() -> Series:
    """Ten to train on, rising by 1 or 3 in turn, 2 on average; then a part of 5 each."""
    values = [0.0, 1.0, 4.0, 5.0, 8.0, 9.0, 12.0, 13.0, 16.0, 17.0, 20.0, 21.0, 24.0, 25.0]
    return Series("by hand", (*values, 20.0, 20.0, 20.0, 10.0, 14.0, 12.0))


def test_mase_is_the_error_over_the_mean_step_of_the_part_to_train_on() -> None:
    """Errors of 1, 2 and 3 against a mean step of (7 x 1 + 6 x 3) / 13 = 25/13."""
    series = by_hand()
    assert series.train_end == 14
    errors = forecast.errors(series, torch.tensor([11.0, 12.0, 15.0]), torch.tensor([17, 18, 19]))
    assert errors.mae == pytest.approx(2)
    assert errors.rmse == pytest.approx(math.sqrt(14 / 3))
    assert errors.mase == pytest.approx(2 * 13 / 25)


@pytest.mark.parametrize(("horizon", "expected"), [(1, [20.0, 10.0, 14.0]), (3, [20.0, 20.0, 20.0])])
def test_the_last_value_is_that_of_a_horizon_before(horizon: int, expected: list[float]) -> None:
    assert forecast.last_value(by_hand(), horizon, torch.tensor([17, 18, 19])).tolist() == expected


@pytest.mark.parametrize("horizon", [1, 3, 10])
def test_the_drift_continues_the_line_from_the_first_to_the_last_known_value(horizon: int) -> None:
    values, places = known("us_employment").values, [83, 100, 119]
    expected = []
    for place in places:
        seen = values[: place - horizon + 1]
        slope = (seen[-1] - seen[0]) / (len(seen) - 1)
        expected.append(seen[-1] + horizon * slope)
    assert forecast.drift(known("us_employment"), horizon, torch.tensor(places)).tolist() == pytest.approx(expected)


def test_two_known_values_are_the_fewest_that_have_a_drift() -> None:
    assert forecast.drift(by_hand(), 2, torch.tensor([1, 2])).isnan().all()
    assert forecast.drift(by_hand(), 2, torch.tensor([3])).tolist() == [3.0]


@pytest.mark.parametrize(
    ("period", "horizon", "expected"),
    [(4, 1, [25.0, 20.0, 20.0]), (4, 4, [25.0, 20.0, 20.0]), (4, 5, [17.0, 20.0, 21.0]), (2, 3, [25.0, 20.0, 20.0])],
)
def test_the_seasonal_naive_goes_back_by_whole_seasons(period: int, horizon: int, expected: list[float]) -> None:
    series = dataclasses.replace(by_hand(), period=period)
    assert forecast.seasonal_naive(series, horizon, torch.tensor([17, 18, 19])).tolist() == expected


def test_the_seasonal_naive_begins_with_the_second_season() -> None:
    values = forecast.seasonal_naive(dataclasses.replace(by_hand(), period=4), 1, torch.tensor([3, 4, 5]))
    assert values[0].isnan()
    assert values[1:].tolist() == [0.0, 1.0]


def test_without_a_season_there_is_no_seasonal_naive() -> None:
    assert forecast.seasonal_naive(by_hand(), 1, torch.tensor([17, 18])).isnan().all()


@pytest.mark.parametrize("horizon", [1, 3])
def test_a_linear_autoregression_forecasts_what_follows_a_linear_rule(horizon: int) -> None:
    """Without noise, so that nothing is left to chance."""
    values = [0.0, 1.0]
    while len(values) < 200:
        values.append(1 + 1.6 * values[-1] - 0.97 * values[-2])
    series, places = Series("rule", tuple(values)), torch.arange(170, 200)
    forecasts = forecast.linear_autoregression(series, horizon, places)
    torch.testing.assert_close(forecasts, forecast.truth(series, places), rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("name", SERIES)
@pytest.mark.parametrize("horizon", [1, 10])
def test_a_linear_autoregression_is_the_least_squares_fit_of_the_order_that_validation_picks(
    name: str, horizon: int
) -> None:
    """Against numpy, order by order, on the values as they are."""
    series, values = known(name), np.array(known(name).values)
    orders = [p for p in forecast.ORDERS if series.train_end - horizon - p + 1 >= 3 * (p + 1)]
    fitted = np.arange(horizon + orders[-1] - 1, series.train_end)
    fitted = fitted[np.array(series.known or [True] * len(values))[fitted]]

    def regressors(places: Any, order: int) -> Any:
        return np.stack([np.ones(len(places)), *(values[places - horizon - k] for k in range(order))], 1)

    validated, tested = forecast.validated_places(series, 10, 1).numpy(), forecast.tested_places(series, 10, 1).numpy()
    errors: dict[int, float] = {}
    for order in orders:
        fit, *_ = np.linalg.lstsq(regressors(fitted, order), values[fitted])
        errors[order] = float(np.linalg.norm(regressors(validated, order) @ fit - values[validated]))
        if errors[order] == min(errors.values()):
            expected = regressors(tested, order) @ fit
    forecasts = forecast.linear_autoregression(series, horizon, torch.from_numpy(tested))
    np.testing.assert_allclose(forecasts.numpy(), expected, rtol=1e-6)


def test_a_linear_autoregression_knows_nothing_that_comes_later() -> None:
    values = [math.sin(i / 3) + math.cos(i * i) / 3 for i in range(300)]
    series = Series("as it was", tuple(values))
    later = Series("changed", (*values[:280], *(value + 5 for value in values[280:])))
    places = torch.arange(series.validation_end, 283)
    before, after = (forecast.linear_autoregression(one, 3, places) for one in (series, later))
    assert torch.equal(before, after)


def test_a_series_that_is_too_short_has_no_linear_autoregression() -> None:
    assert forecast.linear_autoregression(by_hand(), 9, torch.tensor([17, 18])).isnan().all()
    assert forecast.linear_autoregression(by_hand(), 1, torch.tensor([0, 17])).isnan().tolist() == [True, False]


def test_validation_meets_a_season_in_all_of_its_places() -> None:
    places = forecast.validated_places(known("san_francisco_hourly"), 30, 1)
    assert len(set((places % 24).tolist())) == 24
    assert len(set(places.tolist())) == forecast.MOST_VALIDATED


def test_on_the_training_part_the_last_value_has_a_mase_of_1() -> None:
    series = known("seattle_daily")
    places = torch.arange(1, series.train_end)
    assert forecast.errors(series, forecast.last_value(series, 1, places), places).mase == pytest.approx(1)


@pytest.mark.parametrize("size", [1e-140, 1e-3, 1.0, 1e90])
@pytest.mark.parametrize("step", [1e-10, 1e-6, 1.0])
def test_a_series_that_is_accepted_has_a_scale_to_divide_by(size: float, step: float) -> None:
    """Also one that leaves its level for a moment only."""
    values = [size] * 200
    values[70] = size * (1 + step)
    series, places = Series("bump", tuple(values)), torch.arange(170, 200)
    errors = forecast.errors(series, forecast.truth(series, places) + size, places)
    assert errors.mase == pytest.approx(139 / (2 * step), rel=1e-4)


def test_a_series_without_a_scale_is_refused() -> None:
    with pytest.raises(ValueError, match="do not change"):
        Series("level", (3.0,) * 140 + tuple(map(float, range(60))))


def test_scores_are_the_two_errors_on_the_test_part() -> None:
    weights, series = weights_of(SMALL), known("sines")
    places = torch.arange(1700, 2000)
    scores = forecast.scores(SMALL, weights)
    wrong = forecast.from_truth(SMALL, weights, places) - forecast.truth(series, places)
    steps = torch.tensor(series.values).double()
    assert scores.model == pytest.approx(float(wrong.square().mean().sqrt()))
    assert scores.last_value == pytest.approx(float((steps[1700:] - steps[1699:-1]).square().mean().sqrt()), rel=1e-6)


def test_a_long_series_is_measured_in_part() -> None:
    series = Series("x", tuple(math.sin(i) for i in range(60_000)))
    assert len(forecast.tested_places(series, 10, 1)) == forecast.MOST_TESTED
    assert forecast.tested_places(series, 10, 1)[0] == series.validation_end
    places = forecast.validated_places(series, 10, 1)
    assert len(places) <= forecast.MOST_VALIDATED
    assert series.train_end <= places.min()
    assert places.max() < series.validation_end


def test_forecasting_is_never_solved() -> None:
    experiment = Experiment(task="forecast", length=10, steps=60)
    *_, last = train(experiment)
    assert last.mean_loss < 0.06
    assert last.ended == "completed"
