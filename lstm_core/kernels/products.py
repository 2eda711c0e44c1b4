"""How fast can a product of small matrices be? As fast as BLAS multiplies without packing."""

from typing import Any

import numpy as np
from numba import njit

from lstm_core.kernels.elementwise import ALLOCATING, OPTIONS

# Up to a million multiplications OpenBLAS takes the matrices as they lie; beyond, it packs them first, and for
# matrices that fit the cache that costs a quarter of the time.
WITHOUT_PACKING = 1_000_000


@njit(**ALLOCATING)
def product(a: Any, b: Any, out: Any) -> None:
    """out = a b, all row-major, in blocks of rows that keep each at about `WITHOUT_PACKING` multiplications."""
    if a.size * b.shape[1] <= WITHOUT_PACKING:
        np.dot(a, b, out)
        return
    blocks = 1 + a.size * b.shape[1] // WITHOUT_PACKING
    rows = -(-a.shape[0] // blocks)
    for start in range(0, a.shape[0], rows):
        np.dot(a[start : start + rows], b, out[start : start + rows])


@njit(**ALLOCATING)
def empty_aligned(rows: int, columns: int, like: Any) -> Any:
    """An array (rows, columns), not filled, of the type of `like`, which begins where a vector of 64 bytes does."""
    whole = np.empty(rows * columns + 64 // like.itemsize, like.dtype)
    start = (-whole.ctypes.data % 64) // like.itemsize
    return whole[start : start + rows * columns].reshape(rows, columns)


@njit(**OPTIONS)
def transpose(a: Any, out: Any) -> None:
    """out = a transposed."""
    for row in range(a.shape[0]):
        for column in range(a.shape[1]):
            out[column, row] = a[row, column]


@njit(**OPTIONS)
def copy(a: Any, out: Any) -> None:
    """out = a; without the allowance for overlapping arrays that an assignment makes."""
    for row in range(a.shape[0]):
        for column in range(a.shape[1]):
            out[row, column] = a[row, column]


@njit(**OPTIONS)
def add(a: Any, out: Any) -> None:
    """out += a, of vectors."""
    for k in range(out.size):
        out[k] += a[k]
