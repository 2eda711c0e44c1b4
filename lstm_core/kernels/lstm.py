"""
The LSTM family in numba: one time step forward, and the same step backward.

`plain_forward` and `plain_backward` are for the one that most people know: three gates, each with weights of its own
and no peepholes, and tanh twice.
"""

from typing import Any

import numpy as np

from lstm_core.borrowed.compiler import call
from lstm_core.kernels.elementwise import inner, sigmoid, tanh
from lstm_core.kernels.matrix import Matrix, copy, norm_of
from lstm_core.kernels.pointers import moved
from lstm_core.kernels.spec import Room, Spec, Step
from lstm_core.kernels.vectors import first, lanes, load, put, store, total, where_zero, widened, zeros

I, F, G, O = range(4)  # noqa: E741


def plain_forward(cell: Spec, tape: Any, s: Step) -> None:
    """
    i, f, o = sigmoid(pre)     g = tanh(pre_g)     c = f * before + i * g     h = o * tanh(c)
    """
    for b in range(s.batch):
        for j in range(0, s.size, lanes(tape)):
            pre, block, here = s.pre + b * s.wide + j, s.blocks + b * s.apart + j, b * s.size + j
            i = sigmoid(load(tape, pre + I * s.units))
            f = sigmoid(load(tape, pre + F * s.units))
            g = tanh(load(tape, pre + G * s.units))
            o = sigmoid(load(tape, pre + O * s.units))
            c = f * load(tape, s.before + here) + i * g
            store(i, tape, block + I * s.size)
            store(f, tape, block + F * s.size)
            store(g, tape, block + G * s.size)
            store(o, tape, block + O * s.size)
            store(c, tape, s.state + here)
            store(o * tanh(c), tape, s.hidden + b * s.stride + j)


def plain_backward(cell: Spec, tape: Any, s: Step, work: Any, w: Room, norm: Any, told: bool) -> None:
    """
    do = dh tanh(c)     dc += dh o (1 - tanh(c)^2)     di = dc g     df = dc before     dg = dc i     dc before = dc f

    Each gate times its slope i - i^2, and dg times 1 - g^2. tanh(c) is h / o; where o is 0, h is, and so is what h is
    multiplied with.
    """
    squares = widened(zeros(work))
    for b in range(s.batch):
        for j in range(0, s.size, lanes(tape)):
            block, here = s.blocks + b * s.apart + j, b * s.size + j
            delta, few = w.delta + b * s.wide + j, s.units - j
            i, f = load(tape, block + I * s.size), load(tape, block + F * s.size)
            g, o = load(tape, block + G * s.size), load(tape, block + O * s.size)
            h, dh = load(tape, s.hidden + b * s.stride + j), load(work, w.dhidden + b * s.units + j)
            dc = load(work, w.dstate + here) + dh * (o - h * where_zero(o, h, h / o))
            if told:
                wide = widened(first(dc, few))
                squares = squares + wide * wide
            put(dh * h * (1 - o), work, delta + O * s.units, few)
            put(dc * g * (i - i * i), work, delta + I * s.units, few)
            put(dc * load(tape, s.before + here) * (f - f * f), work, delta + F * s.units, few)
            put(dc * i * (1 - g * g), work, delta + G * s.units, few)
            store(dc * f, work, w.dstate + here)
    if told:
        norm[0] = np.sqrt(total(squares))


@inner
def _peephole(cell: Spec, gate: int) -> int:
    """Which of the peepholes is that of the gate in this block; g, which stands among the gates, has none."""
    return gate - 1 if gate > cell.g else gate


@inner
def _opened(cell: Spec, gate: int, tape: Any, s: Step, b: int, j: int, states: int) -> Any:
    """sigmoid(pre + p c), which is kept."""
    pre = load(tape, s.pre + b * s.wide + gate * s.units + j)
    if cell.peephole:
        pre = pre + load(tape, s.peephole + _peephole(cell, gate) * s.size + j) * load(tape, states + b * s.size + j)
    opened = sigmoid(pre)
    store(opened, tape, s.blocks + b * s.apart + gate * s.size + j)
    return opened


def forward(cell: Spec, tape: Any, s: Step) -> None:
    """
    i, f, o = sigmoid(pre)     g = phi(pre_g)     c = f * before + i * g     h = o * psi(c)

    A gate at place -1 is 1; coupled, f is 1 - i. The preactivation of g is kept; h is room for g and c until it is h.
    """
    for kept in (Matrix(tape, s.blocks + cell.g * s.size, s.apart), Matrix(tape, s.hidden, s.stride)):
        copy(Matrix(tape, s.pre + cell.g * s.units, s.wide), kept, s.batch, s.size)
    call(cell.phi, moved(tape, s.hidden), s.stride, s.batch, s.size)
    for b in range(s.batch):
        for j in range(0, s.size, lanes(tape)):
            here, hidden = b * s.size + j, s.hidden + b * s.stride + j
            kept, added = load(tape, s.before + here), load(tape, hidden)
            if cell.i >= 0:
                i = _opened(cell, cell.i, tape, s, b, j, s.before)
                added = i * added
                if cell.coupled:
                    kept = kept - i * kept
            if cell.f >= 0:
                kept = _opened(cell, cell.f, tape, s, b, j, s.before) * kept
            store(kept + added, tape, s.state + here)
            store(kept + added, tape, hidden)
    call(cell.psi, moved(tape, s.hidden), s.stride, s.batch, s.size)
    if cell.o >= 0:
        for b in range(s.batch):
            for j in range(0, s.size, lanes(tape)):
                hidden = s.hidden + b * s.stride + j
                store(_opened(cell, cell.o, tape, s, b, j, s.state) * load(tape, hidden), tape, hidden)


@inner
def _closed(
    cell: Spec, gate: int, dgate: Any, tape: Any, s: Step, work: Any, w: Room, b: int, j: int, states: int
) -> Any:
    """From the gradient of a gate to that of its preactivation and its peephole; what goes to dc, p dpre."""
    opened = load(tape, s.blocks + b * s.apart + gate * s.size + j)
    dpre = dgate * (opened - opened * opened)
    put(dpre, work, w.delta + b * s.wide + gate * s.units + j, s.units - j)
    if not cell.peephole:
        return zeros(work)
    weights = _peephole(cell, gate) * s.size + j
    dweights = load(work, w.dpeephole + weights) + dpre * load(tape, states + b * s.size + j)
    store(dweights, work, w.dpeephole + weights)
    return load(tape, s.peephole + weights) * dpre


def backward(cell: Spec, tape: Any, s: Step, work: Any, w: Room, norm: Any, told: bool) -> None:
    """From dh and dc to the gradient of the preactivations, and to dc before; ||dc||, if that is to be told."""
    _through_output(cell, tape, s, work, w)
    if told:
        norm[0] = norm_of(Matrix(work, w.dstate, s.size), s.batch, s.units)
    _through_cell(cell, tape, s, work, w)


@inner
def _through_output(cell: Spec, tape: Any, s: Step, work: Any, w: Room) -> None:
    """do = dh psi(c)     dc += dh o psi'(c)     do times the slope of its sigmoid; with a peephole dc += p do"""
    copy(Matrix(tape, s.state, s.size), Matrix(work, w.y, s.size), s.batch, s.size)
    call(cell.psi_and_slope, moved(work, w.y), moved(work, w.slope), s.batch * s.size)
    for b in range(s.batch):
        for j in range(0, s.size, lanes(tape)):
            here = b * s.size + j
            dh, dc = load(work, w.dhidden + b * s.units + j), load(work, w.dstate + here)
            through = dh * load(work, w.slope + here)
            if cell.o >= 0:
                through = load(tape, s.blocks + b * s.apart + cell.o * s.size + j) * through
                do = dh * load(work, w.y + here)
                dc = dc + _closed(cell, cell.o, do, tape, s, work, w, b, j, s.state)
            store(dc + through, work, w.dstate + here)


@inner
def _through_cell(cell: Spec, tape: Any, s: Step, work: Any, w: Room) -> None:
    """
    dg = dc i     di = dc g     df = dc before     and dc becomes that of the state before, dc f

    Each times the slope of its own function; coupled gates have di = dc (g - before) and dc (1 - i). With peepholes dc
    before is p di + p df more.
    """
    copy(Matrix(tape, s.blocks + cell.g * s.size, s.apart), Matrix(work, w.y, s.size), s.batch, s.size)
    call(cell.phi_and_slope, moved(work, w.y), moved(work, w.slope), s.batch * s.size)
    for b in range(s.batch):
        for j in range(0, s.size, lanes(tape)):
            here, block = b * s.size + j, s.blocks + b * s.apart + j
            before, g, dc = load(tape, s.before + here), load(work, w.y + here), load(work, w.dstate + here)
            dg, dbefore = dc * load(work, w.slope + here), dc
            if cell.f >= 0:
                dbefore = dc * load(tape, block + cell.f * s.size)
                dbefore = dbefore + _closed(cell, cell.f, dc * before, tape, s, work, w, b, j, s.before)
            if cell.i >= 0:
                i = load(tape, block + cell.i * s.size)
                dg = dg * i
                if cell.coupled:
                    g = g - before
                    dbefore = dc - dc * i
                dbefore = dbefore + _closed(cell, cell.i, dc * g, tape, s, work, w, b, j, s.before)
            put(dg, work, w.delta + b * s.wide + cell.g * s.units + j, s.units - j)
            store(dbefore, work, w.dstate + here)
