"""Does the command that scores forecasts train in every fold, score all on the same places, and say what it needs?"""

import importlib.util
import math
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch

from lstm_core import Experiment
from lstm_core.__main__ import main
from lstm_core.backtest import fitted, scored
from lstm_core.measurements import forecast
from lstm_core.tasks.series import Beside, Series, register

WAVE = tuple(3 + math.sin(i / 3) + 0.3 * math.cos(i * i) for i in range(120))
OTHER = tuple(float(i * i % 17) for i in range(120))
SHORT = ["--length", "6", "--hidden", "4", "--batch", "4", "--steps", "20", "--column", "x", "--with", "y"]


@pytest.fixture
def file(tmp_path: Path) -> str:
    rows = "".join(f"{x!r},{y}\n" for x, y in zip(WAVE, OTHER, strict=True))
    (tmp_path / "own.csv").write_text(f"x,y\n{rows}")
    return str(tmp_path / "own.csv")


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_every_fold_has_a_column_and_the_mean_is_theirs(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Against errors by hand, of the last value, and of networks that were trained apart."""
    assert main(["forecast", "--csv", file, *SHORT, "--folds", "2", "--difference"]) == 0
    first, second, _, head, _, *rows = capsys.readouterr().out.splitlines()
    assert first.startswith(
        "Fold 1: trained on the values up to 84, validated on those up to 102, tested on 9 from 103"
    )
    assert second.endswith("up to 93, validated on those up to 111, tested on 9 from 112 to 120.")
    assert cells(head)[1:4] == ["RMSE of fold 1", "RMSE of fold 2", "mean RMSE"]
    found = {name: list(map(float, numbers)) for name, *numbers in map(cells, rows)}
    assert list(found) == ["LSTM", "last value", "drift", "linear autoregression"]
    last = [
        math.sqrt(sum((WAVE[i] - WAVE[i - 1]) ** 2 for i in places) / 9)
        for places in (range(102, 111), range(111, 120))
    ]
    assert found["last value"][:3] == pytest.approx([*last, sum(last) / 2], rel=1e-3)
    own = register(Series("x", WAVE, beside=(Beside("y", OTHER),)))
    base = Experiment(task="forecast", series=own.name, length=6, hidden=4, batch=4, steps=20, difference=True, folds=2)
    alone = [scored.tested(one, False).standings["LSTM"].test for one in reversed(scored.split(base))]
    assert found["LSTM"][1::-1] == pytest.approx([one.errors.rmse for one in alone if one], rel=1e-3)


def test_a_single_fold_is_told_as_on_the_page(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["forecast", "--csv", file, *SHORT]) == 0
    about, _, head, _, *rows = capsys.readouterr().out.splitlines()
    assert about.endswith("tested on 18 from 103 to 120.")
    assert cells(head)[:4] == ["forecast by", "validation RMSE", "test RMSE", "95 % range of the test RMSE"]
    by, validation, rmse, between, *_ = cells(rows[0])
    low, high = map(float, between.split(" to "))
    assert by == "LSTM"
    assert float(validation) > 0
    assert low < float(rmse) < high


def test_statistics_that_are_not_installed_are_refused_with_what_to_install(
    file: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match="2"):
        main(["forecast", "--csv", file, *SHORT, "--statistics"])
    assert (
        "which is not installed; in an environment of its own, pip install -r requirements-forecast.txt"
        in (capsys.readouterr().err.splitlines()[-1])
    )


def test_statistics_are_scored_on_the_places_of_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a stand-in that forecasts the last value, as far as it may see."""

    def rolled(by: str, series: Series, asked: dict[int, torch.Tensor]) -> list[tuple[int, list[float]]]:
        return [(h, forecast.last_value(series, h, places).tolist()) for h, places in asked.items()]

    monkeypatch.setattr(scored, "rolled", rolled)
    own = register(Series("x", WAVE))
    (one,) = scored.split(Experiment(task="forecast", series=own.name, length=6, hidden=4, batch=4, steps=5, horizon=2))
    found = scored.tested(one, True).standings
    assert list(found)[-2:] == ["ETS", "ARIMA"]
    for by in ("ETS", "ARIMA"):
        assert found[by].test is not None
        assert found[by].test.errors == found["last value"].test.errors  # type: ignore[union-attr]


class Model:
    """In place of those of statsforecast: forecasts what tells all that it was given."""

    def __init__(self, season_length: int) -> None:
        self.season = season_length

    def fit(self, values: Any) -> None:
        self.learned = values.sum()

    def forward(self, values: Any, horizon: int) -> dict[str, list[float]]:
        return {"mean": [*[math.nan] * (horizon - 1), self.learned + 1e3 * len(values) + values[-1] + self.season]}


def test_ets_and_arima_see_the_values_up_to_a_horizon_before_and_learn_from_the_part_to_train_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "statsforecast", ModuleType("statsforecast"))
    monkeypatch.setitem(sys.modules, "statsforecast.models", SimpleNamespace(AutoARIMA=Model, AutoETS=Model))
    series = Series("x", WAVE, 7)
    for by in ("ETS", "ARIMA"):
        ((horizon, found),) = fitted.rolled(by, series, {3: torch.tensor([102, 119])})
        expected = [sum(WAVE[:84]) + 1e3 * (place - 2) + WAVE[place - 3] + 7 for place in (102, 119)]
        assert horizon == 3
        assert found == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--folds", "19"], "folds: 19 are more than the 18 values of the test part of x"),
        (["--with", "z"], "column 'z' is not one of x, y"),
        (["--with", "x"], "with: 'x' is the series itself, or stands there twice"),
        (["--with", "y"], "with: 'y' is the series itself, or stands there twice"),
        (["--task", "adding"], "unrecognized arguments: --task adding"),
    ],
)
def test_what_cannot_be_scored_gets_one_line(
    file: str, options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["forecast", "--csv", file, *SHORT, *options])
    assert said in capsys.readouterr().err.splitlines()[-1]
