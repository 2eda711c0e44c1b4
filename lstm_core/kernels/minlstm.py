"""The minLSTM in numba: one time step forward, and the same step backward."""

from typing import Any

from lstm_core.kernels.elementwise import log_sigmoid, sigmoid
from lstm_core.kernels.spec import Room, Spec, Step
from lstm_core.kernels.vectors import lanes, load, put, store

# Beside its blocks it keeps the slopes of log sigmoid(pre) of both gates.
F, I, H, SLOPE_F, SLOPE_I = range(5)  # noqa: E741


def forward(cell: Spec, tape: Any, s: Step) -> None:
    """f = sigmoid(log sigmoid(pre_f) - log sigmoid(pre_i))     i = 1 - f     h = f * before + i * pre_h"""
    for b in range(s.batch):
        for j in range(0, s.size, lanes(tape)):
            pre, block, here = s.pre + b * s.wide + j, s.blocks + b * s.apart + j, b * s.stride + j
            of_f, of_i = load(tape, pre + F * s.units), load(tape, pre + I * s.units)
            candidate, log_ratio = load(tape, pre + H * s.units), log_sigmoid(of_f) - log_sigmoid(of_i)
            f, i = sigmoid(log_ratio), sigmoid(-log_ratio)
            store(f, tape, block + F * s.size)
            store(i, tape, block + I * s.size)
            store(candidate, tape, block + H * s.size)
            store(sigmoid(-of_f), tape, block + SLOPE_F * s.size)
            store(sigmoid(-of_i), tape, block + SLOPE_I * s.size)
            store(f * load(tape, s.seen + here) + i * candidate, tape, s.hidden + here)


def backward(cell: Spec, tape: Any, s: Step, work: Any, w: Room, norm: Any, told: bool) -> None:
    """
    d = dh (before - pre_h) f i     dpre_f = d sigmoid(-pre_f)     dpre_i = -d sigmoid(-pre_i)     dpre_h = dh i

    dh before = dh f
    """
    for b in range(s.batch):
        for j in range(0, s.size, lanes(tape)):
            block, delta, few = s.blocks + b * s.apart + j, w.delta + b * s.wide + j, s.units - j
            f, i = load(tape, block + F * s.size), load(tape, block + I * s.size)
            before, dh = load(tape, s.seen + b * s.stride + j), load(work, w.dhidden + b * s.units + j)
            d = dh * (before - load(tape, block + H * s.size)) * (f * i)
            put(d * load(tape, block + SLOPE_F * s.size), work, delta + F * s.units, few)
            put(-d * load(tape, block + SLOPE_I * s.size), work, delta + I * s.units, few)
            put(dh * i, work, delta + H * s.units, few)
            put(dh * f, work, w.dhidden + b * s.units + j, few)
