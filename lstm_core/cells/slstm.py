"""
The sLSTM (Beck et al. 2024): an input gate that is an exponential function, and a sum of what was added to divide by.

Exponential functions overflow. The stabiliser keeps the numbers within range: c and n are kept times e^-m, and m grows
with them.
"""

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from lstm_core.activations import ACTIVATIONS, as_code, as_latex
from lstm_core.cells.family import Blocks, Cell, Family, Setting, States
from lstm_core.cells.lstm import GATES
from lstm_core.cells.parameters import Parameters
from lstm_core.cells.path import Back, Path, preactivations, sigmoid_slope
from lstm_core.language import _


def _log_forget(cell: Cell, pre: Tensor) -> Tensor:
    return logsigmoid(pre) if cell.forget_activation == "sigmoid" else pre


def step(cell: Cell, p: Parameters, blocks: Blocks, states: States) -> tuple[States, dict[str, Tensor]]:
    """
    log f = log sigmoid(pre_f), or pre_f       log i = pre_i       z = phi(pre_z)       o = sigmoid(pre_o)
    m' = max(log f + m, log i)                 f = exp(log f + m - m')                  i = exp(log i - m')
    c' = f * c + i * z                         n' = f * n + i                           h' = o * c' / n'

    Without the stabiliser m is 0. m starts at minus infinity, so that with it n' is at least 1 from the first step on.
    The gates are told as they multiply.
    """
    _, c, n, m = states
    f, i = _log_forget(cell, blocks["f"]), blocks["i"]
    if cell.stabilised:
        after = torch.maximum(f + m, i)
        f, i = f + m - after, i - after
    else:
        after = torch.zeros_like(m)
    f, i, o = torch.exp(f), torch.exp(i), torch.sigmoid(blocks["o"])
    c, n = f * c + i * ACTIVATIONS[cell.activation].function(blocks["z"]), f * n + i
    return (o * c / n, c, n, after), {"i": i, "f": f, "o": o}


def equations(setting: Setting) -> list[str]:
    cell, sums = setting.cell, {block: setting.sum(block) for block in "ifzo"}
    sigmoid = cell.forget_activation == "sigmoid"
    inner = [rf"z_t &= {as_latex(cell.activation)}({sums['z']})", rf"o_t &= \sigma({sums['o']})"]
    outer = [
        r"c_t &= f_t \odot c_{t-1} + i_t \odot z_t",
        r"n_t &= f_t \odot n_{t-1} + i_t",
        r"h_t &= o_t \odot \frac{c_t}{n_t}",
    ]
    if not cell.stabilised:
        forget = r"\sigma" if sigmoid else r"\exp"
        return [rf"i_t &= \exp({sums['i']})", rf"f_t &= {forget}({sums['f']})", *inner, *outer]
    log_forget = rf"\log\sigma({sums['f']})" if sigmoid else sums["f"]
    return [
        rf"\tilde i_t &= {sums['i']}",
        rf"\tilde f_t &= {log_forget}",
        *inner,
        r"m_t &= \max(\tilde f_t + m_{t-1},\, \tilde i_t)",
        r"i_t &= \exp(\tilde i_t - m_t)",
        r"f_t &= \exp(\tilde f_t + m_{t-1} - m_t)",
        *outer,
    ]


def code(cell: Cell) -> list[str]:
    sigmoid = cell.forget_activation == "sigmoid"
    if cell.stabilised:
        gates = [
            f"f = {'F.logsigmoid(a_f)' if sigmoid else 'a_f'} + m",
            "m = torch.maximum(f, a_i)",
            "i = torch.exp(a_i - m)",
            "f = torch.exp(f - m)",
        ]
    else:
        gates = ["i = torch.exp(a_i)", f"f = {'sigmoid' if sigmoid else 'torch.exp'}(a_f)"]
    return [
        *gates,
        f"z = {as_code(cell.activation, 'a_z')}",
        "o = sigmoid(a_o)",
        "c = f * c + i * z",
        "n = f * n + i",
        "h = o * c / n",
    ]


def kept(p: Parameters, path: Path) -> Tensor:
    """The forget gate."""
    return path.gates["f"]


def back(p: Parameters, cell: Cell, path: Path) -> Back:
    """
    For u = [u_h u_c u_n u_m], with d_x the derivative in log f, log i and the preactivations of z and o:

        d_c = u_c + u_h o / n'      d_n = u_n - u_h h' / n'
        d_f = f (d_c c + d_n n)     d_i = i (d_c z + d_n)      d_z = d_c i phi'(a_z)      d_o = u_h c' / n' o'

    With the stabiliser u_m - d_f - d_i goes where m' has come from, to d_f or to d_i; then

        u_h <- [d_i d_f f~' d_z d_o] W_h      u_c <- d_c f      u_n <- d_n f      u_m <- d_f

    and without it u_m <- 0.
    """
    hidden, c, n, m = path.states
    i, f, o = (path.gates[gate] for gate in "ifo")
    phi, pre = ACTIVATIONS[cell.activation], dict(zip("ifzo", preactivations(p, path, 4), strict=True))
    z, through_z = phi.function(pre["z"]), i * phi.derivative(pre["z"])
    slope = torch.sigmoid(-pre["f"]) if cell.forget_activation == "sigmoid" else torch.ones_like(f)
    ratio, through_o = o / n[1:], c[1:] / n[1:] * sigmoid_slope(o)
    from_before = (_log_forget(cell, pre["f"]) + m[:-1] > pre["i"]).to(f.dtype)

    def step_back(t: int, u: Tensor) -> Tensor:
        k, (u_h, u_c, u_n, u_m) = t - 1, u.chunk(4, -1)
        d_c, d_n = u_c + u_h * ratio[k], u_n - u_h * hidden[t] / n[t]
        d_f, d_i = f[k] * (d_c * c[k] + d_n * n[k]), i[k] * (d_c * z[k] + d_n)
        if cell.stabilised:
            of_scale = u_m - d_f - d_i
            d_f, d_i = d_f + from_before[k] * of_scale, d_i + (1 - from_before[k]) * of_scale
        d = torch.cat([d_i, d_f * slope[k], d_c * through_z[k], u_h * through_o[k]], -1)
        u_m = d_f if cell.stabilised else torch.zeros_like(d_f)
        return torch.cat([d @ p.recurrent, d_c * f[k], d_n * f[k], u_m], -1)

    return step_back


SLSTM = Family(
    "slstm",
    "sLSTM",
    blocks={"i": GATES["i"], "f": GATES["f"], "z": _("candidate"), "o": GATES["o"]},
    step=step,
    equations=equations,
    gates="ifo",
    states=("h", "c", "n", "m"),
    from_below="m",
    options=frozenset({"forget_activation", "stabilised"}),
    forget="f",
    chrono={"f": 1, "i": -1},
    kept=kept,
    kept_beside=1,
    unscaled={"stabilised": False},
    back=back,
    code=code,
)
