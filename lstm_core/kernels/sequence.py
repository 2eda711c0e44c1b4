"""How does a whole sequence go through a cell, and its gradient back? The loop over time, the same for every cell."""

from typing import Any

import numpy as np
from numba import njit

from lstm_core.kernels import gru, lstm, rnn
from lstm_core.kernels.elementwise import OPTIONS
from lstm_core.kernels.products import add, copy, empty_aligned, product, transpose
from lstm_core.kernels.spec import GRU, LSTM, RNN
from lstm_core.kernels.weights import broadcast, pack, sum_over_batch, unpack

# Partial sums of a norm; a power of two.
LANES = 64


def forward(
    cell: Any,
    x: Any,
    hidden: Any,
    state: Any,
    weight_h: Any,
    weight_x: Any,
    bias: Any,
    bias_h: Any,
    peephole: Any,
    weight: Any,
    rows: Any,
    blocks: Any,
    states: Any,
) -> None:
    """
    Inputs x (T, B, D), first states (B, H), and the parameters as a layer has them; none is an empty array. A cell with
    a window sees kH numbers for h, its last k states, newest first, and has as many first ones.

    Fills `weight` (R, K), see `weights`; `rows` (T + 1, B, K), [h; x; 1] for each step and the last h; `blocks`
    (T, R / H, H B), the gates and the preactivations; and `states` (T + 1, H B): c, or h in a GRU, nothing in an RNN.
    Where B stands last, the units stand before it, so that a gate is one contiguous block.
    """
    (batch, size), deep = hidden.shape, weight.shape[1]
    pack(cell, weight_h, weight_x, bias, bias_h, weight)
    column, beside = empty_aligned(deep, batch, weight), empty_aligned(peephole.shape[0], size * batch, weight)
    broadcast(peephole, batch, beside)
    column[deep - 1] = 1
    transpose(hidden, column[:size])
    transpose(hidden.T, rows[0])
    if states.size:
        transpose(state, states[0].reshape(size, batch))
    _forward(cell, x, weight, beside, column, rows, blocks, states)


@njit(**OPTIONS)
def _forward(cell: Any, x: Any, weight: Any, peephole: Any, column: Any, rows: Any, blocks: Any, states: Any) -> None:
    (steps, batch, features), (wide, deep) = x.shape, weight.shape
    seen = deep - features - 1
    size = seen // cell.window
    h2d, h = column[:size], column[:seen].reshape(-1)
    for t in range(steps):
        row = rows[t]
        for b in range(batch):
            for k in range(features):
                value = x[t, b, k]
                column[seen + k, b] = value
                row[b, seen + k] = value
            row[b, deep - 1] = 1
        product(weight, column, blocks[t].reshape(wide, batch))
        if cell.family == RNN:
            rnn.forward(cell, blocks[t], h)
        elif cell.family == LSTM:
            lstm.forward(cell, blocks[t], peephole, states[t], states[t + 1], h)
        else:
            gru.forward(cell, blocks[t], states[t], states[t + 1])
            transpose(states[t + 1].reshape(size, batch).T, h2d)
        transpose(h2d, rows[t + 1])
        if seen > size:
            # The older states from the row before: that is faster than to transpose them again.
            copy(row[:, : seen - size], rows[t + 1, :, size:])


@njit(**OPTIONS)
def norm(x: Any, sums: Any) -> float:
    """
    Euclidean, in double precision, where squares do not underflow; with room for `LANES` partial sums, so many that
    their order, and with it every bit, is the same whatever the length of the machine's vectors.
    """
    sums[:] = 0
    whole = x.size - x.size % LANES
    for start in range(0, whole, LANES):
        for lane in range(LANES):
            value = np.float64(x[start + lane])
            sums[lane] += value * value
    for lane in range(x.size - whole):
        value = np.float64(x[whole + lane])
        sums[lane] += value * value
    half = LANES // 2
    while half:
        for lane in range(half):
            sums[lane] += sums[half + lane]
        half //= 2
    return np.sqrt(sums[0])


def backward(
    cell: Any,
    peephole: Any,
    weight: Any,
    rows: Any,
    blocks: Any,
    states: Any,
    doutputs: Any,
    dhidden: Any,
    dstate: Any,
    dx: Any,
    dweight_h: Any,
    dweight_x: Any,
    dbias: Any,
    dbias_h: Any,
    dpeephole: Any,
    norms: Any,
) -> None:
    """
    The gradient of everything that `forward` read, from that of what it made: `doutputs` (T, B, H), or none of it, and
    of the last states, `dhidden` and `dstate`, which become those of the first states and have their shapes.

    Fills `dx` (T, B, D), unless it is empty, and the gradients of the parameters; and
    `norms` (2, T): ||dL/dh_t|| and ||dL/dc_t||.
    """
    (batch, seen), (wide, deep) = dhidden.shape, weight.shape
    size, needed = seen // cell.window, seen + dx.shape[2]
    below, back = empty_aligned(needed, batch, weight), empty_aligned(needed, wide, weight)
    transpose(weight[:, :needed], back)
    delta, workspace = empty_aligned(wide // size, size * batch, weight), empty_aligned(3, size * batch, weight)
    # What does not go through the product: to the state before in a GRU, with a window to all of them but the oldest.
    carry = empty_aligned(1, (size if cell.family == GRU else seen - size) * batch, weight)[0]
    dweight, part = empty_aligned(wide, deep, weight), empty_aligned(wide, deep, weight)
    beside = empty_aligned(len(peephole), size * batch, weight)
    dbeside = empty_aligned(len(peephole), size * batch, weight)
    broadcast(peephole, batch, beside)
    dweight[:] = 0
    dbeside[:] = 0
    dhidden2d, dc2d = below[:seen], workspace[0].reshape(size, batch)
    transpose(dhidden, dhidden2d)
    transpose(dstate, dc2d)
    _backward(
        cell,
        beside,
        rows,
        blocks,
        states,
        doutputs,
        dx,
        dbeside,
        norms,
        below,
        back,
        delta,
        workspace,
        carry,
        dweight,
        part,
        np.empty(LANES),
    )
    transpose(dhidden2d, dhidden)
    transpose(dc2d, dstate)
    unpack(cell, dweight, dweight_h, dweight_x, dbias, dbias_h)
    sum_over_batch(dbeside, batch, dpeephole)


@njit(**OPTIONS)
def _backward(
    cell: Any,
    peephole: Any,
    rows: Any,
    blocks: Any,
    states: Any,
    doutputs: Any,
    dx: Any,
    dpeephole: Any,
    norms: Any,
    below: Any,
    back: Any,
    delta: Any,
    workspace: Any,
    carry: Any,
    dweight: Any,
    part: Any,
    sums: Any,
) -> None:
    steps, (wide, batch), seen = len(blocks), (dweight.shape[0], below.shape[1]), below.shape[0] - dx.shape[2]
    size = seen // cell.window
    dh2d, dh, dolder = below[:size], below[:size].reshape(-1), below[size:seen].reshape(-1)
    dc, y, slope, carried = workspace[0], workspace[1], workspace[2], below.reshape(-1)[: carry.size]
    delta2d, flat, flat_part = delta.reshape(wide, batch), dweight.reshape(-1), part.reshape(-1)
    for t in range(steps - 1, -1, -1):
        if doutputs.size:
            doutput = doutputs[t]
            for b in range(batch):
                for unit in range(size):
                    dh2d[unit, b] += doutput[b, unit]
        norms[0, t] = norm(dh, sums)
        if cell.family == RNN:
            rnn.backward(cell, blocks[t], dh, dolder, delta, y, slope, carry)
        elif cell.family == LSTM:
            lstm.through_output(cell, blocks[t], peephole, states[t + 1], dh, dc, delta, dpeephole, y, slope)
            norms[1, t] = norm(dc, sums)
            lstm.through_cell(cell, blocks[t], peephole, states[t], dc, delta, dpeephole, y, slope)
        else:
            gru.backward(cell, blocks[t], states[t], dh, delta, y, slope, carry)
        product(delta2d, rows[t], part)
        add(flat_part, flat)
        product(back, delta2d, below)
        add(carry, carried)
        if dx.size:
            transpose(below[seen:], dx[t])
