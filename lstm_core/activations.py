"""Which function may squash a cell, and how steep can it get?"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

LEAK = 0.01
SQRT_2PI = math.sqrt(2 * math.pi)


@dataclass(frozen=True)
class Activation:
    """
    One row of `ACTIVATIONS`.

    `function` and `derivative` are elementwise on tensors of any shape. `largest_slope` is gamma, the largest value of
    |phi'|, which bounds one step of the gradient of a recurrent network: ||dh_t/dh_(t-1)|| <= gamma ||W_hh||
    (Pascanu et al. 2013). At a kink the derivative is the one torch's autograd uses.
    """

    name: str
    label: str
    function: Callable[[Tensor], Tensor]
    derivative: Callable[[Tensor], Tensor]
    largest_slope: float
    formula: str
    slope_formula: str


def _normal_density(x: Tensor) -> Tensor:
    return torch.exp(-x * x / 2) / SQRT_2PI


def _sigmoid_slope(x: Tensor) -> Tensor:
    return torch.sigmoid(x) * torch.sigmoid(-x)


def _gelu_slope(x: Tensor) -> Tensor:
    return torch.special.ndtr(x) + x * _normal_density(x)


def _silu_slope(x: Tensor) -> Tensor:
    return torch.sigmoid(x) * (1 + x * torch.sigmoid(-x))


# The slope of SiLU peaks where x = 2 coth(x / 2); that of GELU at the square root of 2.
SILU_PEAK = 2.3993572805154684
GELU_PEAK = math.sqrt(2)

_ROWS = (
    Activation(
        "sigmoid",
        "sigmoid",
        torch.sigmoid,
        _sigmoid_slope,
        0.25,
        r"\frac{1}{1 + e^{-x}}",
        r"\varphi(x)\,(1 - \varphi(x))",
    ),
    Activation(
        "tanh",
        "tanh",
        torch.tanh,
        lambda x: 1 - torch.tanh(x) ** 2,
        1.0,
        r"\tanh x",
        r"1 - \tanh^2 x",
    ),
    Activation(
        "softsign",
        "softsign",
        F.softsign,
        lambda x: 1 / (1 + x.abs()) ** 2,
        1.0,
        r"\frac{x}{1 + |x|}",
        r"\frac{1}{(1 + |x|)^2}",
    ),
    Activation(
        "hardtanh",
        "hard tanh",
        F.hardtanh,
        lambda x: ((x > -1) & (x < 1)).to(x.dtype),
        1.0,
        r"\max(-1, \min(1, x))",
        r"1 \text{ where } |x| < 1,\ \text{else } 0",
    ),
    Activation("sine", "sine", torch.sin, torch.cos, 1.0, r"\sin x", r"\cos x"),
    Activation(
        "softplus",
        "softplus",
        F.softplus,
        torch.sigmoid,
        1.0,
        r"\ln(1 + e^x)",
        r"\frac{1}{1 + e^{-x}}",
    ),
    Activation(
        "relu",
        "ReLU",
        torch.relu,
        lambda x: (x > 0).to(x.dtype),
        1.0,
        r"\max(0, x)",
        r"1 \text{ where } x > 0,\ \text{else } 0",
    ),
    Activation(
        "leaky_relu",
        "leaky ReLU",
        lambda x: F.leaky_relu(x, LEAK),
        lambda x: torch.where(x > 0, torch.ones_like(x), LEAK),
        1.0,
        rf"\max({LEAK}\,x, x)",
        rf"1 \text{{ where }} x > 0,\ \text{{else }} {LEAK}",
    ),
    Activation(
        "elu",
        "ELU",
        F.elu,
        lambda x: torch.where(x > 0, 1.0, torch.exp(x.clamp(max=0))),
        1.0,
        r"x \text{ where } x > 0,\ \text{else } e^x - 1",
        r"1 \text{ where } x > 0,\ \text{else } e^x",
    ),
    Activation("identity", "identity", lambda x: x, torch.ones_like, 1.0, "x", "1"),
    Activation(
        "silu",
        "SiLU",
        F.silu,
        _silu_slope,
        float(_silu_slope(torch.tensor(SILU_PEAK, dtype=torch.float64))),
        r"\frac{x}{1 + e^{-x}}",
        r"\sigma(x)\,(1 + x\,\sigma(-x))",
    ),
    Activation(
        "gelu",
        "GELU",
        F.gelu,
        _gelu_slope,
        float(_gelu_slope(torch.tensor(GELU_PEAK, dtype=torch.float64))),
        r"x\,\Phi(x)",
        r"\Phi(x) + x\,\Phi'(x)",
    ),
)

# By largest slope; equals stay in the order above.
ACTIVATIONS = {row.name: row for row in sorted(_ROWS, key=lambda row: row.largest_slope)}
