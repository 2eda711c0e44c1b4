"""
Who trains, and when? Experiments side by side, in short slices of one background thread, while others look on.

One thread serves every race of the process in turn: the reference engine spends its time under Python's lock, where
more threads would only take the lock from the server. A race trains only while somebody keeps renewing its lease.
"""

import atexit
import math
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping

from lstm_core.experiment import Experiment
from lstm_core.training import Snapshot, train

SLICE_SECONDS = 0.05
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
        started = time.perf_counter()
        try:
            self.snapshots.append(next(self._training))
        except Exception as error:  # noqa: BLE001 - whatever a racer does, the others go on
            self.error = f"{type(error).__name__}: {error}"
        self.durations.append(time.perf_counter() - started)


class Race:
    """Racers that train in turn, always the one furthest behind, from `start` to `pause` or to the end of all."""

    def __init__(self, experiments: Mapping[str, Experiment]) -> None:
        self.racers = tuple(Racer(label, experiment) for label, experiment in experiments.items())
        self.running = False
        self._expires = 0.0

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
        """Time to the end of all if nobody ends early, at the speed so far."""
        return sum(racer.seconds_left for racer in self.racers)

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

    def advance(self, seconds: float) -> None:
        """Train for a slice of time, or for as long as there is something to do."""
        until = time.monotonic() + seconds
        while self.wants_turn and time.monotonic() < until:
            min((racer for racer in self.racers if not racer.ended), key=lambda racer: racer.steps).advance()


class _Turns:
    """The queue of races that want to train, and the thread that serves them in turn."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._queue: deque[Race] = deque()
        self._scheduled: set[Race] = set()
        self._thread: threading.Thread | None = None
        self._closing = False

    def add(self, race: Race) -> None:
        with self._changed:
            if race not in self._scheduled and not self._closing:
                self._scheduled.add(race)
                self._queue.append(race)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="races", daemon=True)
                self._thread.start()
            self._changed.notify()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or self._closing)
                if self._closing:
                    return
                race = self._queue.popleft()
            race.advance(SLICE_SECONDS)
            with self._changed:
                if race.wants_turn:
                    self._queue.append(race)
                else:
                    self._scheduled.discard(race)

    def close(self) -> None:
        """End the thread after its slice: one that is inside torch when Python ends would abort the process."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()


_turns = _Turns()
atexit.register(_turns.close)
