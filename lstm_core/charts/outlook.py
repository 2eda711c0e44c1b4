"""What do the charts of forecasts draw, and who has won? Like `tables`, of curves that have weights with them."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import pyarrow as pa
import torch
from torch import Tensor

from lstm_core.borrowed.arrow import column, of_rows
from lstm_core.charts.chart import chart
from lstm_core.charts.marks import BY_STEP, lines
from lstm_core.charts.needs import Need, every, missing
from lstm_core.charts.points import Curve, Point, axis_ends, level, level_lines, of_points
from lstm_core.measurements import forecast
from lstm_core.measurements.forecast import BASELINES, LAST_VALUE, Errors
from lstm_core.tasks.series import Series, known

SHOWN = 200
BY_PLACE = "place in the series"
TRUTH = "truth"


def _racers(curves: Sequence[Curve]) -> list[Curve]:
    return [curve for curve in curves if not curve.ghost]


def _series(curves: Sequence[Curve]) -> tuple[Series, int, Tensor]:
    """Of the race: the series, the horizon, and the places of the test part that are drawn, (N,)."""
    experiment = _racers(curves)[0].experiment
    series = known(experiment.series)
    return series, experiment.horizon, forecast.tested_places(series)[:SHOWN]


def _forecasts(curve: Curve) -> bool:
    return bool(curve.snapshots and curve.experiment.problem.of)


def _ended(curve: Curve) -> bool:
    return _forecasts(curve) and bool(curve.snapshots[-1].ended)


def chosen(curve: Curve) -> list[int]:
    """
    The training step, of those whose error on the validation part is known, at which that was lowest, the first of
    equal ones: its forecasts are shown. None before the first is known.
    """
    known = {step: errors.rmse for _, step, errors in VALIDATED.found([curve])}
    return sorted(known, key=lambda step: known[step] if math.isfinite(known[step]) else math.inf)[:1]


VALIDATED = Need(forecast.validated, _forecasts, every)
TESTED = Need(forecast.tested, _forecasts, chosen)
RUN_FREE = Need(forecast.run_free, _forecasts, chosen)
RUN_FREE_AT_THE_END = Need(forecast.run_free, _ended, chosen)


def _line(places: Tensor, values: Tensor, label: str, kind: str = "racer") -> list[Point]:
    """Places are told from 1, as the rows of a file."""
    part = label if kind == "reference" else ""
    both = zip(places.tolist(), values.tolist(), strict=True)
    return [Point(place + 1, value, label, part, kind) for place, value in both if math.isfinite(value)]


def _frame(curves: Sequence[Curve], places: Tensor) -> list[Point]:
    return axis_ends(curves, int(places[0]) + 1, int(places[-1]) + 1)


@chart(
    "forecasts",
    "Forecast against truth",
    lines(BY_PLACE, "value"),
    "The beginning of the test part, grey. Whoever lies on it forecasts well; a line late by the horizon copies.",
    "each forecast sees the true values up to the horizon, so errors do not add up.",
    "makridakis",
    "Line chart of the test part of the series, the forecast of every racer, and the baselines dashed.",
    needs=(VALIDATED, TESTED),
    of_one_step=True,
)
def forecasts(curves: Sequence[Curve]) -> pa.Table:
    """The beginning of the test part, what each racer and each baseline forecast from true values, and the truth."""
    series, horizon, places = _series(curves)
    points = _line(places, forecast.truth(series, places), TRUTH, "ghost")
    for name, baseline in BASELINES.items():
        points += _line(places, baseline(series, horizon, places), name, "reference")
    for curve, _, tested in TESTED.found(curves):
        points += _line(places, tested[: len(places)], curve.label)
    return of_points([*_frame(curves, places), *points])


@chart(
    "residuals",
    "Residuals",
    lines(BY_PLACE, "forecast - truth"),
    "Noise around 0 is what cannot be known; a wave that is left over could have been learned.",
    "a forecast that misses nothing but chance leaves errors without a pattern.",
    "hyndman",
    "Line chart of forecast minus truth for every racer, in the test part.",
    needs=(VALIDATED, TESTED),
    of_one_step=True,
)
def residuals(curves: Sequence[Curve]) -> pa.Table:
    """Forecast minus truth, in the beginning of the test part, of each racer; the last value's would hide them."""
    series, _, places = _series(curves)
    truth = forecast.truth(series, places)
    points = level("none", 0.0, int(places[0]) + 1, int(places[-1]) + 1)
    for curve, _, tested in TESTED.found(curves):
        points += _line(places, tested[: len(places)] - truth, curve.label)
    return of_points([*_frame(curves, places), *points])


@chart(
    "free_running",
    "Free-running",
    lines(BY_PLACE, "value"),
    "Fed with their own forecasts from the end of the validation part: how long do they stay on the truth, dashed? "
    "Drawn for those that have ended.",
    "each error is an input of the next forecast, and where the series is chaotic it grows exponentially.",
    "mackey",
    "Line chart of the test part of the series and of every racer's forecasts from its own forecasts.",
    needs=(VALIDATED, RUN_FREE_AT_THE_END),
)
def free_running(curves: Sequence[Curve]) -> pa.Table:
    """The same beginning, forecast from own forecasts alone, by those that have ended; and the truth."""
    series, _, places = _series(curves)
    points = _line(places, forecast.truth(series, places), TRUTH, "reference")
    for curve, _, free in RUN_FREE_AT_THE_END.found(curves):
        points += _line(places, _bounded(free, series), curve.label)
    return of_points([*_frame(curves, places), *points])


def _bounded(values: Tensor, series: Series) -> Tensor:
    """Up to ten standard deviations off: what runs away farther would leave nothing to see of the rest."""
    off = 10 * series.scale
    return torch.where((values - series.mean).abs() <= off, values, torch.nan)


@chart(
    "validation",
    "Error on the validation part",
    lines(BY_STEP, "RMSE", log=True),
    "Below a dashed line a racer beats that baseline; the step where it is lowest is the one whose weights count.",
    "a network that goes on learning its own part by heart gets worse on what comes after.",
    "makridakis",
    "Line chart on a log axis: RMSE of every racer on the validation part by training step, baselines dashed.",
    needs=(VALIDATED,),
)
def validation_by_step(curves: Sequence[Curve]) -> pa.Table:
    """RMSE on the validation part at each checkpoint of the training, and that of the baselines."""
    series, horizon, _ = _series(curves)
    points = [Point(step, errors.rmse, curve.label) for curve, step, errors in VALIDATED.found(curves)]
    levels = [(name, error.rmse) for name, error in _baselines(series, horizon, forecast.validated_places).items()]
    finite = [point for point in points if 0 < point.y < math.inf]
    return of_points([*axis_ends(curves), *level_lines(curves, (line for line in levels if line[1] > 0)), *finite])


def _baselines(series: Series, horizon: int, part: Callable[[Series], Tensor]) -> dict[str, Errors]:
    """Of those that there are for this series."""
    places = part(series)
    forecasts = {name: baseline(series, horizon, places) for name, baseline in BASELINES.items()}
    return {name: forecast.errors(series, y, places) for name, y in forecasts.items() if y.isfinite().all()}


def table(curves: Sequence[Curve]) -> pa.Table:
    """
    A row for each value of the test part: its `place` in the series, from 1, its `time` if there are any, the `truth`,
    every baseline, and of each racer the forecast from true values and, as far as it goes, the one from its own.
    """
    series, horizon, _ = _series(curves)
    places = forecast.tested_places(series)
    columns: dict[str, list[Any]] = {"place": [place + 1 for place in places.tolist()]}
    if series.times:
        columns["time"] = [series.times[place] for place in places.tolist()]
    columns["truth"] = forecast.truth(series, places).tolist()
    for name, baseline in BASELINES.items():
        columns[name] = baseline(series, horizon, places).tolist()
    own = {curve.label: free.tolist() for curve, _, free in RUN_FREE.found(curves)}
    for curve, _, tested in TESTED.found(curves):
        free = own.get(curve.label, [])
        columns[curve.label] = tested.tolist()
        columns[f"{curve.label}, free-running"] = free + [math.nan] * (len(places) - len(free))
    return of_rows(zip(*columns.values(), strict=True), list(columns))


class Standing(NamedTuple):
    """How a racer, or a baseline, did on the two parts that nobody has learned from; None before it has ended."""

    label: str
    validation: Errors | None
    test: Errors | None
    learned: bool
    step: int = 0


# Of the table of all standings, in its order.
ERRORS = ("validation RMSE", "test RMSE", "test MAE", "test MASE")


def standings_table(rows: Sequence[Standing]) -> pa.Table:
    """A row for each, with the errors on the test part behind that on the validation part; null is nothing yet."""
    cells = [
        (
            row.validation and row.validation.rmse,
            *((row.test.rmse, row.test.mae, row.test.mase) if row.test else [None] * 3),
        )
        for row in rows
    ]
    labels, steps = [row.label for row in rows], [str(row.step or "") for row in rows]
    errors = [_numbers(column) for column in zip(*cells, strict=True)]
    columns = [column(labels, pa.string()), *errors, column(steps, pa.string())]
    return pa.table(columns, names=["", *ERRORS, "weights of step"])


def _numbers(values: Sequence[float | None]) -> pa.Array:
    """By way of texts, of which some may be None: pa.scalar(None) would import pandas."""
    return column([None if value is None else repr(value) for value in values], pa.string()).cast(pa.float64())


def standings(curves: Sequence[Curve]) -> list[Standing]:
    """All racers in their order, then the baselines. Nobody sees an error on the test part while it trains."""
    series, horizon, _ = _series(curves)
    places = forecast.tested_places(series)
    standings = []
    for curve in _racers(curves):
        step = next(iter(chosen(curve)), 0)
        decided = _ended(curve) and not missing(curve, (VALIDATED, TESTED))
        test = forecast.errors(series, curve.measured[TESTED.what, step], places) if step and decided else None
        standings.append(Standing(curve.label, curve.measured.get((VALIDATED.what, step)), test, True, step))
    validated = _baselines(series, horizon, forecast.validated_places)
    for name, error in _baselines(series, horizon, forecast.tested_places).items():
        standings.append(Standing(name, validated.get(name), error, False))
    return standings


def _lowest(rows: Iterable[Standing], value: Callable[[Standing], float | None]) -> Standing:
    """By a value; what has none, or none that is a number, comes last."""

    def key(row: Standing) -> float:
        number = value(row)
        return number if number is not None and math.isfinite(number) else math.inf

    return min(rows, key=key)


def verdict(rows: Sequence[Standing]) -> str:
    """Who wins, in words: the validation part picks, the test part reports. "" until all have ended."""
    last = next(row for row in rows if row.label == LAST_VALUE and not row.learned)
    if any(row.test is None for row in rows) or last.test is None:
        return ""
    picked = _lowest(rows, lambda row: row.validation and row.validation.rmse)
    winner = _lowest(rows, lambda row: row.test and row.test.rmse)
    by_mae = _lowest(rows, lambda row: row.test and row.test.mae)
    assert picked.test is not None
    assert winner.test is not None
    said = f"The validation part picks **{picked.label}**. On the test part its RMSE is {picked.test.rmse:.4g}"
    if picked.label != last.label:
        said += f", {_compared(picked.test.rmse, last.test.rmse)}"
    if winner.label == picked.label:
        said += ", and nobody's is lower."
    else:
        said += f"; **{winner.label}** has the lowest there, {winner.test.rmse:.4g}."
    if not winner.learned:
        said += " No network beats this baseline, which has learned nothing."
    if by_mae.label != winner.label:
        said += f" By the mean absolute error **{by_mae.label}** wins."
    return said


def _compared(one: float, other: float) -> str:
    """One error beside that of the last value."""
    if one == 0 or other == 0 or not math.isfinite(one / other):
        return f"beside {other:.4g} of the last value"
    ratio = one / other
    return (
        f"{1 / ratio:,.3g} times lower than the last value's" if ratio < 1 else f"{ratio:,.3g} times the last value's"
    )
