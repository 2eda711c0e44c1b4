"""What do the charts of forecasts draw? Like `tables`, of curves that have weights with them."""

import math
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import torch
from torch import Tensor

from lstm_core.borrowed.arrow import of_rows
from lstm_core.charts.chart import chart
from lstm_core.charts.marks import BY_STEP, lines
from lstm_core.charts.needs import Need, every
from lstm_core.charts.points import Curve, Point, axis_ends, level, level_lines, of_points
from lstm_core.language import _
from lstm_core.measurements import forecast, outcomes
from lstm_core.measurements.forecast import BASELINES
from lstm_core.tasks.series import Series

SHOWN = 200
BY_PLACE = _("place in the series")
TRUTH = _("truth")


def racers_of(curves: Sequence[Curve]) -> list[Curve]:
    return [curve for curve in curves if not curve.ghost]


def _series(curves: Sequence[Curve]) -> tuple[Series, int, Tensor]:
    """Of the race: the series, the horizon, and the places of the test part that are drawn, (N,)."""
    experiment = racers_of(curves)[0].experiment
    return experiment.view.series, experiment.horizon, forecast.tested_by(experiment)[:SHOWN]


def _forecasts(curve: Curve) -> bool:
    return bool(curve.snapshots and curve.experiment.problem.of)


def ended(curve: Curve) -> bool:
    return _forecasts(curve) and bool(curve.snapshots[-1].ended)


def chosen(curve: Curve) -> list[int]:
    """
    The training step, of those whose error on the validation part is known, at which that was lowest, the first of
    equal ones: its forecasts are shown. None before the first is known.
    """
    known = {step: errors.rmse for _curve, step, errors in VALIDATED.found([curve])}
    return sorted(known, key=lambda step: known[step] if math.isfinite(known[step]) else math.inf)[:1]


VALIDATED = Need(forecast.validated, _forecasts, every)
TESTED = Need(outcomes.outcome, _forecasts, chosen)
RUN_FREE = Need(forecast.run_free, _forecasts, chosen)
RUN_FREE_AT_THE_END = Need(forecast.run_free, ended, chosen)
BEYOND = Need(forecast.beyond, ended, chosen)
LOW, HIGH = _("95 % of errors, low"), _("95 % of errors, high")
# So many known values, for each forecast beyond them, show where it comes from.
BEFORE = 3


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
    for curve, _step, test in TESTED.found(curves):
        points += _line(places, test.forecasts[: len(places)], curve.label)
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
    for curve, _step, test in TESTED.found(curves):
        points += _line(places, test.forecasts[: len(places)] - truth, curve.label)
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


@chart(
    "beyond",
    _("Beyond the end"),
    lines(BY_PLACE, _("value")),
    _("What comes next. Dashed: the range of 95 % of errors in the validation part."),
    _("the farther ahead, the more errors add up."),
    "makridakis",
    _("Line chart of the last values of the series and of forecasts beyond its end, with ranges of errors."),
    needs=(VALIDATED, BEYOND),
)
def beyond(curves: Sequence[Curve]) -> pa.Table:
    """The last values, forecasts after them by those that have ended, and the range around the one picked."""
    series, _horizon, _places = _series(curves)
    end, steps = len(series.values), max((len(found.forecasts) for *_it, found in BEYOND.found(curves)), default=1)
    before = torch.arange(max(0, end - BEFORE * steps), end)
    points = _line(before, forecast.truth(series, before), TRUTH, "ghost")
    rmse = {(curve.label, step): errors.rmse for curve, step, errors in VALIDATED.found(curves)}
    best = min(BEYOND.found(curves), key=lambda found: rmse.get((found[0].label, found[1]), math.inf), default=None)
    for curve, _step, found in BEYOND.found(curves):
        points += _line(end + torch.arange(steps), _bounded(found.forecasts, series), curve.label)
    if best:
        for part, values in ((LOW, best[-1].low), (HIGH, best[-1].high)):
            points += _line(end + torch.arange(steps), _bounded(values, series), part, "reference")
    return of_points([*_frame(curves, torch.tensor([before[0], end + steps - 1])), *points])


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
    experiment = racers_of(curves)[0].experiment
    view = experiment.view
    baselines = forecast.validated_baselines(view.series, view.horizon, view.seen(experiment.length))
    levels = [(name, error.rmse) for name, error in baselines.items()]
    finite = [point for point in points if 0 < point.y < math.inf]
    return of_points([*axis_ends(curves), *level_lines(curves, (line for line in levels if line[1] > 0)), *finite])


def table(curves: Sequence[Curve]) -> pa.Table:
    """
    A row for each value of the test part: its `place` in the series, from 1, its `time` if there are any, the `truth`,
    every baseline, and of each racer the forecast from true values and, as far as it goes, the one from its own. Behind
    them a row for each value beyond the end, where that was measured, with the range of 95 % of a racer's errors.
    """
    experiment = racers_of(curves)[0].experiment
    series, horizon, places = experiment.view.series, experiment.horizon, forecast.tested_by(experiment)
    columns: dict[str, list[Any]] = {"place": [place + 1 for place in places.tolist()]}
    if series.times is not None:
        columns["time"] = [series.times[place].as_py() for place in places.tolist()]
    columns["truth"] = forecast.truth(series, places).tolist()
    for name, baseline in BASELINES.items():
        columns[name] = baseline(series, horizon, places).tolist()
    own = {curve.label: free.tolist() for curve, _step, free in RUN_FREE.found(curves)}
    for curve, _step, test in TESTED.found(curves):
        free = dict(enumerate(own.get(curve.label, []), start=series.validation_end))
        columns[curve.label] = test.forecasts.tolist()
        columns[_("{label}, free-running").format(label=curve.label)] = [
            free.get(place, math.nan) for place in places.tolist()
        ]
    _append_beyond(columns, curves, len(series.values))
    return of_rows(zip(*columns.values(), strict=True), list(columns))


def _append_beyond(columns: dict[str, list[Any]], curves: Sequence[Curve], end: int) -> None:
    """Rows for what comes after so many values: nothing is known of it, and baselines are not asked."""
    further: dict[str, list[Any]] = {}
    for curve, _step, found in BEYOND.found(curves):
        further |= {curve.label: found.forecasts.tolist()}
        for name, values in ((_("{label}, low"), found.low), (_("{label}, high"), found.high)):
            further[name.format(label=curve.label)] = values.tolist()
    if further:
        rows, steps = len(columns["place"]), len(next(iter(further.values())))
        further |= {"place": [end + 1 + step for step in range(steps)], "time": [""] * steps}
        for name in [*columns, *(name for name in further if name not in columns and name != "time")]:
            columns[name] = columns.get(name, [math.nan] * rows) + further.get(name, [math.nan] * steps)
