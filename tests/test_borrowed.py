"""Do libraries still do what they do not promise? One test for each function that borrows from them."""

import gc
import logging
import os
import platform
import subprocess
import sys
from typing import Any
from unittest.mock import AsyncMock

import numba
import numpy as np
import psutil
import pytest
import streamlit as st
import torch
from numba import njit
from starlette.websockets import WebSocket, WebSocketState
from streamlit.config import get_option
from streamlit.errors import StreamlitInvalidLayoutContextError
from streamlit.testing.v1 import AppTest

from lstm_core.borrowed import arrow, autograd, compiler, pages, system, update_rules
from tests.visits import ROOT

W, G = (1.0, -2.0), (0.5, 3.0)


@pytest.mark.parametrize(
    ("rule", "moments", "torchs", "options"),
    [
        (update_rules.adam, 2, torch.optim.Adam, {}),
        (update_rules.rmsprop, 1, torch.optim.RMSprop, {"alpha": 0.9}),
        (update_rules.sgd, 1, torch.optim.SGD, {"momentum": 0.9}),
    ],
    ids=["adam", "rmsprop", "sgd"],
)
def test_update_rules(rule: object, moments: int, torchs: type[torch.optim.Optimizer], options: dict[str, Any]) -> None:
    """Three steps of the function, and of torch's class."""
    weights, gradient = torch.tensor(W), torch.tensor(G)
    theirs = torch.nn.Parameter(weights.clone())
    theirs.grad = gradient.clone()
    optimizer = torchs([theirs], lr=0.1, **options)  # type: ignore[call-arg]
    own = {name: value for name, value in options.items() if name == "momentum"}
    step = rule(weights, gradient, *(torch.zeros_like(weights) for _ in range(moments)), 0.1, **own)  # type: ignore[operator]
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


def test_uncounted() -> None:
    """Without its runtime numba refuses to make an array, and computes all the same what needs none."""
    without = compiler.uncounted({})
    with pytest.raises(numba.core.errors.NumbaError):
        njit(**without)(lambda: np.empty(2))()
    assert njit(**without)(lambda x: x[0] + x[1])(np.array([1.0, 2.0])) == 3
    assert njit(lambda: np.empty(2))().shape == (2,)


def test_inlined() -> None:
    """LLVM is told to copy such a function into its callers, and no other one."""

    def is_told(options: dict[str, Any]) -> bool:
        (code,) = njit("float64(float64)", **options)(lambda x: x * x).inspect_llvm().values()
        return "alwaysinline" in code

    assert [is_told({}), is_told(compiler.inlined({}))] == [False, True]


def test_machine_code_is_called_by_its_address_with_all_that_it_calls() -> None:
    """What lies there does what it does by its name, with pointers and named tuples among its arguments."""
    script = """
import ctypes
from typing import NamedTuple
from llvmlite import binding
from numba import types
from numba.extending import register_jitable
from lstm_core.borrowed import compiler
from lstm_core.borrowed.convention import function_at
from lstm_core.kernels.objects import load
from lstm_core.kernels.piece import Object

class Pair(NamedTuple):
    factor: int
    place: int

numbers, pair = types.CPointer(types.float64), types.NamedUniTuple(types.int64, 2, Pair)

@register_jitable
def product(x, y):
    return x * y

def multiplied(x, pair):
    x[pair.place] = product(x[pair.place], pair.factor)

def caller(place, x):
    compiler.call(place, x, Pair(5, 1))

first = load(Object(*compiler.machine_code(multiplied, types.void(numbers, pair), {})))
second = load(Object(*compiler.machine_code(caller, types.void(types.int64, numbers), {})))
x = (ctypes.c_double * 2)(2, 3)
function_at(second, (ctypes.c_int64, ctypes.c_void_p))(first, ctypes.addressof(x))
print(list(x))
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[2.0, 15.0]\n"


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


def test_leave_at_once() -> None:
    script = (
        "import atexit, threading; from lstm_core.borrowed.system import leave_at_once\n"
        "atexit.register(print, 'the end'); threading.Thread(target=threading.Event().wait).start(); leave_at_once(7)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False, env=dict(os.environ)
    )
    assert (done.returncode, done.stdout) == (7, "")


def test_a_fragment_whose_places_are_gone_draws_the_whole_page_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(st, "rerun", lambda: asked.append(True))
    with pages.anew_if_left_behind():
        raise StreamlitInvalidLayoutContextError("did not write to that container during the last full app run")
    assert asked == [True]


def test_a_visitor_who_leaves_is_no_error_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    left, log = (
        WebSocket({"type": "websocket"}, receive=AsyncMock(), send=AsyncMock()),
        logging.getLogger("uvicorn.error"),
    )
    left.application_state = WebSocketState.DISCONNECTED
    pages.let_visitors_leave()
    with pytest.raises(RuntimeError, match="once a close message") as raised:
        left.close().send(None)
    for error in (raised.value, RuntimeError("something else")):
        log.error("Exception in ASGI application", exc_info=error)
    assert [record.exc_info[1] for record in caplog.records if record.exc_info] == [error]


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's alone")
def test_give_back_memory() -> None:
    """Of blocks that are too small for memory of their own, before one that is still in use."""
    blocks = [torch.zeros(25_000) for _ in range(1000)]
    del blocks[:-1]
    before = psutil.Process().memory_info().rss
    system.give_back_memory()
    assert psutil.Process().memory_info().rss < before - 50e6
