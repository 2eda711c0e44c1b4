"""Do the charts of forecasts draw what was forecast, and does the verdict say who won?"""

import dataclasses
import math

import pytest

from lstm_core import Experiment, train
from lstm_core.charts import outlook
from lstm_core.charts.catalogue import CHARTS
from lstm_core.charts.needs import measured
from lstm_core.charts.outlook import Standing, verdict
from lstm_core.charts.points import Curve
from lstm_core.measurements import forecast
from lstm_core.measurements.forecast import Errors
from lstm_core.tasks.series import known

SMALL = Experiment(task="forecast", series="sines", length=10, hidden=4, batch=8, steps=40)


def curve(experiment: Experiment = SMALL, label: str = "it", steps: int | None = None) -> Curve:
    return complete(Curve(label, experiment, list(train(experiment, 1, 10))[:steps]))


def complete(shown: Curve) -> Curve:
    """The same, with all that is needed of it."""
    (one,) = measured([shown], [outlook.VALIDATED, outlook.TESTED, outlook.RUN_FREE])
    return one


CURVE = curve()
UNFINISHED = complete(dataclasses.replace(CURVE, label="late", snapshots=CURVE.snapshots[:20]))
PLACES = range(1701, 1901)


def test_the_truth_the_baselines_and_the_racer_lie_at_their_places() -> None:
    shown = outlook.forecasts([CURVE]).to_pandas()
    series = known("sines")
    for name, values in (
        ("truth", series.values[1700:1900]),
        ("last value", series.values[1699:1899]),
        ("seasonal naive", series.values[1400:1600]),
    ):
        line = shown[shown.series == name]
        assert list(line.x) == list(PLACES)
        assert list(line.y) == pytest.approx(values)
    (chosen,) = outlook.chosen(CURVE)
    line = shown[(shown.series == "it") & (shown.kind == "racer")]
    assert list(line.y) == pytest.approx(forecast.tested(CURVE.checkpoint(chosen))[:200].tolist())


def test_the_validation_part_chooses_whose_forecasts_are_shown() -> None:
    series = known("sines")
    places = forecast.validated_places(series, SMALL.length, SMALL.horizon)
    wrong = {}
    for step in CURVE.steps:
        forecasts = forecast.from_truth(SMALL, CURVE.checkpoint(step).weights, places)
        wrong[step] = float((forecasts - forecast.truth(series, places)).square().mean())
    assert outlook.chosen(CURVE) == [min(wrong, key=wrong.__getitem__)]
    assert outlook.chosen(dataclasses.replace(CURVE, snapshots=[])) == []


def test_a_racer_has_no_error_on_the_test_part_before_all_its_checkpoints_are_measured() -> None:
    some = {key: result for key, result in CURVE.measured.items() if key != (forecast.validated, 20)}
    (racer, *_) = outlook.standings([dataclasses.replace(CURVE, measured=some)])
    assert racer.test is None
    assert outlook.standings([CURVE])[0].test is not None


def test_residuals_are_forecast_minus_truth() -> None:
    both = [table([CURVE]).to_pandas() for table in (outlook.forecasts, outlook.residuals)]
    drawn, left = (table[(table.series == "it") & (table.kind == "racer")].y.to_numpy() for table in both)
    assert list(left) == pytest.approx(list(drawn - known("sines").values[1700:1900]))


def test_free_runs_are_drawn_of_those_that_have_ended() -> None:
    shown = outlook.free_running([CURVE, UNFINISHED]).to_pandas()
    assert set(shown[shown.kind == "racer"].series) == {"it"}


def test_the_validation_error_is_drawn_at_each_checkpoint_beside_those_of_the_baselines() -> None:
    shown = outlook.validation_by_step([CURVE]).to_pandas()
    assert list(shown[shown.kind == "racer"].x) == [1, 10, 20, 30, 40]
    assert set(shown[shown.kind == "reference"].series) == set(forecast.BASELINES)


@pytest.mark.parametrize("name", ["forecasts", "residuals", "free_running", "validation"])
def test_a_race_that_has_not_begun_has_empty_charts(name: str) -> None:
    empty = dataclasses.replace(CURVE, snapshots=[])
    shown = CHARTS[name].table([empty]).to_pandas()
    assert not (shown.kind == "racer").any()
    CHARTS[name].of([empty]).to_dict()


def test_the_file_has_a_row_for_each_value_of_the_test_part() -> None:
    table = outlook.table([CURVE])
    names = ["place", "truth", "last value", "seasonal naive", "linear autoregression", "it", "it, free-running"]
    assert table.column_names == names
    assert table.column("place").to_pylist() == list(range(1701, 2001))
    free = table.column("it, free-running").to_pylist()
    assert all(map(math.isfinite, free[: forecast.MOST_FREE]))
    assert all(map(math.isnan, free[forecast.MOST_FREE :]))


def test_nobody_sees_the_test_part_before_the_end() -> None:
    late, *baselines = outlook.standings([UNFINISHED])
    assert late.test is None
    assert late.validation is not None
    assert all(baseline.test is not None for baseline in baselines)
    assert verdict([late, *baselines]) == ""


def test_a_standing_names_the_step_of_the_weights_that_did_best() -> None:
    (chosen,) = outlook.chosen(CURVE)
    assert [row.step for row in outlook.standings([CURVE])] == [chosen, 0, 0, 0]


def errors(rmse: float, mae: float | None = None) -> Errors:
    return Errors(rmse / 2 if mae is None else mae, rmse, rmse)


def racer(label: str, validation: float, test: float, mae: float | None = None) -> Standing:
    return Standing(label, errors(validation), errors(test, mae), True, 10)


def last_value(validation: float, test: float, mae: float | None = None) -> Standing:
    return Standing("last value", errors(validation), errors(test, mae), False)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            [racer("tanh", 1, 2), racer("ReLU", 3, 4), last_value(20, 30)],
            "**tanh** wins on validation. Its test error (RMSE) is 2, 15 times lower than repeating the last value. "
            "None is better on the test part.",
        ),
        (
            [racer("tanh", 1, 2), racer("ReLU", 3, 1), last_value(20, 30)],
            "**tanh** wins on validation. Its test error (RMSE) is 2, 15 times lower than repeating the last value. "
            "On the test part **ReLU** is best: 1.",
        ),
        (
            [racer("tanh", 1, 60), last_value(20, 30)],
            "**tanh** wins on validation. Its test error (RMSE) is 60, 2 times that of repeating the last value. "
            "On the test part **last value** is best: 30. No network beats this baseline.",
        ),
        (
            [racer("tanh", 1, 45), last_value(20, 30)],
            "**tanh** wins on validation. Its test error (RMSE) is 45, 1.5 times that of repeating the last value. "
            "On the test part **last value** is best: 30. No network beats this baseline.",
        ),
        (
            [racer("tanh", 50, 60), last_value(20, 30)],
            "**last value** wins on validation. Its test error (RMSE) is 30. None is better on the test part. "
            "No network beats this baseline.",
        ),
        (
            [racer("tanh", 1, 2, mae=5), last_value(20, 30, mae=4)],
            "**tanh** wins on validation. Its test error (RMSE) is 2, 15 times lower than repeating the last value. "
            "None is better on the test part. By mean absolute error **last value** is best.",
        ),
        (
            [racer("broken", math.nan, math.nan), racer("tanh", 1, 2), last_value(20, 0)],
            "**tanh** wins on validation. Its test error (RMSE) is 2; repeating the last value has 0. "
            "On the test part **last value** is best: 0. No network beats this baseline.",
        ),
    ],
)
def test_the_verdict_says_who_wins(rows: list[Standing], said: str) -> None:
    assert verdict(rows) == said


def test_a_racer_that_diverged_is_told_without_numbers_and_wins_nothing() -> None:
    wild = Experiment(
        task="forecast", series="sines", activation="identity", length=100, lr=100.0, clip="none", steps=100
    )
    rows = outlook.standings([curve(wild, "wild"), CURVE])
    assert rows[0].label == "wild"
    assert "**wild**" not in verdict(rows)


def test_the_table_of_standings_has_nothing_where_nothing_is_known() -> None:
    late = Standing("late", errors(2), None, True, 30)
    rows = outlook.standings_table([late, last_value(3, 4)]).to_pylist()
    names = ["forecast by", *outlook.ERRORS, "weights of step"]
    assert [list(row.values()) for row in rows] == [["late", 2, None, None, None, "30"], ["last value", 3, 4, 2, 4, ""]]
    assert list(rows[0]) == names
