"""The linear recurrent unit after a ReLU layer, in numba: one time step forward, and the same step backward."""

from typing import Any

from lstm_core.kernels.blas import add_transposed_product, product
from lstm_core.kernels.elementwise import inner
from lstm_core.kernels.lru import C_R, back_from_hidden, back_from_state, remember
from lstm_core.kernels.lru import made as made_of_state
from lstm_core.kernels.matrix import Matrix, transpose
from lstm_core.kernels.spec import Room, Spec, Step
from lstm_core.kernels.vectors import greater, lanes, load, put, store, where_zero, zeros

# Beside its block it keeps what makes c, W_v v, real part and imaginary one.
V, R, I = range(3)  # noqa: E741
D = 2


@inner
def of_v(s: Step, numbers: Any, start: int, part: int) -> Matrix:
    """Of W_v the part 0, r, 1, i, or 2, d, where the rows of own parameters, or of what is made of them, start."""
    return Matrix(numbers, start + (C_R + (2 + part) * s.units) * s.size, s.size)


def made(cell: Spec, tape: Any, s: Step) -> None:
    """As without a layer before it, and W_v', part by part"""
    made_of_state(cell, tape, s)
    for part in range(3):
        transpose(of_v(s, tape, s.own, part), of_v(s, tape, s.made, part), s.units, s.units)


def forward(cell: Spec, tape: Any, s: Step) -> None:
    """v = relu(pre)     c = lambda before + scale (W_vr v + i W_vi v)     h = C_r c_r - C_i c_i + W_vd v"""
    for b in range(s.batch):
        for j in range(0, s.size, lanes(tape)):
            v = greater(load(tape, s.pre + b * s.wide + j), zeros(tape))
            store(v, tape, s.blocks + b * s.apart + V * s.size + j)
    v = Matrix(tape, s.blocks + V * s.size, s.apart)
    r, i = Matrix(tape, s.blocks + R * s.size, s.apart), Matrix(tape, s.blocks + I * s.size, s.apart)
    for part, out in enumerate((r, i, Matrix(tape, s.hidden, s.stride))):
        product(v, of_v(s, tape, s.made, part), out, s.batch, s.units, s.units, False)
    remember(tape, s, R)


@inner
def back_to_layer(tape: Any, s: Step, work: Any, w: Room, gradient: Matrix, part: int, added: bool) -> None:
    """dv = W_v' times the gradient of this part of W_v v, `added` to others     dW_v += gradient v'"""
    v, dv = Matrix(tape, s.blocks + V * s.size, s.apart), Matrix(work, w.delta, s.wide)
    product(gradient, of_v(s, tape, s.own, part), dv, s.batch, s.units, s.units, added)
    add_transposed_product(gradient, v, of_v(s, work, w.d_own, part), s.batch, s.units, s.units)


def backward(cell: Spec, tape: Any, s: Step, work: Any, w: Room, norm: Any, told: bool) -> None:
    """
    dr + i di = scale dc, dc from dh, too     dbefore = dc lambda*, and of h 0

    dpre = W_vr' dr + W_vi' di + W_vd' dh, where v is not 0     dW_v += [dr di dh] v'
    """
    dr, di = Matrix(work, w.y, s.size), Matrix(work, w.slope, s.size)
    back_to_layer(tape, s, work, w, Matrix(work, w.dhidden, s.units), D, False)
    back_from_hidden(tape, s, work, w)
    back_from_state(tape, s, work, w, R, dr, di, norm, told)
    for part, gradient in enumerate((dr, di)):
        back_to_layer(tape, s, work, w, gradient, part, True)
    for b in range(s.batch):
        for j in range(0, s.units, lanes(work)):
            v, delta = load(tape, s.blocks + b * s.apart + V * s.size + j), w.delta + b * s.wide + j
            put(where_zero(v, zeros(work), load(work, delta)), work, delta, s.units - j)
