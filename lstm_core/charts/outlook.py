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
from lstm_core.language import _
from lstm_core.measurements import forecast
from lstm_core.measurements.forecast import BASELINES, LAST_VALUE, Errors
from lstm_core.tasks.series import Series, known

SHOWN = 200
BY_PLACE = _("place in the series")
TRUTH = _("truth")


def _racers(curves: Sequence[Curve]) -> list[Curve]:
    return [curve for curve in curves if not curve.ghost]


def _series(curves: Sequence[Curve]) -> tuple[Series, int, Tensor]:
    """Of the race: the series, the horizon, and the places of the test part that are drawn, (N,)."""
    experiment = _racers(curves)[0].experiment
    series = known(experiment.series)
    return series, experiment.horizon, forecast.tested_places(series, experiment.length, experiment.horizon)[:SHOWN]


def _forecasts(curve: Curve) -> bool:
    return bool(curve.snapshots and curve.experiment.problem.of)


def _ended(curve: Curve) -> bool:
    return _forecasts(curve) and bool(curve.snapshots[-1].ended)


def chosen(curve: Curve) -> list[int]:
    """
    The training step, of those whose error on the validation part is known, at which that was lowest, the first of
    equal ones: its forecasts are shown. None before the first is known.
    """
    known = {step: errors.rmse for _curve, step, errors in VALIDATED.found([curve])}
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
    _("Forecasts and true values"),
    lines(BY_PLACE, _("value")),
    _("Grey: the true values. A good forecast covers them; a copy shifted right only repeats the last value."),
    _("each forecast starts from true values."),
    "makridakis",
    _("Line chart of the test part of the series, the forecast of every racer, and the baselines dashed."),
    needs=(VALIDATED, TESTED),
    of_one_step=True,
)
def forecasts(curves: Sequence[Curve]) -> pa.Table:
    """The beginning of the test part, what each racer and each baseline forecast from true values, and the truth."""
    series, horizon, places = _series(curves)
    points = _line(places, forecast.truth(series, places), TRUTH, "ghost")
    for name, baseline in BASELINES.items():
        points += _line(places, baseline(series, horizon, places), name, "reference")
    for curve, _step, tested in TESTED.found(curves):
        points += _line(places, tested[: len(places)], curve.label)
    return of_points([*_frame(curves, places), *points])


@chart(
    "residuals",
    _("Forecast errors"),
    lines(BY_PLACE, _("forecast - truth")),
    _("Pure noise around 0 is unavoidable. A leftover wave is structure the network missed."),
    _("a perfect forecast leaves errors without a pattern."),
    "hyndman",
    _("Line chart of forecast minus truth for every racer, in the test part."),
    needs=(VALIDATED, TESTED),
    of_one_step=True,
)
def residuals(curves: Sequence[Curve]) -> pa.Table:
    """Forecast minus truth, in the beginning of the test part, of each racer; the last value's would hide them."""
    series, _horizon, places = _series(curves)
    truth = forecast.truth(series, places)
    points = level(_("none"), 0.0, int(places[0]) + 1, int(places[-1]) + 1)
    for curve, _step, tested in TESTED.found(curves):
        points += _line(places, tested[: len(places)] - truth, curve.label)
    return of_points([*_frame(curves, places), *points])


@chart(
    "free_running",
    _("Free-running"),
    lines(BY_PLACE, _("value")),
    _("Fed with their own forecasts, networks leave the truth (dashed) sooner or later."),
    _("errors feed back; in a chaotic series they grow exponentially."),
    "mackey",
    _("Line chart of the test part of the series and of every network's free-running forecasts."),
    needs=(VALIDATED, RUN_FREE_AT_THE_END),
)
def free_running(curves: Sequence[Curve]) -> pa.Table:
    """The same beginning, forecast from own forecasts alone, by those that have ended; and the truth."""
    series, _horizon, places = _series(curves)
    points = _line(places, forecast.truth(series, places), TRUTH, "reference")
    for curve, _step, free in RUN_FREE_AT_THE_END.found(curves):
        points += _line(series.validation_end + torch.arange(len(free)), _bounded(free, series), curve.label)
    return of_points([*_frame(curves, places), *points])


def _bounded(values: Tensor, series: Series) -> Tensor:
    """Up to ten standard deviations off: what runs away farther would leave nothing to see of the rest."""
    off = 10 * series.scale
    return torch.where((values - series.mean).abs() <= off, values, torch.nan)


@chart(
    "validation",
    _("Error on the validation part"),
    lines(BY_STEP, "RMSE", log=True),
    _("The weights at its lowest point are kept (early stopping). Below a dashed line: better than that baseline."),
    _("after that the network overfits."),
    "makridakis",
    _("Line chart on a log axis: RMSE of every racer on the validation part by training step, baselines dashed."),
    needs=(VALIDATED,),
)
def validation_by_step(curves: Sequence[Curve]) -> pa.Table:
    """RMSE on the validation part at each checkpoint of the training, and that of the baselines."""
    points = [Point(step, errors.rmse, curve.label) for curve, step, errors in VALIDATED.found(curves)]
    levels = [(name, error.rmse) for name, error in _baselines(curves, forecast.validated_places).items()]
    finite = [point for point in points if 0 < point.y < math.inf]
    return of_points([*axis_ends(curves), *level_lines(curves, (line for line in levels if line[1] > 0)), *finite])


def _baselines(curves: Sequence[Curve], part: Callable[[Series, int, int], Tensor]) -> dict[str, Errors]:
    """Of those that there are for this series."""
    experiment = _racers(curves)[0].experiment
    series, horizon = known(experiment.series), experiment.horizon
    places = part(series, experiment.length, horizon)
    forecasts = {name: baseline(series, horizon, places) for name, baseline in BASELINES.items()}
    return {name: forecast.errors(series, y, places) for name, y in forecasts.items() if y.isfinite().all()}


def table(curves: Sequence[Curve]) -> pa.Table:
    """
    A row for each value of the test part: its `place` in the series, from 1, its `time` if there are any, the `truth`,
    every baseline, and of each racer the forecast from true values and, as far as it goes, the one from its own.
    """
    experiment = _racers(curves)[0].experiment
    series, horizon = known(experiment.series), experiment.horizon
    places = forecast.tested_places(series, experiment.length, horizon)
    columns: dict[str, list[Any]] = {"place": [place + 1 for place in places.tolist()]}
    if series.times is not None:
        columns["time"] = [series.times[place].as_py() for place in places.tolist()]
    columns["truth"] = forecast.truth(series, places).tolist()
    for name, baseline in BASELINES.items():
        columns[name] = baseline(series, horizon, places).tolist()
    own = {curve.label: free.tolist() for curve, _step, free in RUN_FREE.found(curves)}
    for curve, _step, tested in TESTED.found(curves):
        free = dict(enumerate(own.get(curve.label, []), start=series.validation_end))
        columns[curve.label] = tested.tolist()
        columns[_("{label}, free-running").format(label=curve.label)] = [
            free.get(place, math.nan) for place in places.tolist()
        ]
    return of_rows(zip(*columns.values(), strict=True), list(columns))


class Standing(NamedTuple):
    """How a racer, or a baseline, did on the two parts that nobody has learned from; None before it has ended."""

    label: str
    validation: Errors | None
    test: Errors | None
    learned: bool
    step: int = 0


# Of the table of all standings, in its order.
ERRORS = (_("validation RMSE"), _("test RMSE"), _("test MAE"), _("test MASE"))


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
    return pa.table(columns, names=[_("forecast by"), *ERRORS, _("weights of step")])


def _numbers(values: Sequence[float | None]) -> pa.Array:
    """By way of texts, of which some may be None: pa.scalar(None) would import pandas."""
    return column([None if value is None else repr(value) for value in values], pa.string()).cast(pa.float64())


def standings(curves: Sequence[Curve]) -> list[Standing]:
    """All racers in their order, then the baselines. Nobody sees an error on the test part while it trains."""
    experiment = _racers(curves)[0].experiment
    series = known(experiment.series)
    places = forecast.tested_places(series, experiment.length, experiment.horizon)
    standings = []
    for curve in _racers(curves):
        step = next(iter(chosen(curve)), 0)
        decided = _ended(curve) and not missing(curve, (VALIDATED, TESTED))
        test = forecast.errors(series, curve.measured[TESTED.what, step], places) if step and decided else None
        standings.append(Standing(curve.label, curve.measured.get((VALIDATED.what, step)), test, True, step))
    validated = _baselines(curves, forecast.validated_places)
    for name, error in _baselines(curves, forecast.tested_places).items():
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
    sentences = [_("**{label}** wins on validation.").format(label=picked.label)]
    if picked.label == last.label:
        sentences.append(_("Its test error (RMSE) is {rmse:.4g}.").format(rmse=picked.test.rmse))
    else:
        sentences.append(_compared(picked.test.rmse, last.test.rmse))
    if winner.label == picked.label:
        sentences.append(_("None is better on the test part."))
    else:
        best = _("On the test part **{label}** is best: {rmse:.4g}.")
        sentences.append(best.format(label=winner.label, rmse=winner.test.rmse))
    if not winner.learned:
        sentences.append(_("No network beats this baseline."))
    if by_mae.label != winner.label:
        sentences.append(_("By mean absolute error **{label}** is best.").format(label=by_mae.label))
    return " ".join(sentences)


def _compared(one: float, other: float) -> str:
    """An error beside that of the last value."""
    if one == 0 or other == 0 or not math.isfinite(one / other):
        return _("Its test error (RMSE) is {one:.4g}; repeating the last value has {other:.4g}.").format(
            one=one, other=other
        )
    if one < other:
        said = _("Its test error (RMSE) is {one:.4g}, {times:,.3g} times lower than repeating the last value.")
        return said.format(one=one, times=other / one)
    said = _("Its test error (RMSE) is {one:.4g}, {times:,.3g} times that of repeating the last value.")
    return said.format(one=one, times=one / other)
