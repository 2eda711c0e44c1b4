"""
Is a turn of kernels a training step, whatever trains? `python -m tests.equality > benchmarks/equality.md`

Every cell, task, optimizer, clip, wiring and layout, 200 steps each.
"""

import datetime
import itertools
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import fields, replace
from multiprocessing import get_context

import numba
import torch

from lstm_core import TASKS, Experiment
from lstm_core.borrowed.system import processor
from lstm_core.cells import LAYOUTS, Cell
from lstm_core.experiment import CLIPS, OPTIMIZERS
from lstm_core.kernels.one_thread import settle_thread
from lstm_core.kernels.pieces import KERNELS
from lstm_core.training.by_turns import WIRING_CODES
from tests.equality.pairs import SMALL, STEPS, freely, worst
from tests.test_fused import WINDOWS, WITH_KERNELS


def of_cell(cell: Cell) -> Experiment:
    own = {field.name: getattr(cell, field.name) for field in fields(cell) if field.name != "family"}
    return replace(SMALL, cell=cell.family, **own)


def groups() -> Iterator[tuple[str, list[Experiment]]]:
    yield "every cell with a kernel", [of_cell(cell) for cell in WITH_KERNELS + WINDOWS]
    yield (
        "every task, optimizer and clip, of each family",
        [
            replace(SMALL, task=task, cell=cell, optimizer=optimizer, clip=clip, clip_at=0.05)
            for task, cell, optimizer, clip in itertools.product(TASKS, KERNELS, OPTIMIZERS, CLIPS)
        ],
    )
    yield (
        "every wiring, of 1, 2 and 4 layers, with every task, of each family",
        [
            replace(SMALL, task=task, cell=cell, wiring=wiring, layers=layers)
            for task, cell, wiring, layers in itertools.product(TASKS, KERNELS, WIRING_CODES, (1, 2, 4))
        ],
    )
    yield (
        "every layout and number of biases, of 1 and 3 layers, of each family",
        [
            replace(SMALL, cell=cell, weights=weights, biases=biases, layers=layers, wiring="dense")
            for cell, weights, biases, layers in itertools.product(KERNELS, LAYOUTS, (1, 2), (1, 3))
        ],
    )
    yield (
        "hidden sizes 1, 7, 20, 33 and batches 1, 7, 33, of each family",
        [
            replace(SMALL, cell=cell, hidden=hidden, batch=batch)
            for cell, hidden, batch in itertools.product(KERNELS, (1, 7, 20, 33), (1, 7, 33))
        ],
    )


def report(pool: Executor) -> Iterator[str]:
    yield from ("# Is a turn of kernels a training step?", "")
    yield f"Made by `python -m tests.equality` on {datetime.datetime.now(tz=datetime.UTC).date()}: {processor()},"
    yield f"torch {torch.__version__.partition('+')[0]}, numba {numba.__version__}; double precision."
    yield from ("", f"From the oracle's state at each of {STEPS} steps, one step of both; the largest relative")
    yield "difference of any number of the snapshot, of weights, gradient or moments."
    yield from ("", "| what | trainings | largest difference |", "|---|---|---|")
    for title, experiments in groups():
        yield f"| {title} | {len(experiments)} | {max(pool.map(worst, experiments)):.1e} |"
    yield from ("", f"Trained freely for {STEPS} steps: for how many the losses agree to 1e-9, and for how many the")
    yield "oracle agrees with itself at a learning rate that is one unit in the last place larger."
    yield from ("", "| task | cell | turns | oracle with itself |", "|---|---|---|---|")
    free_ones = [replace(SMALL, task=task, cell=cell, steps=STEPS) for task, cell in itertools.product(TASKS, KERNELS)]
    for experiment, (ours, shaken) in zip(free_ones, pool.map(freely, free_ones), strict=True):
        yield f"| {experiment.task} | {experiment.cell} | {ours} | {shaken} |"


if __name__ == "__main__":
    with ProcessPoolExecutor(mp_context=get_context("spawn"), initializer=settle_thread) as processes:
        for line in report(processes):
            print(line, flush=True)
