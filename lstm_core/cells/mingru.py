"""The minGRU (Feng et al. 2024): a GRU whose gate and candidate see x alone, so that a unit mixes old and new."""

import torch
from torch import Tensor

from lstm_core.cells.family import Blocks, Cell, Family, Setting, States
from lstm_core.cells.parameters import Parameters
from lstm_core.cells.path import Path, by_what_is_kept
from lstm_core.language import _


def step(cell: Cell, p: Parameters, blocks: Blocks, states: States) -> tuple[States, dict[str, Tensor]]:
    """z = sigmoid(W_xz x + b_z)        h' = (1 - z) * h + z * (W_xh x + b_h)"""
    z = torch.sigmoid(blocks["z"])
    return ((1 - z) * states[0] + z * blocks["h"],), {"z": z}


def equations(setting: Setting) -> list[str]:
    return [
        rf"z_t &= \sigma({setting.sum('z')})",
        rf"\tilde h_t &= {setting.sum('h')}",
        r"h_t &= (1 - z_t) \odot h_{t-1} + z_t \odot \tilde h_t",
    ]


def code(cell: Cell) -> list[str]:
    return ["z = sigmoid(a_z)", "h = (1 - z) * h + z * a_h"]


def kept(p: Parameters, path: Path) -> Tensor:
    """1 - z"""
    return 1 - path.gates["z"]


MINGRU = Family(
    "mingru",
    "minGRU",
    blocks={"z": _("update gate"), "h": _("candidate")},
    step=step,
    equations=equations,
    gates="z",
    recurrent=False,
    activated=False,
    chrono={"z": -1},
    kept=kept,
    back=by_what_is_kept(kept),
    code=code,
)
