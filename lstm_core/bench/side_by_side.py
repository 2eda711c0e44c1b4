"""Whose whole training step is the fastest, where no contestant's threads disturb another? Each in a process."""

import os
import statistics
import subprocess
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from tqdm import tqdm

from lstm_core.bench import contestant
from lstm_core.bench.contestant import BEFORE, CONTESTANTS, NETWORKS, OURS, THREADS, Case
from lstm_core.engine import FUSED, REFERENCE_ENGINE
from lstm_core.experiment import Experiment
from lstm_core.kernels.pieces import without_kernel

LSTMS = tuple(
    Case("lstm", *size) for size in ((100, 32, 32), (100, 64, 64), (100, 32, 64), (50, 32, 32), (100, 32, 128))
)
LATER = tuple(
    Case(cell, *size) for cell in ("mingru", "minlstm", "slstm", "lru") for size in ((100, 32, 32), (100, 64, 64))
)
ROUNDS = 11
# Of T B H, in a fraction of a second for eight networks on two threads.
NUMBERS, MOST_TURNS = 3e6, 100


class _Process:
    """One contestant, see `contestant`; from a folder with another state of the project it trains with that."""

    def __init__(self, name: str, folder: Path) -> None:
        command = [sys.executable, contestant.__file__, name]
        environment = {**os.environ, "PYTHONPATH": str(folder), "OPENBLAS_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._answer("ready")

    def _answer(self, expected: str = "") -> str:
        assert self.process.stdout
        answer = self.process.stdout.readline().strip()
        if not answer or (expected and answer != expected):
            raise RuntimeError(f"a contestant ended: {' '.join(map(str, self.process.args))}")  # type: ignore[arg-type]
        return answer

    def milliseconds(self, case: Case, steps: int) -> float:
        assert self.process.stdin
        print(*case, steps, file=self.process.stdin, flush=True)
        return float(self._answer())


def full_lstms(before: Path | None = None) -> Iterator[str]:
    """Against everybody who has an LSTM; `before` is a folder with another state of the project."""
    title = f"{NETWORKS} full LSTMs, whole steps, every third recorded, each contestant in a process"
    rivals = [name for name in CONTESTANTS if name not in (OURS, BEFORE, "associative")]
    yield from _section(title, [(LSTMS, rivals)], before)


def later_cells() -> Iterator[str]:
    """Against the same cell in JAX; what is linear in its state is also computed by an associative scan there."""
    title = f"{NETWORKS} networks of a later cell, whole steps, every third recorded, each contestant in a process"
    linear = [case for case in LATER if not Experiment(cell=case.cell).recurrent_cell.row.recurrent]
    others = [case for case in LATER if case not in linear]
    yield from _section(title, [(linear, ["jax", "associative"]), (others, ["jax"])])


def _section(
    title: str, teams: Iterable[tuple[Sequence[Case], Collection[str]]], before: Path | None = None
) -> Iterator[str]:
    yield from ("", f"## {title}", "")
    yield f"Batches drawn beforehand; two cores, at most {THREADS} threads. Milliseconds of one step of one network."
    yield from ("", "| cell | T, B, H | contestant | ms | times ours |", "|---|---|---|---|---|")
    for cases, rivals in teams:
        yield from table(cases, rivals, before)


def table(
    cases: Sequence[Case], rivals: Collection[str], before: Path | None = None, rounds: int = ROUNDS
) -> Iterator[str]:
    """
    Rows in Markdown, in turn: the time of every contestant, and as a multiple of ours, median and quartiles; a row for
    each rival that is not installed. RuntimeError if a contestant ends.
    """
    here = Path(__file__).parents[2]
    folders = {OURS: here} | ({BEFORE: before.resolve()} if before else {})
    for name in rivals:
        if missing := CONTESTANTS[name].missing:
            yield f"| all | all | {CONTESTANTS[name].label} | not installed: {', '.join(missing)} | |"
        else:
            folders[name] = here
    with ExitStack() as stack:
        # It ends where its input does.
        processes = {name: _Process(name, folder) for name, folder in folders.items()}
        for process in processes.values():
            stack.enter_context(process.process)
        for case in tqdm(cases, unit="case", disable=None):
            turns = round(NUMBERS / 3 / (case.time_steps * case.batch * case.hidden))
            steps = 3 * max(1, min(MOST_TURNS, turns))
            for process in processes.values():
                process.milliseconds(case, steps)
            times = [{name: one.milliseconds(case, steps) for name, one in processes.items()} for _ in range(rounds)]
            cell, *size = case
            for name in processes:
                low, middle, high = np.percentile([each[name] / each[OURS] for each in times], (25, 50, 75))
                median = statistics.median(each[name] for each in times)
                yield (
                    f"| {cell} | {', '.join(map(str, size))} | {_label(name, cell)} | {median:.3g} "
                    f"| {middle:.3g} [{low:.3g}, {high:.3g}] |"
                )


def _label(name: str, cell: str) -> str:
    """Of the project also on which engine."""
    label = CONTESTANTS[name].label
    if name != OURS:
        return label
    return f"{label}, {REFERENCE_ENGINE if without_kernel(Experiment(cell=cell).recurrent_cell) else FUSED} engine"
