"""
How are many experiments trained, each once, on as many cores as there are, whatever dies on the way?

Workers train and hand their records back; the process that sweeps stores them as they come, so that what ends it costs
the runs in flight and nothing else.
"""

import signal
import threading
from collections import Counter, deque
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import NamedTuple

from lstm_core.borrowed.system import leave_at_once
from lstm_core.engine import REFERENCE_ENGINE
from lstm_core.experiment import Experiment
from lstm_core.history.database import Outcome, store
from lstm_core.history.records import Record, failed, record_of
from lstm_core.history.schema import History
from lstm_core.kernels.compilation import build
from lstm_core.race.runs import FAILED, Run

# A run that ends its worker so many times, when nothing else runs, has failed.
MOST_DEATHS = 2
# Of a cluster, whose workers come and go.
CLUSTER_IN_FLIGHT = 256
CONNECT_SECONDS = 20

Pool = Callable[[], AbstractContextManager[Executor]]


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


def sweep(
    experiments: Iterable[Experiment], history: History, pool: Pool, in_flight: int, weights: bool = False
) -> Generator[Record, None, None]:
    """
    Train these on a pool, and yield each record when it is stored; at most `in_flight` are with the pool at a time.
    With `weights`, their weights are kept too.

    A run that raises is stored as failed. When a worker dies, a new pool is opened, and the runs that were in flight
    are tried one at a time; the one that ends its worker `MOST_DEATHS` times alone is stored as failed. Raises
    ConnectionError where the pool gives up, and `UnavailableError` where the history does.
    """
    for record in _trained(experiments, pool, in_flight, weights):
        store(history, [record])
        yield record


def _trained(experiments: Iterable[Experiment], pool: Pool, in_flight: int, weights: bool) -> Iterator[Record]:
    waiting, suspects, deaths = deque(experiments), deque[Experiment](), Counter[Experiment]()
    while waiting or suspects:
        alone = bool(suspects)
        todo, lost = (suspects if alone else waiting), []
        with pool() as executor:
            for experiment, record in _until_broken(executor, todo, 1 if alone else in_flight, weights):
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


def _until_broken(
    executor: Executor, todo: deque[Experiment], in_flight: int, weights: bool
) -> Iterator[tuple[Experiment, Record | None]]:
    """Take from `todo` as long as the executor works; no record for what was in flight when it broke."""
    running: dict[Future[Record], Experiment] = {}
    broken = False
    while running or (todo and not broken):
        while todo and not broken and len(running) < in_flight:
            try:
                running[_submitted(executor, todo[0], weights)] = todo[0]
                todo.popleft()
            except BrokenExecutor:
                broken = True
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            if future.cancelled():
                raise ConnectionError("the pool has given up its runs; what was stored stays")
            experiment, error = running.pop(future), future.exception()
            broken = broken or isinstance(error, BrokenExecutor)
            if isinstance(error, BrokenExecutor):
                yield experiment, None
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
    if experiment.engine != REFERENCE_ENGINE:
        build(experiment.precision).done.exception()
    run = Run(experiment, weights)
    while not run.ended:
        run.advance()
    return record_of(run)


def compile_kernels(experiments: Iterable[Experiment]) -> None:
    """Once, for all workers of this machine, which find them on disk."""
    for precision in sorted({one.precision for one in experiments if one.engine != REFERENCE_ENGINE}):
        build(precision).done.exception()


@contextmanager
def processes(workers: int) -> Iterator[Executor]:
    """A pool of processes on this machine, that end with the block, or with this process, whatever they do."""
    context = get_context("spawn")
    watched, held = context.Pipe(duplex=False)
    executor = ProcessPoolExecutor(workers, context, initializer=_end_with, initargs=(watched,))
    try:
        yield executor
    finally:
        held.close()
        executor.shutdown(cancel_futures=True)
        watched.close()


def _end_with(watched: Connection) -> None:
    """End this process as soon as nobody holds the other end of the pipe."""

    def watch() -> None:
        watched.poll(None)
        leave_at_once(0)

    threading.Thread(target=watch, name="end with the sweep", daemon=True).start()


@contextmanager
def cluster(address: str) -> Iterator[Executor]:
    """The workers of a Dask scheduler; a run whose worker dies is given to another one by the scheduler itself."""
    from distributed import Client

    with Client(address, timeout=CONNECT_SECONDS, set_as_default=False) as client:
        executor = client.get_executor(pure=False)
        try:
            yield executor
        finally:
            executor.shutdown(wait=False)
