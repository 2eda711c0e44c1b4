"""The sLSTM in numba: one time step forward, and the same step backward."""

from typing import Any

import numpy as np

from lstm_core.borrowed.compiler import call
from lstm_core.kernels.elementwise import exp, log_sigmoid, sigmoid, unbounded_exp
from lstm_core.kernels.matrix import Matrix, copy
from lstm_core.kernels.pointers import moved
from lstm_core.kernels.spec import Room, Spec, Step
from lstm_core.kernels.vectors import first, greater, lanes, load, put, store, total, where_zero, widened, zeros

# Beside its blocks it keeps the slope of log f.
I, F, Z, O, SLOPE_F = range(5)  # noqa: E741
# The states beside h.
C, N, M = range(3)


def forward(cell: Spec, tape: Any, s: Step) -> None:
    """
    m = max(log f + m, log i)     f = exp(log f + m before - m)     i = exp(log i - m)
    c = f * c + i * phi(pre_z)    n = f * n + i                     h = sigmoid(pre_o) * c / n

    Without the stabiliser m is 0. The preactivation of z is kept; h is room for z until it is h.
    """
    for kept in (Matrix(tape, s.blocks + Z * s.size, s.apart), Matrix(tape, s.hidden, s.stride)):
        copy(Matrix(tape, s.pre + Z * s.units, s.wide), kept, s.batch, s.size)
    call(cell.phi, moved(tape, s.hidden), s.stride, s.batch, s.size)
    for b in range(s.batch):
        for j in range(0, s.size, lanes(tape)):
            pre, block = s.pre + b * s.wide + j, s.blocks + b * s.apart + j
            states, hidden = b * s.cells + j, s.hidden + b * s.stride + j
            before, after = s.before + states, s.state + states
            log_i, pre_f = load(tape, pre + I * s.units), load(tape, pre + F * s.units)
            log_f, slope, m = pre_f, zeros(tape) + 1, zeros(tape)
            if not cell.exponential:
                log_f, slope = log_sigmoid(pre_f), sigmoid(-pre_f)
            if cell.stabilised:
                log_f = log_f + load(tape, before + M * s.size)
                m = greater(log_f, log_i)
                f, i = exp(log_f - m), exp(log_i - m)
            else:
                f, i = unbounded_exp(log_f), unbounded_exp(log_i)
            o = sigmoid(load(tape, pre + O * s.units))
            c = f * load(tape, before + C * s.size) + i * load(tape, hidden)
            n = f * load(tape, before + N * s.size) + i
            store(i, tape, block + I * s.size)
            store(f, tape, block + F * s.size)
            store(o, tape, block + O * s.size)
            store(slope, tape, block + SLOPE_F * s.size)
            store(c, tape, after + C * s.size)
            store(n, tape, after + N * s.size)
            store(m, tape, after + M * s.size)
            store(o * c / n, tape, hidden)


def backward(cell: Spec, tape: Any, s: Step, work: Any, w: Room, norm: Any, told: bool) -> None:
    """
    dc += dh o / n     dn -= dh h / n     df = (dc c + dn n) f     di = (dc z + dn) i     dz = dc i phi'

    With the stabiliser dm - df - di goes where m has come from, to df or to di. The states before get dc f, dn f and
    df. df and di are those of log f and log i.
    """
    squares = widened(zeros(work))
    copy(Matrix(tape, s.blocks + Z * s.size, s.apart), Matrix(work, w.y, s.size), s.batch, s.size)
    call(cell.phi_and_slope, moved(work, w.y), moved(work, w.slope), s.batch * s.size)
    for b in range(s.batch):
        for j in range(0, s.size, lanes(tape)):
            block, delta, few = s.blocks + b * s.apart + j, w.delta + b * s.wide + j, s.units - j
            states = b * s.cells + j
            before, after, dstate = s.before + states, s.state + states, w.dstate + states
            i, f, o = load(tape, block + I * s.size), load(tape, block + F * s.size), load(tape, block + O * s.size)
            h, n = load(tape, s.hidden + b * s.stride + j), load(tape, after + N * s.size)
            dh, here = load(work, w.dhidden + b * s.units + j), b * s.size + j
            dc = load(work, dstate + C * s.size) + dh * o / n
            dn = load(work, dstate + N * s.size) - dh * h / n
            if told:
                wide = widened(first(dc, few))
                squares = squares + wide * wide
            df = (dc * load(tape, before + C * s.size) + dn * load(tape, before + N * s.size)) * f
            di = (dc * load(work, w.y + here) + dn) * i
            dm = zeros(work)
            if cell.stabilised:
                of_scale = load(work, dstate + M * s.size) - df - di
                # i is 1 where it was the larger one.
                to_i = where_zero(i - 1, of_scale, zeros(work))
                df, di = df + (of_scale - to_i), di + to_i
                dm = df
            put(di, work, delta + I * s.units, few)
            put(df * load(tape, block + SLOPE_F * s.size), work, delta + F * s.units, few)
            put(dc * i * load(work, w.slope + here), work, delta + Z * s.units, few)
            put(dh * h * (1 - o), work, delta + O * s.units, few)
            store(dc * f, work, dstate + C * s.size)
            store(dn * f, work, dstate + N * s.size)
            store(dm, work, dstate + M * s.size)
    if told:
        norm[0] = np.sqrt(total(squares))
