"""The gated recurrent unit (Cho et al. 2014), in the form of torch and cuDNN."""

import torch
from torch import Tensor

from lstm_core.activations import ACTIVATIONS, as_latex
from lstm_core.cells.family import Blocks, Cell, Family, Parameters, Setting, States


def step(cell: Cell, p: Parameters, blocks: Blocks, states: States) -> tuple[States, dict[str, Tensor]]:
    """
    r, z = sigmoid(pre)         n = phi(W_xn x + b_n + r * (W_hn h + b_hn))
    h' = (1 - z) * n + z * h

    The reset gate acts after the matrix product, so the rows of n cannot share one product with [h; x], whichever way
    the weights are kept.
    """
    r, z = torch.sigmoid(blocks["r"]), torch.sigmoid(blocks["z"])
    n = ACTIVATIONS[cell.activation].function(torch.addcmul(blocks["n_x"], r, blocks["n"]))
    return (torch.lerp(n, states[0], z),), {"r": r, "z": z}


def equations(setting: Setting) -> list[str]:
    of_x, of_h = setting.parts("n")
    return [
        rf"r_t &= \sigma({setting.sum('r')})",
        rf"z_t &= \sigma({setting.sum('z')})",
        rf"n_t &= {as_latex(setting.cell.activation)}({of_x} + r_t \odot ({of_h}))",
        r"h_t &= (1 - z_t) \odot n_t + z_t \odot h_{t-1}",
    ]


GRU = Family(
    "gru",
    "GRU",
    blocks={"r": "reset gate", "z": "update gate", "n": "candidate"},
    step=step,
    equations=equations,
    gates="rz",
    apart="n",
)
