"""Whose whole training step is the fastest, where no contestant's threads disturb another? Each in a process."""

import os
import statistics
import subprocess
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from tqdm import tqdm

from lstm_core.bench import contestant
from lstm_core.bench.contestant import CONTESTANTS, NETWORKS, THREADS

Size = tuple[int, int, int]

LABELS = {
    "ours": "fused, pool of two threads",
    "before": "fused, as it was in the other folder",
    "one": "torch.nn.LSTM in turn, one thread",
    "two": "torch.nn.LSTM in turn, two threads",
    "pool": "torch.nn.LSTM, pool of two threads",
    "jax": "JAX, lax.scan, pool of two threads",
}
SIZES: tuple[Size, ...] = ((100, 32, 32), (100, 64, 64), (100, 32, 64), (50, 32, 32), (100, 32, 128))
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

    def milliseconds(self, size: Size, steps: int) -> float:
        assert self.process.stdin
        print(*size, steps, file=self.process.stdin, flush=True)
        return float(self._answer())


def table(
    before: Path | None = None,
    sizes: Sequence[Size] = SIZES,
    rounds: int = ROUNDS,
    rivals: Collection[str] = CONTESTANTS.keys(),
) -> Iterator[str]:
    """
    In Markdown, in turn: the time of every contestant, and as a multiple of ours, median and quartiles; `before` is a
    folder with another state of the project. RuntimeError if a contestant ends.
    """
    here = Path(__file__).parents[2]
    folders = {"ours": here} | ({"before": before.resolve()} if before else {})
    folders |= {name: here for name in rivals if name not in folders and (name != "jax" or find_spec("jax"))}
    yield from ("", f"## {NETWORKS} full LSTMs, whole steps, every third recorded, each contestant in a process", "")
    yield f"Batches drawn beforehand; two cores, at most {THREADS} threads. Milliseconds of one step of one network."
    yield from ("", "| T, B, H | contestant | ms | times ours |", "|---|---|---|---|")
    with ExitStack() as stack:
        processes = {}
        for name, folder in folders.items():
            processes[name] = _Process("ours" if name == "before" else name, folder)
            # It ends where its input does.
            stack.enter_context(processes[name].process)
        for size in tqdm(sizes, unit="size", disable=None):
            steps = 3 * max(1, min(MOST_TURNS, round(NUMBERS / 3 / (size[0] * size[1] * size[2]))))
            for process in processes.values():
                process.milliseconds(size, steps)
            times = [{name: one.milliseconds(size, steps) for name, one in processes.items()} for _ in range(rounds)]
            for name in processes:
                low, middle, high = np.percentile([each[name] / each["ours"] for each in times], (25, 50, 75))
                median = statistics.median(each[name] for each in times)
                yield (
                    f"| {', '.join(map(str, size))} | {LABELS[name]} | {median:.3g} "
                    f"| {middle:.3g} [{low:.3g}, {high:.3g}] |"
                )
