"""The GRU in numba: one time step forward, and the same step backward."""

from typing import Any

from numba import njit

from lstm_core.kernels.activations import values, values_and_slopes
from lstm_core.kernels.elementwise import OPTIONS, sigmoid

# The candidate needs W_hn h and W_xn x apart, so it has two blocks of preactivations.
R, Z, FROM_HIDDEN, FROM_INPUT = range(4)


@njit(**OPTIONS)
def forward(cell: Any, blocks: Any, before: Any, h: Any) -> None:
    """
    r, z = sigmoid(pre)     n = phi(from_input + r * from_hidden)     h = n + z * (before - n)

    The gates, and the preactivation of n, replace what stood in their blocks.
    """
    r, z, from_hidden, pre = blocks[R], blocks[Z], blocks[FROM_HIDDEN], blocks[FROM_INPUT]
    for k in range(h.size):
        opened = sigmoid(r[k])
        r[k] = opened
        pre[k] += opened * from_hidden[k]
    values(cell.phi, pre, h)
    for k in range(h.size):
        opened = sigmoid(z[k])
        z[k] = opened
        h[k] += opened * (before[k] - h[k])


@njit(**OPTIONS)
def backward(cell: Any, blocks: Any, before: Any, dh: Any, delta: Any, n: Any, slope: Any, carry: Any) -> None:
    """
    dn = dh (1 - z)     dz = dh (before - n)     dpre = dn phi'     dr = dpre from_hidden

    Gates times the slope of their sigmoid. `carry` is what reaches the hidden state before directly, dh z.
    """
    r, z, from_hidden, pre = blocks[R], blocks[Z], blocks[FROM_HIDDEN], blocks[FROM_INPUT]
    dr, dz, dfrom_hidden, dpre = delta[R], delta[Z], delta[FROM_HIDDEN], delta[FROM_INPUT]
    values_and_slopes(cell.phi, pre, n, slope)
    for k in range(dh.size):
        carry[k] = dh[k] * z[k]
        dpre[k] = (dh[k] - carry[k]) * slope[k]
    for k in range(dh.size):
        dz[k] = dh[k] * (before[k] - n[k]) * (z[k] - z[k] * z[k])
    for k in range(dh.size):
        dr[k] = dpre[k] * from_hidden[k] * (r[k] - r[k] * r[k])
        dfrom_hidden[k] = dpre[k] * r[k]
