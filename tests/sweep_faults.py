"""What does a sweep lose when it is killed? `python -m tests.sweep_faults`: nothing but what was in flight."""

import argparse
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psutil

from lstm_core.history.database import records
from lstm_core.history.opening import open_history
from lstm_core.sweep.grid import read_grid

ROOT = Path(__file__).parents[1]
PATIENCE = 120
GRID = """
    base = {{ task = "recall", length = 4, hidden = 4, batch = 2, steps = {steps} }}
    grid = {{ seeds = {seeds} }}
"""


class Faulty:
    """A sweep of small runs in a folder of its own, to be started, killed, and started again."""

    def __init__(self, folder: Path, seeds: int, steps: int = 5, options: Sequence[str] = ("--workers", "2")) -> None:
        self.file, self.grid, self.options = folder / "history.sqlite", folder / "grid.toml", options
        self.url = f"sqlite:///{self.file}"
        self.grid.write_text(GRID.format(steps=steps, seeds=seeds))
        self.experiments = [e for group in read_grid(self.grid.read_text()) for e in group.experiments]

    @contextmanager
    def running(self) -> Iterator["subprocess.Popen[str]"]:
        """A sweep in a process of its own."""
        command = [sys.executable, "-m", "lstm_core", "sweep", str(self.grid), "--history", self.url, *self.options]
        pipe = subprocess.PIPE
        with subprocess.Popen(
            command, cwd=ROOT, stdout=pipe, stderr=pipe, text=True, start_new_session=True
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def stored(self) -> int:
        """How many runs there are by now."""
        try:
            with closing(sqlite3.connect(f"file:{self.file}?mode=ro", uri=True)) as connection:
                return int(connection.execute("SELECT count(*) FROM runs").fetchone()[0])
        except sqlite3.OperationalError:
            return 0

    def wait_for(self, rows: int, process: "subprocess.Popen[str]") -> None:
        """Until so many runs are stored, or the sweep is over."""
        given_up = time.monotonic() + PATIENCE
        while self.stored() < rows and process.poll() is None:
            assert time.monotonic() < given_up, f"{self.stored()} of {rows} runs after {PATIENCE} s"
            time.sleep(0.005)

    def kill(self, rng: random.Random, rows: int) -> None:
        """Start it, and kill it a moment after so many runs are stored; its workers have to end as well."""
        with self.running() as process:
            self.wait_for(rows, process)
            time.sleep(rng.uniform(0, 0.03 if rows else 4))
            workers = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
            process.kill()
            process.communicate()
        _, alive = psutil.wait_procs(workers, timeout=30)
        assert not alive, f"{len(alive)} workers outlived their sweep"

    def finish(self) -> dict[str, Any]:
        """Start it, let it end, and return what it told."""
        with self.running() as process:
            output, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, errors
        counts: dict[str, Any] = json.loads(output)
        return counts

    def check(self) -> None:
        """Every run is there once, and whole."""
        history = open_history(self.url)
        kept = list(records(history))
        history.dispose()
        assert sorted(r.experiment.seed for r in kept) == sorted(e.seed for e in self.experiments)
        for record in kept:
            assert record.ended in ("completed", "solved"), record.reason
            assert record.curves.steps[-1] == record.last_step
            assert record.curves.mean_loss[-1] == record.final_mean_loss


@contextmanager
def dask(workers: int, place: Path = ROOT) -> Iterator[tuple[str, list["subprocess.Popen[bytes]"]]]:
    """The address of a scheduler on this machine; it and its workers, each a process of one thread, in this folder."""
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder) / "scheduler.json"
        program = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
        worker = [sys.executable, "-m", "distributed.cli.dask_worker", "--nthreads", "1", "--no-nanny"]
        commands = [[*program, "--no-show"], *[[*worker, "--local-directory", folder]] * workers]
        started = []
        for command in commands:
            common = ["--scheduler-file", str(where), "--no-dashboard"]
            quiet = subprocess.DEVNULL
            started.append(subprocess.Popen([*command, *common], cwd=place, stdout=quiet, stderr=quiet))
        try:
            given_up = time.monotonic() + PATIENCE
            while not where.exists() or not where.read_text().endswith("}"):
                assert time.monotonic() < given_up, "the scheduler does not start"
                time.sleep(0.1)
            yield json.loads(where.read_text())["address"], started
        finally:
            for process in reversed(started):
                process.kill()
                process.wait()


def killed_again_and_again(folder: Path, seeds: int, kills: int, seed: int) -> dict[str, Any]:
    """So many kills at random moments from the start to the end, the first one while it starts; what the last told."""
    faulty, rng = Faulty(folder, seeds), random.Random(seed)
    for left in range(kills, 0, -1):
        before = faulty.stored()
        share = max(1, (seeds - before) // (left + 1))
        faulty.kill(rng, 0 if left == kills else before + rng.randint(1, share))
        print(f"killed with {faulty.stored()} of {seeds} runs stored, {faulty.stored() - before} of them new")
    counts = faulty.finish()
    faulty.check()
    return counts


def a_dask_worker_killed(folder: Path, seeds: int, steps: int) -> dict[str, Any]:
    """One of two is killed when a third of the runs are stored; what the sweep told."""
    with dask(2) as (address, (_, worker, _)):
        faulty = Faulty(folder, seeds, steps, ("--scheduler", address))
        with faulty.running() as process:
            faulty.wait_for(seeds // 3, process)
            os.kill(worker.pid, signal.SIGKILL)
            print(f"a Dask worker killed with {faulty.stored()} of {seeds} runs stored")
            output, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, errors
    faulty.check()
    counts: dict[str, Any] = json.loads(output.splitlines()[-1])
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.sweep_faults", description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(killed_again_and_again(Path(folder), arguments.runs, arguments.kills, arguments.seed))
    with tempfile.TemporaryDirectory() as folder:
        print(a_dask_worker_killed(Path(folder), arguments.runs, 100))


if __name__ == "__main__":
    main()
