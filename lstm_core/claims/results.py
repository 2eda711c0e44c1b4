"""How did the runs of a seed end? One number for each question about steps and sizes, which needs no weights."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import torch

from lstm_core.experiment import Experiment
from lstm_core.history.records import Record
from lstm_core.measurements.checkpoints import Checkpoint, beginning
from lstm_core.network import parameter_count
from lstm_core.training.snapshot import SOLVED


class NoWeightsError(ValueError):
    """A network that diverged, or was not trained, has no weights after training."""


@dataclass(frozen=True)
class SeedResult:
    """
    One network of one seed: as it is drawn, and, where it was trained, how that ended, after how many steps, and as it
    was then. `end` is None for one that was not trained, or whose weights are no longer numbers.
    """

    experiment: Experiment
    ended: str | None = None
    steps: int = 0
    loss: float = math.nan
    end: Checkpoint | None = None

    @property
    def start(self) -> Checkpoint:
        return beginning(self.experiment)

    @property
    def after(self) -> Checkpoint:
        """Its end; `NoWeightsError` where there is none."""
        if self.end is None:
            raise NoWeightsError(f"end: {self.experiment.key} has no weights after training")
        return self.end

    @classmethod
    def of(cls, record: Record) -> Self:
        """From a record that has kept its weights; a run that failed has none."""
        end = None
        if record.weights:
            weights = torch.frombuffer(bytearray(record.weights), dtype=record.experiment.dtype)
            if bool(weights.isfinite().all()):
                end = Checkpoint(record.experiment, record.last_step, record.computed_by, weights)
        return cls(record.experiment, record.ended, record.last_step, record.final_mean_loss, end)


SeedResults = Mapping[str, SeedResult]


def solved(result: SeedResult) -> float:
    """1 or 0."""
    return float(result.ended == SOLVED)


def solved_within(result: SeedResult, steps: int) -> float:
    """1 if it solved its task in so many steps, or 0."""
    return float(steps_to_solve(result) <= steps)


def steps_to_solve(result: SeedResult) -> float:
    """How many training steps it took; infinite for one that did not, in all the steps that it was given."""
    return result.steps if result.ended == SOLVED else math.inf


def sooner(one: SeedResult, other: SeedResult) -> float:
    """The steps to solve of one over those of another, as log10; nan where neither solved its task."""
    return _ratio(steps_to_solve(one), steps_to_solve(other), 10)


def _ratio(one: float, other: float, base: float) -> float:
    """The logarithm of a ratio of positive numbers, either of which may be infinite; nan where both are."""
    return math.nan if math.isinf(one) and math.isinf(other) else math.log(one, base) - math.log(other, base)


def ever_later(results: Sequence[SeedResult]) -> float:
    """1 if each took longer to solve its task than the one before it, or did not; 0 if any did not take longer."""
    steps = [steps_to_solve(result) for result in results]
    return float(all(one < other or math.isinf(other) for one, other in pairwise(steps)))


def fewest_weights(results: Sequence[SeedResult]) -> float:
    """Of networks of one kind: of how many weights the smallest one is that solved its task; infinite if none did."""
    return min((parameter_count(one.experiment) for one in results if one.ended == SOLVED), default=math.inf)


def fewer_weights(some: Sequence[SeedResult], others: Sequence[SeedResult]) -> float:
    """`fewest_weights` of one kind over that of another, as log2; nan where no network solved the task."""
    return _ratio(fewest_weights(some), fewest_weights(others), 2)
