"""Does a sweep survive what may happen to it? `python -m tests.sweep_faults` tries harder."""

import importlib.util
import json
import os
import signal
from pathlib import Path

import psutil
import pytest

from tests.sweep_faults import PATIENCE, Faulty, a_dask_worker_killed, killed_again_and_again


def test_killed_at_random_moments_it_ends_with_every_run_once_and_whole(tmp_path: Path) -> None:
    counts = killed_again_and_again(tmp_path, seeds=40, kills=2, seed=0)
    assert counts["ran"] + counts["found"] == 40
    assert counts["found"] > 0


def test_a_worker_that_is_killed_costs_nothing(tmp_path: Path) -> None:
    faulty = Faulty(tmp_path, seeds=20, steps=200)
    with faulty.running() as process:
        faulty.wait_for(4, process)
        workers = [p for p in psutil.Process(process.pid).children() if "resource_tracker" not in " ".join(p.cmdline())]
        workers[0].kill()
        output, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, errors) == (0, "")
    assert json.loads(output)["ran"] == 20
    faulty.check()


def test_ctrl_c_ends_it_with_one_line_and_it_goes_on_where_it_was(tmp_path: Path) -> None:
    faulty = Faulty(tmp_path, seeds=20, steps=200)
    with faulty.running() as process:
        faulty.wait_for(4, process)
        # As a terminal does it: the workers get it too.
        os.killpg(process.pid, signal.SIGINT)
        output, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, errors) == (130, "")
    counts = json.loads(output)
    assert not counts["done"]
    assert counts["ran"] + counts["left"] == 20
    assert counts["ran"] == faulty.stored()
    assert faulty.finish()["found"] == counts["ran"]
    faulty.check()


@pytest.mark.skipif(
    not importlib.util.find_spec("distributed") and "CI" not in os.environ, reason="distributed is not installed"
)
def test_a_dask_worker_that_is_killed_costs_nothing(tmp_path: Path) -> None:
    assert a_dask_worker_killed(tmp_path, seeds=20, steps=200)["ran"] == 20
