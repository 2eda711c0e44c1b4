"""The vanilla RNN in numba: one time step forward, and the same step backward."""

from typing import Any

from lstm_core.borrowed.compiler import call
from lstm_core.kernels.matrix import Matrix, copy
from lstm_core.kernels.pointers import moved
from lstm_core.kernels.spec import Room, Spec, Step
from lstm_core.kernels.vectors import lanes, load, put, zeros


def forward(cell: Spec, tape: Any, s: Step) -> None:
    """h = phi(pre), in front of the states that were seen, newest first, without the oldest of them."""
    for kept in (Matrix(tape, s.blocks, s.apart), Matrix(tape, s.hidden, s.stride)):
        copy(Matrix(tape, s.pre, s.wide), kept, s.batch, s.size)
    call(cell.phi, moved(tape, s.hidden), s.stride, s.batch, s.size)
    older = Matrix(tape, s.hidden + s.units, s.stride)
    copy(Matrix(tape, s.seen, s.stride), older, s.batch, (cell.window - 1) * s.units)


def backward(cell: Spec, tape: Any, s: Step, work: Any, w: Room, norm: Any, told: bool) -> None:
    """
    dpre = dh phi'(pre)

    What later steps have to say to the states before this one moves forward in dh: it goes past this step.
    """
    seen = cell.window * s.units
    copy(Matrix(tape, s.blocks, s.apart), Matrix(work, w.y, s.size), s.batch, s.size)
    call(cell.phi_and_slope, moved(work, w.y), moved(work, w.slope), s.batch * s.size)
    for b in range(s.batch):
        hidden = w.dhidden + b * seen
        for j in range(0, s.size, lanes(tape)):
            dpre = load(work, hidden + j) * load(work, w.slope + b * s.size + j)
            put(dpre, work, w.delta + b * s.wide + j, s.units - j)
        for j in range(s.units, seen, lanes(tape)):
            put(load(work, hidden + j), work, hidden + j - s.units, seen - j)
        for j in range(seen - s.units, seen, lanes(tape)):
            put(zeros(work), work, hidden + j, seen - j)
