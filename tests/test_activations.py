"""Is every activation the function it is named after, and its slope the slope it claims?"""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

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


def test_the_table_has_these_twelve_activations() -> None:
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
