"""
Who trains, and when? Races, on one background thread a core.

A turn is the training of a run from one snapshot to the next, or a job that somebody has asked for. It goes to the race
that has had least time, and there to its jobs before its training, and then to the racer furthest behind. Only kernels
run side by side; for everything else the threads pass a baton. A race trains only while somebody keeps renewing its
lease, and only `MOST_RACING` do at a time; the others wait in a queue.
"""

import os
import threading
import time
from collections.abc import Callable, Collection
from typing import Protocol
from weakref import WeakSet

from lstm_core.borrowed.system import at_the_end, give_back_memory
from lstm_core.kernels.one_thread import settle_thread
from lstm_core.race.runs import Run

THREADS = min(4, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
MOST_RACING, MOST_WAITING = 48, 200
# So often a race asks for kernels that it waits for.
ASKING_SECONDS = 0.25
TIDY_SECONDS = 5.0
# It returns the seconds that it took.
Turn = Callable[[], float]


class Contest(Protocol):
    """A race, as far as those need to know it who give it turns: each member is told of in `Race`."""

    behind: bool
    begins: float
    served: float

    @property
    def runs(self) -> list[Run]: ...

    @property
    def wants_turn(self) -> bool: ...

    @property
    def abandoned(self) -> bool: ...

    @property
    def waits(self) -> bool: ...

    def waiting(self, under_way: Collection[Turn]) -> Turn | None: ...


def _served(race: Contest) -> float:
    return race.served


class Turns:
    """The races that want to train, and the threads that serve them."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._races: list[Contest] = []
        self._looked_at: WeakSet[Contest] = WeakSet()
        self._under_way: set[Turn] = set()
        self._threads: list[threading.Thread] = []
        self._closing, self._tidied = False, 0.0

    def add(self, race: Contest) -> None:
        """Serve this race too, unless the queue is full; one that is paused keeps what it needs to go on."""
        with self._changed:
            self._looked_at.add(race)
            if race in self._races:
                self._changed.notify_all()
                return
            if self._closing or not race.wants_turn or len(self._races) >= MOST_WAITING:
                return
            # A newcomer counts as served as long as whoever had least, so that nobody starves.
            race.served = max(race.served, min((other.served for other in self._races), default=0.0))
            self._races.append(race)
            while len(self._threads) < THREADS:
                self._threads.append(threading.Thread(target=self._work, name="races", daemon=True))
                self._threads[-1].start()
            self._changed.notify_all()

    def place(self, race: Contest) -> int:
        with self._changed:
            if race in self._races:
                before = [other for other in self._races if not other.behind]
                return 0 if race.behind else max(0, before.index(race) + 1 - MOST_RACING)
            return MOST_WAITING if race.wants_turn else 0

    def rest(self, race: Contest) -> None:
        """Let go of what this race's runs need to go on, but of those that others look at, even if they are paused."""
        with self._changed:
            self._rest(race)

    def _rest(self, race: Contest) -> None:
        self._looked_at.discard(race)
        wanted = {run for other in self._looked_at for run in other.runs}
        for run in race.runs:
            if run not in wanted and run.advance not in self._under_way:
                run.rest()

    def number(self) -> int:
        """Of races that are under way or wait, but for those behind all others."""
        return sum(not race.behind for race in self._races)

    def _next(self) -> tuple[Contest, Turn] | None:
        before, self._races = self._races, [race for race in self._races if race.wants_turn and not self._closing]
        for race in before:
            if race.abandoned:
                self._rest(race)
        racing = [race for race in self._races if not race.behind][:MOST_RACING]
        behind = [race for race in self._races if race.behind]
        for race in [*sorted(racing, key=_served), *sorted(behind, key=_served)]:
            if turn := race.waiting(self._under_way):
                return race, turn
        return None

    def _until_next(self) -> float | None:
        """Seconds until a race may begin that waits for its time, or for kernels; None if there is none."""
        now = time.monotonic()
        times = [race.begins - now for race in self._races if race.begins > now]
        return min(times + [ASKING_SECONDS for race in self._races if race.waits], default=None)

    def _work(self) -> None:
        settle_thread()
        while True:
            with self._changed:
                while not (following := self._next()):
                    if self._closing:
                        return
                    self._changed.wait(self._until_next())
                race, turn = following
                self._under_way.add(turn)
            seconds = turn()
            self._tidy()
            with self._changed:
                self._under_way.discard(turn)
                race.served += seconds
                if race.abandoned or race not in self._looked_at:
                    self._rest(race)
                self._changed.notify_all()

    def _tidy(self) -> None:
        """What measurements have needed is much, and free again."""
        now = time.monotonic()
        if now > self._tidied + TIDY_SECONDS:
            self._tidied = now
            give_back_memory()

    def end(self) -> None:
        """Begin no more turns."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()

    def close(self) -> None:
        """End the threads after their turns: one that is inside torch when Python ends would abort the process."""
        self.end()
        for thread in self._threads:
            thread.join()


TURNS = Turns()
at_the_end(TURNS.end, TURNS.close)


def crowd() -> int:
    """The number of races that are under way or wait."""
    return TURNS.number()
