"""
Who trains, and when? Experiments side by side, on one background thread a core, while others look on.

A turn is the training of a run from one snapshot to the next, or a job that somebody has asked for. It goes to the race
that has had least time, and there to its jobs before its training, and then to the racer furthest behind. Only kernels
run side by side; for everything else the threads pass a baton. A race trains only while somebody keeps renewing its
lease, and only `MOST_RACING` do at a time; the others wait in a queue.
"""

import atexit
import os
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping

from lstm_core.experiment import Experiment
from lstm_core.kernels.one_thread import settle_thread
from lstm_core.race.jobs import Job
from lstm_core.race.runs import FAILED, Run, run_of
from lstm_core.training import Snapshot

THREADS = min(4, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
MOST_AHEAD = 2
MOST_RACING, MOST_WAITING = 48, 200
LEASE_SECONDS, LAST_SECONDS = 14.0, 1.5
# It returns the seconds that it took.
Turn = Callable[[], float]


class Racer:
    """
    A run in somebody's race, under a name: what that visitor has seen of it, which stands still while the race is
    paused, whatever others do with the run.
    """

    def __init__(self, label: str, run: Run) -> None:
        self.label, self.run = label, run
        self._shown: int | None = 0

    @property
    def experiment(self) -> Experiment:
        return self.run.experiment

    @property
    def snapshots(self) -> list[Snapshot]:
        return self.run.snapshots[: self._shown]

    @property
    def durations(self) -> list[float]:
        return self.run.durations[: self._shown]

    @property
    def error(self) -> str | None:
        return self.run.error

    @property
    def steps(self) -> int:
        seen = self.snapshots
        return seen[-1].step if seen else 0

    @property
    def ended(self) -> str | None:
        if self.error:
            return FAILED
        seen = self.snapshots
        return seen[-1].ended if seen else None

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

    @property
    def wants_turn(self) -> bool:
        """Whether there is a snapshot to come that the visitor waits for."""
        return not self.run.ended and (self._shown is None or self._shown > len(self.run.snapshots))

    def follow(self) -> None:
        """Show all that there is, and is to come."""
        self._shown = None

    def stand(self) -> None:
        """Show what there is now and nothing more."""
        self._shown = len(self.snapshots)

    def step(self) -> None:
        """Show one snapshot more, to be trained if need be."""
        self._shown = len(self.snapshots) + 1


class Race:
    """
    Racers that train side by side, none over `MOST_AHEAD` snapshots ahead, from `start` to `pause` or the end; `anew`,
    even if somebody has trained them already; with `weights`, see `Run`. It `begins` at some time, and has been
    `served` so many seconds. `behind` all others, it has a turn when none of them wants one.
    """

    def __init__(
        self, experiments: Mapping[str, Experiment], anew: bool = False, weights: bool = False, behind: bool = False
    ) -> None:
        runs = ((label, run_of(experiment, anew, weights)) for label, experiment in experiments.items())
        self.racers = tuple(Racer(label, run) for label, run in runs)
        self.jobs: tuple[Job, ...] = ()
        self.running, self.behind = False, behind
        self.begins = self.served = self._expires = 0.0

    @property
    def finished(self) -> bool:
        return all(racer.ended for racer in self.racers)

    @property
    def progress(self) -> float:
        """The share of training steps that is done, from 0 to 1; a racer that ended early is done. 0 without racers."""
        done = (1.0 if racer.ended else racer.steps / racer.experiment.steps for racer in self.racers)
        return sum(done) / max(1, len(self.racers))

    @property
    def seconds_left(self) -> float:
        """Time to the end of all if nobody ends early, at the speed so far, on all threads."""
        left = [racer.seconds_left for racer in self.racers]
        return max([*left, sum(left) / THREADS])

    @property
    def wants_turn(self) -> bool:
        return time.monotonic() < self._expires and self.moving

    @property
    def moving(self) -> bool:
        """Whether there is something to come that the visitor waits for."""
        return any(racer.wants_turn for racer in self.racers) or not all(job.done for job in self.jobs)

    @property
    def place(self) -> int:
        """Its number in the queue of those that wait until another race has ended, from 1; 0 if it does not wait."""
        return _turns.place(self)

    def start(self, after: float = 0.0) -> None:
        """
        Train in the background, from so many seconds later on, until `pause`, the end, or `LEASE_SECONDS` after the
        last `renew`.
        """
        self.running, self.begins = True, time.monotonic() + after
        for racer in self.racers:
            racer.follow()
        self.renew()

    def begin(self) -> None:
        """Wait no longer for the time at which it `begins`."""
        if time.monotonic() < self.begins:
            self.begins = time.monotonic()
            self.renew()

    def pause(self) -> None:
        """Stop at the next snapshot. `start` goes on from there."""
        self.running = False
        for racer in self.racers:
            racer.stand()

    def stop(self) -> None:
        """As `pause`, and nothing of what was asked for is wanted any more."""
        self.pause()
        self.jobs = ()

    def step(self) -> None:
        """One snapshot more of each racer, of a race that is paused."""
        for racer in self.racers:
            racer.step()
        self.renew()

    def ask(self, jobs: Iterable[Job]) -> None:
        """Have these done too, before any training, and no longer those that were asked for before."""
        self.jobs = tuple(jobs)
        self.renew()

    def renew(self) -> None:
        """Say that somebody still looks; a race whose lease had run out goes on."""
        self._expires = time.monotonic() + LEASE_SECONDS
        _turns.add(self)

    def expire(self) -> None:
        """Say that perhaps nobody looks any more: without another `renew` it stops after `LAST_SECONDS`."""
        self._expires = min(self._expires, time.monotonic() + LAST_SECONDS)
        if not self.moving:
            _turns.rest(self)

    @property
    def abandoned(self) -> bool:
        """Whether there is something to come, but nobody looks."""
        return self.moving and time.monotonic() >= self._expires

    def waiting(self, under_way: Collection[Turn]) -> Turn | None:
        """Its next turn, if there is one that is not under way already; none before it begins."""
        if time.monotonic() < self.begins:
            return None
        for job in self.jobs:
            if not job.done and job not in under_way:
                return job
        going = [racer.run for racer in self.racers if racer.wants_turn]
        idle = [run for run in going if run.advance not in under_way]
        if not idle:
            return None
        run = min(idle, key=lambda run: len(run.snapshots) / run.experiment.steps)
        last = min(len(run.snapshots) for run in going)
        return run.advance if len(run.snapshots) < last + MOST_AHEAD else None


def _served(race: Race) -> float:
    return race.served


class _Turns:
    """The races that want to train, and the threads that serve them."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._races: list[Race] = []
        self._under_way: set[Turn] = set()
        self._threads: list[threading.Thread] = []
        self._closing = False

    def add(self, race: Race) -> None:
        """Serve this race too, unless the queue is full."""
        with self._changed:
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

    def place(self, race: Race) -> int:
        with self._changed:
            if race in self._races:
                before = [other for other in self._races if not other.behind]
                return 0 if race.behind else max(0, before.index(race) + 1 - MOST_RACING)
            return MOST_WAITING if race.wants_turn else 0

    def rest(self, race: Race) -> None:
        """Let go of what this race's runs need to go on, but of those that others wait for."""
        with self._changed:
            self._rest(race)

    def _rest(self, race: Race) -> None:
        wanted = {racer.run for other in self._races if other is not race for racer in other.racers}
        for racer in race.racers:
            if racer.run not in wanted and racer.run.advance not in self._under_way:
                racer.run.rest()

    def number(self) -> int:
        """Of races that are under way or wait, but for those behind all others."""
        return sum(not race.behind for race in self._races)

    def _next(self) -> tuple[Race, Turn] | None:
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
        """Seconds until a race begins that waits for its time; None if there is none."""
        now = time.monotonic()
        return min((race.begins - now for race in self._races if race.begins > now), default=None)

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
            with self._changed:
                self._under_way.discard(turn)
                race.served += seconds
                if race.abandoned:
                    self._rest(race)
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


def crowd() -> int:
    """The number of races that are under way or wait."""
    return _turns.number()
