"""What does each layer of a stack see? Its own row in a table for every way to wire layers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce

import torch
from torch import Tensor

# Of every wiring but the plain one, which is as deep as one likes.
MOST_LAYERS = 6


@dataclass(frozen=True)
class Wiring:
    """
    One row of `WIRINGS`: what the next layer, or the readout, sees above some layers, at least one of them.

    `above(inputs, hidden)` takes the network's input (..., D) and the hidden states of these layers, (..., H) each, the
    lowest first, for all time steps or for one; `width(D, H, layers)` is the last size of what it returns.
    """

    label: str
    above: Callable[[Tensor, Sequence[Tensor]], Tensor]
    width: Callable[[int, int, int], int]

    def seen(self, inputs: Tensor, hidden: Sequence[Tensor]) -> Tensor:
        """As `above`, and the network's input itself where there is no layer below."""
        return self.above(inputs, hidden) if hidden else inputs

    def widths(self, features: int, size: int, layers: int) -> list[int]:
        """The inputs of each layer, of D = `features` and H = `size`, and last those of the readout."""
        return [features, *(self.width(features, size, below) for below in range(1, layers + 1))]


def _last(inputs: Tensor, hidden: Sequence[Tensor]) -> Tensor:
    return hidden[-1]


def _sum(inputs: Tensor, hidden: Sequence[Tensor]) -> Tensor:
    return reduce(torch.add, hidden)


def _everything(inputs: Tensor, hidden: Sequence[Tensor]) -> Tensor:
    return torch.cat([inputs, *hidden], -1)


# Residual: from the second layer on, a layer puts out its input plus its hidden states. The first puts out its hidden
# states alone, even where D = H, so that the next layer and the readout see the sum of all hidden states below.
WIRINGS = {
    "plain": Wiring("plain", _last, lambda features, size, layers: size),
    "residual": Wiring("residual", _sum, lambda features, size, layers: size),
    "dense": Wiring("dense", _everything, lambda features, size, layers: features + layers * size),
}
PLAIN = "plain"
