"""Does the verdict say who won, and nothing where nobody can be told apart? Does the table of standings have it all?"""

import dataclasses
import math

import numpy as np
import pytest
import torch

from lstm_core import Experiment
from lstm_core.charts import standings
from lstm_core.charts.outlook import chosen
from lstm_core.charts.standings import Standing, verdict
from lstm_core.measurements import bootstrap, forecast
from lstm_core.measurements.bootstrap import root_interval
from lstm_core.measurements.forecast import Errors
from lstm_core.measurements.outcomes import Outcome, baseline_outcomes
from lstm_core.tasks.series import Series, known
from tests.test_outlook import CURVE, SMALL, UNFINISHED, curve


def test_a_racer_has_no_error_on_the_test_part_before_all_its_checkpoints_are_measured() -> None:
    some = {key: result for key, result in CURVE.measured.items() if key != (forecast.validated, 20)}
    (racer, *_) = standings.standings([dataclasses.replace(CURVE, measured=some)])
    assert racer.test is None
    assert standings.standings([CURVE])[0].test is not None


def test_nobody_sees_the_test_part_before_the_end() -> None:
    late, *baselines = standings.standings([UNFINISHED])
    assert late.test is None
    assert late.validation is not None
    assert all(baseline.test is not None for baseline in baselines)
    assert verdict([late, *baselines]) == ""


def test_a_standing_names_the_step_of_the_weights_that_did_best() -> None:
    rows = standings.standings([CURVE])
    assert [row.step for row in rows] == [*chosen(CURVE), *[0] * (len(rows) - 1)]


def test_standings_are_the_errors_on_the_test_part_with_the_interval_of_their_squares() -> None:
    (racer, simple, *_) = standings.standings([CURVE])
    truth = np.array(known("sines").values[1700:])
    networks = forecast.from_truth(SMALL, CURVE.checkpoint(racer.step).weights, torch.arange(1700, 2000)).numpy()
    for row, forecasts in ((racer, networks), (simple, np.array(known("sines").values[1699:-1]))):
        squares = (forecasts - truth) ** 2
        assert row.test is not None
        assert row.test.errors.rmse == pytest.approx(math.sqrt(squares.mean()))
        expected = root_interval(bootstrap.resampled(torch.from_numpy(squares), 1))
        assert row.test.rmse_interval == pytest.approx(expected)
        assert root_interval(row.test.squares) == row.test.rmse_interval


SIGNS = np.random.default_rng(0).permutation([1.0, -1.0] * 150)


def outcome(rmse: float, chance: float) -> Outcome:
    """300 errors of this size, or, by chance, some larger and others smaller."""
    squares = bootstrap.resampled(torch.from_numpy(rmse**2 * (1 + chance * SIGNS)), 1)
    return Outcome(torch.empty(0), Errors(rmse / 2, rmse, rmse), squares, root_interval(squares))


def racer(label: str, validation: float, test: float, chance: float = 0.0) -> Standing:
    return Standing(label, Errors(validation, validation, validation), outcome(test, chance), True, 10)


def baseline(label: str, test: float) -> Standing:
    return Standing(label, Errors(test, test, test), outcome(test, 0.0), False)


LAST, LINEAR = baseline("last value", 30), baseline("linear autoregression", 20)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            [racer("tanh", 1, 2), racer("ReLU", 3, 4), LAST, LINEAR],
            "**tanh** is the best network on validation. Its test error (RMSE) is 2. "
            "It beats the best baseline, **linear autoregression**: 20.",
        ),
        (
            [racer("tanh", 3, 2), racer("ReLU", 2, 25), LAST, LINEAR],
            "**ReLU** is the best network on validation. Its test error (RMSE) is 25. "
            "The best baseline, **linear autoregression**, beats it: 20. **tanh** was better on the test part: 2.",
        ),
        (
            [racer("tanh", 1, 29.5, 0.9), LAST, LINEAR],
            "**tanh** is the best network on validation. Its test error (RMSE) is 29.5. "
            "The best baseline, **linear autoregression**, beats it: 20. "
            "On this test part it cannot be told apart from **last value** (30).",
        ),
        (
            [racer("tanh", 1, 29, 0.9), racer("ReLU", 2, 28.5, -0.9), LAST, baseline("drift", 29.5)],
            "**tanh** is the best network on validation. Its test error (RMSE) is 29. "
            "On this test part it cannot be told apart from **drift** (29.5), **last value** (30).",
        ),
        (
            [racer("broken", math.nan, math.nan), racer("tanh", 1, 2), baseline("last value", 0.0)],
            "**tanh** is the best network on validation. Its test error (RMSE) is 2. "
            "The best baseline, **last value**, beats it: 0.",
        ),
        (
            [racer("broken", math.nan, math.nan), LAST, LINEAR],
            "All networks exploded. The best baseline is **linear autoregression**: 20.",
        ),
    ],
)
def test_the_verdict_says_whether_the_picked_network_beats_the_simple_forecasts(
    rows: list[Standing], said: str
) -> None:
    assert verdict(rows) == said


def test_a_racer_that_diverged_is_told_without_numbers_and_wins_nothing() -> None:
    wild = Experiment(
        task="forecast", series="sines", activation="identity", length=100, lr=100.0, clip="none", steps=100
    )
    rows = standings.standings([curve(wild, "wild"), CURVE])
    assert rows[0].label == "wild"
    assert verdict(rows)
    assert "**wild**" not in verdict(rows)


def test_the_table_of_standings_has_nothing_where_nothing_is_known() -> None:
    late = Standing("late", Errors(1, 2, 2), None, True, 30)
    few = Series("few", (*range(20),))
    short = Standing("short", Errors(1, 2, 2), baseline_outcomes(few, 1)["last value"], False)
    rows = standings.standings_table([late, LAST, short]).to_pylist()
    assert list(rows[0].values()) == ["late", 2, None, "", None, None, "30"]
    assert list(rows[1].values()) == ["last value", 30, 30, "30 to 30", 15, 30, ""]
    assert list(rows[2].values()) == ["short", 2, 1, "", 1, 1, ""]
    names = ["validation RMSE", "test RMSE", "95 % range of the test RMSE", "test MAE", "test MASE"]
    assert list(rows[0]) == ["forecast by", *names, "weights of step"]
