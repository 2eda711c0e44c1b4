"""How does a whole sequence go through a cell, and its gradient back? The loop over time, the same for every cell."""

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from lstm_core.kernels import gru, lstm, rnn
from lstm_core.kernels.elementary import OPTIONS, SUMS
from lstm_core.kernels.products import WITHOUT_PACKING, product, transpose

RNN, LSTM, GRU = range(3)


class Spec(NamedTuple):
    """A cell in numbers: family, activations by code, the place of each block of rows (-1: there is none), flags."""

    family: int
    phi: int
    psi: int
    i: int
    f: int
    g: int
    o: int
    coupled: int
    peephole: int


def forward(
    cell: Any, inputs: Any, hidden: Any, weight: Any, peephole: Any, rows: Any, blocks: Any, states: Any
) -> None:
    """
    inputs (T, B, D), hidden (B, H) and weight (R, K) with K = H + D + 1, the product of which with [h; x; 1] is pre.

    Fills `rows` (T + 1, B, K), [h; x; 1] for each step and the last h; `blocks` (T, R / H, H B), the gates and the
    preactivations; and `states` (T + 1, H B), whose first line is given: c, or h in a GRU. Where B stands last, the
    units stand before it, so that a gate is one contiguous block.
    """
    (steps, batch, features), size = inputs.shape, hidden.shape[1]
    column = np.ones((weight.shape[1], batch), weight.dtype)
    h2d, h = column[:size], column[:size].reshape(-1)
    transpose(hidden, h2d)
    rows[:, :, -1] = 1
    rows[0, :, :size] = hidden
    for t in range(steps):
        transpose(inputs[t], column[size : size + features])
        rows[t, :, size : size + features] = inputs[t]
        product(weight, column, blocks[t].reshape(weight.shape[0], batch))
        if cell.family == RNN:
            rnn.forward(cell, blocks[t], h)
        elif cell.family == LSTM:
            lstm.forward(cell, blocks[t], peephole, states[t], states[t + 1], h)
        else:
            gru.forward(cell, blocks[t], states[t], states[t + 1])
            h[:] = states[t + 1]
        transpose(h2d, rows[t + 1])


@njit(**SUMS)
def norm(x: Any) -> float:
    """Euclidean, in double precision, where squares do not underflow."""
    total = 0.0
    for k in range(x.size):
        total += np.float64(x[k]) * np.float64(x[k])
    return np.sqrt(total)


@njit(**OPTIONS)
def gather(part: Any, whole: Any, first: int) -> None:
    """Columns of `whole` from `first` on = `part`."""
    for row in range(part.shape[0]):
        for column in range(part.shape[1]):
            whole[row, first + column] = part[row, column]


def backward(
    cell: Any,
    weight: Any,
    peephole: Any,
    rows: Any,
    blocks: Any,
    states: Any,
    doutputs: Any,
    dhidden: Any,
    dcell: Any,
    dinputs: Any,
    dweight: Any,
    dpeephole: Any,
    norms: Any,
) -> None:
    """
    The gradient of everything that `forward` read, from that of what it made: `doutputs` (T, B, H), or none of it, and
    of the last states, `dhidden` and `dcell` (B, H), which become those of the first states.

    Fills `dinputs` (T, B, D), unless it is empty, `dweight` (R, K), `dpeephole`, which starts at 0, and `norms` (2, T):
    ||dL/dh_t|| and ||dL/dc_t||.
    """
    (batch, size), (wide, deep), steps = dhidden.shape, weight.shape, blocks.shape[0]
    features = dinputs.shape[2]
    below = np.empty((size + features, batch), weight.dtype)
    back = np.empty((size + features, wide), weight.dtype)
    transpose(weight[:, : size + features], back)
    dh2d, dh = below[:size], below[:size].reshape(-1)
    dc2d = np.empty((size, batch), weight.dtype)
    dc = dc2d.reshape(-1)
    transpose(dhidden, dh2d)
    transpose(dcell, dc2d)
    delta = np.empty((wide // size, size * batch), weight.dtype)
    delta2d = delta.reshape(wide, batch)
    y, slope, carry = np.empty_like(dc), np.empty_like(dc), np.empty_like(dc)

    # The gradient of the weights is one product for several steps, as many as BLAS multiplies without packing.
    most = max(1, min(8, WITHOUT_PACKING // (wide * batch * deep)))
    gathered = np.empty((wide, most * batch), weight.dtype) if most > 1 else delta2d
    part = np.empty_like(dweight)
    dweight[:] = 0
    for end in range(steps, 0, -most):
        start = max(0, end - most)
        chunk = gathered.reshape(-1)[: wide * (end - start) * batch].reshape(wide, (end - start) * batch)
        for t in range(end - 1, start - 1, -1):
            if doutputs.size:
                for b in range(batch):
                    for unit in range(size):
                        dh2d[unit, b] += doutputs[t, b, unit]
            norms[0, t] = norm(dh)
            if cell.family == RNN:
                rnn.backward(cell, blocks[t], dh, delta, y, slope)
            elif cell.family == LSTM:
                lstm.through_output(cell, blocks[t], peephole, states[t + 1], dh, dc, delta, dpeephole, y, slope)
                norms[1, t] = norm(dc)
                lstm.through_cell(cell, blocks[t], peephole, states[t], dc, delta, dpeephole, y, slope)
            else:
                gru.backward(cell, blocks[t], states[t], dh, delta, y, slope, carry)
            if most > 1:
                gather(delta2d, chunk, (t - start) * batch)
            product(back, delta2d, below)
            if cell.family == GRU:
                for k in range(dh.size):
                    dh[k] += carry[k]
            if features:
                transpose(below[size:], dinputs[t])
        product(chunk, rows[start:end].reshape((end - start) * batch, deep), part)
        for row in range(wide):
            for k in range(deep):
                dweight[row, k] += part[row, k]
    transpose(dh2d, dhidden)
    transpose(dc2d, dcell)
