"""
How do finished runs get into the history while it holds nobody up? A thread writes them, and tries again what failed.

The thread is there only while something waits. Whatever keeps a history from being written, a lock, a server that is
away, a full disk, it is asked again until the time of a batch is over.
"""

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import NamedTuple

from lstm_core.borrowed.system import at_the_end
from lstm_core.history.database import store
from lstm_core.history.opening import History, UnavailableError
from lstm_core.history.records import Record

MOST_WAITING = 256
RETRY_SECONDS, TRIED_SECONDS, LAST_SECONDS = 1.0, 300.0, 1.5
_log = logging.getLogger(__name__)


class Batch(NamedTuple):
    """Runs that are stored all or not at all, before a time is over; the number of those that were new."""

    records: Sequence[Record]
    until: float
    stored: Future[int]


class Writer:
    """
    Stores runs in the history that `opened` gives. `problem` is why it could not be written when that was last tried,
    None where it could. What still waits `LAST_SECONDS` after the process begins to end is lost.
    """

    def __init__(self, opened: Callable[[], History]) -> None:
        self._opened = opened
        self._history: History | None = None
        self._changed = threading.Condition()
        self._batches: deque[Batch] = deque()
        self._thread: threading.Thread | None = None
        self._end = math.inf
        self.problem: str | None = None
        at_the_end(self.end, self.close)

    @property
    def waiting(self) -> int:
        """The number of runs that are not stored yet."""
        return sum(len(batch.records) for batch in self._batches.copy())

    def keep(self, records: Sequence[Record]) -> Future[int] | None:
        """
        Store these as soon as possible: the number of new ones is to come, or an `UnavailableError`. None, and nothing
        is kept, while `MOST_WAITING` runs wait.
        """
        with self._changed:
            if self.waiting >= MOST_WAITING or self._end < math.inf:
                return None
            batch = Batch(records, time.monotonic() + TRIED_SECONDS, Future())
            self._batches.append(batch)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="history", daemon=True)
                self._thread.start()
            return batch.stored

    def end(self) -> None:
        """Take nothing more, and try what waits for `LAST_SECONDS` from now on."""
        with self._changed:
            self._end = min(self._end, time.monotonic() + LAST_SECONDS)
            self._changed.notify_all()

    def close(self) -> None:
        """The same, and say what is lost."""
        self.end()
        if thread := self._thread:
            thread.join(max(0.0, self._end - time.monotonic()))
        with self._changed:
            if self._batches:
                _log.warning("%d finished runs are lost: %s", self.waiting, self.problem or "there was no time left")

    def _next(self) -> Batch | None:
        with self._changed:
            if self._batches and time.monotonic() < self._end:
                return self._batches[0]
            self._thread = None
            return None

    def _work(self) -> None:
        while batch := self._next():
            try:
                self._history = self._history or self._opened()
                new = store(self._history, batch.records)
            except UnavailableError as error:
                self._failed(batch, error)
            else:
                self.problem = None
                self._batches.popleft()
                batch.stored.set_result(new)

    def _failed(self, batch: Batch, error: UnavailableError) -> None:
        if self._history:
            self._history.dispose()
            self._history = None
        if self.problem != str(error):
            self.problem = str(error)
            _log.warning("%s; %d finished runs wait for it", error, self.waiting)
        with self._changed:
            if time.monotonic() < batch.until:
                self._changed.wait(RETRY_SECONDS)
                return
            self._batches.popleft()
        _log.warning("%d finished runs are lost: %s", len(batch.records), error)
        batch.stored.set_exception(error)
