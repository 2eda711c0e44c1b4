"""
How many threads compute a training? One: the other cores are for its neighbours, and no bit depends on their number.

torch counts threads for the whole process, and so does a BLAS; flushing denormal numbers to zero is a thread's own.
"""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from threadpoolctl import threadpool_limits

_guard = threading.Lock()


class _Process:
    """What the process had before the first of the trainings under way began."""

    trainings = 0
    threads = 1
    blas: list[threadpool_limits] = []


def settle_thread() -> None:
    """What a thread that does nothing but train sets once, and does not put back."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread for torch and for BLAS, until the last training that is under way ends; then as before the first."""
    with _guard:
        if not _Process.trainings:
            _Process.threads = torch.get_num_threads()
        if os.environ.get("OPENBLAS_NUM_THREADS") != "1":
            # Again for each: one that was not loaded when the first of them began may be now.
            _Process.blas.append(threadpool_limits(1, "blas"))
        _Process.trainings += 1
    try:
        yield
    finally:
        with _guard:
            _Process.trainings -= 1
            if not _Process.trainings:
                if torch.get_num_threads() != _Process.threads:
                    torch.set_num_threads(_Process.threads)
                while _Process.blas:
                    _Process.blas.pop().restore_original_limits()


@contextmanager
def computing() -> Iterator[None]:
    """A part of a training in this thread, which has its own way with denormal numbers back afterwards."""
    if torch.get_num_threads() != 1:
        torch.set_num_threads(1)
    flushed = _flushes()
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(flushed)


def _flushes() -> bool:
    """Whether this thread does; torch can be told and not be asked."""
    return sys.float_info.min / 2 == 0
