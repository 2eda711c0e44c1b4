"""
How do the parameters lie for the loop over time? By one matrix [h; x; 1] is multiplied, (R, K) with K = kH + D + 1, h
being all k states that the cell sees: it is [W_h W_x b], the biases added up. Peepholes have a copy for each sequence
of the batch, beside its cell states.

A GRU has four blocks of rows: r, z, and for the candidate what comes from h and what comes from x, each with zeros in
the place of the other.
"""

from typing import Any

from numba import njit

from lstm_core.kernels.elementwise import OPTIONS
from lstm_core.kernels.products import copy
from lstm_core.kernels.spec import GRU


@njit(**OPTIONS)
def pack(cell: Any, weights: Any, weight: Any) -> None:
    """Fill `weight` from the `Weights` of a layer."""
    weight_h, weight_x, bias, bias_h = weights.weight_h, weights.weight_x, weights.bias, weights.bias_h
    size, last = weight_h.shape[1], weight.shape[1] - 1
    gates = 2 * size if cell.family == GRU else weight.shape[0]
    copy(weight_h[:gates], weight[:gates])
    copy(weight_x[:gates], weight[:gates, size:])
    for row in range(gates):
        weight[row, last] = bias[row] + bias_h[row] if bias_h.size else bias[row]
    if cell.family == GRU:
        from_hidden, from_input = weight[gates : gates + size], weight[gates + size :]
        for row in range(size):
            for column in range(last):
                from_hidden[row, column] = weight_h[gates + row, column] if column < size else 0
                from_input[row, column] = 0 if column < size else weight_x[gates + row, column - size]
            from_hidden[row, last] = bias_h[gates + row] if bias_h.size else 0
            from_input[row, last] = bias[gates + row]


@njit(**OPTIONS)
def unpack(cell: Any, dweight: Any, dweights: Any) -> None:
    """The gradient of each part from that of the whole."""
    dweight_h, dweight_x, dbias, dbias_h = dweights.weight_h, dweights.weight_x, dweights.bias, dweights.bias_h
    (_, size), last = dweight_h.shape, dweight.shape[1] - 1
    gates = 2 * size if cell.family == GRU else dweight.shape[0]
    copy(dweight[:gates, :size], dweight_h)
    copy(dweight[:gates, size:last], dweight_x)
    for row in range(gates):
        dbias[row] = dweight[row, last]
    for row in range(gates if dbias_h.size else 0):
        dbias_h[row] = dweight[row, last]
    if cell.family == GRU:
        from_hidden, from_input = dweight[gates : gates + size], dweight[gates + size :]
        copy(from_hidden[:, :size], dweight_h[gates:])
        copy(from_input[:, size:last], dweight_x[gates:])
        for row in range(size):
            dbias[gates + row] = from_input[row, last]
        for row in range(size if dbias_h.size else 0):
            dbias_h[gates + row] = from_hidden[row, last]


@njit(**OPTIONS)
def broadcast(peephole: Any, batch: int, beside: Any) -> None:
    """(gates, H) to (gates, H B)"""
    for gate in range(peephole.shape[0]):
        for k in range(beside.shape[1]):
            beside[gate, k] = peephole[gate, k // batch]


@njit(**OPTIONS)
def sum_over_batch(dbeside: Any, batch: int, dpeephole: Any) -> None:
    """(gates, H B) to (gates, H)"""
    dpeephole[:] = 0
    for gate in range(dpeephole.shape[0]):
        for k in range(dbeside.shape[1]):
            dpeephole[gate, k // batch] += dbeside[gate, k]
