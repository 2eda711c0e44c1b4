"""
Who may run Python? Trainings and pages pass a baton; only kernels, which need no Python, run beside its holder.

Without it, threads wrest Python's own lock from each other at almost every operation of torch, which lets go of it each
time, and a page waits for it again and again. The baton goes from kind to kind by their shares, and within a kind to
whoever waited longest: what a visitor sees for the first time hardly waits for what others see again, and pages have at
least two thirds of the time when trainings want it too.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

OPENING, PAGE, TRAINING = "opening", "page", "training"
SHARES = {OPENING: 20.0, PAGE: 2.0, TRAINING: 1.0}


class _Baton:
    """A lock that is handed over in turns; `used` is the time that each kind has had it, by its share."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: dict[str, deque[threading.Lock]] = {kind: deque() for kind in SHARES}
        self._used = dict.fromkeys(SHARES, 0.0)
        self._holder: str | None = None
        self._since = 0.0

    def acquire(self, kind: str) -> None:
        with self._guard:
            if not self._waiting[kind] and self._holder != kind:
                # Whoever did not want it for a while has nothing saved up.
                self._used[kind] = max(self._used[kind], *self._used.values())
            if self._holder is None:
                self._give(kind)
                return
            turn = threading.Lock()
            turn.acquire()
            self._waiting[kind].append(turn)
        turn.acquire()

    def release(self) -> None:
        with self._guard:
            assert self._holder is not None
            self._used[self._holder] += (time.perf_counter() - self._since) / SHARES[self._holder]
            self._holder = None
            waiting = [kind for kind, turns in self._waiting.items() if turns]
            if waiting:
                kind = min(waiting, key=self._used.__getitem__)
                self._give(kind)
                self._waiting[kind].popleft().release()

    def _give(self, kind: str) -> None:
        self._holder, self._since = kind, time.perf_counter()


_baton = _Baton()
_mine = threading.local()


@contextmanager
def held(kind: str) -> Iterator[None]:
    """Have the baton in this thread, as one of `SHARES`, but for its kernels."""
    _baton.acquire(kind)
    _mine.kind = kind
    try:
        yield
    finally:
        _mine.kind = None
        _baton.release()


def aside(kernel: Callable[..., object], *arguments: Any) -> None:
    """Run a kernel while others may have the baton."""
    kind = getattr(_mine, "kind", None)
    if kind is None:
        kernel(*arguments)
        return
    _baton.release()
    try:
        kernel(*arguments)
    finally:
        _baton.acquire(kind)
