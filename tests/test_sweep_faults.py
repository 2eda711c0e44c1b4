"""Does a sweep survive what may happen to it? `python -m tests.sweep_faults` tries harder."""

import importlib.util
import json
import os
import signal
from pathlib import Path

import psutil
import pytest

from lstm_core.__main__ import main
from lstm_core.sweep import pools
from tests.sweep_faults import PATIENCE, Faulty, a_dask_worker_killed, dask, killed_again_and_again


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


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_sigterm_end_it_with_one_line_and_it_goes_on_where_it_was(
    sent: signal.Signals, tmp_path: Path
) -> None:
    faulty = Faulty(tmp_path, seeds=20, steps=200)
    with faulty.running() as process:
        faulty.wait_for(4, process)
        # As a terminal, or a service manager, does it: the workers get it too.
        os.killpg(process.pid, sent)
        output, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, errors) == (130, "")
    counts = json.loads(output)
    assert not counts["done"]
    assert counts["ran"] + counts["left"] == 20
    assert counts["ran"] == faulty.stored()
    if sent == signal.SIGTERM:
        assert faulty.finish()["found"] == counts["ran"]
        faulty.check()


def test_two_sweeps_at_once_train_every_run_once(tmp_path: Path) -> None:
    faulty = Faulty(tmp_path, seeds=20, steps=100, options=("--workers", "1"))
    with faulty.running() as one, faulty.running() as other:
        counts = [json.loads(process.communicate(timeout=PATIENCE)[0]) for process in (one, other)]
    assert sum(count["ran"] for count in counts) == 20
    assert [count["ran"] + count["found"] for count in counts] == [20, 20]
    assert all(count["ran"] for count in counts)
    faulty.check()


on_dask = pytest.mark.skipif(
    not importlib.util.find_spec("distributed") and "CI" not in os.environ, reason="distributed is not installed"
)


@on_dask
def test_a_dask_worker_that_is_killed_costs_nothing(tmp_path: Path) -> None:
    assert a_dask_worker_killed(tmp_path, seeds=20, steps=200)["ran"] == 20


@on_dask
@pytest.mark.parametrize("workers", [0, 1], ids=["no worker", "a worker without the package"])
def test_a_cluster_that_cannot_train_is_told_in_one_line(
    workers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if not workers:
        monkeypatch.setattr(pools, "CONNECT_SECONDS", 1)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    faulty = Faulty(tmp_path, seeds=2)
    with dask(workers, tmp_path) as (address, _), pytest.raises(SystemExit, match="1"):
        main(["sweep", str(faulty.grid), "--history", faulty.url, "--scheduler", address])
    errors = [line for line in capsys.readouterr().err.splitlines() if "run/s" not in line and line.strip()]
    assert len(errors) == 1
    assert ("No module named 'lstm_core'" if workers else "no worker has joined") in errors[0]
    assert faulty.stored() == 0


@on_dask
def test_a_scheduler_that_is_lost_is_told_in_one_line(tmp_path: Path) -> None:
    with dask(1) as (address, (scheduler, _)):
        faulty = Faulty(tmp_path, seeds=20, steps=200, options=("--scheduler", address))
        with faulty.running() as process:
            faulty.wait_for(1, process)
            scheduler.kill()
            output, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, output) == (1, "")
    assert [line for line in errors.splitlines() if "run/s" not in line and line.strip()] == [
        "python -m lstm_core: the pool has given up its runs; what was stored stays"
    ]
