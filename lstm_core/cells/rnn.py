"""The vanilla RNN (Elman 1990): one matrix makes each state of the one before."""

from torch import Tensor

from lstm_core.activations import ACTIVATIONS, as_latex
from lstm_core.cells.family import Blocks, Cell, Family, Parameters, Setting, States


def step(cell: Cell, p: Parameters, blocks: Blocks, states: States) -> tuple[States, dict[str, Tensor]]:
    """
    h' = phi(W_h h + W_x x + b)

    With a window of k, [h_(t-1); ...; h_(t-k)] stands in the place of h.
    """
    return (ACTIVATIONS[cell.activation].function(blocks["h"]),), {}


def equations(setting: Setting) -> list[str]:
    return [rf"h_t &= {as_latex(setting.cell.activation)}({setting.sum()})"]


RNN = Family(
    "rnn",
    "RNN",
    blocks={"h": "hidden state"},
    step=step,
    equations=equations,
    options=frozenset({"window"}),
    title="vanilla RNN",
    transforms=True,
)
