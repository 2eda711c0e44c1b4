"""What is a race? Experiments side by side, trained in the background while somebody looks on, and paused at will."""

import time
from collections.abc import Collection, Iterable, Mapping

from lstm_core.engine import AUTO
from lstm_core.experiment import Experiment
from lstm_core.race.jobs import Job
from lstm_core.race.racer import Racer
from lstm_core.race.runs import Run, run_of
from lstm_core.race.turns import THREADS, TURNS, Turn

MOST_AHEAD = 2
LEASE_SECONDS, LAST_SECONDS = 14.0, 1.5


class Race:
    """
    Racers that train side by side, none over `MOST_AHEAD` snapshots ahead, from `start` to `pause` or the end; `anew`,
    even if somebody has trained them already; with `weights`, see `Run`. It `begins` at some time, and has been
    `served` so many seconds. `behind` all others, it has a turn when none of them wants one. On the fused `engine` no
    run begins before its kernels are ready, if they can be had.
    """

    def __init__(
        self,
        experiments: Mapping[str, Experiment],
        anew: bool = False,
        weights: bool = False,
        behind: bool = False,
        engine: str = AUTO,
    ) -> None:
        runs = ((label, run_of(experiment, anew, weights)) for label, experiment in experiments.items())
        self.racers = tuple(Racer(label, run) for label, run in runs)
        self.jobs: tuple[Job, ...] = ()
        self.running, self.behind, self._engine = False, behind, engine
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
        """Time to the end of all if none ends early, at the speed so far, on all threads; 0 while one's is unknown."""
        left = [racer.seconds_left for racer in self.racers if not racer.ended]
        return max([*left, sum(left) / THREADS]) if all(left) else 0.0

    @property
    def preparing(self) -> float | None:
        """Seconds since the kernels of some of its runs are being prepared, see `Run`; None where none are."""
        seconds = [racer.run.preparing for racer in self.racers]
        return max((some for some in seconds if some is not None), default=None)

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
        return TURNS.place(self)

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
        """
        As `pause`, and nothing of what was asked for is wanted any more. What has been shown stays; should it `start`
        again, it trains that once more.
        """
        self.pause()
        self.jobs = ()
        TURNS.rest(self)

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
        TURNS.add(self)

    def expire(self) -> None:
        """Say that perhaps nobody looks any more: without another `renew` it stops after `LAST_SECONDS`."""
        self._expires = min(self._expires, time.monotonic() + LAST_SECONDS)
        if not self.moving:
            TURNS.rest(self)

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
        going = [run for run in self._wanted if not run.waits(self._engine)]
        last = min((len(run.snapshots) for run in going), default=0)
        free = [run for run in going if run.advance not in under_way and len(run.snapshots) < last + MOST_AHEAD]
        furthest_behind = min(free, key=lambda run: len(run.snapshots) / run.experiment.steps, default=None)
        return furthest_behind.advance if furthest_behind else None

    @property
    def waits(self) -> bool:
        """Whether a run has no turn because its kernels are being prepared."""
        return any(run.waits(self._engine) for run in self._wanted)

    @property
    def runs(self) -> list[Run]:
        """Of all its racers."""
        return [racer.run for racer in self.racers]

    @property
    def _wanted(self) -> list[Run]:
        return [racer.run for racer in self.racers if racer.wants_turn]
