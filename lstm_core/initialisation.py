"""With which weights does a network start?"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lstm_core.language import _
from lstm_core.streams import Rng


@dataclass(frozen=True)
class Chrono:
    """Forget biases log U(1, longest - 1) and input biases their negatives (Tallec and Ollivier 2018)."""

    longest: int

    def __post_init__(self) -> None:
        if self.longest < 2:
            raise ValueError(f"longest: {self.longest!r} is not a number of time steps of at least 2")

    def draw(self, size: int, rng: Rng) -> Tensor:
        """Forget biases (size,), float64."""
        return torch.from_numpy(np.log1p((self.longest - 2) * rng.random(size)))


@dataclass(frozen=True)
class Init:
    """
    One row of `INITS`: how the blocks of a layer start.

    `recurrent(H, bound, rng)` draws one block (H, H) of W_h. `bounds(H, D, joint)` are the ranges of the uniform
    distributions for W_h and W_x. Biases are uniform in the range of their matrix, or 0.
    """

    label: str
    recurrent: Callable[[int, float, Rng], Tensor]
    bounds: Callable[[int, int, bool], tuple[float, float]]
    biases: bool = False


def uniform(rows: int, columns: int, bound: float, rng: Rng) -> Tensor:
    return torch.from_numpy(rng.uniform(-bound, bound, (rows, columns)))


def _uniform_square(size: int, bound: float, rng: Rng) -> Tensor:
    return uniform(size, size, bound, rng)


def _gaussian(size: int, bound: float, rng: Rng) -> Tensor:
    return torch.from_numpy(rng.standard_normal((size, size))) / math.sqrt(size)


def _orthogonal(size: int, bound: float, rng: Rng) -> Tensor:
    """Of a Gaussian matrix the factor Q, whose signs make it uniform over all orthogonal ones (Mezzadri 2007)."""
    q, r = torch.linalg.qr(torch.from_numpy(rng.standard_normal((size, size))))
    return q * r.diagonal().sign()


def _identity(size: int, bound: float, rng: Rng) -> Tensor:
    return torch.eye(size, dtype=torch.float64)


def _identity_alone(size: int, bound: float, rng: Rng) -> Tensor:
    """What `_uniform_square` would draw is drawn and left, so that all other weights are those beside it."""
    _uniform_square(size, bound, rng)
    return torch.eye(size, dtype=torch.float64)


def _hidden_bounds(hidden: int, inputs: int, joint: bool) -> tuple[float, float]:
    return hidden**-0.5, hidden**-0.5


def _linear_bounds(hidden: int, inputs: int, joint: bool) -> tuple[float, float]:
    return ((hidden + inputs) ** -0.5,) * 2 if joint else (hidden**-0.5, inputs**-0.5)


def _glorot_bounds(hidden: int, inputs: int, joint: bool) -> tuple[float, float]:
    return math.sqrt(3 / hidden), math.sqrt(6 / (hidden + inputs))


INITS = {
    "uniform": Init(_("uniform, as torch.nn.LSTM"), _uniform_square, _hidden_bounds, biases=True),
    "linear": Init(_("uniform, as torch.nn.Linear"), _uniform_square, _linear_bounds, biases=True),
    "xavier": Init(_("Xavier (Glorot)"), _uniform_square, _glorot_bounds),
    "orthogonal": Init(_("orthogonal"), _orthogonal, _hidden_bounds),
    "identity": Init(_("identity"), _identity, _hidden_bounds),
    "identity_alone": Init(_("identity for W_h alone"), _identity_alone, _hidden_bounds, biases=True),
    "gaussian": Init(_("Gaussian"), _gaussian, _hidden_bounds),
}
