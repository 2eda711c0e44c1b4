"""Are vectors what their numbers are one by one, up to the edges of memory and of the arithmetic?"""

from typing import Any

import numpy as np
import pytest
from numba import njit

from lstm_core.kernels.elementwise import OPTIONS, exp, sigmoid, tanh
from lstm_core.kernels.vectors import (
    first,
    lanes,
    larger,
    largest,
    load,
    load_first,
    store,
    store_first,
    total,
    where_zero,
    widened,
)

every_precision = pytest.mark.parametrize("precision", ["float32", "float64"])
LANES = {"float32": 16, "float64": 8}
EDGES = [0.0, -0.0, 1e-30, -1e-30, 1.0, -1.0, 43.9, 44.1, 87.0, -87.0, 90.0, -1e4, np.inf, -np.inf, np.nan, 1e30]


@njit(**OPTIONS)
def by_vectors(x: Any, exps: Any, sigmoids: Any, tanhs: Any) -> None:
    for k in range(0, x.size, lanes(x)):
        store(exp(load(x, k)), exps, k)
        store(sigmoid(load(x, k)), sigmoids, k)
        store(tanh(load(x, k)), tanhs, k)


@njit(**OPTIONS)
def one_by_one(x: Any, exps: Any, sigmoids: Any, tanhs: Any) -> None:
    for k in range(x.size):
        exps[k], sigmoids[k], tanhs[k] = exp(x[k]), sigmoid(x[k]), tanh(x[k])


def three(function: Any, x: Any) -> Any:
    out = [np.full_like(x, -7) for _ in range(3)]
    function(x, *out)
    return np.stack(out)


@every_precision
def test_exp_sigmoid_and_tanh_of_a_vector_are_those_of_its_numbers(precision: str) -> None:
    """To the last digits, from the smallest to the largest, and at infinity, nan and both zeros."""
    wide = np.concatenate([np.linspace(-100, 100, 8_000), np.geomspace(1e-30, 1e3, 1_000), EDGES])
    x = np.resize(wide, 9_600).astype(precision)
    assert set(EDGES[:-2]) <= set(wide)
    np.testing.assert_array_max_ulp(three(by_vectors, x), three(one_by_one, x), 2)


@every_precision
def test_tanh_is_that_of_numpy(precision: str) -> None:
    wide = np.concatenate([np.linspace(-50, 50, 1_000), np.geomspace(1e-30, 1, 256), EDGES])
    x = np.resize(wide, 1_280).astype(precision)
    expected = np.tanh(x.astype(np.float64))
    np.testing.assert_allclose(three(by_vectors, x)[2], expected, rtol={"float32": 1e-6, "float64": 1e-14}[precision])


@njit(**OPTIONS)
def calculated(a: Any, b: Any, number: Any, out: Any) -> None:
    x, y = load(a, 0), load(b, 0)
    store(x + y * number - 3 / x, out, 0)
    store(-x * number, out, lanes(out))


@every_precision
def test_vectors_calculate_with_vectors_and_numbers(precision: str) -> None:
    random, count = np.random.default_rng(0), LANES[precision]
    a, b = random.uniform(1, 2, (2, count)).astype(precision)
    number = np.dtype(precision).type(0.7)
    out = np.empty(2 * count, precision)
    calculated(a, b, number, out)
    np.testing.assert_allclose(out, np.concatenate([a + b * number - 3 / a, -a * number]), rtol=0, atol=1e-6)


@njit(**OPTIONS)
def moved(source: Any, k: int, goal: Any, few: int) -> None:
    store(load_first(source, k, few), goal, 0)
    store_first(load(source, k), goal, lanes(goal), few)


@every_precision
@pytest.mark.parametrize("few", [0, 1, 5, 8, 40])
def test_the_first_lanes_are_moved_and_nothing_beyond(few: int, precision: str) -> None:
    count = LANES[precision]
    source, goal = np.arange(1, 2 * count, dtype=precision), np.full(2 * count, -7, precision)
    moved(source, 1, goal, few)
    kept = np.arange(count) < few
    expected = np.where(kept, source[1 : count + 1], 0), np.where(kept, source[1 : count + 1], -7)
    np.testing.assert_array_equal(goal, np.concatenate(expected))


@njit(**OPTIONS)
def folded(x: Any, few: int, out: Any) -> None:
    out[0] = total(load(x, 0))
    out[1] = largest(larger(load(x, 0), first(load(x, 0), 0)))
    out[2] = total(first(load(x, 0), few))
    out[3] = largest(larger(load(x, 0), larger(load(x, lanes(x)), first(load(x, 0), 0))))


def of_two(precision: str, values: Any, few: int = 0) -> list[float]:
    x, out = np.zeros(2 * LANES[precision], precision), np.empty(4)
    x[: len(values)] = values
    folded(x, few, out)
    return out.tolist()


@every_precision
def test_lanes_are_added_up_and_the_largest_is_found(precision: str) -> None:
    values = [3.0, -5.0, 0.5, -0.0]
    assert of_two(precision, values, 2)[:3] == [-1.5, 5, -2]


@every_precision
@pytest.mark.parametrize("place", range(2))
def test_nan_is_the_largest_and_infinity_next(place: int, precision: str) -> None:
    count = LANES[precision]
    values = np.ones(2 * count)
    values[1 + place * count] = -np.inf
    assert of_two(precision, values)[3] == np.inf
    values[2 + (1 - place) * count] = np.nan
    assert np.isnan(of_two(precision, values)[3])


@every_precision
def test_lanes_that_are_left_out_are_0_whatever_they_were(precision: str) -> None:
    assert of_two(precision, [1.0, 2.0, np.nan, np.inf], 2)[2] == 3


@njit(**OPTIONS)
def chosen(x: Any, wide: Any) -> None:
    store(where_zero(load(x, 0), load(x, lanes(x)), load(x, 2 * lanes(x))), x, 0)
    wide[0] = total(widened(load(x, lanes(x))) * widened(load(x, lanes(x))))


@every_precision
def test_a_lane_is_chosen_where_another_is_0(precision: str) -> None:
    """Of either sign; nan is not 0."""
    count = LANES[precision]
    x = np.repeat(np.array([0, 1, 2], precision), count)
    x[:4] = 0, -0.0, np.nan, 1e-30
    chosen(x, np.empty(1))
    assert x[:4].tolist() == [1, 1, 2, 2]


@every_precision
def test_a_square_in_double_precision_does_not_underflow(precision: str) -> None:
    x, wide = np.full(3 * LANES[precision], 1e-30, precision), np.empty(1)
    chosen(x, wide)
    assert wide[0] == pytest.approx(LANES[precision] * 1e-60)
