"""The GRU in numba: one time step forward, and the same step backward."""

from typing import Any

from lstm_core.borrowed.compiler import call
from lstm_core.kernels.elementwise import sigmoid
from lstm_core.kernels.matrix import Matrix, copy
from lstm_core.kernels.pointers import moved
from lstm_core.kernels.spec import Room, Spec, Step
from lstm_core.kernels.vectors import lanes, load, put, store

# The candidate needs W_hn h and W_xn x apart, so it has two blocks of preactivations.
R, Z, FROM_HIDDEN, FROM_INPUT = range(4)


def forward(cell: Spec, tape: Any, s: Step) -> None:
    """
    r, z = sigmoid(pre)     n = phi(from_input + r * from_hidden)     h = n + z * (before - n)

    Gates and both parts of n's preactivation, the second with the first added, are kept; h is room for n until it is h.
    """
    for b in range(s.batch):
        for j in range(0, s.size, lanes(tape)):
            pre, block = s.pre + b * s.wide + j, s.blocks + b * s.apart + j
            r, from_hidden = sigmoid(load(tape, pre + R * s.units)), load(tape, pre + FROM_HIDDEN * s.units)
            candidate = load(tape, pre + FROM_INPUT * s.units) + r * from_hidden
            store(r, tape, block + R * s.size)
            store(from_hidden, tape, block + FROM_HIDDEN * s.size)
            store(candidate, tape, block + FROM_INPUT * s.size)
            store(candidate, tape, s.hidden + b * s.stride + j)
    call(cell.phi, moved(tape, s.hidden), s.stride, s.batch, s.size)
    for b in range(s.batch):
        for j in range(0, s.size, lanes(tape)):
            z, here = sigmoid(load(tape, s.pre + b * s.wide + Z * s.units + j)), b * s.stride + j
            n = load(tape, s.hidden + here)
            store(z, tape, s.blocks + b * s.apart + Z * s.size + j)
            store(n + z * (load(tape, s.seen + here) - n), tape, s.hidden + here)


def backward(cell: Spec, tape: Any, s: Step, work: Any, w: Room, norm: Any, told: bool) -> None:
    """
    dn = dh (1 - z)     dz = dh (before - n)     dpre = dn phi'     dr = dpre from_hidden

    Gates times the slope of their sigmoid. dh becomes what reaches the hidden state before directly, dh z.
    """
    copy(Matrix(tape, s.blocks + FROM_INPUT * s.size, s.apart), Matrix(work, w.y, s.size), s.batch, s.size)
    call(cell.phi_and_slope, moved(work, w.y), moved(work, w.slope), s.batch * s.size)
    for b in range(s.batch):
        for j in range(0, s.size, lanes(tape)):
            block, delta, few = s.blocks + b * s.apart + j, w.delta + b * s.wide + j, s.units - j
            r, z = load(tape, block + R * s.size), load(tape, block + Z * s.size)
            dh, n = load(work, w.dhidden + b * s.units + j), load(work, w.y + b * s.size + j)
            before = load(tape, s.seen + b * s.stride + j)
            kept = dh * z
            dpre = (dh - kept) * load(work, w.slope + b * s.size + j)
            put(dpre * load(tape, block + FROM_HIDDEN * s.size) * (r - r * r), work, delta + R * s.units, few)
            put(dh * (before - n) * (z - z * z), work, delta + Z * s.units, few)
            put(dpre * r, work, delta + FROM_HIDDEN * s.units, few)
            put(dpre, work, delta + FROM_INPUT * s.units, few)
            put(kept, work, w.dhidden + b * s.units + j, few)
