"""How do the values of a series become what a network reads, and its answers values again?"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor


def moments(values: Sequence[float]) -> tuple[float, float]:
    """Mean and standard deviation, of all values, the same on every machine."""
    mean = math.fsum(values) / len(values)
    return mean, math.sqrt(math.fsum((value - mean) ** 2 for value in values) / len(values))


class Scaling(NamedTuple):
    """
    `mean` and `scale` in the part to train on, of the values, with `log` of their logarithms. With `change`, they are
    those of the changes from one of these levels to the next; an answer is then the change over the whole horizon, of
    which `change` has mean and standard deviation.
    """

    mean: float
    scale: float
    log: bool = False
    change: tuple[float, float] | None = None

    def levels(self, values: Tensor) -> Tensor:
        """The values, or their logarithms."""
        return values.log() if self.log else values

    def values(self, levels: Tensor) -> Tensor:
        """The way back, to the units of the series."""
        return levels.exp() if self.log else levels

    def read(self, levels: Tensor) -> Tensor:
        """What a network reads of levels (N, ...), the same shape. The first changes by 0; nan if it is no number."""
        if self.change is None:
            return (levels - self.mean) / self.scale
        steps = (levels[1:] - levels[:-1] - self.mean) / self.scale
        return torch.cat([levels[:1] - levels[:1], steps])

    def answers(self, levels: Tensor, before: Tensor) -> Tensor:
        """What a network should answer for these levels, where those of a horizon before are `before`."""
        if self.change is None:
            return (levels - self.mean) / self.scale
        mean, scale = self.change
        return (levels - before - mean) / scale

    def answered(self, answers: Tensor, before: Tensor) -> Tensor:
        """The levels that answers in double precision mean."""
        if self.change is None:
            return self.mean + self.scale * answers
        mean, scale = self.change
        return before + (mean + scale * answers)
