"""Which compiled functions does a training need? The frame around all cells, the time step of its own, activations."""

from collections.abc import Callable

from lstm_core.activations import ACTIVATIONS
from lstm_core.cells import Cell
from lstm_core.cells.family import OPTIONS
from lstm_core.kernels.compilation import Build, build_pieces
from lstm_core.kernels.piece import FRAME, USUAL, VALUES, Piece
from lstm_core.pointwise import functions


def is_plain(cell: Cell) -> bool:
    """An LSTM as most people know it."""
    gates = cell.rows == "ifgo" and not cell.peephole
    return gates and all(ACTIVATIONS[name].kernel is functions.tanh for name in cell.activations)


# Families that have a kernel: with what the names of the functions of one time step begin.
KERNELS: dict[str, Callable[[Cell], str]] = {
    "rnn": lambda cell: "",
    "lstm": lambda cell: "plain_" if is_plain(cell) else "",
    "gru": lambda cell: "",
    "mingru": lambda cell: "",
    "minlstm": lambda cell: "",
    "slstm": lambda cell: "",
    "lru": lambda cell: "",
    "lru_relu": lambda cell: "",
}


# Fields of a cell of which no kernel knows more than their values by default.
UNKNOWN = ("layer_norm", "zoneout_h", "zoneout_c")


def without_kernel(cell: Cell) -> list[str]:
    """The family of a cell, its activations, and what else it does, where they have none."""
    missing = [name for name in dict.fromkeys(cell.activations) if not ACTIVATIONS[name].kernel]
    missing += [name for name in UNKNOWN if getattr(cell, name) != OPTIONS[name]]
    return missing if cell.family in KERNELS else [cell.family, *missing]


def steps(cell: Cell) -> tuple[Piece, Piece]:
    """One time step forward, and backward."""
    forward, backward = (Piece(cell.family, KERNELS[cell.family](cell) + way) for way in ("forward", "backward"))
    return forward, backward


def maker(cell: Cell) -> tuple[Piece, ...]:
    """What makes of a family's own parameters what its steps compute with, where something does."""
    return (Piece(cell.family, "made"),) if cell.row.made else ()


def pointwise_of(name: str) -> tuple[Piece, Piece]:
    """Values of an activation, and values with slopes."""
    kernel = ACTIVATIONS[name].kernel
    given = None if kernel is getattr(functions, name, None) else kernel
    values, slopes = (Piece(name, kind, given) for kind in VALUES)
    return values, slopes


def pieces(cell: Cell) -> tuple[Piece, ...]:
    activations = () if is_plain(cell) else dict.fromkeys(cell.activations)
    return *FRAME, *maker(cell), *steps(cell), *(piece for name in activations for piece in pointwise_of(name))


def all_pieces() -> tuple[Piece, ...]:
    """What most races need comes first."""
    general = (Piece(family, way) for family in KERNELS for way in ("forward", "backward"))
    makers = (piece for family in KERNELS for piece in maker(Cell(family)))
    names = [name for name, row in ACTIVATIONS.items() if row.kernel]
    return tuple(dict.fromkeys([*FRAME, *USUAL, *general, *makers, *(p for name in names for p in pointwise_of(name))]))


def build(precision: str, cell: Cell | None = None) -> Build:
    """The kernels of a cell, before all others that are still to be compiled; or those of all cells, after them."""
    return build_pieces(precision, pieces(cell) if cell else all_pieces(), first=cell is not None)
