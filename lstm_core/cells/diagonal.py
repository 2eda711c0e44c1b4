"""
May what is forgotten change its sign? The least cell that shows it: each unit is multiplied by a number that x alone
decides, from 0 to 1 as all gates are, or from -1 to 1, with which it can count (Grazzi et al. 2024).
"""

import dataclasses

import torch
from torch import Tensor

from lstm_core.cells.family import Blocks, Cell, Family, Setting, States
from lstm_core.cells.parameters import Parameters
from lstm_core.cells.path import Path, by_what_is_kept
from lstm_core.language import _


def step(cell: Cell, p: Parameters, blocks: Blocks, states: States) -> tuple[States, dict[str, Tensor]]:
    """a = sigmoid(W_xa x + b_a)        h' = a * h + W_xu x + b_u"""
    a = torch.sigmoid(blocks["a"])
    return (torch.addcmul(blocks["u"], a, states[0]),), {"a": a}


def signed_step(cell: Cell, p: Parameters, blocks: Blocks, states: States) -> tuple[States, dict[str, Tensor]]:
    """a = 2 sigmoid(W_xa x + b_a) - 1        h' = a * h + W_xu x + b_u"""
    a = 2 * torch.sigmoid(blocks["a"]) - 1
    return (torch.addcmul(blocks["u"], a, states[0]),), {"a": a}


def _moved(setting: Setting, a: str) -> list[str]:
    return [rf"a_t &= {a}", rf"h_t &= a_t \odot h_{{t-1}} + {setting.sum('u')}"]


def equations(setting: Setting) -> list[str]:
    return _moved(setting, rf"\sigma({setting.sum('a')})")


def signed_equations(setting: Setting) -> list[str]:
    return _moved(setting, rf"2\,\sigma({setting.sum('a')}) - 1")


def code(cell: Cell) -> list[str]:
    return ["a = sigmoid(a_a)", "h = a * h + a_u"]


def signed_code(cell: Cell) -> list[str]:
    return ["a = 2 * sigmoid(a_a) - 1", "h = a * h + a_u"]


def kept(p: Parameters, path: Path) -> Tensor:
    """a"""
    return path.gates["a"]


POSITIVE = Family(
    "diagonal",
    "a in [0, 1]",
    blocks={"a": _("transition"), "u": _("input")},
    step=step,
    equations=equations,
    gates="a",
    recurrent=False,
    activated=False,
    kept=kept,
    back=by_what_is_kept(kept),
    code=code,
)
SIGNED = dataclasses.replace(
    POSITIVE, name="signed", label="a in [-1, 1]", step=signed_step, equations=signed_equations, code=signed_code
)
