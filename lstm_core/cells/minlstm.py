"""The minLSTM (Feng et al. 2024): gates and candidate see x alone, and what is kept and what is added make up 1."""

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from lstm_core.cells.family import Blocks, Cell, Family, Setting, States
from lstm_core.cells.lstm import GATES
from lstm_core.cells.parameters import Parameters
from lstm_core.cells.path import Path, by_what_is_kept
from lstm_core.language import _


def step(cell: Cell, p: Parameters, blocks: Blocks, states: States) -> tuple[States, dict[str, Tensor]]:
    """
    h' = f / (f + i) * h + i / (f + i) * (W_xh x + b_h)         f, i = sigmoid(W_x x + b)

    The gates are told as they multiply, divided by their sum: f / (f + i) = sigmoid(log f - log i), which is never 0/0.
    """
    log_ratio = logsigmoid(blocks["f"]) - logsigmoid(blocks["i"])
    f, i = torch.sigmoid(log_ratio), torch.sigmoid(-log_ratio)
    return (f * states[0] + i * blocks["h"],), {"f": f, "i": i}


def equations(setting: Setting) -> list[str]:
    return [
        rf"f_t &= \sigma({setting.sum('f')})",
        rf"i_t &= \sigma({setting.sum('i')})",
        rf"\tilde h_t &= {setting.sum('h')}",
        r"h_t &= \frac{f_t}{f_t + i_t} \odot h_{t-1} + \frac{i_t}{f_t + i_t} \odot \tilde h_t",
    ]


def code(cell: Cell) -> list[str]:
    return [
        "f = sigmoid(F.logsigmoid(a_f) - F.logsigmoid(a_i))",
        "i = sigmoid(F.logsigmoid(a_i) - F.logsigmoid(a_f))",
        "h = f * h + i * a_h",
    ]


def kept(p: Parameters, path: Path) -> Tensor:
    """f / (f + i)"""
    return path.gates["f"]


MINLSTM = Family(
    "minlstm",
    "minLSTM",
    blocks={"f": GATES["f"], "i": GATES["i"], "h": _("candidate")},
    step=step,
    equations=equations,
    gates="fi",
    recurrent=False,
    activated=False,
    forget="f",
    chrono={"f": 1, "i": -1},
    kept=kept,
    kept_beside=2,
    back=by_what_is_kept(kept),
    code=code,
)
