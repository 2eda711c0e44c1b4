"""Does a process stay as it was, whoever imports the package or trains in it? And is what comes out the same?"""

import json
import os
import platform
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from lstm_core import Experiment, train
from lstm_core.kernels.one_thread import settle_thread, settled_thread
from tests.visits import ROOT

SMALL = Experiment(length=5, steps=4, hidden=4, batch=4)
THREADS = 2
PATIENCE = 120


@pytest.fixture(autouse=True)
def _two_threads() -> Iterator[None]:
    """What a notebook may have set."""
    before = torch.get_num_threads()
    torch.set_num_threads(THREADS)
    yield
    torch.set_num_threads(before)


def script(text: str, **environment: str) -> str:
    """What a fresh process prints; it knows nothing of this one's settings."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("OPENBLAS_", "NUMBA_CPU_"))}
    command = [sys.executable, "-W", "ignore", "-c", text]
    done = subprocess.run(
        command, cwd=ROOT, env=clean | environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_the_package_changes_nothing_outside_it() -> None:
    output = script(
        "import os, torch, warnings\n"
        "def state(): return dict(os.environ), torch.get_num_threads(), list(warnings.filters)\n"
        "before = state()\n"
        "from lstm_core import *\n"
        "print(before == state())"
    )
    assert output == "True"


def test_the_app_and_the_command_line_settle_their_process() -> None:
    output = script(
        "import os\n"
        "from lstm_core.borrowed.system import settle_process\n"
        "settle_process()\n"
        "print(os.environ.pop('OPENBLAS_NUM_THREADS'))\n"
        "os.environ['OPENBLAS_NUM_THREADS'] = '3'\n"
        "settle_process()\n"
        "print(os.environ['OPENBLAS_NUM_THREADS'])"
    )
    assert output.split() == ["1", "3"]


def test_a_command_has_a_blas_of_one_thread() -> None:
    """Which reads its number of threads once, when it is loaded: it has to be told before."""
    output = script(
        "import lstm_core.__main__\n"
        "from threadpoolctl import threadpool_info\n"
        "print({pool['num_threads'] for pool in threadpool_info() if pool['user_api'] == 'blas'})"
    )
    assert output == "{1}"


def test_settings_of_the_process_change_no_bit() -> None:
    """Of losses, gradient norms and weights on both engines, at a size at which a BLAS takes all threads it may."""
    run = (
        "import json\n"
        "from lstm_core import Experiment, train\n"
        "for engine in ('fused', 'reference'):\n"
        "    for cell in ('rnn', 'lstm', 'gru'):\n"
        "        one = Experiment(cell=cell, length=20, hidden=64, batch=64, steps=4, engine=engine)\n"
        "        for seen in train(one, weights_every=1):\n"
        "            print(json.dumps(seen.to_dict()), seen.weights.tolist())\n"
    )
    settled = "from lstm_core.borrowed.system import settle_process; settle_process()\n"
    assert script(settled + run) == script("import torch; torch.set_num_threads(2)\n" + run, OPENBLAS_NUM_THREADS="2")


def test_a_process_ends_though_the_threads_of_its_races_wait_for_work() -> None:
    output = script(
        "import time\n"
        "from lstm_core import Experiment\n"
        "from lstm_core.race.race import Race\n"
        "one = Race({'it': Experiment(length=5, steps=4, hidden=4, engine='reference')})\n"
        "one.start()\n"
        "while not one.finished: time.sleep(0.01)\n"
        "print(one.racers[0].ended)"
    )
    assert output == "completed"


def test_nobody_compiles_any_more_when_a_process_has_ended(tmp_path: Path) -> None:
    """What it has started for that is ended with it."""
    output = script(
        "import os, subprocess, time\n"
        "from lstm_core.kernels.pieces import build\n"
        "build('float32')\n"
        "time.sleep(1)\n"
        "started = subprocess.run(['pgrep', '-P', str(os.getpid()), '-f', 'compiling'], capture_output=True)\n"
        "print(started.stdout.decode())",
        NUMBA_CACHE_DIR=str(tmp_path),
    )
    started = output.split()
    assert started
    assert not any(Path("/proc", number).exists() for number in started)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the name of the option is this processor's")
def test_the_bits_of_a_norm_do_not_depend_on_the_length_of_vectors() -> None:
    norm = (
        "import numpy as np\n"
        "from numba import njit\n"
        "from lstm_core.kernels.elementwise import OPTIONS\n"
        "from lstm_core.kernels.matrix import Matrix, norm_of\n"
        "compiled = njit(**OPTIONS)(lambda x, units: norm_of(Matrix(x, 0, 64), 3, units))\n"
        "random = np.random.default_rng(0)\n"
        "numbers = [random.standard_normal(3 * 64).astype(kind) for kind in ('float32', 'float64')]\n"
        "print([compiled(x, units).hex() for x in numbers for units in (1, 15, 16, 64)])\n"
    )
    narrow = script(
        "import os\n"
        "from llvmlite import binding\n"
        "features = binding.get_host_cpu_features().flatten() + ',+prefer-128-bit'\n"
        "os.environ |= {'NUMBA_CPU_NAME': binding.get_host_cpu_name(), 'NUMBA_CPU_FEATURES': features}\n" + norm
    )
    assert script(norm) == narrow


def test_blas_has_one_thread_while_a_training_is_under_way_and_its_own_afterwards() -> None:
    output = script(
        "import json\n"
        "from threadpoolctl import threadpool_info\n"
        "from lstm_core import Experiment, train\n"
        "def threads(): return [one['num_threads'] for one in threadpool_info() if one['user_api'] == 'blas']\n"
        "one = Experiment(length=5, steps=4, engine='fused')\n"
        "seen = [threads() for _ in train(one)]\n"
        "print(json.dumps([seen[-1], threads()]))",
        OPENBLAS_NUM_THREADS="2",
    )
    during, after = json.loads(output)
    assert set(during) == {1}
    assert set(after) == {2}


def denormals() -> bool:
    return float(torch.tensor(sys.float_info.min, dtype=torch.float64) / 2) == 0


def settings() -> tuple[int, bool]:
    """Of torch in this thread: how many threads it takes, and whether it flushes denormal numbers to zero."""
    return torch.get_num_threads(), denormals()


@pytest.mark.parametrize("own", [False, True])
def test_between_snapshots_and_afterwards_a_thread_has_its_own_settings(own: bool) -> None:
    torch.set_flush_denormal(own)
    assert [settings() for _ in train(SMALL)] == [(THREADS, own)] * SMALL.steps
    assert settings() == (THREADS, own)


def test_a_training_computes_on_one_thread_and_flushes_denormal_numbers() -> None:
    torch.set_flush_denormal(False)
    with settled_thread():
        assert settings() == (1, True)
    assert settings() == (THREADS, False)


def test_a_training_that_is_closed_or_refused_leaves_the_settings() -> None:
    torch.set_flush_denormal(False)
    training = train(SMALL)
    next(training)
    training.close()  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="stream"):
        next(train(Experiment(length=5, steps=4, stream=1)))
    assert settings() == (THREADS, False)


def test_a_thread_that_is_settled_stays_so_while_others_have_more() -> None:
    """Even where nobody has asked it before, and the process has another number by now."""
    settled, changed = threading.Event(), threading.Event()
    seen: list[int] = []

    def work() -> None:
        settle_thread()
        settled.set()
        changed.wait()
        list(train(SMALL))
        seen.append(torch.get_num_threads())

    thread = threading.Thread(target=work)
    thread.start()
    settled.wait()
    torch.set_num_threads(THREADS)
    changed.set()
    thread.join()
    assert seen == [1]


def test_the_end_of_one_training_changes_nothing_for_another_one() -> None:
    """Which is in the middle of a step, in a thread of its own."""
    inside, ended = threading.Event(), threading.Event()
    seen: list[tuple[int, bool]] = []

    def another() -> None:
        with settled_thread():
            inside.set()
            ended.wait()
            seen.append(settings())

    thread = threading.Thread(target=another)
    thread.start()
    inside.wait()
    list(train(SMALL))
    ended.set()
    thread.join()
    assert seen == [(1, True)]


def test_blas_has_its_threads_back_only_after_the_last_training() -> None:
    output = script(
        "import scipy.linalg\n"
        "from threadpoolctl import threadpool_info\n"
        "from lstm_core import Experiment, train\n"
        "def threads(): return {one['num_threads'] for one in threadpool_info() if one['user_api'] == 'blas'}\n"
        "one, other = (train(Experiment(length=5, steps=steps, engine='reference')) for steps in (3, 4))\n"
        "next(one), next(other), list(one)\n"
        "print(threads()); other.close(); print(threads())",
        OPENBLAS_NUM_THREADS="2",
    )
    assert output.split() == ["{1}", "{2}"]


def test_at_the_end_of_a_process_all_are_told_before_anybody_is_waited_for() -> None:
    output = script(
        "from lstm_core.borrowed.system import at_the_end\n"
        "for name in 'ab': at_the_end(lambda name=name: print('tell', name), lambda name=name: print('wait', name))"
    )
    assert output.split("\n") == ["tell a", "tell b", "wait b", "wait a"]


def test_no_turn_begins_while_a_history_has_its_last_time() -> None:
    output = script(
        "import time\n"
        "from lstm_core import Experiment, train\n"
        "from lstm_core.borrowed.system import at_the_end\n"
        "from lstm_core.fair_lock import aside\n"
        "from lstm_core.history.opening import UnavailableError\n"
        "from lstm_core.history.writer import Writer\n"
        "from lstm_core.race import runs\n"
        "from lstm_core.race.race import Race\n"
        "def slow(*asked):\n"
        "    for snapshot in train(*asked):\n"
        "        aside(time.sleep, 0.1)\n"
        "        print('turn', flush=True)\n"
        "        yield snapshot\n"
        "def away(): raise UnavailableError('away')\n"
        "runs.train = slow\n"
        "one = Race({'it': Experiment(length=5, steps=100, hidden=4, engine='reference')})\n"
        "one.start()\n"
        "while not one.racers[0].steps: time.sleep(0.01)\n"
        "Writer(away).keep(['a run'])\n"
        "at_the_end(lambda: print('told', flush=True), lambda: None)"
    )
    before, _, after = output.partition("told")
    assert "turn" in before
    assert after.count("turn") <= 1


def test_a_process_ends_in_the_middle_of_a_long_turn_on_the_reference_engine() -> None:
    seconds = script(
        "import atexit, time\n"
        "atexit.register(lambda: print(time.monotonic() - ended))\n"
        "from lstm_core import Experiment\n"
        "from lstm_core.race.race import Race\n"
        "one = Race({'it': Experiment(length=500, steps=20_000, hidden=8, engine='reference')})\n"
        "one.start()\n"
        "while not one.racers[0].steps: time.sleep(0.01)\n"
        "time.sleep(0.1)\n"
        "ended = time.monotonic()"
    )
    assert float(seconds) < 3
