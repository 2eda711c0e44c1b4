"""The vanilla RNN in numba: one time step forward, and the same step backward."""

from typing import Any

from numba import njit

from lstm_core.kernels.activations import values, values_and_slopes
from lstm_core.kernels.elementary import OPTIONS


@njit(**OPTIONS)
def forward(cell: Any, blocks: Any, h: Any) -> None:
    """h = phi(pre)"""
    values(cell.phi, blocks[0], h)


@njit(**OPTIONS)
def backward(cell: Any, blocks: Any, dh: Any, delta: Any, y: Any, slope: Any) -> None:
    """dpre = dh phi'(pre)"""
    values_and_slopes(cell.phi, blocks[0], y, slope)
    dpre = delta[0]
    for k in range(dh.size):
        dpre[k] = dh[k] * slope[k]
