"""
What does the process ask of the operating system and of Python itself? Settings for all of it, and ways to end.

None of this happens on import. The app and the command line call `settle_process`; whoever only imports `lstm_core`
keeps the process as it was.
"""

import ctypes
import gc
import os
import platform
import threading
from typing import NoReturn

from llvmlite import binding

M_ARENA_MAX = -8


def settle_process() -> None:
    """
    Set what the app and the command line want of the libraries, for this process and those that it starts, before the
    first product and the first kernel. What the environment says already stays as it is.

    A BLAS with threads of its own would make racers slower, of which one runs a core; it reads its number of threads
    when it is loaded, which numba does with the first product. And for many processors the compiler keeps to vectors of
    32 bytes although they have some of 64, so as not to lower their clock; BLAS uses the long ones anyway. numba reads
    that when it first compiles. Both decide how fast it is and not one bit of what comes out.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    features = binding.get_host_cpu_features()
    if features.get("avx512f") and "NUMBA_CPU_FEATURES" not in os.environ:
        os.environ.setdefault("NUMBA_CPU_NAME", binding.get_host_cpu_name())
        os.environ["NUMBA_CPU_FEATURES"] = features.flatten() + ",-prefer-256-bit"


def keep_memory_small() -> None:
    """
    Freed memory goes back to all threads: glibc would keep some for each visitor's thread. `mallopt` is glibc's alone,
    and Python has no function for it.
    """
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 2)


def freeze() -> None:
    """
    What is loaded by now need not be collected again: that takes .2 s with torch, in which nobody computes. `gc.freeze`
    is meant for processes about to fork, and is CPython's alone.
    """
    gc.collect()
    gc.freeze()


def interrupt(thread: threading.Thread) -> None:
    """
    Raise SystemExit in a thread as soon as it is back in Python: the compiler knows no other way to be stopped, and the
    end of Python below it would abort the process. CPython has this for debuggers, and no promise of when it happens.
    """
    if thread.ident is not None and thread.is_alive():
        ident = ctypes.c_ulong(thread.ident)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, ctypes.py_object(SystemExit))


def leave_at_once(status: int) -> NoReturn:
    """
    End the process without waiting for threads that compute or compile, and without what Python does at its end: what
    is not written yet is lost.
    """
    os._exit(status)
