"""What does each layer of a stack see? Its own row in a table for every way to wire layers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce

import torch
from torch import Tensor

# From what a layer sees, (..., H), to the share of its hidden states that is taken, (..., H), from 0 to 1.
Gates = Sequence[Callable[[Tensor], Tensor]]
# Of every wiring but the plain one, which is as deep as one likes.
MOST_LAYERS = 6


@dataclass(frozen=True)
class Wiring:
    """
    One row of `WIRINGS`: what the next layer, or the readout, sees above some layers, at least one of them.

    `above(inputs, hidden, gates)` takes the network's input (..., D) and the hidden states of these layers, (..., H)
    each, the lowest first, for all time steps or for one; `width(D, H, layers)` is the last size of what it returns.
    `gated` says that each layer but the first has a gate of its own, which `above` gets, the lowest first.
    """

    label: str
    above: Callable[[Tensor, Sequence[Tensor], Gates], Tensor]
    width: Callable[[int, int, int], int]
    gated: bool = False

    def seen(self, inputs: Tensor, hidden: Sequence[Tensor], gates: Gates = ()) -> Tensor:
        """As `above`, and the network's input itself where there is no layer below."""
        return self.above(inputs, hidden, gates) if hidden else inputs

    def gates(self, layers: int) -> int:
        """How many there are in so many layers."""
        return layers - 1 if self.gated else 0

    def widths(self, features: int, size: int, layers: int) -> list[int]:
        """The inputs of each layer, of D = `features` and H = `size`, and last those of the readout."""
        return [features, *(self.width(features, size, below) for below in range(1, layers + 1))]


def _last(inputs: Tensor, hidden: Sequence[Tensor], gates: Gates) -> Tensor:
    return hidden[-1]


def _sum(inputs: Tensor, hidden: Sequence[Tensor], gates: Gates) -> Tensor:
    return reduce(torch.add, hidden)


def _gated_sum(inputs: Tensor, hidden: Sequence[Tensor], gates: Gates) -> Tensor:
    """s' = T(s) * h + (1 - T(s)) * s (Srivastava et al. 2015)"""
    seen, *others = hidden
    for transform, one in zip(gates, others, strict=False):
        seen = torch.lerp(seen, one, transform(seen))
    return seen


def _everything(inputs: Tensor, hidden: Sequence[Tensor], gates: Gates) -> Tensor:
    return torch.cat([inputs, *hidden], -1)


# Residual: from the second layer on, a layer puts out its input plus its hidden states. The first puts out its hidden
# states alone, even where D = H, so that the next layer and the readout see the sum of all hidden states below.
# Highway: the same, and a gate says unit by unit how much of the hidden states is taken; the rest is input.
WIRINGS = {
    "plain": Wiring("plain", _last, lambda features, size, layers: size),
    "residual": Wiring("residual", _sum, lambda features, size, layers: size),
    "highway": Wiring("highway", _gated_sum, lambda features, size, layers: size, gated=True),
    "dense": Wiring("dense", _everything, lambda features, size, layers: features + layers * size),
}
PLAIN = "plain"
