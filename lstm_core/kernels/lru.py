"""
The linear recurrent unit in numba: what is made of its own parameters, one time step forward, and the same step
backward. The complex state c is two arrays of real numbers.
"""

from typing import Any

import numpy as np

from lstm_core.kernels.blas import add_transposed_product, product
from lstm_core.kernels.elementwise import exp, inner, sine_and_cosine, unbounded_exp
from lstm_core.kernels.matrix import Matrix, clear, copy, copy_exactly, transpose
from lstm_core.kernels.spec import Room, Spec, Step
from lstm_core.kernels.vectors import first, lanes, load, put, store, total, widened, zeros

R, I, D = range(3)  # noqa: E741
# The first rows of its own parameters; then come those of C_r, C_i, and of others.
NU, THETA, GAMMA, C_R = range(4)
# The same of what is made of them; C is transposed.
LAMBDA_R, LAMBDA_I, SCALE = range(3)


@inner
def of_c(s: Step, numbers: Any, start: int, part: int) -> Matrix:
    """C_r, the part 0, or C_i, 1, where the rows of own parameters, or of what is made of them, start."""
    return Matrix(numbers, start + (C_R + part * s.units) * s.size, s.size)


@inner
def of_state(s: Step, numbers: Any, start: int, part: int) -> Matrix:
    """The real part, 0, of states that start there, or the imaginary one, 1."""
    return Matrix(numbers, start + part * s.size, s.cells)


@inner
def made(cell: Spec, tape: Any, s: Step) -> None:
    """lambda = exp(-exp(nu)) (cos exp(theta) + i sin exp(theta))     scale = exp(gamma)     C_r' and -C_i'"""
    for j in range(s.units):
        size = exp(-exp(tape[s.own + NU * s.size + j]))
        sine, cosine = sine_and_cosine(exp(tape[s.own + THETA * s.size + j]))
        tape[s.made + LAMBDA_R * s.size + j] = size * cosine
        tape[s.made + LAMBDA_I * s.size + j] = size * sine
        tape[s.made + SCALE * s.size + j] = unbounded_exp(tape[s.own + GAMMA * s.size + j])
    for part in range(2):
        transpose(of_c(s, tape, s.own, part), of_c(s, tape, s.made, part), s.units, s.units)
    imaginary = of_c(s, tape, s.made, 1).at
    for k in range(imaginary, imaginary + s.units * s.size, lanes(tape)):
        store(-load(tape, k), tape, k)


@inner
def remember(tape: Any, s: Step, r: int) -> None:
    """c = lambda before + scale (block_r + i block_(r + 1))     h += C_r c_r - C_i c_i"""
    for j in range(0, s.size, lanes(tape)):
        lambda_r, lambda_i = load(tape, s.made + LAMBDA_R * s.size + j), load(tape, s.made + LAMBDA_I * s.size + j)
        scale = load(tape, s.made + SCALE * s.size + j)
        for b in range(s.batch):
            block, before, after = s.blocks + b * s.apart + r * s.size + j, s.before + b * s.cells + j, b * s.cells + j
            c_r, c_i = load(tape, before), load(tape, before + s.size)
            store(lambda_r * c_r - lambda_i * c_i + scale * load(tape, block), tape, s.state + after)
            store(lambda_r * c_i + lambda_i * c_r + scale * load(tape, block + s.size), tape, s.state + after + s.size)
    hidden = Matrix(tape, s.hidden, s.stride)
    for part in range(2):
        state, weight = of_state(s, tape, s.state, part), of_c(s, tape, s.made, part)
        product(state, weight, hidden, s.batch, s.units, s.units, True)


def forward(cell: Spec, tape: Any, s: Step) -> None:
    """c = lambda before + scale (pre_r + i pre_i)     h = C_r c_r - C_i c_i + pre_d"""
    for block in range(D):
        pre, kept = Matrix(tape, s.pre + block * s.units, s.wide), Matrix(tape, s.blocks + block * s.size, s.apart)
        copy(pre, kept, s.batch, s.size)
    copy(Matrix(tape, s.pre + D * s.units, s.wide), Matrix(tape, s.hidden, s.stride), s.batch, s.size)
    remember(tape, s, R)


@inner
def back_from_hidden(tape: Any, s: Step, work: Any, w: Room) -> None:
    """dc += C_r' dh - i C_i' dh     dC_r += dh c_r'     dC_i -= dh c_i'     dh = 0"""
    dh, negative = Matrix(work, w.dhidden, s.units), Matrix(work, w.y, s.size)
    for b in range(s.batch):
        for j in range(0, s.size, lanes(work)):
            store(-load(work, w.dhidden + b * s.units + j), work, w.y + b * s.size + j)
    for part in range(2):
        signed = dh if part == 0 else negative
        weight, dstate = of_c(s, tape, s.own, part), of_state(s, work, w.dstate, part)
        product(signed, weight, dstate, s.batch, s.units, s.units, True)
        state, dweight = of_state(s, tape, s.state, part), of_c(s, work, w.d_own, part)
        add_transposed_product(signed, state, dweight, s.batch, s.units, s.units)
    clear(work, w.dhidden, w.dhidden + s.batch * s.units)


@inner
def back_from_state(
    tape: Any, s: Step, work: Any, w: Room, r: int, dr: Matrix, di: Matrix, norm: Any, told: bool
) -> None:
    """
    dblock_r + i dblock_(r + 1) = scale dc     dbefore = dc lambda*, where * is the conjugate

    dnu -= exp(nu) Re(dbefore before*)     dtheta += exp(theta) Im(dbefore before*)     dgamma += dblock * block
    """
    squares = widened(zeros(work))
    for j in range(0, s.size, lanes(work)):
        lambda_r, lambda_i = load(tape, s.made + LAMBDA_R * s.size + j), load(tape, s.made + LAMBDA_I * s.size + j)
        scale, few = load(tape, s.made + SCALE * s.size + j), s.units - j
        real, imaginary, of_scale = zeros(work), zeros(work), zeros(work)
        for b in range(s.batch):
            block, before, dstate = s.blocks + b * s.apart + r * s.size + j, s.before + b * s.cells + j, b * s.cells + j
            dc_r, dc_i = load(work, w.dstate + dstate), load(work, w.dstate + dstate + s.size)
            if told:
                wide_r, wide_i = widened(first(dc_r, few)), widened(first(dc_i, few))
                squares = squares + wide_r * wide_r + wide_i * wide_i
            of_r, of_i = scale * dc_r, scale * dc_i
            before_r, before_i = load(tape, before), load(tape, before + s.size)
            back_r, back_i = dc_r * lambda_r + dc_i * lambda_i, dc_i * lambda_r - dc_r * lambda_i
            real = real + back_r * before_r + back_i * before_i
            imaginary = imaginary + back_i * before_r - back_r * before_i
            of_scale = of_scale + of_r * load(tape, block) + of_i * load(tape, block + s.size)
            put(of_r, work, dr.at + b * dr.row + j, few)
            put(of_i, work, di.at + b * di.row + j, few)
            store(back_r, work, w.dstate + dstate)
            store(back_i, work, w.dstate + dstate + s.size)
        nu, theta, gamma = s.size * NU + j, s.size * THETA + j, s.size * GAMMA + j
        store(load(work, w.d_own + nu) - exp(load(tape, s.own + nu)) * real, work, w.d_own + nu)
        store(load(work, w.d_own + theta) + exp(load(tape, s.own + theta)) * imaginary, work, w.d_own + theta)
        store(load(work, w.d_own + gamma) + of_scale, work, w.d_own + gamma)
    if told:
        norm[0] = np.sqrt(total(squares))


def backward(cell: Spec, tape: Any, s: Step, work: Any, w: Room, norm: Any, told: bool) -> None:
    """dpre_d = dh     dpre_r + i dpre_i = scale dc, dc from dh, too     dbefore = dc lambda*, and of h 0"""
    dr, di = Matrix(work, w.delta + R * s.units, s.wide), Matrix(work, w.delta + I * s.units, s.wide)
    dh, dd = Matrix(work, w.dhidden, s.units), Matrix(work, w.delta + D * s.units, s.wide)
    copy_exactly(dh, dd, s.batch, s.units)
    back_from_hidden(tape, s, work, w)
    back_from_state(tape, s, work, w, R, dr, di, norm, told)
