"""Is every activation the function it is named after, and its slope the slope it claims?"""

import math
from collections.abc import Callable
from typing import Any

import mpmath
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from lstm_core.activations import ACTIVATIONS, Activation

every_activation = pytest.mark.parametrize("row", ACTIVATIONS.values(), ids=ACTIVATIONS.keys())

FORMULAS: dict[str, Callable[[float], float]] = {
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "tanh": lambda x: (math.exp(x) - math.exp(-x)) / (math.exp(x) + math.exp(-x)),
    "relu": lambda x: max(0.0, x),
    "leaky_relu": lambda x: max(0.01 * x, x),
    "elu": lambda x: x if x > 0 else math.exp(x) - 1,
    "softplus": lambda x: math.log(1 + math.exp(x)),
    "silu": lambda x: x / (1 + math.exp(-x)),
    "gelu": lambda x: x * (1 + math.erf(x / math.sqrt(2))) / 2,
    "softsign": lambda x: x / (1 + abs(x)),
    "hardtanh": lambda x: max(-1.0, min(1.0, x)),
    "sine": math.sin,
    "identity": lambda x: x,
}
KINKS = (-1.0, 0.0, 1.0)


def points(low: float, high: float, count: int) -> Tensor:
    return torch.linspace(low, high, count, dtype=torch.float64)


def slope(row: Activation, x: Tensor) -> Tensor:
    """The derivative as autograd has it."""
    x = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(row.function(x).sum(), x)
    return gradient


def exactly(name: str, x: float) -> float:
    """The slope, to 60 digits."""
    with mpmath.workdps(60):
        a = mpmath.mpf(x)
        return float(TRUTH[name](a))


TRUTH: dict[str, Callable[[Any], Any]] = {
    "tanh": lambda a: mpmath.sech(a) ** 2,
    "sigmoid": lambda a: mpmath.exp(-a) / (1 + mpmath.exp(-a)) ** 2,
    "softsign": lambda a: 1 / (1 + abs(a)) ** 2,
    "gelu": lambda a: mpmath.ncdf(a) + a * mpmath.npdf(a),
    "silu": lambda a: (1 + a * mpmath.exp(-a) / (1 + mpmath.exp(-a))) / (1 + mpmath.exp(-a)),
    "elu": lambda a: mpmath.exp(a) if a < 0 else mpmath.mpf(1),
}
# How far a slope is told from 0 in double precision, and the sides on which it goes there.
SATURATED = {
    "tanh": (350, 2),
    "sigmoid": (700, 2),
    "softsign": (1e100, 2),
    "gelu": (25, 1),
    "silu": (690, 1),
    "elu": (700, 1),
}


@pytest.mark.parametrize("name", SATURATED)
def test_a_slope_keeps_its_digits_where_the_function_is_saturated(name: str) -> None:
    """In the table, by autograd, and by torch.func."""
    farthest, sides = SATURATED[name]
    right = torch.logspace(0.3, math.log10(farthest), 60, dtype=torch.float64)
    x = torch.cat([-right, right]) if sides == 2 else -right
    expected = torch.tensor([exactly(name, value) for value in x.tolist()], dtype=torch.float64)
    row = ACTIVATIONS[name]
    transformed = torch.func.vmap(torch.func.grad(row.function))(x)
    for derivative in (row.derivative(x), slope(row, x), transformed):
        torch.testing.assert_close(derivative, expected, rtol=1e-12, atol=0)


PLAIN = {"tanh": torch.tanh, "sigmoid": torch.sigmoid, "softsign": F.softsign, "gelu": F.gelu}


@pytest.mark.parametrize("name", PLAIN)
def test_values_are_torchs_own_and_slopes_too_where_nothing_is_saturated(name: str) -> None:
    x = points(-5, 5, 401).requires_grad_()
    torch.testing.assert_close(ACTIVATIONS[name].function(x), PLAIN[name](x), rtol=0, atol=0)
    (theirs,) = torch.autograd.grad(PLAIN[name](x).sum(), x)
    torch.testing.assert_close(slope(ACTIVATIONS[name], x.detach()), theirs, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", PLAIN)
def test_second_derivatives_are_those_of_finite_differences(name: str) -> None:
    x = points(-6, 6, 24).requires_grad_()
    assert torch.autograd.gradcheck(ACTIVATIONS[name].function, [x])
    assert torch.autograd.gradgradcheck(ACTIVATIONS[name].function, [x])


@pytest.mark.parametrize("name", SATURATED)
def test_a_slope_at_infinity_is_0_or_1_and_never_nan(name: str) -> None:
    x = torch.tensor([-math.inf, -1e300, 1e300, math.inf], dtype=torch.float64)
    assert set(ACTIVATIONS[name].derivative(x).nan_to_num(7).tolist()) <= {0.0, 1.0} | (
        {7.0} if name in INDEFINITE else set()
    )


# Infinity times zero, where torch has no number either.
INDEFINITE = ("gelu", "silu")


def test_every_activation_of_the_table_has_its_textbook_formula_here() -> None:
    assert set(ACTIVATIONS) == set(FORMULAS)


def test_every_row_is_kept_under_its_own_name() -> None:
    assert all(name == row.name for name, row in ACTIVATIONS.items())


def test_the_table_is_sorted_by_largest_slope() -> None:
    slopes = [row.largest_slope for row in ACTIVATIONS.values()]
    assert slopes == sorted(slopes)


@every_activation
def test_the_function_is_its_textbook_formula(row: Activation) -> None:
    x = points(-8, 8, 161)
    expected = torch.tensor([FORMULAS[row.name](value) for value in x.tolist()], dtype=torch.float64)
    torch.testing.assert_close(row.function(x), expected, rtol=1e-12, atol=1e-14)


@every_activation
def test_the_derivative_is_autograds_where_the_function_is_smooth(row: Activation) -> None:
    x = torch.cat([points(-20, 20, 1000), torch.tensor([-1e4, 1e4], dtype=torch.float64)])
    assert not set(KINKS) & set(x.tolist())
    torch.testing.assert_close(row.derivative(x), slope(row, x), rtol=0, atol=1e-14)


@every_activation
@pytest.mark.parametrize("kink", KINKS)
def test_the_derivative_is_autograds_at_a_kink(row: Activation, kink: float) -> None:
    x = torch.tensor([kink], dtype=torch.float64)
    torch.testing.assert_close(row.derivative(x), slope(row, x), rtol=0, atol=1e-15)


@every_activation
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_function_and_derivative_keep_shape_and_precision(row: Activation, dtype: torch.dtype) -> None:
    x = torch.linspace(-3, 3, 24, dtype=dtype).view(2, 3, 4)
    for values in (row.function(x), row.derivative(x)):
        assert (values.shape, values.dtype) == (x.shape, dtype)


@every_activation
def test_the_largest_slope_is_the_largest_on_a_fine_grid(row: Activation) -> None:
    assert float(slope(row, points(-20, 20, 40_001)).abs().max()) == pytest.approx(row.largest_slope, abs=1e-6)


@every_activation
def test_no_slope_exceeds_the_largest(row: Activation) -> None:
    assert float(row.derivative(points(-100, 100, 200_001)).abs().max()) <= row.largest_slope + 1e-15
