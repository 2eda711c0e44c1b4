"""The vanilla RNN in numba: one time step forward, and the same step backward."""

from typing import Any

from numba import njit

from lstm_core.kernels.activations import values, values_and_slopes
from lstm_core.kernels.elementwise import OPTIONS


@njit(**OPTIONS)
def forward(cell: Any, blocks: Any, h: Any) -> None:
    """h = phi(pre), in front of the states that were seen, newest first; the oldest gives way."""
    size = blocks[0].size
    for place in range(h.size - size, 0, -size):
        newer, older = h[place - size : place], h[place : place + size]
        for k in range(size):
            older[k] = newer[k]
    values(cell.phi, blocks[0], h[:size])


@njit(**OPTIONS)
def backward(cell: Any, blocks: Any, dh: Any, dolder: Any, delta: Any, y: Any, slope: Any, carry: Any) -> None:
    """
    dpre = dh phi'(pre)

    `dolder`, what later steps have to say to the states before this one, goes past it as `carry`.
    """
    values_and_slopes(cell.phi, blocks[0], y, slope)
    dpre = delta[0]
    for k in range(dh.size):
        dpre[k] = dh[k] * slope[k]
    for k in range(carry.size):
        carry[k] = dolder[k]
