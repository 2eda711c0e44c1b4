"""Do activations in the kernels return what they return in torch?"""

import ctypes
from typing import Any

import numpy as np
import pytest
import torch

from lstm_core.activations import ACTIVATIONS
from lstm_core.borrowed.convention import function_at
from lstm_core.kernels.code import address
from lstm_core.kernels.pieces import build, pointwise_of

TOLERANCE = {"float64": 1e-12, "float32": 1e-6}
every_activation = pytest.mark.parametrize("name", ACTIVATIONS)
every_precision = pytest.mark.parametrize("precision", TOLERANCE)


def compiled(name: str, kind: str, x: Any, *arguments: Any) -> None:
    (piece,) = (piece for piece in pointwise_of(name) if piece.function == kind)
    place = build(str(x.dtype)).done.result()[piece]
    given = [ctypes.c_void_p if isinstance(value, ctypes.c_void_p) else ctypes.c_int64 for value in arguments]
    function_at(place, (ctypes.c_void_p, *given))(address(x), *arguments)


def in_kernels(name: str, x: Any) -> Any:
    """Values and slopes."""
    numbers = np.stack([x, np.full_like(x, -7)])
    compiled(name, "values_and_slopes", numbers, ctypes.c_void_p(address(numbers[1])), x.size)
    return numbers


def in_torch(name: str, x: Any) -> tuple[Any, Any]:
    """In the precision of x, the slope by autograd."""
    points = torch.from_numpy(x).requires_grad_()
    y = ACTIVATIONS[name].function(points)
    (slope,) = torch.autograd.grad(y.sum(), points)
    return y.detach().numpy(), slope.numpy()


@every_precision
@pytest.mark.parametrize("scale", [0.01, 1, 30])
@every_activation
def test_values_and_slopes_are_those_of_torch(name: str, scale: float, precision: str) -> None:
    """Up to rounding; the truth is torch's in double precision, at the same points."""
    x = (scale * np.random.default_rng(0).standard_normal(10_001)).astype(precision)
    for actual, expected in zip(in_kernels(name, x), in_torch(name, x.astype(np.float64)), strict=True):
        assert actual.dtype == precision
        assert (np.abs(actual - expected) / np.maximum(1, np.abs(expected))).max() < TOLERANCE[precision]


@pytest.mark.parametrize(("name", "farthest"), [("tanh", 0.49), ("sigmoid", 0.99)])
@every_precision
def test_a_slope_keeps_its_digits_down_to_the_smallest_numbers(name: str, farthest: float, precision: str) -> None:
    """Against the table's in double precision, which the tests hold against mpmath."""
    ends = {"float32": 87, "float64": 700}
    right = np.linspace(2, farthest * ends[precision], 2001)
    x = np.concatenate([-right, right]).astype(precision)
    expected = ACTIVATIONS[name].derivative(torch.from_numpy(x.astype(np.float64))).numpy()
    assert 0 < expected.min() < 10 * np.finfo(precision).tiny ** 0.95
    np.testing.assert_allclose(in_kernels(name, x)[1], expected, rtol={"float32": 2e-5, "float64": 1e-12}[precision])


@every_precision
def test_a_slope_of_tanh_that_is_too_small_for_its_precision_is_0(precision: str) -> None:
    x = np.array([-1e4, -400, 400, 1e4, -np.inf, np.inf], precision)
    assert in_kernels("tanh", x)[1].tolist() == [0] * 6
    assert in_kernels("tanh", x)[0].tolist() == [-1, -1, 1, 1, -1, 1]


@every_precision
@every_activation
def test_values_alone_are_the_values_with_slopes(name: str, precision: str) -> None:
    x = (3 * np.random.default_rng(1).standard_normal(1001)).astype(precision)
    alone = x.copy()
    compiled(name, "values", alone, 0, 1, x.size)
    np.testing.assert_array_equal(alone, in_kernels(name, x)[0])


def test_values_are_computed_in_their_rows_and_nowhere_else() -> None:
    rows = np.full((5, 8), 3.0)
    compiled("hardtanh", "values", rows.reshape(-1)[8 + 2 :], 8, 3, 4)
    expected = np.full((5, 8), 3.0)
    expected[1:4, 2:6] = 1
    np.testing.assert_array_equal(rows, expected)


@every_precision
@every_activation
def test_at_0_and_around_it_values_and_slopes_are_those_of_torch(name: str, precision: str) -> None:
    """Also at the kinks, where autograd makes a choice."""
    x = np.array([0.0, -0.0, 1.0, -1.0, 20.0, -20.0, 1e-30, -1e-30], precision)
    for actual, expected in zip(in_kernels(name, x), in_torch(name, x), strict=True):
        np.testing.assert_allclose(actual, expected, rtol=TOLERANCE[precision], atol=TOLERANCE[precision])


@every_precision
@every_activation
def test_nan_stays_nan(name: str, precision: str) -> None:
    (value,) = in_kernels(name, np.array([np.nan], precision))[0]
    assert np.isnan(value)


@every_precision
@every_activation
def test_a_slope_at_nan_stops_no_gradient_that_torch_lets_through(name: str, precision: str) -> None:
    (slope,), (expected,) = (slopes(name, np.array([np.nan], precision))[1] for slopes in (in_kernels, in_torch))
    assert (slope == 0) == (expected == 0)


@every_precision
@pytest.mark.parametrize("name", [name for name in ACTIVATIONS if name != "sine"])
def test_huge_numbers_go_where_torch_sends_them(name: str, precision: str) -> None:
    """Sines of numbers with no digits behind the point are of no use to anybody."""
    x = np.array([1e3, -1e3, 1e10, -1e10, 1e30, -1e30], precision)
    for actual, expected in zip(in_kernels(name, x), in_torch(name, x), strict=True):
        np.testing.assert_allclose(actual, expected, rtol=TOLERANCE[precision], atol=TOLERANCE[precision])


@every_precision
@every_activation
def test_a_value_at_infinity_is_finite_where_that_of_torch_is_and_the_same(name: str, precision: str) -> None:
    x = np.array([np.inf, -np.inf], precision)
    actual, expected = in_kernels(name, x)[0], in_torch(name, x)[0]
    np.testing.assert_array_equal(np.isfinite(actual), np.isfinite(expected))
    finite = np.isfinite(expected)
    np.testing.assert_allclose(actual[finite], expected[finite], rtol=0, atol=TOLERANCE[precision])


@every_precision
def test_a_sine_has_its_sign_at_its_tops_and_bottoms(precision: str) -> None:
    """Halfway between two multiples of pi, and on both sides of that, a rounding may take the one or the other."""
    x = ((np.arange(-10_000, 10_000) + 0.5) * np.pi).astype(precision)
    for near in (x, np.nextafter(x, np.inf, dtype=precision), np.nextafter(x, -np.inf, dtype=precision)):
        np.testing.assert_allclose(in_kernels("sine", near)[0], np.sin(near.astype(np.float64)), rtol=0, atol=1e-6)
