"""How does torch alone find the slope of what is saturated? From x, where nothing is left of it in the value."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.nn import functional as F


class WithSlope(Function):
    """
    A function with a formula for its slope. torch finds that of tanh from its value, as 1 - y * y, of which no digit is
    left once y is rounded to 1.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, function: Callable[..., Tensor], slope: Callable[..., Tensor]) -> Tensor:
        ctx.save_for_backward(x)
        ctx.slope = slope
        return function(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        (x,) = ctx.saved_tensors
        return gradient * ctx.slope(x), None, None


def sigmoid(x: Tensor) -> Tensor:
    return WithSlope.apply(x, torch.sigmoid, lambda x: torch.sigmoid(x) * torch.sigmoid(-x))


def tanh(x: Tensor) -> Tensor:
    return WithSlope.apply(x, torch.tanh, lambda x: x.cosh().square().reciprocal())


def softsign(x: Tensor) -> Tensor:
    return WithSlope.apply(x, F.softsign, lambda x: (1 / (1 + x.abs())).square())


def gelu(x: Tensor) -> Tensor:
    return WithSlope.apply(x, F.gelu, lambda x: below(x) + x * bell(x))


def below(x: Tensor) -> Tensor:
    """The share of normal numbers below x."""
    return torch.erfc(-x / math.sqrt(2)) / 2


def bell(x: Tensor) -> Tensor:
    """The density of normal numbers at x."""
    return torch.exp(-x * x / 2) / math.sqrt(2 * math.pi)
