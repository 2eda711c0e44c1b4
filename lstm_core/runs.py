"""Which trainings are there? Equal experiments are one `Run`, whoever asks for them."""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from weakref import WeakValueDictionary

from lstm_core.baton import TRAINING, held
from lstm_core.experiment import Experiment
from lstm_core.training import Snapshot, train

MOST_SNAPSHOTS = 200
MOST_KEPT = 24
FAILED = "failed"


class Run:
    """
    One experiment in training: `snapshots` grows to about `MOST_SNAPSHOTS`, evenly over the training; `ended` says why
    it stopped growing, `error` what went wrong; `durations` are the seconds that each snapshot took.
    """

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment
        self.snapshots: list[Snapshot] = []
        self.durations: list[float] = []
        self.error: str | None = None
        self.busy = False
        self._training: Iterator[Snapshot] | None = None
        self._done = 0

    @property
    def ended(self) -> str | None:
        if self.error:
            return FAILED
        return self.snapshots[-1].ended if self.snapshots else None

    def advance(self) -> float:
        """
        Train up to the next snapshot; the seconds that it took. After a rest, what was trained before is trained once
        more. An exception ends this run alone and is kept as its `error`.
        """
        with held(TRAINING):
            started = time.perf_counter()
            try:
                if self._training is None:
                    self._training = train(self.experiment, math.ceil(self.experiment.steps / MOST_SNAPSHOTS))
                snapshot = next(self._training)
                self._done += 1
                if self._done > len(self.snapshots):
                    self.snapshots.append(snapshot)
                    self.durations.append(time.perf_counter() - started)
            except Exception as error:  # noqa: BLE001 - whatever a run does, the others go on
                self.error = f"{type(error).__name__}: {error}"
            return time.perf_counter() - started

    def rest(self) -> None:
        """Keep what was seen of it, and let go of weights and data."""
        self._training, self._done = None, 0


_known: WeakValueDictionary[Experiment, Run] = WeakValueDictionary()
_kept: OrderedDict[Experiment, Run] = OrderedDict()
_choosing = threading.Lock()


def run_of(experiment: Experiment, anew: bool = False) -> Run:
    """The run of this experiment: the one that somebody looks at or one of the last `MOST_KEPT`, or a new one."""
    with _choosing:
        run = _known.get(experiment)
        if anew or run is None or run.error:
            run = _known[experiment] = Run(experiment)
        _kept[experiment] = run
        _kept.move_to_end(experiment)
        while len(_kept) > MOST_KEPT:
            _kept.popitem(last=False)
        return run
