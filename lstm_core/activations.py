"""Which function may squash a cell, and how steep can it get?"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.nn import functional as F

from lstm_core.borrowed.autograd import more_than_numbers
from lstm_core.pointwise import functions
from lstm_core.pointwise.arithmetic import Arithmetic, Pair
from lstm_core.pointwise.functions import LEAK

Elementwise = Callable[[Tensor], Tensor]
SQRT_2PI = math.sqrt(2 * math.pi)


@dataclass(frozen=True)
class Activation:
    """
    One row of `ACTIVATIONS`.

    `function` and `derivative` are elementwise on tensors of any shape. `largest_slope` is gamma, the largest value of
    |phi'|, which bounds one step of the gradient of a recurrent network: ||dh_t/dh_(t-1)|| <= gamma ||W_hh||
    (Pascanu et al. 2013). Autograd finds the same derivative; at a kink it is the one torch uses. It keeps its digits
    where phi is saturated, down to the smallest numbers of the arithmetic.

    `kernel` returns the function of one number x, in plain arithmetic, whose values phi(x) and phi'(x) the fused engine
    computes. A row without a kernel is computed by the reference engine.

    `code` is the function in torch's words, of {x}, for scripts and files that are taken away; "" if it has none.
    """

    name: str
    label: str
    function: Elementwise
    derivative: Elementwise
    largest_slope: float
    formula: str
    slope_formula: str
    kernel: Callable[[Arithmetic], Pair] | None = None
    code: str = ""


def _sloping(function: Elementwise, slope: Elementwise, same_slope: Elementwise) -> Elementwise:
    """
    The same function for autograd, with `slope` for its derivative: where torch finds it from the value, as 1 - y^2
    for tanh, nothing is left of it once y is rounded to 1. torch.func and torch.compile do not, or not always, take
    notice of a derivative of ours; for them it rises and falls with `same_slope`, which torch differentiates to all
    digits, and which takes longer.
    """

    class Sloping(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            ctx.save_for_backward(x)
            return function(x)

        @staticmethod
        def backward(ctx: Any, gradient: Tensor) -> Tensor:
            (x,) = ctx.saved_tensors
            return gradient * slope(x)

    def sloping(x: Tensor) -> Tensor:
        if more_than_numbers():
            y = same_slope(x)
            return function(x).detach() + (y - y.detach())
        return Sloping.apply(x) if torch.is_grad_enabled() else function(x)

    return sloping


def _normal_density(x: Tensor) -> Tensor:
    return torch.exp(-x * x / 2) / SQRT_2PI


def _sigmoid_slope(x: Tensor) -> Tensor:
    return torch.sigmoid(x) * torch.sigmoid(-x)


def _sigmoid_to_the_nearer_end(x: Tensor) -> Tensor:
    """sigmoid(x) on the left, sigmoid(x) - 1 on the right."""
    return torch.where(x > 0, -torch.sigmoid(-x), torch.sigmoid(x))


def _tanh_slope(x: Tensor) -> Tensor:
    """1 / cosh^2 x; by two sigmoids, which overflow in no derivative, where it may be differentiated itself."""
    if torch.is_grad_enabled():
        return 4 * _sigmoid_slope(2 * x)
    return x.cosh().square_().reciprocal_()


def _softsign_slope(x: Tensor) -> Tensor:
    return (1 / (1 + x.abs())).square()


def _softsign_to_the_nearer_end(x: Tensor) -> Tensor:
    """softsign(x) + 1 on the left, softsign(x) - 1 on the right."""
    return torch.where(x > 0, -1 / (1 + x.clamp(min=0)), 1 / (1 - x.clamp(max=0)))


def _gelu(x: Tensor) -> Tensor:
    return x * torch.erfc(-x / math.sqrt(2)) / 2


def _gelu_slope(x: Tensor) -> Tensor:
    return torch.erfc(-x / math.sqrt(2)) / 2 + x * _normal_density(x)


def _silu_slope(x: Tensor) -> Tensor:
    return torch.sigmoid(x) * (1 + x * torch.sigmoid(-x))


# The slope of SiLU peaks where x = 2 coth(x / 2); that of GELU at the square root of 2.
SILU_PEAK = 2.3993572805154684
GELU_PEAK = math.sqrt(2)

_ROWS = (
    Activation(
        "sigmoid",
        "sigmoid",
        _sloping(torch.sigmoid, _sigmoid_slope, _sigmoid_to_the_nearer_end),
        _sigmoid_slope,
        0.25,
        r"\frac{1}{1 + e^{-x}}",
        r"\varphi(x)\,(1 - \varphi(x))",
        functions.sigmoid,
        "sigmoid({x})",
    ),
    Activation(
        "tanh",
        "tanh",
        _sloping(torch.tanh, _tanh_slope, lambda x: 2 * _sigmoid_to_the_nearer_end(2 * x)),
        _tanh_slope,
        1.0,
        r"\tanh x",
        r"1 - \tanh^2 x",
        functions.tanh,
        "tanh({x})",
    ),
    Activation(
        "softsign",
        "softsign",
        _sloping(F.softsign, _softsign_slope, _softsign_to_the_nearer_end),
        _softsign_slope,
        1.0,
        r"\frac{x}{1 + |x|}",
        r"\frac{1}{(1 + |x|)^2}",
        functions.softsign,
        "softsign({x})",
    ),
    Activation(
        "hardtanh",
        "hard tanh",
        F.hardtanh,
        lambda x: ((x > -1) & (x < 1)).to(x.dtype),
        1.0,
        r"\max(-1, \min(1, x))",
        r"1 \text{ where } |x| < 1,\ \text{else } 0",
        functions.hardtanh,
        "F.hardtanh({x})",
    ),
    Activation("sine", "sine", torch.sin, torch.cos, 1.0, r"\sin x", r"\cos x", functions.sine, "torch.sin({x})"),
    Activation(
        "softplus",
        "softplus",
        F.softplus,
        torch.sigmoid,
        1.0,
        r"\ln(1 + e^x)",
        r"\frac{1}{1 + e^{-x}}",
        functions.softplus,
        "F.softplus({x})",
    ),
    Activation(
        "relu",
        "ReLU",
        torch.relu,
        lambda x: (x > 0).to(x.dtype),
        1.0,
        r"\max(0, x)",
        r"1 \text{ where } x > 0,\ \text{else } 0",
        functions.relu,
        "torch.relu({x})",
    ),
    Activation(
        "leaky_relu",
        "leaky ReLU",
        lambda x: F.leaky_relu(x, LEAK),
        lambda x: torch.where(x > 0, torch.ones_like(x), LEAK),
        1.0,
        rf"\max({LEAK}\,x, x)",
        rf"1 \text{{ where }} x > 0,\ \text{{else }} {LEAK}",
        functions.leaky_relu,
        f"F.leaky_relu({{x}}, {LEAK})",
    ),
    Activation(
        "elu",
        "ELU",
        F.elu,
        lambda x: torch.where(x > 0, 1.0, torch.exp(x.clamp(max=0))),
        1.0,
        r"x \text{ where } x > 0,\ \text{else } e^x - 1",
        r"1 \text{ where } x > 0,\ \text{else } e^x",
        functions.elu,
        "F.elu({x})",
    ),
    Activation("identity", "identity", lambda x: x, torch.ones_like, 1.0, "x", "1", functions.identity, "{x}"),
    Activation(
        "silu",
        "SiLU",
        F.silu,
        _silu_slope,
        float(_silu_slope(torch.tensor(SILU_PEAK, dtype=torch.float64))),
        r"\frac{x}{1 + e^{-x}}",
        r"\sigma(x)\,(1 + x\,\sigma(-x))",
        functions.silu,
        "F.silu({x})",
    ),
    Activation(
        "gelu",
        "GELU",
        _sloping(F.gelu, _gelu_slope, _gelu),
        _gelu_slope,
        float(_gelu_slope(torch.tensor(GELU_PEAK, dtype=torch.float64))),
        r"x\,\Phi(x)",
        r"\Phi(x) + x\,\Phi'(x)",
        functions.gelu,
        "gelu({x})",
    ),
)

# By largest slope; equals stay in the order above.
ACTIVATIONS = {row.name: row for row in sorted(_ROWS, key=lambda row: row.largest_slope)}


def as_code(name: str, x: str) -> str:
    """An activation of x as torch writes it. ValueError where its row has no code."""
    if not ACTIVATIONS[name].code:
        raise ValueError(f"activation: {name!r} has no code of its own")
    return ACTIVATIONS[name].code.format(x=x)


def as_latex(name: str) -> str:
    """An activation as LaTeX writes it."""
    label = ACTIVATIONS[name].label
    return rf"\{name}" if name == "tanh" else rf"\mathrm{{{label.replace(' ', '~')}}}"
