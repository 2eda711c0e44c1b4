"""Do the charts of forecasts draw what was forecast?"""

import dataclasses
import math

import pytest

from lstm_core import Experiment, train
from lstm_core.charts import outlook
from lstm_core.charts.catalogue import CHARTS
from lstm_core.charts.needs import measured
from lstm_core.charts.points import Curve
from lstm_core.measurements import forecast
from lstm_core.measurements.outcomes import outcome
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
    assert list(line.y) == pytest.approx(outcome(CURVE.checkpoint(chosen)).forecasts[:200].tolist())


def test_the_validation_part_chooses_whose_forecasts_are_shown() -> None:
    series = known("sines")
    places = forecast.validated_places(series, SMALL.length, SMALL.horizon)
    wrong = {}
    for step in CURVE.steps:
        forecasts = forecast.from_truth(SMALL, CURVE.checkpoint(step).weights, places)
        wrong[step] = float((forecasts - forecast.truth(series, places)).square().mean())
    assert outlook.chosen(CURVE) == [min(wrong, key=wrong.__getitem__)]
    assert outlook.chosen(dataclasses.replace(CURVE, snapshots=[])) == []


def test_residuals_are_forecast_minus_truth() -> None:
    both = [table([CURVE]).to_pandas() for table in (outlook.forecasts, outlook.residuals)]
    drawn, left = (table[(table.series == "it") & (table.kind == "racer")].y.to_numpy() for table in both)
    assert list(left) == pytest.approx(list(drawn - known("sines").values[1700:1900]))


def test_beyond_the_end_the_file_has_what_comes_next_and_the_range_of_errors() -> None:
    (one,) = measured([CURVE], [outlook.BEYOND])
    (chosen,) = outlook.chosen(CURVE)
    found = forecast.beyond(CURVE.checkpoint(chosen))
    table = outlook.table([one]).to_pandas().set_index("place")
    assert list(table.index[-21:]) == [2000, *range(2001, 2021)]
    further = table.loc[2001:]
    assert list(further["it"]) == found.forecasts.tolist()
    assert list(further["it, low"]) == found.low.tolist()
    assert list(further["it, high"]) == found.high.tolist()
    assert further.drop(columns=["it", "it, low", "it, high"]).isna().all(axis=None)
    shown = outlook.beyond([one]).to_pandas()
    assert list(shown[shown.kind == "racer"].x) == list(range(2001, 2021))
    assert list(shown[(shown.series == outlook.LOW)].y) == pytest.approx(found.low.tolist())


def test_free_runs_are_drawn_of_those_that_have_ended() -> None:
    shown = outlook.free_running([CURVE, UNFINISHED]).to_pandas()
    assert set(shown[shown.kind == "racer"].series) == {"it"}


def test_the_validation_error_is_drawn_at_each_checkpoint_beside_those_of_the_baselines() -> None:
    shown = outlook.validation_by_step([CURVE]).to_pandas()
    assert list(shown[shown.kind == "racer"].x) == [1, 10, 20, 30, 40]
    assert set(shown[shown.kind == "reference"].series) == set(forecast.BASELINES)


@pytest.mark.parametrize("name", ["forecasts", "residuals", "beyond", "free_running", "validation"])
def test_a_race_that_has_not_begun_has_empty_charts(name: str) -> None:
    empty = dataclasses.replace(CURVE, snapshots=[])
    shown = CHARTS[name].table([empty]).to_pandas()
    assert not (shown.kind == "racer").any()
    CHARTS[name].of([empty]).to_dict()


def test_the_file_has_a_row_for_each_value_of_the_test_part() -> None:
    table = outlook.table([CURVE])
    names = ["place", "truth", *forecast.BASELINES, "it", "it, free-running"]
    assert table.column_names == names
    assert table.column("place").to_pylist() == list(range(1701, 2001))
    free = table.column("it, free-running").to_pylist()
    assert all(map(math.isfinite, free[: forecast.MOST_FREE]))
    assert all(map(math.isnan, free[forecast.MOST_FREE :]))
