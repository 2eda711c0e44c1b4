"""Which trainings are there? Equal experiments are one `Run`, whoever asks for them."""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any
from weakref import WeakValueDictionary

import torch

from lstm_core.cells import Cell
from lstm_core.engine import FUSED, expected, preparing
from lstm_core.experiment import Experiment
from lstm_core.fair_lock import TRAINING, held
from lstm_core.training.snapshot import Snapshot
from lstm_core.training.train import train

MOST_SNAPSHOTS, MOST_WEIGHTS = 200, 20
MOST_KEPT, MOST_BYTES_KEPT = 24, 24e6
# Of a run without snapshots, about.
EMPTY_BYTES = 2000
FAILED = "failed"


def snapshots_every(steps: int) -> int:
    """At which multiples of training steps there are snapshots, of a training of so many."""
    return math.ceil(steps / MOST_SNAPSHOTS)


def weights_every(steps: int) -> int:
    """At which multiples of training steps there are weights, of a training of so many."""
    return snapshots_every(steps) * (MOST_SNAPSHOTS // MOST_WEIGHTS)


class Run:
    """
    One experiment in training: `snapshots` grows to about `MOST_SNAPSHOTS`, evenly over the training; `ended` says why
    it stopped growing, `error` what went wrong; `durations` are the seconds that each snapshot took. With `weights`,
    about `MOST_WEIGHTS` of the snapshots have theirs with them, with `ends` the first and the last; all take about
    `nbytes` of memory. `measured` is what
    somebody had measured of it, by measurement and training step.
    """

    def __init__(self, experiment: Experiment, weights: bool = False, ends: bool = False) -> None:
        self.experiment, self.weights, self.ends = experiment, weights, ends
        self.snapshots: list[Snapshot] = []
        self.durations: list[float] = []
        self.nbytes = EMPTY_BYTES
        self.measured: dict[tuple[Callable[..., Any], int], Any] = {}
        self.error: str | None = None
        self._training: Iterator[Snapshot] | None = None
        self._done = 0

    @property
    def ended(self) -> str | None:
        if self.error:
            return FAILED
        return self.snapshots[-1].ended if self.snapshots else None

    @property
    def preparing(self) -> float | None:
        """
        Seconds since the build of the kernels began that it waits for, or will go over to; None where nothing is being
        prepared for it.
        """
        return None if self.ended else preparing(*self._asked)

    @property
    def engine(self) -> str:
        """The one that computes its next training step on the CPU, as things stand."""
        return expected(*self._asked)

    def waits(self, engine: str) -> bool:
        """Whether it is to begin on kernels, by itself or because `engine` is fused, and these are being prepared."""
        to_begin_on_kernels = self._training is None and FUSED in (engine, self.engine)
        return to_begin_on_kernels and self.preparing is not None

    @property
    def _asked(self) -> tuple[str, torch.dtype, Cell]:
        return self.experiment.engine, self.experiment.dtype, self.experiment.recurrent_cell

    def advance(self) -> float:
        """
        Train up to the next snapshot; the seconds that it took. After a rest, what was trained before is trained once
        more. An exception ends this run alone and is kept as its `error`.
        """
        with held(TRAINING):
            started = time.perf_counter()
            try:
                if self._training is None:
                    steps = self.experiment.steps
                    weights = weights_every(steps) if self.weights else steps if self.ends else None
                    self._training = train(self.experiment, snapshots_every(steps), weights)
                snapshot = next(self._training)
                self._done += 1
                if self._done > len(self.snapshots):
                    self.snapshots.append(snapshot)
                    self.durations.append(time.perf_counter() - started)
                    self.nbytes += snapshot.nbytes
                if snapshot.ended:
                    self.rest()
            except Exception as error:  # noqa: BLE001 - whatever a run does, the others go on
                self.error = f"{type(error).__name__}: {error}"
            return time.perf_counter() - started

    def rest(self) -> None:
        """Keep what was seen of it, and let go of weights and data."""
        self._training, self._done = None, 0


_known: WeakValueDictionary[tuple[Experiment, bool], Run] = WeakValueDictionary()
_kept: OrderedDict[tuple[Experiment, bool], Run] = OrderedDict()
_choosing = threading.Lock()


def run_of(experiment: Experiment, anew: bool = False, weights: bool = False) -> Run:
    """
    The run of this experiment: one that somebody looks at, or one of the last `MOST_KEPT` as far as `MOST_BYTES_KEPT`
    are enough for them, or a new one.
    """
    key = experiment, weights
    with _choosing:
        run = _known.get(key)
        if anew or run is None or run.error:
            run = _known[key] = Run(experiment, weights, ends=True)
        _kept[key] = run
        _kept.move_to_end(key)
        # What one needs to go on is not in `nbytes`; only those have it that a race trains, or may after a pause.
        while len(_kept) > MOST_KEPT or (
            len(_kept) > 1 and sum(kept.nbytes for kept in _kept.values()) > MOST_BYTES_KEPT
        ):
            _kept.popitem(last=False)
        return run
