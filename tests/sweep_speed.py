"""How much of a sweep's time is training? `python -m tests.sweep_speed`, a report in Markdown."""

import dataclasses
import datetime
import math
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, wait
from contextlib import contextmanager

import torch
from tqdm import tqdm

from lstm_core import Experiment
from lstm_core.history.opening import open_history
from lstm_core.sweep.pools import processes
from lstm_core.sweep.sweep import compile_kernels, sweep, train_one

RUNS, ROUNDS, SECONDS = 20, 7, 1.0
# Too slow ever to be solved, so that all runs are equally long.
BASE = Experiment(length=100, lr=1e-8, steps=200)
TINY = Experiment(length=4, hidden=4, batch=2, steps=1)


def _of_a_second() -> Experiment:
    """With as many training steps as take about one second here."""
    train_one(BASE)
    return dataclasses.replace(BASE, steps=round(BASE.steps * SECONDS / train_one(BASE).seconds))


def _started(executor: Executor, workers: int) -> float:
    """Seconds until all workers have trained something."""
    started = time.perf_counter()
    wait([executor.submit(train_one, dataclasses.replace(TINY, seed=seed)) for seed in range(4 * workers)])
    return time.perf_counter() - started


def _measured(workers: int, experiment: Experiment) -> tuple[float, float, float]:
    """Seconds until the pool has started, runs per second after that, and the share of the time that is training."""
    with tempfile.TemporaryDirectory() as folder, processes(workers) as executor:
        history = open_history(f"sqlite:///{folder}/history.sqlite")
        start = _started(executor, workers)

        @contextmanager
        def pool() -> Iterator[Executor]:
            yield executor

        experiments = [dataclasses.replace(experiment, seed=seed) for seed in range(RUNS)]
        started = time.perf_counter()
        trained = math.fsum(record.seconds for record, _ in sweep(experiments, history, pool, 2 * workers))
        seconds = time.perf_counter() - started
        history.dispose()
    return start, RUNS / seconds, trained / (workers * seconds)


def _spread(values: Sequence[float], scale: float = 1, digits: int = 2) -> str:
    low, middle, high = (scale * value for value in (min(values), statistics.median(values), max(values)))
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def main() -> None:
    compile_kernels([BASE])
    experiment = _of_a_second()
    pairs = [(_measured(1, experiment), _measured(2, experiment)) for _ in tqdm(range(ROUNDS), disable=None)]
    print("# How much of a sweep's time is training?\n")
    print(f"Made by `python -m tests.sweep_speed` on {datetime.datetime.now(tz=datetime.UTC).date()}: ", end="")
    print(f"{platform.machine()}, {os.cpu_count()} cores, torch {torch.__version__}.")
    print(f"{RUNS} runs of {experiment.steps} steps, T = {experiment.length}, B = {experiment.batch}, ", end="")
    print(f"H = {experiment.hidden}, into a new SQLite file; pools of 1 and of 2 processes take turns, {ROUNDS} times.")
    print("Medians, and in brackets the least and the largest.\n")
    print("| pool | runs/s | not training, % of the workers' time | until all workers have started, s |")
    print("|---|---|---|---|")
    for workers, measured in enumerate(zip(*pairs, strict=True), start=1):
        starts, rates, shares = zip(*measured, strict=True)
        idle = [1 - share for share in shares]
        print(f"| {workers} | {_spread(rates)} | {_spread(idle, 100, 1)} | {_spread(starts, 1, 1)} |")
    ratios = [two[1] / one[1] for one, two in pairs]
    print(f"\nA pool of 2 trains {_spread(ratios)} times as many runs a second as a pool of 1, once both have started.")


if __name__ == "__main__":
    main()
