"""Who may run Python? Trainings side by side pass a baton on, around their kernels, which need no Python."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_baton = threading.Lock()
_mine = threading.local()


@contextmanager
def held() -> Iterator[None]:
    """
    Have the baton in this thread, but for its kernels.

    Without it, threads wrest Python's own lock from each other at almost every operation of torch, which lets go of it
    each time; and the server, which wants it too, has all of them before it.
    """
    with _baton:
        _mine.held = True
        try:
            yield
        finally:
            _mine.held = False


def aside(kernel: Callable[..., object], *arguments: Any) -> None:
    """Run a kernel while others may have the baton."""
    if not getattr(_mine, "held", False):
        kernel(*arguments)
        return
    _baton.release()
    try:
        kernel(*arguments)
    finally:
        _baton.acquire()
