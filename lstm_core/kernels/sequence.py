"""How does a whole sequence go through a cell, and its gradient back? The loop over time, the same for every cell."""

from typing import Any

import numpy as np
from numba import njit

from lstm_core.kernels import gru, lstm, rnn
from lstm_core.kernels.arrays import TapeArrays, Weights, Workspace
from lstm_core.kernels.elementwise import OPTIONS
from lstm_core.kernels.products import add, copy, empty_aligned, product, transpose
from lstm_core.kernels.spec import GRU, LSTM, RNN
from lstm_core.kernels.weights import broadcast, pack, sum_over_batch, unpack

# Partial sums of a norm; a power of two.
LANES = 64


def forward(cell: Any, x: Any, hidden: Any, state: Any, parameters: Any, arrays: Any) -> None:
    """
    Fill `TapeArrays` of inputs x (T, B, D) and first states (B, H), with the `Weights` of a layer. A cell with a window
    sees kH numbers for h, its last k states, newest first, and has as many first ones.
    """
    weights, tape = Weights(*parameters), TapeArrays(*arrays)
    (batch, seen), deep = hidden.shape, tape.weight.shape[1]
    size = seen // cell.window
    pack(cell, weights, tape.weight)
    column = empty_aligned(deep, batch, tape.weight)
    peephole = empty_aligned(len(weights.peephole), size * batch, tape.weight)
    broadcast(weights.peephole, batch, peephole)
    column[deep - 1] = 1
    transpose(hidden, column[:seen])
    transpose(hidden.T, tape.rows[0])
    if tape.states.size:
        transpose(state, tape.states[0].reshape(size, batch))
    _forward(cell, x, peephole, column, tape)


@njit(**OPTIONS)
def _forward(cell: Any, x: Any, peephole: Any, column: Any, tape: Any) -> None:
    weight, rows, blocks, states = tape
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
    arrays: Any,
    doutputs: Any,
    dhidden: Any,
    dstate: Any,
    dx: Any,
    gradients: Any,
    norms: Any,
) -> None:
    """
    The gradient of everything that `forward` read, from that of what it made: `doutputs` (T, B, H), or none of it, and
    of the last states, `dhidden` and `dstate`, which become those of the first states and have their shapes.

    Fills `dx` (T, B, D), unless it is empty, and the gradients of the parameters; and `norms` (2, T): ||dL/dh_t|| and
    ||dL/dc_t||.
    """
    dweights, tape = Weights(*gradients), TapeArrays(*arrays)
    like = tape.weight
    (batch, seen), (wide, deep) = dhidden.shape, like.shape
    size, needed = seen // cell.window, seen + dx.shape[2]
    gates, vectors = len(peephole), empty_aligned(3, size * batch, like)
    work = Workspace(
        below=empty_aligned(needed, batch, like),
        back=empty_aligned(needed, wide, like),
        delta=empty_aligned(wide // size, size * batch, like),
        dc=vectors[0],
        y=vectors[1],
        slope=vectors[2],
        # What goes past the product: to the state before in a GRU, with a window to all of them but the oldest.
        carry=empty_aligned(1, (size if cell.family == GRU else seen - size) * batch, like)[0],
        dweight=empty_aligned(wide, deep, like),
        part=empty_aligned(wide, deep, like),
        peephole=empty_aligned(gates, size * batch, like),
        dpeephole=empty_aligned(gates, size * batch, like),
        sums=np.empty(LANES),
    )
    transpose(like[:, :needed], work.back)
    broadcast(peephole, batch, work.peephole)
    work.dweight[:] = 0
    work.dpeephole[:] = 0
    dhidden2d, dstate2d = work.below[:seen], work.dc.reshape(size, batch)
    transpose(dhidden, dhidden2d)
    transpose(dstate, dstate2d)
    _backward(cell, tape, doutputs, dx, norms, work)
    transpose(dhidden2d, dhidden)
    transpose(dstate2d, dstate)
    unpack(cell, work.dweight, dweights)
    sum_over_batch(work.dpeephole, batch, dweights.peephole)


@njit(**OPTIONS)
def _backward(cell: Any, tape: Any, doutputs: Any, dx: Any, norms: Any, work: Any) -> None:
    rows, blocks, states = tape.rows, tape.blocks, tape.states
    below, delta, dc, y, slope, carry = work.below, work.delta, work.dc, work.y, work.slope, work.carry
    wide, batch, seen = work.dweight.shape[0], below.shape[1], below.shape[0] - dx.shape[2]
    size = seen // cell.window
    dh2d, dh, dolder = below[:size], below[:size].reshape(-1), below[size:seen].reshape(-1)
    delta2d, carried = delta.reshape(wide, batch), below.reshape(-1)[: carry.size]
    flat, flat_part = work.dweight.reshape(-1), work.part.reshape(-1)
    for t in range(len(blocks) - 1, -1, -1):
        if doutputs.size:
            doutput = doutputs[t]
            for b in range(batch):
                for unit in range(size):
                    dh2d[unit, b] += doutput[b, unit]
        norms[0, t] = norm(dh, work.sums)
        if cell.family == RNN:
            rnn.backward(cell, blocks[t], dh, dolder, delta, y, slope, carry)
        elif cell.family == LSTM:
            lstm.through_output(cell, blocks[t], work.peephole, states[t + 1], dh, dc, delta, work.dpeephole, y, slope)
            norms[1, t] = norm(dc, work.sums)
            lstm.through_cell(cell, blocks[t], work.peephole, states[t], dc, delta, work.dpeephole, y, slope)
        else:
            gru.backward(cell, blocks[t], states[t], dh, delta, y, slope, carry)
        product(delta2d, rows[t], work.part)
        add(flat_part, flat)
        product(work.back, delta2d, below)
        add(carry, carried)
        if dx.size:
            transpose(below[seen:], dx[t])
