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

Elementwise = Callable[[Tensor], Tensor]
Pair = Callable[[Any], tuple[Any, Any]]

LEAK = 0.01
SQRT_2PI = math.sqrt(2 * math.pi)
# Beyond it torch takes softplus for the identity.
LINEAR_BEYOND = 20


@dataclass(frozen=True)
class Arithmetic:
    """
    What a kernel is made of, in one precision: `real(2)`, the number 2, where a mere 2 would turn single precision into
    double; `least`, the lowest x at which e^x is a normal number; and functions of one number. `log1p` is for numbers
    from 0 to 1, `power_and_rest` gives 2^n and e^r - 1 of e^x = 2^n e^r, `normal_distribution` Phi(x) and Phi'(x).
    """

    real: Callable[[float], Any]
    least: Any
    exp: Callable[[Any], Any]
    expm1: Callable[[Any], Any]
    log1p: Callable[[Any], Any]
    sigmoid: Callable[[Any], Any]
    power_and_rest: Pair
    sine_and_cosine: Pair
    normal_distribution: Pair


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
    """

    name: str
    label: str
    function: Elementwise
    derivative: Elementwise
    largest_slope: float
    formula: str
    slope_formula: str
    kernel: Callable[[Arithmetic], Pair] | None = None


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


def _sigmoid_kernel(a: Arithmetic) -> Pair:
    """y = 1 / (1 + e), slope = y^2 e, with e = e^-x."""
    one, exp = a.real(1), a.exp

    def function(x: Any) -> tuple[Any, Any]:
        e = exp(-x)
        y = one / (one + e)
        return y, y * (y * e)

    return function


def _tanh_slope(x: Tensor) -> Tensor:
    """1 / cosh^2 x; by two sigmoids, which overflow in no derivative, where it may be differentiated itself."""
    if torch.is_grad_enabled():
        return 4 * _sigmoid_slope(2 * x)
    return x.cosh().square_().reciprocal_()


def _tanh_kernel(a: Arithmetic) -> Pair:
    """y = (e - 1) / (e + 1), slope = 4 e / (e + 1)^2, with e = e^2x; 0 where e + 1 has no inverse of all digits."""
    zero, one, four, farthest, power_and_rest = a.real(0), a.real(1), a.real(4), a.real(-a.least), a.power_and_rest

    def function(x: Any) -> tuple[Any, Any]:
        double = x + x
        double = -farthest if double < -farthest else (farthest if double > farthest else double)
        power, rest = power_and_rest(double)
        e = power * rest + power
        share = one / (e + one)
        slope = four * (e * share) * share
        return (power * rest + (power - one)) * share, zero if abs(double) >= farthest else slope

    return function


def _softsign_slope(x: Tensor) -> Tensor:
    return (1 / (1 + x.abs())).square()


def _softsign_to_the_nearer_end(x: Tensor) -> Tensor:
    """softsign(x) + 1 on the left, softsign(x) - 1 on the right."""
    return torch.where(x > 0, -1 / (1 + x.clamp(min=0)), 1 / (1 - x.clamp(max=0)))


def _softsign_kernel(a: Arithmetic) -> Pair:
    one = a.real(1)

    def function(x: Any) -> tuple[Any, Any]:
        scale = one / (one + abs(x))
        return x * scale, scale * scale

    return function


def _hardtanh_kernel(a: Arithmetic) -> Pair:
    zero, one = a.real(0), a.real(1)
    return lambda x: (-one if x < -one else (one if x > one else x), zero if abs(x) >= one else one)


def _sine_kernel(a: Arithmetic) -> Pair:
    sine_and_cosine = a.sine_and_cosine
    return lambda x: sine_and_cosine(x)


def _softplus_kernel(a: Arithmetic) -> Pair:
    zero, one, beyond, log1p, exp, sigmoid = a.real(0), a.real(1), a.real(LINEAR_BEYOND), a.log1p, a.exp, a.sigmoid

    def function(x: Any) -> tuple[Any, Any]:
        y, slope = (zero if x < zero else x) + log1p(exp(-abs(x))), sigmoid(x)
        return (x, one) if x > beyond else (y, slope)

    return function


def _relu_kernel(a: Arithmetic) -> Pair:
    zero, one = a.real(0), a.real(1)
    return lambda x: (zero if x <= zero else x, zero if x <= zero else one)


def _leaky_relu_kernel(a: Arithmetic) -> Pair:
    zero, one, leak = a.real(0), a.real(1), a.real(LEAK)
    return lambda x: (x, one) if x > zero else (leak * x, leak)


def _elu_kernel(a: Arithmetic) -> Pair:
    zero, one, exp, expm1 = a.real(0), a.real(1), a.exp, a.expm1
    return lambda x: (x, one) if x > zero else (expm1(x), exp(x))


def _identity_kernel(a: Arithmetic) -> Pair:
    one = a.real(1)
    return lambda x: (x, one)


def _gelu(x: Tensor) -> Tensor:
    return x * torch.erfc(-x / math.sqrt(2)) / 2


def _gelu_slope(x: Tensor) -> Tensor:
    return torch.erfc(-x / math.sqrt(2)) / 2 + x * _normal_density(x)


def _gelu_kernel(a: Arithmetic) -> Pair:
    normal_distribution = a.normal_distribution

    def function(x: Any) -> tuple[Any, Any]:
        below, density = normal_distribution(x)
        return x * below, below + x * density

    return function


def _silu_slope(x: Tensor) -> Tensor:
    return torch.sigmoid(x) * (1 + x * torch.sigmoid(-x))


def _silu_kernel(a: Arithmetic) -> Pair:
    one, sigmoid = a.real(1), a.sigmoid

    def function(x: Any) -> tuple[Any, Any]:
        opened = sigmoid(x)
        return x * opened, opened * (one + x * (one - opened))

    return function


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
        _sigmoid_kernel,
    ),
    Activation(
        "tanh",
        "tanh",
        _sloping(torch.tanh, _tanh_slope, lambda x: 2 * _sigmoid_to_the_nearer_end(2 * x)),
        _tanh_slope,
        1.0,
        r"\tanh x",
        r"1 - \tanh^2 x",
        _tanh_kernel,
    ),
    Activation(
        "softsign",
        "softsign",
        _sloping(F.softsign, _softsign_slope, _softsign_to_the_nearer_end),
        _softsign_slope,
        1.0,
        r"\frac{x}{1 + |x|}",
        r"\frac{1}{(1 + |x|)^2}",
        _softsign_kernel,
    ),
    Activation(
        "hardtanh",
        "hard tanh",
        F.hardtanh,
        lambda x: ((x > -1) & (x < 1)).to(x.dtype),
        1.0,
        r"\max(-1, \min(1, x))",
        r"1 \text{ where } |x| < 1,\ \text{else } 0",
        _hardtanh_kernel,
    ),
    Activation("sine", "sine", torch.sin, torch.cos, 1.0, r"\sin x", r"\cos x", _sine_kernel),
    Activation(
        "softplus",
        "softplus",
        F.softplus,
        torch.sigmoid,
        1.0,
        r"\ln(1 + e^x)",
        r"\frac{1}{1 + e^{-x}}",
        _softplus_kernel,
    ),
    Activation(
        "relu",
        "ReLU",
        torch.relu,
        lambda x: (x > 0).to(x.dtype),
        1.0,
        r"\max(0, x)",
        r"1 \text{ where } x > 0,\ \text{else } 0",
        _relu_kernel,
    ),
    Activation(
        "leaky_relu",
        "leaky ReLU",
        lambda x: F.leaky_relu(x, LEAK),
        lambda x: torch.where(x > 0, torch.ones_like(x), LEAK),
        1.0,
        rf"\max({LEAK}\,x, x)",
        rf"1 \text{{ where }} x > 0,\ \text{{else }} {LEAK}",
        _leaky_relu_kernel,
    ),
    Activation(
        "elu",
        "ELU",
        F.elu,
        lambda x: torch.where(x > 0, 1.0, torch.exp(x.clamp(max=0))),
        1.0,
        r"x \text{ where } x > 0,\ \text{else } e^x - 1",
        r"1 \text{ where } x > 0,\ \text{else } e^x",
        _elu_kernel,
    ),
    Activation("identity", "identity", lambda x: x, torch.ones_like, 1.0, "x", "1", _identity_kernel),
    Activation(
        "silu",
        "SiLU",
        F.silu,
        _silu_slope,
        float(_silu_slope(torch.tensor(SILU_PEAK, dtype=torch.float64))),
        r"\frac{x}{1 + e^{-x}}",
        r"\sigma(x)\,(1 + x\,\sigma(-x))",
        _silu_kernel,
    ),
    Activation(
        "gelu",
        "GELU",
        _sloping(F.gelu, _gelu_slope, _gelu),
        _gelu_slope,
        float(_gelu_slope(torch.tensor(GELU_PEAK, dtype=torch.float64))),
        r"x\,\Phi(x)",
        r"\Phi(x) + x\,\Phi'(x)",
        _gelu_kernel,
    ),
)

# By largest slope; equals stay in the order above.
ACTIVATIONS = {row.name: row for row in sorted(_ROWS, key=lambda row: row.largest_slope)}


def as_latex(name: str) -> str:
    """An activation as LaTeX writes it."""
    label = ACTIVATIONS[name].label
    return rf"\{name}" if name == "tanh" else rf"\mathrm{{{label.replace(' ', '~')}}}"
