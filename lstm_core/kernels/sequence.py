"""
How does a whole sequence go through a cell, and its gradient back? The loop over time, the same for every cell.

Arrays have one dimension and one type, float32 or float64; what is read or filled at each time step for the layers
beside this one, x and the gradients of it and of the hidden states, has number k of row b at time t at
`at + t step + b row + k`.
"""

from typing import Any

import numpy as np

from lstm_core.kernels import gru, lstm, rnn
from lstm_core.kernels.blas import add_transposed_product, product
from lstm_core.kernels.elementwise import inner
from lstm_core.kernels.layout import Step, tape_places, time_step, widths, work_places
from lstm_core.kernels.matrix import (
    Matrix,
    add_exactly,
    clear,
    copy_exactly,
    largest_of,
    norm,
    sum_of,
    transpose,
)
from lstm_core.kernels.spec import GRU, LSTM, RNN, Shape, Spec

# In what is seen of a forward pass: sums of the gates, by their blocks, then the largest |h| and |c|.
SUMS, LARGEST_HIDDEN, LARGEST_STATE = 4, 4, 5


def forward(
    cell: Spec, shape: Shape, tape: Any, base: int, x: Any, x_at: int, x_step: int, x_row: int, seen: Any
) -> None:
    """
    Fill a tape, see `TapePlaces`, of inputs x (T, B, D), with the weights, peepholes and first states that stand there.

    `seen` is empty or float64 (6,): to the first four are added the sums of blocks 0 to 3 over time, batch and units
    where they are gates, and the others rise to the largest |h| and |c|; once nan, these stay so.
    """
    w, places = widths(cell, shape, tape), tape_places(cell, shape, tape, base)
    weight = Matrix(tape, places.weight, w.wide)
    for t in range(shape.steps):
        s = time_step(shape, w, places, t)
        inputs = Matrix(x, x_at + t * x_step, x_row)
        copy_exactly(inputs, Matrix(tape, s.seen + w.seen, w.stride), shape.batch, shape.features)
        for b in range(shape.batch):
            tape[s.seen + b * w.stride + w.deep - 1] = 1
        row, pre = Matrix(tape, s.seen, w.stride), Matrix(tape, s.pre, w.wide)
        product(row, weight, pre, shape.batch, w.deep, w.wide, False)
        if cell.family == RNN:
            rnn.forward(cell, tape, s)
        elif cell.family == LSTM:
            lstm.forward(cell, tape, s)
        else:
            gru.forward(cell, tape, s)
        if seen.size:
            _look(cell, tape, s, seen)


@inner
def _is_gate(cell: Spec, block: int) -> bool:
    if cell.family == LSTM:
        return block != cell.g
    return cell.family == GRU and block <= gru.Z


@inner
def _look(cell: Spec, tape: Any, s: Step, seen: Any) -> None:
    """While the step lies in the nearest cache."""
    for block in range(min(SUMS, s.apart // s.size)):
        if _is_gate(cell, block):
            seen[block] += sum_of(Matrix(tape, s.blocks + block * s.size, s.apart), s.batch, s.units)
    _raise_to(seen, LARGEST_HIDDEN, largest_of(Matrix(tape, s.hidden, s.stride), s.batch, s.units))
    if cell.family == LSTM:
        _raise_to(seen, LARGEST_STATE, largest_of(Matrix(tape, s.state, s.size), s.batch, s.units))


@inner
def _raise_to(seen: Any, k: int, value: float) -> None:
    if value > seen[k] or np.isnan(value):
        seen[k] = value


def backward(
    cell: Spec,
    shape: Shape,
    tape: Any,
    base: int,
    work: Any,
    work_base: int,
    dout: Any,
    dout_at: int,
    dout_step: int,
    dout_row: int,
    dx: Any,
    dx_at: int,
    dx_step: int,
    dx_row: int,
    norms: Any,
) -> None:
    """
    From a tape that `forward` has filled to the gradients in a workspace, see `WorkPlaces`.

    Those of the last states stand there before, in `dhidden` and `dstate`, and those of the first states afterwards.
    `dout` (T, B, H) is that of all hidden states, none if its place is below 0; that of x (T, B, D) is added to `dx`
    unless that place is below 0. `norms` is empty or float64 (2 T,): ||dL/dh_t|| of all time steps, then ||dL/dc_t||
    of an LSTM, over batch and units.
    """
    w, places = widths(cell, shape, tape), tape_places(cell, shape, tape, base)
    gradients = work_places(cell, shape, work, work_base)
    weight, dweight = Matrix(tape, places.weight, w.wide), Matrix(work, gradients.dweight, w.wide)
    needed = w.seen if dx_at < 0 else w.stride
    back, back_to_x = Matrix(work, gradients.back, needed), Matrix(work, gradients.back + w.seen, needed)
    delta, dhidden = Matrix(work, gradients.delta, w.wide), Matrix(work, gradients.dhidden, w.seen)
    goes_past = cell.family == GRU or cell.window > 1
    clear(work, gradients.dweight, gradients.dhidden)
    transpose(weight, back, min(needed, w.deep), w.wide)
    for t in range(shape.steps - 1, -1, -1):
        s = time_step(shape, w, places, t)
        if dout_at >= 0:
            add_exactly(Matrix(dout, dout_at + t * dout_step, dout_row), dhidden, shape.batch, shape.units)
        if norms.size:
            norms[t] = norm(dhidden, shape.batch, shape.units)
        if cell.family == RNN:
            rnn.backward(cell, tape, s, work, gradients)
        elif cell.family == LSTM:
            lstm.backward(cell, tape, s, work, gradients, norms, shape.steps + t)
        else:
            gru.backward(cell, tape, s, work, gradients)
        row = Matrix(tape, s.seen, w.stride)
        add_transposed_product(row, delta, dweight, shape.batch, w.deep, w.wide)
        product(delta, back, dhidden, shape.batch, w.wide, w.seen, goes_past)
        if dx_at >= 0:
            dinputs = Matrix(dx, dx_at + t * dx_step, dx_row)
            product(delta, back_to_x, dinputs, shape.batch, w.wide, shape.features, True)
