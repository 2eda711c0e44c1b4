"""
How are many experiments trained, each once, on as many cores as there are, whatever dies on the way?

Workers train and hand their records back; the process that sweeps stores them as they come, so that what ends it costs
the runs in flight and nothing else. Sweeps over the same history share the work.
"""

import signal
import time
from collections import Counter, deque
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from lstm_core.engine import wait_for_kernels
from lstm_core.experiment import Experiment
from lstm_core.history.database import Outcome, outcomes, records, store, with_weights
from lstm_core.history.database import weights as kept_weights
from lstm_core.history.leases import RENEWED_SECONDS, Leases
from lstm_core.history.opening import History, UnavailableError
from lstm_core.history.records import Record, failed, record_of
from lstm_core.race.runs import FAILED, Run
from lstm_core.sweep.pools import Pool

# A run that ends its worker so many times, when nothing else runs, has failed.
MOST_DEATHS = 2
# Between two looks at what other sweeps train.
LOOK_SECONDS = 1.0


class Plan(NamedTuple):
    """What is left to do, how many runs are there already, and how many of those have failed and stay so."""

    left: list[Experiment]
    known: int
    failed: int


def plan(
    experiments: Iterable[Experiment],
    outcomes: Mapping[str, Outcome],
    retry_failed: bool = False,
    weighed: Collection[str] | None = None,
) -> Plan:
    """
    Experiments, of which equal ones are one, against what is known of them by their keys; with `weighed`, the keys of
    those whose weights are kept, a run without them is left to do.
    """
    left, known, failures = [], 0, 0
    for experiment in dict.fromkeys(experiments):
        outcome = outcomes.get(experiment.key)
        unweighed = weighed is not None and experiment.key not in weighed
        if outcome is None or (outcome.ended == FAILED and retry_failed) or (outcome.ended != FAILED and unweighed):
            left.append(experiment)
        elif outcome.ended == FAILED:
            failures += 1
        else:
            known += 1
    return Plan(left, known, failures)


class Swept(NamedTuple):
    """A run that is stored, and whether this sweep has trained it, or another one meanwhile."""

    record: Record
    here: bool


class _Queue:
    """
    Experiments that are left to do; those are `begun` here that no other sweep has begun, and the others wait
    `elsewhere`, to be `found` or begun after all.
    """

    def __init__(self, experiments: Iterable[Experiment], history: History, weights: bool, retry_failed: bool) -> None:
        self.waiting, self._elsewhere = deque(experiments), list[Experiment]()
        self._history, self._weights, self._retry_failed = history, weights, retry_failed
        self.leases = Leases(history)

    def begun(self) -> Experiment | None:
        """The next one; None where there is none, for now."""
        while self.waiting:
            experiment = self.waiting.popleft()
            # Another sweep may have trained it before the lease was taken.
            if self.leases.take(experiment.key) and self._left([experiment]):
                return experiment
            self._elsewhere.append(experiment)
        return None

    def _left(self, experiments: Collection[Experiment]) -> list[Experiment]:
        known = outcomes(self._history, [one.key for one in experiments])
        return plan(experiments, known, self._retry_failed, with_weights(self._history) if self._weights else None).left

    def found(self) -> list[Record]:
        """What has been trained elsewhere since the last time; what others have given up waits again."""
        held, left = self.leases.elsewhere(), set(self._left(self._elsewhere))
        keys = [one.key for one in self._elsewhere if one not in left]
        self.waiting.extend(one for one in self._elsewhere if one in left and one.key not in held)
        self._elsewhere = [one for one in self._elsewhere if one in left and one.key in held]
        numbers = kept_weights(self._history, keys)
        of_key = {}
        for record in records(self._history, keys):
            if record.experiment.key not in of_key or record.ended != FAILED:
                known = numbers.get((record.experiment.key, record.computed_by), b"")
                of_key[record.experiment.key] = replace(record, weights=known)
        return list(of_key.values())

    def __bool__(self) -> bool:
        return bool(self.waiting or self._elsewhere)


def sweep(
    experiments: Iterable[Experiment],
    history: History,
    pool: Pool,
    in_flight: int,
    weights: bool = False,
    retry_failed: bool = False,
) -> Generator[Swept, None, None]:
    """
    Train these on a pool, and yield each record when it is stored; at most `in_flight` are with the pool at a time.
    With `weights`, their weights are kept too. What another sweep over the same history has begun is waited for, and
    taken over if that one dies.

    A run that raises is stored as failed. When a worker dies, a new pool is opened, and the runs that were in flight
    are tried one at a time; the one that ends its worker `MOST_DEATHS` times alone is stored as failed. Raises
    ConnectionError where the pool gives up, and `UnavailableError` where the history does.
    """
    queue = _Queue(experiments, history, weights, retry_failed)
    try:
        while queue:
            for record in _trained(queue, pool, in_flight, weights):
                store(history, [record])
                yield Swept(record, here=True)
            for record in queue.found():
                yield Swept(record, here=False)
            if queue and not queue.waiting:
                time.sleep(LOOK_SECONDS)
    finally:
        with suppress(UnavailableError):
            queue.leases.release()


def _trained(queue: _Queue, pool: Pool, in_flight: int, weights: bool) -> Iterator[Record]:
    suspects, deaths = deque[Experiment](), Counter[Experiment]()
    while queue.waiting or suspects:
        alone, lost = bool(suspects), []
        take = partial(_first, suspects) if alone else queue.begun
        with pool() as executor:
            for experiment, record in _until_broken(executor, take, 1 if alone else in_flight, weights, queue.leases):
                if record:
                    yield record
                else:
                    lost.append(experiment)
        for experiment in lost:
            deaths[experiment] += alone
            if deaths[experiment] == MOST_DEATHS:
                yield failed(experiment, f"its worker died {MOST_DEATHS} times")
            else:
                suspects.append(experiment)


def _first(suspects: deque[Experiment]) -> Experiment | None:
    return suspects.popleft() if suspects else None


def _until_broken(
    executor: Executor, take: Callable[[], Experiment | None], in_flight: int, weights: bool, leases: Leases
) -> Iterator[tuple[Experiment, Record | None]]:
    """Take experiments as long as the executor works; no record for what was in flight when it broke."""
    running: dict[Future[Record], Experiment] = {}
    broken = False
    while True:
        while not broken and len(running) < in_flight and (following := take()):
            try:
                running[_submitted(executor, following, weights)] = following
            except BrokenExecutor:
                broken = True
                yield following, None
        if not running:
            return
        done, _ = wait(running, RENEWED_SECONDS, FIRST_COMPLETED)
        leases.renew()
        for future in done:
            if future.cancelled():
                raise ConnectionError("the pool has given up its runs; what was stored stays")
            experiment, error = running.pop(future), future.exception()
            broken = broken or isinstance(error, BrokenExecutor)
            if isinstance(error, BrokenExecutor):
                yield experiment, None
            elif isinstance(error, ModuleNotFoundError):
                raise ConnectionError(f"a worker cannot train: {error}")
            elif error:
                yield experiment, failed(experiment, f"{type(error).__name__}: {error}")
            else:
                yield experiment, future.result()


def _submitted(executor: Executor, experiment: Experiment, weights: bool) -> Future[Record]:
    """A worker that is started here never hears of Ctrl-C: who sweeps does, and ends it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        return executor.submit(train_one, experiment, weights)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def train_one(experiment: Experiment, weights: bool = False) -> Record:
    """Train to the end, in this thread, on compiled kernels where they can be had; keep the weights or not."""
    wait_for_kernels(experiment.engine, experiment.dtype, experiment.recurrent_cell)
    run = Run(experiment, weights)
    while not run.ended:
        run.advance()
    return record_of(run)


def compile_kernels(experiments: Iterable[Experiment]) -> None:
    """Once, for all workers of this machine, which find them on disk."""
    for wanted in {(one.engine, one.dtype, one.recurrent_cell) for one in experiments}:
        wait_for_kernels(*wanted)
