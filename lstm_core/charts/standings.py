"""Who forecasts best, and can the best network and the simple forecasts be told apart at all?"""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import pyarrow as pa

from lstm_core.borrowed.arrow import column
from lstm_core.charts.needs import missing
from lstm_core.charts.outlook import TESTED, VALIDATED, chosen, ended, racers_of
from lstm_core.charts.points import Curve
from lstm_core.language import _
from lstm_core.measurements.bootstrap import apart
from lstm_core.measurements.forecast import Errors, validated_baselines
from lstm_core.measurements.outcomes import Outcome, baseline_outcomes


class Standing(NamedTuple):
    """How a racer, or a baseline, did on the two parts that nobody has learned from; None before it has ended."""

    label: str
    validation: Errors | None
    test: Outcome | None
    learned: bool
    step: int = 0


def standings(curves: Sequence[Curve]) -> list[Standing]:
    """All racers in their order, then the baselines. Nobody sees an error on the test part while it trains."""
    racers = racers_of(curves)
    standings = []
    for curve in racers:
        step = next(iter(chosen(curve)), 0)
        decided = ended(curve) and not missing(curve, (VALIDATED, TESTED))
        test = next((found for *_it, found in TESTED.found([curve])), None) if step and decided else None
        standings.append(Standing(curve.label, curve.measured.get((VALIDATED.what, step)), test, True, step))
    first = racers[0].experiment
    view = first.view
    asked = view.series, view.horizon, view.seen(first.length)
    validated = validated_baselines(*asked)
    for name, test in baseline_outcomes(*asked).items():
        standings.append(Standing(name, validated.get(name), test, False))
    return standings


# Of the table of all standings, in its order.
BY = _("forecast by")
VALIDATION, RMSE, RANGE = _("validation RMSE"), _("test RMSE"), _("95 % range of the test RMSE")
MAE, MASE = _("test MAE"), _("test MASE")
NUMBERS = (VALIDATION, RMSE, MAE, MASE)


def standings_table(rows: Sequence[Standing]) -> pa.Table:
    """A row for each, with the errors on the test part behind that on the validation part; null is nothing yet."""
    errors = [row.test and row.test.errors for row in rows]
    columns = {
        BY: column([row.label for row in rows], pa.string()),
        VALIDATION: _numbers([row.validation and row.validation.rmse for row in rows]),
        RMSE: _numbers([error and error.rmse for error in errors]),
        RANGE: column([_range(row) for row in rows], pa.string()),
        MAE: _numbers([error and error.mae for error in errors]),
        MASE: _numbers([error and error.mase for error in errors]),
        _("weights of step"): column([str(row.step or "") for row in rows], pa.string()),
    }
    return pa.table(list(columns.values()), names=list(columns))


def _range(row: Standing) -> str:
    low, high = row.test.rmse_interval if row.test else (math.nan, math.nan)
    return _("{low:.4g} to {high:.4g}").format(low=low, high=high) if math.isfinite(low) else ""


def _numbers(values: Sequence[float | None]) -> pa.Array:
    """By way of texts, of which some may be None: pa.scalar(None) would import pandas."""
    return column([None if value is None else repr(value) for value in values], pa.string()).cast(pa.float64())


class Duel(NamedTuple):
    """A race that is over: the network that validation picks, and the baselines, those with the lowest errors first."""

    network: Standing
    test: Outcome
    baselines: list[tuple[str, Outcome]]

    @property
    def equals(self) -> list[tuple[str, Outcome]]:
        """The baselines from which the network cannot be told apart on these places."""
        return [(label, test) for label, test in self.baselines if not apart(self.test.squares, test.squares)]


def duel(rows: Sequence[Standing]) -> Duel | None:
    """None until all have ended."""
    network = min((row for row in rows if row.learned), key=lambda row: _finite(row.validation))
    baselines = [(row.label, row.test) for row in rows if row.test and not row.learned]
    if network.test is None or any(row.test is None for row in rows):
        return None
    return Duel(network, network.test, sorted(baselines, key=lambda baseline: _finite(baseline[1].errors)))


def _finite(errors: Errors | None) -> float:
    """The RMSE; what has none, or none that is a number, comes last."""
    return errors.rmse if errors and math.isfinite(errors.rmse) else math.inf


def verdict(rows: Sequence[Standing]) -> str:
    """
    Which network validation picks, and whether it beats the simple forecasts on the test part, in words. "" until all
    have ended.
    """
    over = duel(rows)
    if over is None:
        return ""
    (baseline, simple), mine = over.baselines[0], over.test
    if not math.isfinite(mine.errors.rmse):
        said = _("All networks exploded. The best baseline is **{baseline}**: {rmse:.4g}.")
        return said.format(baseline=baseline, rmse=simple.errors.rmse)
    picked = _("**{network}** is the best network on validation. Its test error (RMSE) is {rmse:.4g}.")
    sentences = [picked.format(network=over.network.label, rmse=mine.errors.rmse)]
    equals = over.equals
    if baseline not in dict(equals):
        sentences.append(_beaten(mine, simple).format(baseline=baseline, rmse=simple.errors.rmse))
    if equals:
        one = _("**{baseline}** ({rmse:.4g})")
        those = ", ".join(one.format(baseline=label, rmse=test.errors.rmse) for label, test in equals)
        sentences.append(_("On this test part it cannot be told apart from {baselines}.").format(baselines=those))
    return " ".join([*sentences, *_better(rows, over)])


def _beaten(mine: Outcome, simple: Outcome) -> str:
    if mine.errors.rmse < simple.errors.rmse:
        return _("It beats the best baseline, **{baseline}**: {rmse:.4g}.")
    return _("The best baseline, **{baseline}**, beats it: {rmse:.4g}.")


def _better(rows: Sequence[Standing], over: Duel) -> Iterable[str]:
    """Says which other network was better, if one was."""
    networks = [(row.label, row.test) for row in rows if row.learned and row.test]
    label, best = min(networks, key=lambda network: _finite(network[1].errors))
    if best.errors.rmse < over.test.errors.rmse and apart(best.squares, over.test.squares):
        yield _("**{label}** was better on the test part: {rmse:.4g}.").format(label=label, rmse=best.errors.rmse)
