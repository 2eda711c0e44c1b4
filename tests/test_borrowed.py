"""Do libraries still do what they do not promise? One test for each function that borrows from them."""

import gc
import os
import platform
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple

import numba
import numpy as np
import pytest
import torch
from numba import config, njit, types
from streamlit.config import get_option
from streamlit.testing.v1 import AppTest

from lstm_core.borrowed import arrow, autograd, compiler, system, update_rules
from tests.visits import ROOT

W, G = (1.0, -2.0), (0.5, 3.0)


@pytest.mark.parametrize(
    ("rule", "torchs", "options"),
    [
        (update_rules.adam, torch.optim.Adam, {}),
        (update_rules.rmsprop, torch.optim.RMSprop, {"alpha": 0.9}),
        (update_rules.sgd, torch.optim.SGD, {"momentum": 0.9}),
    ],
    ids=["adam", "rmsprop", "sgd"],
)
def test_update_rules(rule: object, torchs: type[torch.optim.Optimizer], options: dict[str, Any]) -> None:
    """Three steps of the function, and of torch's class."""
    weights, gradient = torch.tensor(W), torch.tensor(G)
    theirs = torch.nn.Parameter(weights.clone())
    theirs.grad = gradient.clone()
    optimizer = torchs([theirs], lr=0.1, **options)  # type: ignore[call-arg]
    own = {name: value for name, value in options.items() if name == "momentum"}
    step = rule(weights, gradient, 0.1, **own)  # type: ignore[operator]
    for _ in range(3):
        step()
        optimizer.step()
    torch.testing.assert_close(weights, theirs.detach(), rtol=1e-6, atol=0)


@pytest.mark.parametrize("several", [3, 200])
def test_of_repeating(several: int) -> None:
    rows = [(float(k), str(k % several)) for k in range(400)]
    table = arrow.of_repeating(rows, ["x", "name"])
    assert [tuple(row.values()) for row in table.to_pylist()] == rows
    assert len(table.column("name").chunk(0).dictionary) == several


@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
def test_more_than_numbers() -> None:
    assert not autograd.more_than_numbers()
    seen: list[bool] = []

    def noted(x: torch.Tensor) -> torch.Tensor:
        seen.append(autograd.more_than_numbers())
        return x.sum()

    torch.func.grad(noted)(torch.ones(2))
    torch.func.jvp(noted, (torch.ones(2),), (torch.ones(2),))
    with torch.autograd.forward_ad.dual_level():
        noted(torch.ones(2))
    assert seen == [True, True, True]


def test_counted() -> None:
    """Without its runtime numba refuses to make an array, and computes all the same what needs none."""
    without, with_it = compiler.counted({}, counts=False), compiler.counted({}, counts=True)
    with pytest.raises(numba.core.errors.NumbaError):
        njit(**without)(lambda: np.empty(2))()
    assert njit(**without)(lambda x: x[0] + x[1])(np.array([1.0, 2.0])) == 3
    assert njit(**with_it)(lambda: np.empty(2))().shape == (2,)


def test_inlined() -> None:
    """LLVM is told to copy such a function into its callers, and no other one."""

    def is_told(options: dict[str, Any]) -> bool:
        (code,) = njit("float64(float64)", **options)(lambda x: x * x).inspect_llvm().values()
        return "alwaysinline" in code

    assert [is_told({}), is_told(compiler.inlined({}))] == [False, True]


def test_general_product() -> None:
    """[1 2; 3 4] times itself, transposed, by columns, plus 10 times what was there."""
    product = compiler.general_product()

    @njit
    def squared(a: Any, c: Any, factors: Any) -> int:
        letters = ord("d"), ord("n"), ord("t")
        alpha, beta, first, out = factors.ctypes.data, factors[1:].ctypes.data, a.ctypes.data, c.ctypes.data
        return product(*letters, 2, 2, 2, alpha, first, 2, first, 2, beta, out, 2)

    a, c = np.array([[1.0, 2.0], [3.0, 4.0]]), np.ones((2, 2))
    assert squared(a, c, np.array([1.0, 10.0])) == 0
    np.testing.assert_array_equal(c, 10 + a.T @ a)


def test_address_and_call() -> None:
    """What lies there does what it does by its name, with arrays and named tuples among its arguments."""

    class Pair(NamedTuple):
        factor: int
        place: int

    numbers, pair = types.float64[::1], types.NamedUniTuple(types.int64, 2, Pair)

    @njit(types.void(numbers, pair))
    def multiplied(x: Any, pair: Any) -> None:
        x[pair.place] *= pair.factor

    @njit(types.void(types.int64, numbers))
    def caller(place: int, x: Any) -> None:
        compiler.call(place, x, Pair(5, 1))

    x = np.array([2.0, 3.0])
    caller(compiler.address(multiplied), x)
    assert x.tolist() == [2, 15]


def test_cached_in(tmp_path: Path) -> None:
    before = config.CACHE_DIR
    with compiler.cached_in(tmp_path):
        assert njit("float64(float64)", cache=True)(_twice)(2.0) == 4
    assert list(tmp_path.rglob("*.nbi"))
    assert before == config.CACHE_DIR


def _twice(x: float) -> float:
    return 2 * x


def test_cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path))
    assert compiler.cache_folder() == tmp_path
    monkeypatch.setattr(config, "CACHE_DIR", "")
    assert compiler.cache_folder() is None


def test_target(monkeypatch: pytest.MonkeyPatch) -> None:
    """numba has the settings under these names."""
    before = compiler.target()
    monkeypatch.setattr(config, "CPU_NAME", "generic")
    assert compiler.target() != before


def test_strings() -> None:
    assert arrow.strings(["one", None, "zwei"]).to_pylist() == ["one", None, "zwei"]


def test_secret() -> None:
    """A file that is missing draws no error, as it does for whoever asks in the documented way."""
    visit = AppTest.from_string(
        "import streamlit as st\nfrom lstm_core.borrowed.pages import secret\nst.text(secret('history'))"
    )
    visit.run()
    assert (visit.text[0].value, len(visit.error)) == ("None", 0)
    visit.secrets["history"] = "sqlite:///kept.sqlite"
    assert visit.run().text[0].value == "sqlite:///kept.sqlite"


def test_identity() -> None:
    """Two uploads of one name and size are two."""
    visit = AppTest.from_string(
        "import streamlit as st\n"
        "from lstm_core.borrowed.pages import identity\n"
        "one = st.file_uploader('file')\n"
        "st.text(identity(one) if one else '')"
    )
    uploader = visit.run().file_uploader[0]
    first = uploader.upload("a.csv", b"one").run().text[0].value
    second = visit.file_uploader[0].upload("a.csv", b"two").run().text[0].value
    assert len({"", first, second}) == 3


def test_no_collection_after_every_frame() -> None:
    """The hidden option that the app's settings switch off exists, and is on by default."""
    text = (ROOT / ".streamlit" / "config.toml").read_text()
    assert "postScriptGC = false" in text
    assert get_option("runner.postScriptGC") is False


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="mallopt is glibc's")
def test_keep_memory_small() -> None:
    """Threads that make and free memory leave no more than two arenas behind."""
    arenas = (
        "import ctypes, threading; from lstm_core.borrowed.system import keep_memory_small; keep_memory_small()\n"
        "libc = ctypes.CDLL(None)\n"
        "libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]\n"
        "together = threading.Barrier(8)\n"
        "def work():\n"
        "    together.wait(); kept = [libc.malloc(1000) for _ in range(1000)]; together.wait()\n"
        "    [libc.free(one) for one in kept]\n"
        "threads = [threading.Thread(target=work) for _ in range(8)]\n"
        "[one.start() for one in threads]; [one.join() for one in threads]\n"
        "libc.malloc_stats()"
    )
    done = subprocess.run([sys.executable, "-c", arenas], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr.count("Arena ") <= 2, done.stderr


def test_freeze() -> None:
    before = gc.get_freeze_count()
    try:
        system.freeze()
        assert gc.get_freeze_count() > before
    finally:
        gc.unfreeze()


def test_interrupt() -> None:
    ended: list[type[BaseException]] = []

    def spin() -> None:
        try:
            while True:
                time.sleep(0.001)
        except SystemExit as asked:
            ended.append(type(asked))

    thread = threading.Thread(target=spin, daemon=True)
    thread.start()
    system.interrupt(thread)
    thread.join(10)
    assert ended == [SystemExit]


def test_leave_at_once() -> None:
    script = (
        "import atexit, threading; from lstm_core.borrowed.system import leave_at_once\n"
        "atexit.register(print, 'the end'); threading.Thread(target=threading.Event().wait).start(); leave_at_once(7)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False, env=dict(os.environ)
    )
    assert (done.returncode, done.stdout) == (7, "")
