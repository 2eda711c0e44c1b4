"""How fast can a product of small matrices be? As fast as BLAS multiplies without packing."""

from typing import Any

import numpy as np
from numba import njit

from lstm_core.kernels.elementary import OPTIONS

# Up to a million multiplications OpenBLAS takes the matrices as they lie; beyond, it packs them first, and for
# matrices that fit the cache that costs a quarter of the time.
WITHOUT_PACKING = 1_000_000


@njit(**OPTIONS)
def product(a: Any, b: Any, out: Any) -> None:
    """out = a b, all row-major, in blocks of rows that keep each at about `WITHOUT_PACKING` multiplications."""
    blocks = 1 + a.size * b.shape[1] // WITHOUT_PACKING
    rows = -(-a.shape[0] // blocks)
    for start in range(0, a.shape[0], rows):
        np.dot(a[start : start + rows], b, out[start : start + rows])


@njit(**OPTIONS)
def transpose(a: Any, out: Any) -> None:
    """out = a transposed."""
    for row in range(a.shape[0]):
        for column in range(a.shape[1]):
            out[column, row] = a[row, column]
