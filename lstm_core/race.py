"""
Who trains, and when? Experiments side by side, on one background thread a core, while others look on.

A turn is the training from one snapshot to the next. It goes to the race that has had least time, and there to the
racer furthest behind. Only kernels run side by side; for everything else, and so for the whole reference engine, the
threads pass a baton. A race trains only while somebody keeps renewing its lease.
"""

import atexit
import math
import os
import threading
import time
from collections.abc import Iterator, Mapping

from lstm_core.baton import held
from lstm_core.experiment import Experiment
from lstm_core.training import Snapshot, train

THREADS = min(4, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
MOST_AHEAD = 2
LEASE_SECONDS = 15.0
MOST_SNAPSHOTS = 200
FAILED = "failed"


class Racer:
    """
    One experiment in training: `snapshots` grows to about `MOST_SNAPSHOTS`, evenly over the training; `ended` says why
    it stopped growing, `error` what went wrong; `durations` are the seconds that each snapshot took.
    """

    def __init__(self, label: str, experiment: Experiment) -> None:
        self.label, self.experiment = label, experiment
        self.snapshots: list[Snapshot] = []
        self.durations: list[float] = []
        self.error: str | None = None
        self._training: Iterator[Snapshot] = train(experiment, math.ceil(experiment.steps / MOST_SNAPSHOTS))

    @property
    def steps(self) -> int:
        return self.snapshots[-1].step if self.snapshots else 0

    @property
    def ended(self) -> str | None:
        if self.error:
            return FAILED
        return self.snapshots[-1].ended if self.snapshots else None

    @property
    def seconds(self) -> float:
        """Training time so far, without the turns of others."""
        return sum(self.durations)

    @property
    def seconds_left(self) -> float:
        """Training time up to the last step, at the speed so far; 0 before the first step and at the end."""
        if self.ended or not self.steps:
            return 0.0
        return self.seconds / self.steps * (self.experiment.steps - self.steps)

    def advance(self) -> None:
        """Train up to the next snapshot. An exception ends this racer alone and is kept as its `error`."""
        with held():
            started = time.perf_counter()
            try:
                self.snapshots.append(next(self._training))
            except Exception as error:  # noqa: BLE001 - whatever a racer does, the others go on
                self.error = f"{type(error).__name__}: {error}"
            self.durations.append(time.perf_counter() - started)


class Race:
    """Racers that train side by side, none over `MOST_AHEAD` snapshots ahead, from `start` to `pause` or the end."""

    def __init__(self, experiments: Mapping[str, Experiment]) -> None:
        self.racers = tuple(Racer(label, experiment) for label, experiment in experiments.items())
        self.running = False
        self._expires = 0.0
        self._served = 0.0
        self._busy: set[Racer] = set()

    @property
    def finished(self) -> bool:
        return all(racer.ended for racer in self.racers)

    @property
    def progress(self) -> float:
        """The share of training steps that is done, from 0 to 1; a racer that ended early is done."""
        done = (1.0 if racer.ended else racer.steps / racer.experiment.steps for racer in self.racers)
        return sum(done) / len(self.racers)

    @property
    def seconds_left(self) -> float:
        """Time to the end of all if nobody ends early, at the speed so far, on all threads."""
        left = [racer.seconds_left for racer in self.racers]
        return max([*left, sum(left) / THREADS])

    @property
    def wants_turn(self) -> bool:
        return self.running and time.monotonic() < self._expires and not self.finished

    def start(self) -> None:
        """Train in the background until `pause`, the end, or `LEASE_SECONDS` after the last `renew`."""
        self.running = True
        self.renew()

    def pause(self) -> None:
        """Stop at the next snapshot. `start` goes on from there."""
        self.running = False

    def renew(self) -> None:
        """Say that somebody still looks; a race whose lease had run out goes on."""
        self._expires = time.monotonic() + LEASE_SECONDS
        if self.wants_turn:
            _turns.add(self)

    def _waiting(self) -> Racer | None:
        """The racer whose turn it is, if there is one that is not training already."""
        going = [racer for racer in self.racers if not racer.ended]
        idle = [racer for racer in going if racer not in self._busy]
        if not idle:
            return None
        racer = min(idle, key=lambda racer: racer.steps)
        last = min(len(racer.snapshots) for racer in going)
        return racer if len(racer.snapshots) < last + MOST_AHEAD else None


class _Turns:
    """The races that want to train, and the threads that serve them."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._races: list[Race] = []
        self._threads: list[threading.Thread] = []
        self._closing = False

    def add(self, race: Race) -> None:
        """Serve this race too; a newcomer counts as served as long as whoever had least, so that nobody starves."""
        with self._changed:
            if race not in self._races and not self._closing:
                least = min((other._served for other in self._races), default=0.0)
                race._served = max(race._served, least)
                self._races.append(race)
                while len(self._threads) < THREADS:
                    self._threads.append(threading.Thread(target=self._work, name="races", daemon=True))
                    self._threads[-1].start()
            self._changed.notify_all()

    def _next(self) -> tuple[Race, Racer] | None:
        self._races = [race for race in self._races if race.wants_turn and not self._closing]
        for race in sorted(self._races, key=lambda race: race._served):
            if racer := race._waiting():
                return race, racer
        return None

    def _work(self) -> None:
        while True:
            with self._changed:
                while not (turn := self._next()):
                    if self._closing:
                        return
                    self._changed.wait()
                race, racer = turn
                race._busy.add(racer)
            racer.advance()
            with self._changed:
                race._busy.discard(racer)
                race._served += racer.durations[-1]
                self._changed.notify_all()

    def close(self) -> None:
        """End the threads after their turns: one that is inside torch when Python ends would abort the process."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()


_turns = _Turns()
atexit.register(_turns.close)
