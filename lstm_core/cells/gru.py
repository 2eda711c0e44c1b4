"""The gated recurrent unit (Cho et al. 2014), in the form of torch and cuDNN."""

import torch
from torch import Tensor
from torch.nn.functional import linear

from lstm_core.activations import ACTIVATIONS, as_code, as_latex
from lstm_core.cells.family import Blocks, Cell, Family, Setting, States
from lstm_core.cells.parameters import Parameters
from lstm_core.cells.path import Back, Path, sigmoid_slope
from lstm_core.language import _


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


def code(cell: Cell) -> list[str]:
    return [
        "r = sigmoid(a_r)",
        "z = sigmoid(a_z)",
        f"n = {as_code(cell.activation, 'a_n_x + r * a_n')}",
        "h = (1 - z) * n + z * h",
    ]


def back(p: Parameters, cell: Cell, path: Path) -> Back:
    """
    d_z = u (h - n) z'   d_n = u (1 - z) phi'(a_n)   d_r = d_n (W_n h + b_hn) r'
    u <- u z + [d_r d_z d_n r] W_h
    """
    phi, size = ACTIVATIONS[cell.activation], p.recurrent.shape[1]
    candidate, before = slice(2 * size, None), path.hidden[:-1]
    r, z = path.gates["r"], path.gates["z"]
    bias = None if p.recurrent_bias is None else p.recurrent_bias[candidate]
    from_hidden = linear(before, p.recurrent[candidate], bias)
    pre = linear(path.inputs, p.input[candidate], p.bias[candidate]) + r * from_hidden
    slope, reset = phi.derivative(pre), from_hidden * sigmoid_slope(r)
    update, renewed = (before - phi.function(pre)) * sigmoid_slope(z), (1 - z) * slope

    def step_back(t: int, u: Tensor) -> Tensor:
        d_n = u * renewed[t - 1]
        d = [d_n * reset[t - 1], u * update[t - 1], d_n * r[t - 1]]
        return u * z[t - 1] + torch.cat(d, -1) @ p.recurrent

    return step_back


GRU = Family(
    "gru",
    "GRU",
    blocks={"r": _("reset gate"), "z": _("update gate"), "n": _("candidate")},
    step=step,
    equations=equations,
    gates="rz",
    apart="n",
    chrono={"z": 1},
    back=back,
    code=code,
)
