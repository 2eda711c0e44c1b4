"""
Who forecasts each series best, and by how much more than chance? `python -m tests.forecast_winners >
benchmarks/forecast.md`, in six minutes; with `--record` and what is in requirements-forecast.txt, ETS and ARIMA are
fitted anew beforehand, in three.
"""

import argparse
import dataclasses
import datetime
import platform
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from tqdm import tqdm

from lstm_core import Experiment, train
from lstm_core.backtest.fitted import ARIMA_FITTED, ARIMA_SEES
from lstm_core.charts import outlook
from lstm_core.charts.needs import measured
from lstm_core.charts.points import Curve
from lstm_core.charts.standings import Duel, duel, standings
from lstm_core.measurements.bootstrap import RESAMPLES, apart
from lstm_core.measurements.forecast import BASELINES, LAST_VALUE
from lstm_core.measurements.outcomes import Outcome
from lstm_core.measurements.rivals import LABELS, record
from lstm_core.openings.calibration import SEEDS
from lstm_core.openings.presets import OPENINGS
from lstm_core.race.race import Race
from lstm_core.race.turns import THREADS
from lstm_core.tasks.public import SERIES
from tests.forecast_rivals import all_forecasts

HORIZONS = (1, 10)
PAGE = OPENINGS["forecast"]


class Job(NamedTuple):
    series: str
    horizon: int
    seed: int


class Result(NamedTuple):
    """Who met in the end, and the seconds that the race took."""

    over: Duel
    seconds: float


def raced(job: Job) -> Result:
    """The opening race of the page on another series, as the page runs it."""
    racers = PAGE.experiments(job.seed).items()
    there = {label: dataclasses.replace(it, series=job.series, horizon=job.horizon) for label, it in racers}
    race = Race(there, weights=True)
    started = time.perf_counter()
    race.start()
    while not race.finished:
        race.renew()
        time.sleep(0.02)
    seconds = time.perf_counter() - started
    shown = [Curve(racer.label, racer.experiment, list(racer.snapshots)) for racer in race.racers]
    over = duel(standings(measured(shown, [outlook.VALIDATED, outlook.TESTED])))
    assert over is not None
    return Result(over, seconds)


def row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def head(columns: Sequence[str]) -> str:
    return f"{row(columns)}\n|{'---|' * len(columns)}"


def scored(outcome: Outcome | None) -> str:
    """RMSE, and its interval."""
    if outcome is None:
        return ""
    low, high = outcome.rmse_interval
    return f"{outcome.errors.rmse:.4g} ({low:.4g} to {high:.4g})"


def said(over: Duel, other: Outcome) -> str:
    """How the network does beside another."""
    if not apart(over.test.squares, other.squares):
        return "not distinguishable"
    return "better" if over.test.errors.rmse < other.errors.rmse else "worse"


def report() -> Iterator[str]:
    """Three tables in Markdown."""
    list(train(Experiment(steps=1, engine="fused")))
    jobs = [Job(series, horizon, seed) for series in SERIES for horizon in HORIZONS for seed in SEEDS]
    results = {job: raced(job) for job in tqdm(jobs, disable=None)}
    base = PAGE.base
    today = datetime.datetime.now(tz=datetime.UTC).date()
    yield "# Who forecasts best"
    yield ""
    yield (
        f"The opening race of the page Forecast on every series, 1 and 10 steps ahead: window {base.length}, "
        f"{base.hidden} units, {base.steps:,} steps, {', '.join(PAGE.racers)}. RMSE on the test part, in units of the "
        f"series, with a 95 % interval by a moving-block bootstrap of {RESAMPLES:,} resamples. Two are not "
        "distinguishable where the interval of their paired difference contains 0. Made by "
        f"`python -m tests.forecast_winners` on {today}, {platform.machine()}, torch {torch.__version__}, {THREADS} "
        "threads."
    )
    yield ""
    yield from counted(results)
    yield from simple(results)
    yield from by_seed(results)


def counted(results: dict[Job, Result]) -> Iterator[str]:
    """Of how many seeds the network that validation picks does better."""
    yield f"Of {len(SEEDS)} seeds, the network that the validation part picks is"
    yield ""
    better, equal, worse = "better than the best baseline", "not distinguishable from it", "worse"
    last = [f"{said} the last value" for said in ("better than", "not distinguishable from", "tenfold below")]
    yield head(["series", "steps ahead", better, equal, worse, *last])
    for series in SERIES:
        for horizon in HORIZONS:
            duels = [results[Job(series, horizon, seed)].over for seed in SEEDS]
            best = [said(over, over.baselines[0][1]) for over in duels]
            kept = [dict(over.baselines)[LAST_VALUE] for over in duels]
            beside = [said(over, last) for over, last in zip(duels, kept, strict=True)]
            tenfold = sum(
                10 * over.test.errors.rmse <= last.errors.rmse for over, last in zip(duels, kept, strict=True)
            )
            counts = [best.count("better"), best.count("not distinguishable"), best.count("worse")]
            counts += [beside.count("better"), beside.count("not distinguishable"), tenfold]
            yield row([SERIES[series].label, str(horizon), *map(str, counts)])
    yield ""


def simple(results: dict[Job, Result]) -> Iterator[str]:
    """What the baselines reach."""
    yield (
        "The baselines. ETS and ARIMA keep what they were fitted to in the part to train on, ARIMA to its last "
        f"{ARIMA_FITTED:,} values at most, with {ARIMA_SEES} known values before each forecast:"
    )
    yield ""
    names = [*BASELINES, *LABELS.values()]
    yield head(["series", "steps ahead", *names])
    for series in SERIES:
        for horizon in HORIZONS:
            there = dict(results[Job(series, horizon, SEEDS[0])].over.baselines)
            yield row([SERIES[series].label, str(horizon), *(scored(there.get(name)) for name in names)])
    yield ""


def by_seed(results: dict[Job, Result]) -> Iterator[str]:
    """Every race."""
    yield "Every race:"
    yield ""
    columns = ["series", "steps ahead", "seed", "picked by validation", "its RMSE", "best baseline", "beside it"]
    yield head([*columns, "last value over picked", "seconds"])
    for job, (over, seconds) in results.items():
        baseline, best = over.baselines[0]
        ratio = dict(over.baselines)[LAST_VALUE].errors.rmse / over.test.errors.rmse
        place = [SERIES[job.series].label, str(job.horizon), str(job.seed)]
        picked = [over.network.label, scored(over.test), baseline, said(over, best)]
        yield row([*place, *picked, f"{ratio:.3g}", f"{seconds:.1f}"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--record", action="store_true", help="fit ETS and ARIMA, and record their forecasts")
    if parser.parse_args().record:
        record(list(all_forecasts(HORIZONS)))
    for line in report():
        print(line, flush=True)
