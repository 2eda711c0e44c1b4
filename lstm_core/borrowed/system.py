"""
What does the process ask of the operating system and of Python itself? Settings for all of it, and ways to end.

None of this happens on import. The app and the command line call `settle_process`; whoever only imports `lstm_core`
keeps the process as it was.
"""

import atexit
import ctypes
import gc
import os
import platform
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

M_ARENA_MAX = -8
CPUINFO = Path("/proc/cpuinfo")
_endings: list[tuple[Callable[[], object], Callable[[], object]]] = []
_ending = threading.Event()


def settle_process() -> None:
    """
    Set what the app and the command line want of the libraries, for this process and those that it starts, before the
    first product. What the environment says already stays as it is.

    A BLAS with threads of its own would make racers slower, of which one runs a core; it reads its number of threads
    when it is loaded. That decides how fast it is and not one bit of what comes out.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def processor() -> str:
    """Its name as Linux tells it, or as Python does."""
    lines = CPUINFO.read_text().splitlines() if CPUINFO.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def at_the_end(tell: Callable[[], object], wait: Callable[[], object]) -> None:
    """
    When the process ends, `tell` somebody so, and `wait` for them when all others have been told too: `atexit` alone
    would wait for one after the other.
    """
    if not _endings:
        atexit.register(_end)
    _endings.append((tell, wait))


def stop_if_process_ends() -> None:
    """Raise InterruptedError if it does: for a thread in the middle of what takes long, and that will be waited for."""
    if _ending.is_set():
        raise InterruptedError("the process ends")


def _end() -> None:
    _ending.set()
    for tell, _ in _endings:
        tell()
    for _, wait in reversed(_endings):
        wait()


def end_as_by_ctrl_c() -> None:
    """On SIGTERM, which service managers and schedulers of clusters send; Python itself would end without a word."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def can_be_written(folder: Path) -> bool:
    """Or made, where it is not there yet, by this user; asked without writing."""
    there = next(one for one in (folder.absolute(), *folder.absolute().parents) if os.path.exists(one))
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids)


def keep_memory_small() -> None:
    """
    Freed memory goes back to all threads: glibc would keep some for each visitor's thread. `mallopt` is glibc's alone,
    and Python has no function for it.
    """
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 2)


def give_back_memory() -> None:
    """What is free, wherever it lies: glibc gives back by itself only what lies at the end of its parts of memory."""
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)


def freeze() -> None:
    """
    What is loaded by now need not be collected again: that takes .2 s with torch, in which nobody computes. `gc.freeze`
    is meant for processes about to fork, and is CPython's alone.
    """
    gc.collect()
    gc.freeze()


def leave_at_once(status: int) -> NoReturn:
    """
    End the process without waiting for threads that compute, and without what Python does at its end: what
    is not written yet is lost.
    """
    os._exit(status)
