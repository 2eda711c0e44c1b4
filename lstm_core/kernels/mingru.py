"""The minGRU in numba: one time step forward, and the same step backward."""

from typing import Any

from lstm_core.kernels.elementwise import sigmoid
from lstm_core.kernels.spec import Room, Spec, Step
from lstm_core.kernels.vectors import lanes, load, put, store

Z, H = range(2)


def forward(cell: Spec, tape: Any, s: Step) -> None:
    """z = sigmoid(pre)     h = (1 - z) * before + z * pre_h"""
    for b in range(s.batch):
        for j in range(0, s.size, lanes(tape)):
            pre, block, here = s.pre + b * s.wide + j, s.blocks + b * s.apart + j, b * s.stride + j
            z, candidate = sigmoid(load(tape, pre + Z * s.units)), load(tape, pre + H * s.units)
            store(z, tape, block + Z * s.size)
            store(candidate, tape, block + H * s.size)
            store((1 - z) * load(tape, s.seen + here) + z * candidate, tape, s.hidden + here)


def backward(cell: Spec, tape: Any, s: Step, work: Any, w: Room, norm: Any, told: bool) -> None:
    """dz = dh (pre_h - before)     dpre_h = dh z     dh before = dh (1 - z), and dz times the slope of its sigmoid"""
    for b in range(s.batch):
        for j in range(0, s.size, lanes(tape)):
            block, delta, few = s.blocks + b * s.apart + j, w.delta + b * s.wide + j, s.units - j
            z, candidate = load(tape, block + Z * s.size), load(tape, block + H * s.size)
            before, dh = load(tape, s.seen + b * s.stride + j), load(work, w.dhidden + b * s.units + j)
            put(dh * (candidate - before) * (z - z * z), work, delta + Z * s.units, few)
            put(dh * z, work, delta + H * s.units, few)
            put(dh * (1 - z), work, w.dhidden + b * s.units + j, few)
