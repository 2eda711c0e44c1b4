"""What is kept of a finished run? Its experiment, how it ended, its curves, and where it is asked for its weights."""

import dataclasses
import json
import math
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import metadata

from lstm_core.cells import choose
from lstm_core.engine import ENGINES, FUSED, REFERENCE_ENGINE
from lstm_core.experiment import Experiment
from lstm_core.installation import NAME, version
from lstm_core.race.runs import FAILED, Run
from lstm_core.tasks.series import is_own
from lstm_core.training.snapshot import COMPLETED, DIVERGED, SOLVED, engines_of

ENDINGS = (SOLVED, DIVERGED, COMPLETED, FAILED)
MOST_POINTS, LONGEST_TEXT = 10_000, 1000
LONGEST_COMPLAINT = 300
# The last is of a run that went over from the one to the other.
COMPUTED_BY = (*ENGINES, f"{REFERENCE_ENGINE}+{FUSED}")


def printable(text: str) -> str:
    """What somebody else's program says, as a part of one line."""
    return "".join(character if character.isprintable() else " " for character in text[:LONGEST_COMPLAINT])


@dataclass(frozen=True)
class Curves:
    """By training step: the mean of the last 20 losses, and the norm of the whole gradient before clipping."""

    steps: Sequence[int] = ()
    mean_loss: Sequence[float] = ()
    grad_norm: Sequence[float] = ()

    def __post_init__(self) -> None:
        if not len(self.steps) == len(self.mean_loss) == len(self.grad_norm) <= MOST_POINTS:
            lengths = f"{len(self.steps)}, {len(self.mean_loss)} and {len(self.grad_norm)}"
            raise ValueError(
                f"curve_steps: curves of {lengths} points are not of equal length, at most {MOST_POINTS:,}"
            )
        if any(later <= earlier for earlier, later in zip((0, *self.steps), self.steps, strict=False)):
            raise ValueError("curve_steps: the steps do not rise from at least 1")


@dataclass(frozen=True)
class Record:
    """
    A finished run. Validated: ValueError, naming field, value and what is allowed.

    `computed_by` is the engine that computed it, "reference+fused" where it went over from the one to the other, or, of
    a run that failed at once, the one that was asked for. `ended` is one of `ENDINGS`, `reason` what made it fail.
    `final_mean_loss` is the mean of the last 20 losses, nan where there is none; `seconds` are those of training,
    `stored` those since 1970. `versions` is a JSON object. `weights` are those that the last step began with, as the
    bytes of their numbers in the experiment's precision; by default none.
    """

    experiment: Experiment
    computed_by: str
    ended: str
    last_step: int
    final_mean_loss: float
    seconds: float
    stored: int
    versions: str
    reason: str | None = None
    curves: Curves = Curves()
    weights: bytes = dataclasses.field(default=b"", repr=False)

    def __post_init__(self) -> None:
        if is_own(self.experiment.series):
            raise ValueError(f"series: {self.experiment.series!r} is of a visitor's file, of which nothing is kept")
        choose("computed_by", self.computed_by, COMPUTED_BY)
        choose("ended", self.ended, ENDINGS)
        if not 0 <= self.last_step <= self.experiment.steps:
            raise ValueError(f"last_step: {self.last_step} is not from 0 to {self.experiment.steps:,}")
        if max(self.curves.steps, default=0) > self.last_step:
            raise ValueError(f"curve_steps: {self.curves.steps[-1]} is later than the last step, {self.last_step}")
        if not (math.isfinite(self.seconds) and self.seconds >= 0):
            raise ValueError(f"seconds: {self.seconds} is not a number of at least 0")
        if not 0 <= self.stored < 2**40:
            raise ValueError(f"stored: {self.stored} is not a time in seconds since 1970")
        if (self.reason is None) == (self.ended == FAILED):
            raise ValueError(f"reason: {self.reason!r} is not what a run has that has {self.ended}")
        for name, text in (("reason", self.reason or ""), ("versions", self.versions)):
            if len(text) > LONGEST_TEXT or not text.isprintable():
                raise ValueError(
                    f"{name}: {text[:40]!r} is not one printable line of at most {LONGEST_TEXT} characters"
                )
        if not isinstance(_parsed(self.versions), dict):
            raise ValueError(f"versions: {self.versions[:40]!r} is not a JSON object")


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


@cache
def versions() -> str:
    """Of all that decides the numbers of a run, as a JSON object."""
    libraries = {name: metadata.version(name) for name in ("torch", "numba")}
    return json.dumps({NAME: version(), "python": platform.python_version(), **libraries})


def record_of(run: Run) -> Record:
    """What is kept of a run that has ended; ValueError for one that has not."""
    last = run.snapshots[-1] if run.snapshots else None
    return Record(
        experiment=run.experiment,
        computed_by="+".join(engines_of(run.snapshots)) or run.experiment.engine,
        ended=str(run.ended),
        last_step=last.step if last else 0,
        final_mean_loss=last.mean_loss if last else math.nan,
        seconds=math.fsum(run.durations),
        stored=int(time.time()),
        versions=versions(),
        reason=_one_line(run.error) if run.error else None,
        curves=Curves(
            tuple(snapshot.step for snapshot in run.snapshots),
            tuple(snapshot.mean_loss for snapshot in run.snapshots),
            tuple(snapshot.grad_norm for snapshot in run.snapshots),
        ),
        weights=b"" if last is None or last.weights is None or not run.weights else last.weights.numpy().tobytes(),
    )


def failed(experiment: Experiment, reason: str) -> Record:
    """Of a run that nothing but its end is known of."""
    run = Run(experiment)
    run.error = reason
    return record_of(run)


def _one_line(text: str) -> str:
    printable = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(printable.split())[:LONGEST_TEXT]
