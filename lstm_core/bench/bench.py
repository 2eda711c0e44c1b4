"""
How fast is the fused engine, and against whom?

Two contestants are timed in turn, a, b, a, b, ..., in one process: whatever else the machine does hits both, and the
ratio of each pair counts, not the time. Times are milliseconds for one step of one network.
"""

import datetime
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
import torch
from tqdm import tqdm

from lstm_core.bench.rivals import (
    CORES,
    RIVALS,
    Start,
    layer_in_training,
    milliseconds,
    nn_lstm,
    one_thread_each,
    ours,
    products,
    through_autograd,
    together,
)
from lstm_core.borrowed.system import processor
from lstm_core.data import samples
from lstm_core.engine import FUSED, REFERENCE_ENGINE, resolve
from lstm_core.experiment import Experiment
from lstm_core.kernels.one_thread import settle_thread
from lstm_core.kernels.pieces import KERNELS
from lstm_core.race.limits import tape_bytes

Size = tuple[int, int, int]

WORK = {False: "bare sequence", True: "whole training steps"}
VARIANTS: tuple[dict[str, Any], ...] = (
    {},
    {"peephole": True},
    {"coupled": True},
    {"coupled": True, "peephole": True},
    *({"gates": gates} for gates in ("if", "fo", "io", "f")),
)
FEWEST_PAIRS, MOST_STEPS = 5, 500
NOT_INSTALLED = "not installed"


class Effort(NamedTuple):
    """At most so many pairs in about so many seconds, the length of half a pair, and networks of which T, B, H."""

    pairs: int
    seconds: float
    milliseconds: float
    sizes: tuple[Size, ...]


FULL, QUICK = Effort(15, 5, 150, ((100, 32, 32), (100, 64, 64))), Effort(2, 1, 1, ((6, 4, 4), (6, 8, 8)))


class Contestant(NamedTuple):
    """`start(steps)` prepares, and returns what is to be timed: as many steps of so many `networks`."""

    start: Start
    networks: int = 1

    def milliseconds(self, steps: int) -> float:
        return milliseconds(self.start, steps) / steps / self.networks

    def warm(self, effort: Effort) -> int:
        """The number of steps that takes long enough; the first ones compile."""
        self.milliseconds(2)
        return max(1, min(MOST_STEPS, round(effort.milliseconds / self.networks / self.milliseconds(2))))


class Row(NamedTuple):
    """Two that run in turn."""

    label: str
    rival: Contestant
    ours: Contestant

    def measured(self, effort: Effort) -> str:
        turns = [(contestant, contestant.warm(effort)) for contestant in (self.rival, self.ours)]
        pairs: list[list[float]] = []
        until = time.monotonic() + effort.seconds
        while len(pairs) < effort.pairs and (len(pairs) < FEWEST_PAIRS or time.monotonic() < until):
            pairs.append([contestant.milliseconds(steps) for contestant, steps in turns])
        rival, ours = map(statistics.median, zip(*pairs, strict=True))
        low, middle, high = np.percentile([a / b for a, b in pairs], (25, 50, 75))
        return f"| {self.label} | {rival:.3g} | {ours:.3g} | {middle:.3g} [{low:.3g}, {high:.3g}] | {len(pairs)} |"


class Table(NamedTuple):
    """Rows under a title; `columns` are the label, the rival and ours."""

    title: str
    columns: tuple[str, str, str]
    rows: list[Row]


def _experiment(size: Size, **changes: Any) -> Experiment:
    """It learns so slowly that no training ends early."""
    steps, batch, hidden = size
    return Experiment(length=steps, batch=batch, hidden=hidden, lr=1e-6, engine=FUSED, **changes)


def measured_tape_bytes(experiment: Experiment) -> int:
    """The memory of all tensors and arrays that a forward pass leaves on its tape, each block counted once."""
    trace: Any = layer_in_training(experiment).run(next(samples(experiment))[0])
    kept = [value for value in vars(trace.tape).values() if isinstance(value, torch.Tensor | np.ndarray)]
    tensors = map(torch.as_tensor, kept)
    return sum(
        {storage.data_ptr(): storage.nbytes() for storage in map(torch.Tensor.untyped_storage, tensors)}.values()
    )


def _eight(size: Size, whole: bool, pool: ThreadPoolExecutor) -> Table:
    """The reference runs the same eight; other rivals know the full LSTM alone, whose step they are timed by."""
    experiments = [_experiment(size, **variant) for variant in VARIANTS]
    fused = Contestant(together([ours(experiment, whole) for experiment in experiments], pool), len(VARIANTS))
    rows = [Row(name, Contestant(build(experiments[0], whole)), fused) for name, build in RIVALS.items()]
    each = one_thread_each(experiments, whole, pool)
    rows.append(Row("torch.nn.LSTM, one thread each", Contestant(each, len(VARIANTS)), fused))
    slow = [ours(replace(experiment, engine=REFERENCE_ENGINE), whole) for experiment in experiments]
    rows.append(Row("reference engine", Contestant(together(slow), len(VARIANTS)), fused))
    return Table(f"Eight variants racing, {_named(size)}, {WORK[whole]}", ("rival", "rival", "fused"), rows)


def _named(size: Size) -> str:
    return "T = {}, B = {}, H = {}".format(*size)


def _tables(sizes: tuple[Size, ...], pool: ThreadPoolExecutor) -> Iterator[Table]:
    for size in sizes:
        for whole in WORK:
            yield _eight(size, whole, pool)
    cases = [(f"{_named(size)}, {work}", _experiment(size), whole) for size in sizes for whole, work in WORK.items()]
    alone = [Row(name, Contestant(nn_lstm(e, whole)), Contestant(ours(e, whole))) for name, e, whole in cases]
    alone += [
        Row(f"{name}, through torch's autograd", Contestant(nn_lstm(e, False)), Contestant(through_autograd(e)))
        for name, e, whole in cases
        if not whole
    ]
    yield Table("One racer alone against torch.nn.LSTM", ("case", "rival", "fused"), alone)
    two = [
        Row(name, Contestant(together(both), 2), Contestant(together(both, pool), 2))
        for name, both in ((name, [ours(e, whole), ours(e, whole)]) for name, e, whole in cases)
    ]
    yield Table("Two racers, on two threads against one after the other", ("case", "one by one", "two threads"), two)
    floor = [Row(name, Contestant(products(e)), Contestant(ours(e, False))) for name, e, whole in cases if not whole]
    yield Table("Time spent in matrix products", ("case", "products alone", "fused"), floor)
    steps, batch, hidden = sizes[0]
    base = ours(_experiment(sizes[0]), True)
    doubled = {"2 T": (2 * steps, batch, hidden), "2 B": (steps, 2 * batch, hidden), "2 H": (steps, batch, 2 * hidden)}
    rows = [Row(name, Contestant(ours(_experiment(size), True)), Contestant(base)) for name, size in doubled.items()]
    # They count as one network: the time is that until all have made a step.
    rows += [Row(f"{n} racers", Contestant(together([base] * n, pool)), Contestant(base)) for n in (2, 4, 8)]
    title = f"Growth of a whole training step from one racer, {_named(sizes[0])}"
    yield Table(title, ("doubled", "larger", "one racer"), rows)


def _memory() -> Iterator[str]:
    yield from ("", "## Memory of a racer: the tape, in bytes", "", "| network | measured | formula | ratio |")
    yield "|---|---|---|---|"
    for size in FULL.sizes:
        for cell in KERNELS:
            experiment = _experiment(size, cell=cell)
            measured, computed = measured_tape_bytes(experiment), tape_bytes(experiment)
            yield f"| {cell}, {_named(size)} | {measured} | {computed} | {measured / computed:.4f} |"


def report(quick: bool = False) -> Iterator[str]:
    """
    Tables in Markdown: the fused engine against others, its growth and its memory. `quick` is for tests of the report.

    Flushes denormal numbers to zero in the calling thread, as `train` does.
    """
    effort, threads = QUICK if quick else FULL, torch.get_num_threads()
    packages = [
        f"{package} {version(package) if find_spec(package) else NOT_INSTALLED}"
        for package in ("torch", "numba", "numpy", "jax", "flax", "keras")
    ]
    yield from ("# How fast is the fused engine?", "")
    yield f"Made by `python -m lstm_core bench` on {datetime.datetime.now(tz=datetime.UTC).date()}: {processor()},"
    yield f"{CORES} cores, {', '.join(packages)}."
    yield "Milliseconds per step of one network, medians; ratio: median [quartiles] of the pairs."
    resolve(FUSED)
    settle_thread()
    try:
        with ThreadPoolExecutor(CORES, initializer=settle_thread) as pool:
            for table in tqdm(_tables(effort.sizes, pool), total=2 * len(effort.sizes) + 4, disable=None):
                yield from ("", f"## {table.title}", "")
                label, rival, ours = table.columns
                yield f"| {label} | {rival}, ms | {ours}, ms | ratio | pairs |"
                yield "|---|---|---|---|---|"
                for row in table.rows:
                    yield row.measured(effort)
        yield from _memory()
    finally:
        torch.set_num_threads(threads)
