"""The LSTM family in numba: one time step forward, and the same step backward."""

from typing import Any

from numba import njit

from lstm_core.kernels.activations import values, values_and_slopes
from lstm_core.kernels.elementwise import OPTIONS, sigmoid


@njit(**OPTIONS)
def apply_gate(gate: Any, x: Any) -> None:
    """gate = sigmoid(pre), in the place of pre, and x = gate x."""
    for k in range(x.size):
        opened = sigmoid(gate[k])
        gate[k] = opened
        x[k] *= opened


@njit(**OPTIONS)
def add_peephole(pre: Any, weights: Any, c: Any) -> None:
    """pre += p c, a peephole."""
    for k in range(pre.size):
        pre[k] += weights[k] * c[k]


@njit(**OPTIONS)
def add_peephole_backward(dpre: Any, weights: Any, c: Any, dc: Any, dweights: Any) -> None:
    """dc += p dpre     dp += dpre c"""
    for k in range(dpre.size):
        dc[k] += weights[k] * dpre[k]
        dweights[k] += dpre[k] * c[k]


@njit(**OPTIONS)
def forward(cell: Any, blocks: Any, peephole: Any, before: Any, c: Any, h: Any) -> None:
    """
    i, f, o = sigmoid(pre)     g = phi(pre_g)     c = f * before + i * g     h = o * psi(c)

    A gate at place -1 is 1. The gates replace their preactivations; h is room for g and i * g until it is h.
    """
    values(cell.phi, blocks[cell.g], h)
    if cell.i >= 0:
        i = blocks[cell.i]
        if cell.peephole:
            add_peephole(i, peephole[cell.i], before)
        apply_gate(i, h)
    if cell.coupled:
        i = blocks[cell.i]
        for k in range(h.size):
            c[k] = (before[k] - i[k] * before[k]) + h[k]
    elif cell.f >= 0:
        f = blocks[cell.f]
        if cell.peephole:
            add_peephole(f, peephole[cell.f], before)
        for k in range(h.size):
            opened = sigmoid(f[k])
            f[k] = opened
            c[k] = opened * before[k] + h[k]
    else:
        for k in range(h.size):
            c[k] = before[k] + h[k]
    values(cell.psi, c, h)
    if cell.o >= 0:
        o = blocks[cell.o]
        if cell.peephole:
            add_peephole(o, peephole[-1], c)
        apply_gate(o, h)


@njit(**OPTIONS)
def through_output(
    cell: Any, blocks: Any, peephole: Any, c: Any, dh: Any, dc: Any, delta: Any, dpeephole: Any, y: Any, slope: Any
) -> None:
    """do = dh psi(c)     dc += dh o psi'(c)     do times the slope of its sigmoid"""
    values_and_slopes(cell.psi, c, y, slope)
    if cell.o >= 0:
        o, do = blocks[cell.o], delta[cell.o]
        for k in range(dh.size):
            do[k] = dh[k] * y[k] * (o[k] - o[k] * o[k])
            dc[k] += dh[k] * o[k] * slope[k]
        if cell.peephole:
            add_peephole_backward(do, peephole[-1], c, dc, dpeephole[-1])
    else:
        for k in range(dh.size):
            dc[k] += dh[k] * slope[k]


@njit(**OPTIONS)
def through_cell(
    cell: Any, blocks: Any, peephole: Any, before: Any, dc: Any, delta: Any, dpeephole: Any, g: Any, slope: Any
) -> None:
    """
    dg = dc i     di = dc g     df = dc before     and dc becomes that of the state before, dc f

    Each times the slope of its own function; coupled gates have di = dc (g - before).
    """
    values_and_slopes(cell.phi, blocks[cell.g], g, slope)
    dg = delta[cell.g]
    if cell.coupled:
        for k in range(dc.size):
            g[k] -= before[k]
    if cell.i >= 0:
        i, di = blocks[cell.i], delta[cell.i]
        for k in range(dc.size):
            dg[k] = dc[k] * i[k] * slope[k]
            di[k] = dc[k] * g[k] * (i[k] - i[k] * i[k])
        if cell.coupled:
            for k in range(dc.size):
                dc[k] -= dc[k] * i[k]
    else:
        for k in range(dc.size):
            dg[k] = dc[k] * slope[k]
    if cell.f >= 0:
        f, df = blocks[cell.f], delta[cell.f]
        for k in range(dc.size):
            df[k] = dc[k] * before[k] * (f[k] - f[k] * f[k])
            dc[k] *= f[k]
    if cell.peephole:
        if cell.i >= 0:
            add_peephole_backward(delta[cell.i], peephole[cell.i], before, dc, dpeephole[cell.i])
        if cell.f >= 0:
            add_peephole_backward(delta[cell.f], peephole[cell.f], before, dc, dpeephole[cell.f])
