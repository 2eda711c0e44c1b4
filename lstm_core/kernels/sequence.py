"""
How does a whole sequence go through a cell, and its gradient back? The loop over time, the same for every cell.

Arrays are found by pointers to float32 or float64; what is read or filled at each time step for the layers beside this
one, x and the gradients of it and of the hidden states, has number k of row b at time t at `t step + b row + k`.
"""

from typing import Any

import numpy as np

from lstm_core.borrowed.compiler import call
from lstm_core.kernels.blas import add_transposed_product, product
from lstm_core.kernels.elementwise import inner
from lstm_core.kernels.matrix import (
    Matrix,
    add_exactly,
    clear,
    copy_exactly,
    largest_modulus_of,
    largest_of,
    norm_of,
    sum_of,
    transpose,
)
from lstm_core.kernels.pointers import at_address, fields, moved
from lstm_core.kernels.spec import Layer, Room, Spec, Step

# In what is seen of a forward pass: sums of the gates, by their blocks, then the largest |h| and |c|.
SUMS, LARGEST_HIDDEN, LARGEST_STATE = 4, 4, 5


@inner
def time_step(at: Layer, t: int) -> Step:
    """Number t, from 0, of a sequence."""
    row, state = at.batch * at.stride, at.batch * at.cells
    return Step(
        at.rows + t * row,
        at.rows + (t + 1) * row,
        at.pre,
        at.blocks + t * at.batch * at.apart,
        at.states + t * state,
        at.states + (t + 1) * state,
        at.peephole,
        at.own,
        at.made,
        at.batch,
        at.units,
        at.size,
        at.stride,
        at.wide,
        at.apart,
        at.cells,
    )


def forward(spec: Any, layer: Any, tape: Any, x: Any, x_step: int, x_row: int, seen: Any, look: bool) -> None:
    """
    Fill a tape, see `Layer`, of inputs x (T, B, D), with the weights, peepholes and first states that stand there.

    If one is to `look`, to the first four of `seen`, float64 (6,), are added the sums of blocks 0 to 3 over time, batch
    and units where they are gates, and the others rise to the largest |h| and |c|; once nan, these stay so.
    """
    cell, at = fields(Spec, spec), fields(Layer, layer)
    weight = Matrix(tape, at.weight, at.wide)
    if cell.made:
        call(cell.made, cell, tape, time_step(at, 0))
    for t in range(at.steps):
        s = time_step(at, t)
        inputs = Matrix(x, t * x_step, x_row)
        copy_exactly(inputs, Matrix(tape, s.seen + at.seen, at.stride), at.batch, at.features)
        for b in range(at.batch):
            tape[s.seen + b * at.stride + at.skipped + at.deep - 1] = 1
        row, pre = Matrix(tape, s.seen + at.skipped, at.stride), Matrix(tape, s.pre, at.wide)
        product(row, weight, pre, at.batch, at.deep, at.wide, False)
        call(cell.forward, cell, tape, s)
        if look:
            _look(cell, tape, s, seen)


@inner
def _look(cell: Spec, tape: Any, s: Step, seen: Any) -> None:
    """While the step lies in the nearest cache."""
    for block in range(SUMS):
        if (cell.gates >> block) & 1:
            seen[block] += sum_of(Matrix(tape, s.blocks + block * s.size, s.apart), s.batch, s.units)
    for k in range(1 + cell.has_cell):
        states = Matrix(tape, s.hidden, s.stride) if k == 0 else Matrix(tape, s.state, s.cells)
        if k == 1 and cell.complex:
            largest = largest_modulus_of(states, Matrix(tape, s.state + s.size, s.cells), s.batch, s.units)
        else:
            largest = largest_of(states, s.batch, s.units)
        if largest > seen[LARGEST_HIDDEN + k] or np.isnan(largest):
            seen[LARGEST_HIDDEN + k] = largest


def backward(
    spec: Any,
    layer: Any,
    tape: Any,
    work: Any,
    dout: int,
    dout_step: int,
    dout_row: int,
    dx: int,
    dx_step: int,
    dx_row: int,
    norms: Any,
    told: bool,
) -> None:
    """
    From a tape that `forward` has filled to the gradients in a workspace, see `Layer`.

    Those of the last states stand there before, in `dhidden` and `dstate`, and those of the first states afterwards.
    `dout` is the address of that of all hidden states (T, B, H), and that of x (T, B, D) is added to what is at `dx`;
    0 where there is none. If they are to be told, `norms`, float64 (2 T,), become ||dL/dh_t|| of all time steps, then
    ||dL/dc_t|| of a cell that has c, over batch and units.
    """
    cell, at = fields(Spec, spec), fields(Layer, layer)
    room = Room(at.dpeephole, at.d_own, at.dhidden, at.dstate, at.delta, at.y, at.slope)
    weight, dweight = Matrix(tape, at.weight, at.wide), Matrix(work, at.dweight, at.wide)
    multiplied = at.seen - at.skipped
    needed = at.stride if dx else multiplied
    back, back_to_x = Matrix(work, at.back, needed), Matrix(work, at.back + multiplied, needed)
    delta, dhidden = Matrix(work, at.delta, at.wide), Matrix(work, at.dhidden, at.seen)
    douts, dxs = at_address(work, dout), at_address(work, dx)
    clear(work, at.dweight, at.dhidden)
    transpose(weight, back, min(needed, at.deep), at.wide)
    for t in range(at.steps - 1, -1, -1):
        s = time_step(at, t)
        if dout:
            add_exactly(Matrix(douts, t * dout_step, dout_row), dhidden, at.batch, at.units)
        if told:
            norms[t] = norm_of(dhidden, at.batch, at.units)
        call(cell.backward, cell, tape, s, work, room, moved(norms, at.steps + t), told)
        row = Matrix(tape, s.seen + at.skipped, at.stride)
        add_transposed_product(row, delta, dweight, at.batch, at.deep, at.wide)
        if multiplied:
            product(delta, back, dhidden, at.batch, at.wide, multiplied, cell.beside != 0)
        if dx:
            product(delta, back_to_x, Matrix(dxs, t * dx_step, dx_row), at.batch, at.wide, at.features, True)
