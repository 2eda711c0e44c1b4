"""
How many threads compute a training? One: the other cores are for its neighbours, and no bit depends on their number.

A BLAS counts its threads for the whole process. torch has a number for threads to come, and each that has computed has
its own; flushing denormal numbers to zero is a thread's own, too.
"""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from threadpoolctl import threadpool_limits

_guard = threading.Lock()


class _Blas:
    """How many trainings are under way, and what limits BLAS for them."""

    trainings = 0
    limits: list[threadpool_limits] = []


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """For BLAS, until the last training that is under way ends; then it has as many as before the first."""
    with _guard:
        _Blas.trainings += 1
        if os.environ.get("OPENBLAS_NUM_THREADS") != "1":
            # Again for each: a BLAS that was not loaded when the first of them began may be now.
            _Blas.limits.append(threadpool_limits(1, "blas"))
    try:
        yield
    finally:
        with _guard:
            _Blas.trainings -= 1
            while not _Blas.trainings and _Blas.limits:
                _Blas.limits.pop().restore_original_limits()


def settle_thread() -> None:
    """
    What a thread that does nothing but train sets once, and does not put back; threads to come have one thread of torch
    as well. The first question in a thread sets it to the process's number: it is asked before.
    """
    torch.get_num_threads()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)


@contextmanager
def settled_thread() -> Iterator[None]:
    """The same for a part of a training in a thread that is somebody else's: afterwards it is as it was."""
    threads, flushed = torch.get_num_threads(), _flushes()
    if threads != 1:
        torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        if threads != 1:
            torch.set_num_threads(threads)
        torch.set_flush_denormal(flushed)


@contextmanager
def denormal_numbers() -> Iterator[None]:
    """For a part of what a settled thread does that is no training: numbers below the smallest normal one are kept."""
    flushed = _flushes()
    torch.set_flush_denormal(False)
    try:
        yield
    finally:
        torch.set_flush_denormal(flushed)


def _flushes() -> bool:
    """Whether this thread does; torch can be told and not be asked."""
    return sys.float_info.min / 2 == 0
