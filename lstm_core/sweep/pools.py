"""Who trains the runs of a sweep? Processes on this machine, or the workers of a cluster."""

import json
import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

from lstm_core.borrowed.system import leave_at_once
from lstm_core.history.records import versions
from lstm_core.installation import NAME

# Of a cluster, whose workers come and go.
CLUSTER_IN_FLIGHT = 256
CONNECT_SECONDS = 20

Pool = Callable[[], AbstractContextManager[Executor]]


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
    """
    The workers of a Dask scheduler; a run whose worker dies is given to another one by the scheduler itself. Raises
    ConnectionError where there is no worker, or one that has not this program.
    """
    from distributed import Client

    # They write tracebacks of their own when the scheduler is lost: the client, and the loop that it runs on.
    for name in ("distributed.client", "tornado.application"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with Client(address, timeout=CONNECT_SECONDS, set_as_default=False) as client:
        _check_workers(client, address)
        executor = client.get_executor(pure=False)
        try:
            yield executor
        finally:
            executor.shutdown(wait=False)


def _check_workers(client: Any, address: str) -> None:
    try:
        client.wait_for_workers(1, timeout=CONNECT_SECONDS)
    except TimeoutError:
        raise ConnectionError(f"no worker has joined {address} within {CONNECT_SECONDS} s") from None
    own = json.loads(versions())[NAME]
    for worker, answer in client.run(versions, on_error="return").items():
        if isinstance(answer, Exception):
            raise ConnectionError(f"worker {worker} cannot train: {answer}")
        if (other := json.loads(answer)[NAME]) != own:
            raise ConnectionError(f"worker {worker} has version {other} of this program, not {own}")
