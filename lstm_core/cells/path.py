"""
Where did a layer go, and how does a gradient come back along its path? One step at a time, as each family does it.

The state s is h, or [h; c] where there is a cell state, with further ones behind it, or the last k hidden states,
newest first, where the cell sees them; S numbers. A row vector u dL/ds_t becomes u ds_t/ds_(t-1). Dimensions: T time,
B batch, D input, H hidden.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import linear, pad

from lstm_core.cells.parameters import Parameters

# (t, u) -> u ds_t/ds_(t-1), for u (..., B, S) and t from 1 to T.
Back = Callable[[int, Tensor], Tensor]


class Path(NamedTuple):
    """
    Where a layer went: `inputs` (T, B, D), `states` (T + 1, B, H) each from the first, zero, one on, the hidden state
    before others, and each gate (T, B, H); the `window` of its cell.
    """

    inputs: Tensor
    states: tuple[Tensor, ...]
    gates: dict[str, Tensor]
    window: int = 1

    @property
    def hidden(self) -> Tensor:
        return self.states[0]

    @property
    def cell(self) -> Tensor | None:
        """The second state, where there is one."""
        return self.states[1] if len(self.states) > 1 else None

    @property
    def state_size(self) -> int:
        """S, where a complex number counts as two."""
        numbers = sum(1 + state.is_complex() for state in self.states)
        return self.hidden.shape[2] * (self.window if self.window > 1 else numbers)

    @property
    def seen(self) -> Tensor:
        """What W_h is multiplied with at each step, (T, B, H), or (T, B, kH) with zeros before the start."""
        before = self.hidden[:-1]
        return torch.cat([pad(before, (0, 0, 0, 0, k, 0))[: len(before)] for k in range(self.window)], 2)


def preactivations(p: Parameters, path: Path, count: int) -> tuple[Tensor, ...]:
    """W_h h_(t-1) + W_x x_t + b of every block, (T, B, H) each; where there is no W_h, what comes from x alone."""
    of_x = linear(path.inputs, p.input, p.whole_bias)
    return (of_x + linear(path.seen, p.recurrent) if p.recurrent.shape[1] else of_x).chunk(count, 2)


def sigmoid_slope(gate: Tensor) -> Tensor:
    """Of a gate, from its value."""
    return gate * (1 - gate)


def by_what_is_kept(kept: Callable[[Parameters, Path], Tensor]) -> Callable[[Parameters, object, Path], Back]:
    """The step back of a state to which nothing but what each time step keeps of it leads: u kept."""

    def back(p: Parameters, cell: object, path: Path) -> Back:
        factors = kept(p, path)
        return lambda t, u: u * factors[t - 1]

    return back
