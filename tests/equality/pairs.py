"""How far apart are a turn of kernels and the training step of torch, from equal states and trained freely?"""

import itertools
import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from torch import Tensor

from lstm_core import Experiment
from lstm_core.training.by_turns import ByTurns
from lstm_core.training.standing import standing_of
from lstm_core.training.step_by_step import StepByStep

SMALL = Experiment(length=10, hidden=5, batch=3, steps=100, precision="float64", lr=0.02)
# Of each training of the whole matrix.
STEPS = 200
LEARNED = ("weights", "gradient", "first", "second")


class Pair:
    """The same network twice, trained step by step in torch, and by turns."""

    def __init__(self, experiment: Experiment) -> None:
        self.of_oracle, self.of_turns = standing_of(experiment), standing_of(experiment)
        self.oracle, self.turns = StepByStep(experiment, self.of_oracle), ByTurns(experiment, self.of_turns)

    def learned(self) -> Iterator[tuple[str, Tensor, Tensor]]:
        """Weights, gradient and moments by name, those of the turns and the oracle's."""
        return ((name, getattr(self.of_turns, name), getattr(self.of_oracle, name)) for name in LEARNED)

    def level(self) -> None:
        """From now on both have the oracle's weights, gradient and moments."""
        for _name, ours, theirs in self.learned():
            ours.copy_(theirs)


def differences(one: dict[str, Any], other: dict[str, Any]) -> dict[str, float]:
    """Between the fields of two snapshots, as a share of the larger one; inf where one is no number like the other."""

    def flat(value: Any) -> list[float]:
        if isinstance(value, dict):
            return [number for name in sorted(value) for number in flat(value[name])]
        if value is None or isinstance(value, str):
            return []
        return [float(value)] if isinstance(value, int | float) else [number for part in value for number in flat(part)]

    assert one.keys() == other.keys()
    found = {}
    for name in one:
        assert isinstance(one[name], str) is isinstance(other[name], str)
        if isinstance(one[name], str) or one[name] is None:
            assert one[name] == other[name]
            continue
        a, b = flat(one[name]), flat(other[name])
        assert len(a) == len(b), name
        scale = max([abs(number) for number in b if math.isfinite(number)], default=0.0)
        apart = [
            0.0 if x == y or (x != x and y != y) else abs(x - y) / max(abs(y), 1e-6 * scale)
            for x, y in zip(a, b, strict=True)
        ]
        found[name] = max(apart, default=0.0)
    return found


def close(one: float | None, other: float | None) -> bool:
    return one is other if one is None or other is None else math.isclose(one, other, rel_tol=1e-6)


def farthest(experiment: Experiment, steps: int) -> dict[str, float]:
    """
    How far apart one step of both is at most, from equal states at each of so many steps of the oracle: in each field
    of a snapshot, in weights, gradient and moments.
    """
    pair, worst = Pair(experiment), dict[str, float]()
    for _ in range(steps):
        pair.level()
        theirs, ours = pair.oracle.advance(1), pair.turns.advance(1)
        # A share that torch computes in single precision.
        assert close(ours["accuracy"], theirs["accuracy"])
        found = differences(ours | {"accuracy": None}, theirs | {"accuracy": None})
        found |= {name: float((a - b).abs().max() / b.abs().max()) for name, a, b in pair.learned() if b.any()}
        worst |= {name: max(value, worst.get(name, 0.0)) for name, value in found.items()}
        if ours["ended"]:
            break
    return worst


def losses(experiment: Experiment, steps: int, turns: bool) -> Iterator[float]:
    """Of a free training."""
    training = (ByTurns if turns else StepByStep)(experiment, standing_of(experiment))
    for _ in range(steps):
        fields = training.advance(1)
        yield fields["loss"]
        if fields["ended"]:
            return


def agree(one: Iterator[float], other: Iterator[float]) -> int:
    """For how many steps."""
    together = itertools.takewhile(lambda pair: math.isclose(*pair, rel_tol=1e-9), zip(one, other, strict=False))
    return sum(1 for _ in together)


def free(experiment: Experiment, steps: int) -> tuple[int, int]:
    """
    For how many steps turns agree with the oracle, and the oracle with itself where the rate is one unit in the last
    place larger: training is chaotic.
    """
    larger = replace(experiment, lr=float(np.nextafter(experiment.lr, 1)))
    oracle = list(losses(experiment, steps, turns=False))
    ours, shaken = losses(experiment, steps, turns=True), losses(larger, steps, turns=False)
    return agree(iter(oracle), ours), agree(iter(oracle), shaken)


def worst(experiment: Experiment) -> float:
    """The largest difference of all."""
    return max(farthest(experiment, STEPS).values())


def freely(experiment: Experiment) -> tuple[int, int]:
    return free(experiment, STEPS)
