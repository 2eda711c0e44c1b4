"""How does a test see what runs train, and make one fail? It stands between them and the training."""

import dataclasses
import time
from collections.abc import Callable, Iterator

import pytest

from lstm_core import Experiment, Snapshot, train
from lstm_core.race import runs

Snapshots = Iterator[Snapshot]

SHORT = Experiment(length=10, hidden=4, batch=4, steps=25)
# Some seconds of one core.
LONG = dataclasses.replace(SHORT, length=100, hidden=16, batch=16, steps=10_000, lr=1e-8)


def between(monkeypatch: pytest.MonkeyPatch, watch: Callable[[Experiment, Snapshots], Snapshots]) -> None:
    """From now on a run gets what `watch` makes of its experiment and of the snapshots of its training."""

    def through(experiment: Experiment, record_every: int, weights_every: int | None) -> Snapshots:
        return watch(experiment, train(experiment, record_every, weights_every))

    monkeypatch.setattr(runs, "train", through)


def begun_from_now(monkeypatch: pytest.MonkeyPatch) -> list[Experiment]:
    """The experiments whose training begins from now on."""
    begun: list[Experiment] = []

    def noted(experiment: Experiment, snapshots: Snapshots) -> Snapshots:
        begun.append(experiment)
        yield from snapshots

    between(monkeypatch, noted)
    return begun


def failing_from_now(
    monkeypatch: pytest.MonkeyPatch, error: Exception, unlucky: Callable[[Experiment], bool] = lambda _: True
) -> None:
    """From now on all trainings, or those of unlucky experiments, fail at once."""

    def broken(experiment: Experiment, snapshots: Snapshots) -> Snapshots:
        if unlucky(experiment):
            raise error
        yield from snapshots

    between(monkeypatch, broken)


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Until a background thread has made it true."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "did not happen in time"
        time.sleep(0.005)
