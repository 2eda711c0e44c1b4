"""Who forecasts each series best? `python -m tests.forecast_winners > benchmarks/forecast.md`, in four minutes."""

import dataclasses
import datetime
import platform
import time
from collections.abc import Iterator
from typing import NamedTuple

import torch
from tqdm import tqdm

from lstm_core import Experiment, train
from lstm_core.charts import outlook
from lstm_core.charts.needs import measured
from lstm_core.charts.outlook import Standing
from lstm_core.charts.points import Curve
from lstm_core.openings.calibration import SEEDS
from lstm_core.openings.presets import OPENINGS
from lstm_core.race.race import Race
from lstm_core.race.turns import THREADS
from lstm_core.tasks.series import SERIES


class Outcome(NamedTuple):
    """How a race on one series went: everybody's errors, and the seconds that it took."""

    standings: list[Standing]
    seconds: float

    def rmse(self, row: Standing) -> float:
        assert row.test is not None
        return row.test.rmse

    @property
    def picked(self) -> Standing:
        """Of the networks, by the validation part."""
        learned = [row for row in self.standings if row.learned and row.validation]
        return min(learned, key=lambda row: row.validation.rmse if row.validation else 0.0)

    @property
    def baseline(self) -> Standing:
        """The best one, on the test part."""
        return min((row for row in self.standings if not row.learned), key=self.rmse)

    @property
    def winner(self) -> Standing:
        return min(self.standings, key=self.rmse)


def raced(series: str, seed: int) -> Outcome:
    """The opening race of the page on another series, as the page runs it."""
    racers = OPENINGS["forecast"].experiments(seed)
    race = Race({label: dataclasses.replace(racer, series=series) for label, racer in racers.items()}, weights=True)
    started = time.perf_counter()
    race.start()
    while not race.finished:
        race.renew()
        time.sleep(0.02)
    seconds = time.perf_counter() - started
    shown = [Curve(racer.label, racer.experiment, list(racer.snapshots)) for racer in race.racers]
    curves = measured(shown, [outlook.VALIDATED, outlook.TESTED])
    return Outcome(outlook.standings(curves), seconds)


def report() -> Iterator[str]:
    """Two tables in Markdown."""
    list(train(Experiment(steps=1, engine="fused")))
    jobs = [(series, seed) for series in SERIES for seed in SEEDS]
    outcomes = {job: raced(*job) for job in tqdm(jobs, disable=None)}
    base = OPENINGS["forecast"].base
    today = datetime.datetime.now(tz=datetime.UTC).date()
    yield "# Who forecasts best"
    yield ""
    yield (
        f"The opening race of the page Forecast on every series: window {base.length}, horizon {base.horizon}, "
        f"{base.hidden} units, {base.steps:,} steps, {', '.join(OPENINGS['forecast'].racers)}. RMSE on the test part, "
        f"in units of the series. Made by `python -m tests.forecast_winners` on {today}, {platform.machine()}, torch "
        f"{torch.__version__}, {THREADS} threads."
    )
    yield ""
    columns = ["series", "seed", "picked by validation", "its RMSE", "best baseline", "its RMSE", "lowest of all"]
    yield f"| {' | '.join([*columns, 'last value over picked', 'seconds'])} |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for (series, seed), one in outcomes.items():
        picked, baseline, (last, *_) = one.picked, one.baseline, [row for row in one.standings if not row.learned]
        cells = [
            *(SERIES[series].label, str(seed), picked.label, f"{one.rmse(picked):.4g}"),
            *(baseline.label, f"{one.rmse(baseline):.4g}", one.winner.label),
            *(f"{one.rmse(last) / one.rmse(picked):.3g}", f"{one.seconds:.1f}"),
        ]
        yield f"| {' | '.join(cells)} |"
    yield ""
    yield "Seeds for which the picked network has a lower RMSE than every baseline:"
    yield ""
    for series in SERIES:
        of_series = [outcomes[series, seed] for seed in SEEDS]
        won = sum(one.rmse(one.picked) < one.rmse(one.baseline) for one in of_series)
        tenfold = sum(
            10 * one.rmse(one.picked) <= one.rmse(next(row for row in one.standings if not row.learned))
            for one in of_series
        )
        of = f"of {len(SEEDS)}"
        yield f"- {SERIES[series].label}: {won} {of}; tenfold below the last value: {tenfold} {of}."


if __name__ == "__main__":
    for line in report():
        print(line, flush=True)
