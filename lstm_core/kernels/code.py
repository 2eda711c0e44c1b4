"""How does Python call the kernels of a cell? By their addresses, with addresses of arrays."""

import ctypes
from collections.abc import Mapping
from typing import Any

import numpy as np

from lstm_core.borrowed.convention import function_at
from lstm_core.cells import Cell
from lstm_core.kernels.piece import FRAME, Piece
from lstm_core.kernels.pieces import is_plain, maker, pointwise_of, steps
from lstm_core.kernels.spec import Spec

N, P, YES = ctypes.c_int64, ctypes.c_void_p, ctypes.c_bool
ARGUMENTS = {
    "forward": (P, P, P, P, N, N, P, YES),
    "backward": (P, P, P, P, P, N, N, P, N, N, P, YES),
    "turn": (*(P,) * 7, N, *(P,) * 5, N, *(P,) * 6, N, N, N, YES, *(P,) * 6),
}


class Code:
    """
    What the kernels of one precision have for a cell: `spec`, its numbers; `frame`, the addresses of forward and
    backward; and the three functions of the frame, which are called with the arguments of those of the same names in
    `sequence` and `turn`, and with addresses where these have pointers.
    """

    def __init__(self, cell: Cell, addresses: Mapping[Piece, int]) -> None:
        self.spec = np.array(_spec(cell, addresses))
        turn, forward, backward = (addresses[piece] for piece in FRAME)
        self.frame = np.array([forward, backward])
        self.forward = function_at(forward, ARGUMENTS["forward"])
        self.backward = function_at(backward, ARGUMENTS["backward"])
        self.turn = function_at(turn, ARGUMENTS["turn"])


def _spec(cell: Cell, addresses: Mapping[Piece, int]) -> Spec:
    forward, backward = (addresses[piece] for piece in steps(cell))
    activations = [0] * 4
    if cell.activations and not is_plain(cell):
        activations = [addresses[piece] for name in cell.activations for piece in pointwise_of(name)]
    places = (cell.rows.find(block) for block in "ifgo")
    gates = sum(1 << cell.rows.index(gate) for gate in cell.learned_gates)
    flags = cell.coupled, cell.peephole, cell.window, gates, len(cell.row.states) > 1
    beside = bool(cell.row.apart) or cell.window > 1
    of_slstm = cell.forget_activation == "exponential", cell.stabilised
    of_own = sum(addresses[piece] for piece in maker(cell)), bool(cell.row.complex_states)
    return Spec(*map(int, (forward, backward, *activations, *places, *flags, beside, *of_slstm, *of_own)))


def address(array: Any) -> int:
    """Where an array begins."""
    return int(array.__array_interface__["data"][0])
