"""Are products of matrices that lie somewhere in memory those of numpy?"""

from typing import Any

import numpy as np
import pytest
from numba import njit

from lstm_core.kernels.blas import WITHOUT_PACKING, add_transposed_product, product
from lstm_core.kernels.elementwise import OPTIONS
from lstm_core.kernels.matrix import Matrix
from lstm_core.kernels.objects import name_products

name_products()

every_precision = pytest.mark.parametrize("precision", ["float32", "float64"])
TOLERANCE = {"float64": 1e-12, "float32": 1e-6}
EDGE = WITHOUT_PACKING // 10_000
SHAPES = [
    (1, 1, 1),
    (5, 3, 2),
    (1, 7, 1),
    (100, 100, EDGE - 1),
    (100, 100, EDGE),
    (100, 100, EDGE + 1),
    (100, 100, 3 * EDGE + 1),
    (EDGE, 3, 1000),
    (2, 1000, WITHOUT_PACKING // 400),
    (7, 1000, 1000),
    (300, 300, 40),
]
every_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)
# Numbers before a matrix, and between its rows.
BEFORE, BETWEEN = 3, 2


@njit(**OPTIONS)
def multiplied(a: Any, b: Any, c: Any, m: int, k: int, n: int, added: bool) -> None:
    first, second = Matrix(a, BEFORE, k + BETWEEN), Matrix(b, BEFORE, n + BETWEEN)
    product(first, second, Matrix(c, BEFORE, n + BETWEEN), m, k, n, added)


@njit(**OPTIONS)
def multiplied_transposed(a: Any, b: Any, c: Any, m: int, k: int, n: int) -> None:
    first, second = Matrix(a, BEFORE, k + BETWEEN), Matrix(b, BEFORE, n + BETWEEN)
    add_transposed_product(first, second, Matrix(c, BEFORE, n + BETWEEN), m, k, n)


def laid(rows: int, columns: int, precision: str, seed: int = 0) -> tuple[Any, Any]:
    """An array, and the view of the matrix in it."""
    random = np.random.default_rng(seed)
    numbers = random.standard_normal(BEFORE + rows * (columns + BETWEEN)).astype(precision)
    return numbers, numbers[BEFORE:].reshape(rows, columns + BETWEEN)[:, :columns]


def around(numbers: Any, rows: int, columns: int) -> list[float]:
    gaps = numbers[BEFORE:].reshape(rows, columns + BETWEEN)[:, columns:]
    return numbers[:BEFORE].tolist() + gaps.flatten().tolist()


@every_precision
@every_shape
def test_a_product_is_that_of_numpy_and_touches_nothing_else(shape: tuple[int, int, int], precision: str) -> None:
    """On both sides of the size from which on it is made of several; in the place of what was there, or added to it."""
    m, k, n = shape
    (a, left), (b, right) = laid(m, k, precision), laid(k, n, precision, 1)
    for added in (False, True):
        c, out = laid(m, n, precision, 2)
        before, outside = out.copy(), around(c, m, n)
        if not added:
            out[:] = np.nan
        multiplied(a, b, c, m, k, n, added)
        np.testing.assert_allclose(out, left @ right + added * before, rtol=0, atol=TOLERANCE[precision] * 10 * k)
        assert around(c, m, n) == outside


@every_precision
@every_shape
def test_a_transposed_product_is_added(shape: tuple[int, int, int], precision: str) -> None:
    m, k, n = shape
    (a, left), (b, right), (c, out) = laid(m, k, precision), laid(m, n, precision, 1), laid(k, n, precision, 2)
    before, outside = out.copy(), around(c, k, n)
    multiplied_transposed(a, b, c, m, k, n)
    np.testing.assert_allclose(out, before + left.T @ right, rtol=0, atol=TOLERANCE[precision] * 10 * m)
    assert around(c, k, n) == outside
