"""Who computes a sequence? One call for every engine."""

from torch import Tensor

from lstm_core.cells import REFERENCE, Cell, Parameters, Trace, choose

ENGINES = ("auto", "reference")


def run(
    inputs: Tensor,
    hidden: Tensor,
    cell_state: Tensor | None,
    parameters: Parameters,
    cell: Cell,
    engine: str = "auto",
) -> Trace:
    """
    Run one layer over inputs (T, B, D) from a hidden state (B, H), and a cell state (B, H) where the family has one.

    `auto` is the reference engine: the equations of `cells`, differentiated by autograd. Raises ValueError for an
    engine that is not in `ENGINES`.
    """
    choose("engine", engine, ENGINES)
    return REFERENCE[cell.family](inputs, hidden, cell_state, parameters, cell)
