"""Are the forecasts of ETS and ARIMA of the series as they are, without a look ahead, and shown where they belong?"""

from pathlib import Path

import numpy as np
import pytest
import torch

from lstm_core.charts import standings
from lstm_core.measurements import forecast, rivals
from lstm_core.measurements.outcomes import baseline_outcomes
from lstm_core.measurements.rivals import ARIMA, ETS, LABELS, Forecasts, recorded_forecasts
from lstm_core.tasks.public import SERIES
from lstm_core.tasks.series import Series, known
from tests.forecast_winners import HORIZONS
from tests.test_outlook import CURVE
from tests.test_structure import ROOT, imported


@pytest.mark.parametrize("horizon", HORIZONS)
@pytest.mark.parametrize("name", SERIES)
def test_every_series_has_a_recorded_forecast_for_each_place_that_is_tested(name: str, horizon: int) -> None:
    """As it is now: it would be another content after any change."""
    recorded = recorded_forecasts(known(name).name, horizon)
    assert list(recorded) == list(LABELS.values())
    assert {len(forecasts) for forecasts in recorded.values()} == {len(forecast.tested_places(known(name), 1, horizon))}


@pytest.mark.parametrize("name", ["sines", "seattle_daily"])
def test_ets_without_trend_and_season_is_a_smoothed_level_of_what_was_known(name: str) -> None:
    """l' = l + alpha (y - l), one alpha for all; ten steps ahead it is the level of ten steps before."""
    series = known(name)
    one, ten = (recorded_forecasts(series.name, horizon)[LABELS[ETS]].numpy() for horizon in (1, 10))
    values = np.array(series.values)[series.validation_end :]
    wrong, moved = values[:-1] - one[:-1], np.diff(one)
    alpha = float(wrong @ moved / (wrong @ wrong))
    assert 0 < alpha <= 1
    np.testing.assert_allclose(moved, alpha * wrong, atol=1e-4)
    np.testing.assert_allclose(ten[9:], one[:-9], atol=1e-4)


@pytest.mark.parametrize("name", SERIES)
def test_farther_ahead_they_err_more(name: str) -> None:
    """As those must that see less."""
    near, far = (baseline_outcomes(known(name), horizon) for horizon in HORIZONS)
    assert all(near[by].errors.rmse < far[by].errors.rmse for by in LABELS.values())


def test_they_stand_among_the_baselines_of_the_same_series_as_far_ahead_alone() -> None:
    assert [row.label for row in standings.standings([CURVE])] == ["it", *forecast.BASELINES, *LABELS.values()]
    series = known("sines")
    assert not {*LABELS.values()} & baseline_outcomes(series, 2).keys()
    changed = Series("changed", (*series.values[:-1], 0.0), series.period)
    assert not {*LABELS.values()} & baseline_outcomes(changed, 1).keys()


def test_what_is_recorded_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [Forecasts("x", "csv:1", horizon, by, [0.1, horizon]) for horizon in (1, 10) for by in (ETS, ARIMA)]
    monkeypatch.setattr(rivals, "RECORDED", tmp_path / "rivals.json")
    try:
        rivals.record(rows)
        again = recorded_forecasts("csv:1", 10)
    finally:
        rivals._recorded.cache_clear()
    assert list(again) == list(LABELS.values())
    torch.testing.assert_close(again[LABELS[ARIMA]], torch.tensor([0.1, 10], dtype=torch.float64))


def test_the_app_never_imports_who_made_them() -> None:
    """The command line alone does, and only when it is asked."""
    files = [ROOT / "dashboard.py", *ROOT.glob("pages/*.py"), *ROOT.glob("lstm_core/**/*.py")]
    knows = [file.name for file in files if any("statsforecast" in name for name in imported(file))]
    asks = [file for file in files if any(name.startswith("lstm_core.backtest") for name in imported(file))]
    assert knows == ["fitted.py"]
    assert {file.parent.name for file in asks} == {"backtest", "commands"}
