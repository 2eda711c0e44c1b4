"""Who forecasts a series best, fold by fold? As on the page: at the training step that the validation part picks."""

import dataclasses
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import torch

from lstm_core.backtest.fitted import rolled
from lstm_core.cells import FAMILIES
from lstm_core.charts.needs import measured
from lstm_core.charts.outlook import TESTED, VALIDATED
from lstm_core.charts.points import Curve
from lstm_core.charts.standings import Standing, standings, standings_table
from lstm_core.experiment import Experiment
from lstm_core.measurements.forecast import Errors, tested_by
from lstm_core.measurements.outcomes import outcome_of
from lstm_core.measurements.rivals import ARIMA, ETS
from lstm_core.race.runs import weights_every
from lstm_core.training.train import train


class Fold(NamedTuple):
    """An experiment that was trained and tested, and how it and all that is simpler did, by name."""

    experiment: Experiment
    standings: dict[str, Standing]

    @property
    def about(self) -> str:
        """Which values are its own, counted from 1."""
        series, places = self.experiment.view.series, tested_by(self.experiment)
        return (
            f"Fold {self.experiment.fold}: trained on the values up to {series.train_end:,}, validated on those up to "
            f"{series.validation_end:,}, tested on {len(places):,} from {int(places[0]) + 1:,} to "
            f"{int(places[-1]) + 1:,}."
        )


def split(experiment: Experiment) -> list[Experiment]:
    """The same in each of its folds."""
    return [dataclasses.replace(experiment, fold=number) for number in range(1, experiment.folds + 1)]


def tested(experiment: Experiment, statistics: bool) -> Fold:
    """Train and test it; with `statistics`, ETS and ARIMA are fitted to the same part, too."""
    snapshots = list(train(experiment, experiment.steps, weights_every(experiment.steps)))
    curve = Curve(FAMILIES[experiment.cell].label, experiment, snapshots)
    rows = standings(measured([curve], [VALIDATED, TESTED]))
    return Fold(experiment, {row.label: row for row in [*rows, *(_statistics(experiment) if statistics else ())]})


def _statistics(experiment: Experiment) -> Iterator[Standing]:
    series, horizon, places = experiment.view.series, experiment.horizon, tested_by(experiment)
    for by in (ETS, ARIMA):
        ((_, forecasts),) = rolled(by, series, {horizon: places})
        outcome = outcome_of(series, horizon, places, torch.tensor(forecasts, dtype=torch.float64))
        yield Standing(by, None, outcome, False)


def table(folds: Sequence[Fold]) -> Iterator[str]:
    """
    In Markdown: which values are whose, then a row for everybody whom all folds have, with the RMSE on the test part of
    each fold, and the means of RMSE, MAE and MASE over the folds; of a single fold, all that the page tells.
    """
    for fold in folds:
        yield fold.about
    yield ""
    if len(folds) == 1:
        shown = standings_table(list(folds[0].standings.values()))
        yield from _lines(
            shown.column_names, zip(*(shown[name].to_pylist() for name in shown.column_names), strict=True)
        )
        return
    names = ["forecast by", *(f"RMSE of fold {fold.experiment.fold}" for fold in folds)]
    yield from _lines([*names, "mean RMSE", "mean MAE", "mean MASE"], _rows(folds))


def _rows(folds: Sequence[Fold]) -> Iterator[list[Any]]:
    for label in folds[0].standings:
        errors = [_errors(fold.standings.get(label)) for fold in folds]
        if all(errors):
            there = [one for one in errors if one]
            means = (math.fsum(numbers) / len(there) for numbers in _columns(there))
            yield [label, *(one.rmse for one in there), *means]


def _lines(names: Sequence[str], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    yield f"| {' | '.join(names)} |"
    yield f"|{'---|' * len(names)}"
    for row in rows:
        cells = ("" if cell is None else cell if isinstance(cell, str) else f"{cell:.4g}" for cell in row)
        yield f"| {' | '.join(cells)} |"


def _errors(standing: Standing | None) -> Errors | None:
    return standing.test.errors if standing and standing.test else None


def _columns(errors: Sequence[Errors]) -> Iterable[list[float]]:
    """Of RMSE, MAE and MASE."""
    return ([getattr(one, name) for one in errors] for name in ("rmse", "mae", "mase"))
