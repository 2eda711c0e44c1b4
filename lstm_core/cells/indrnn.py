"""The independently recurrent neural network (Li et al. 2018): each unit sees of the state before itself alone."""

import torch
from torch import Tensor

from lstm_core.activations import ACTIVATIONS
from lstm_core.cells import rnn
from lstm_core.cells.family import Family, Setting
from lstm_core.cells.parameters import Parameters
from lstm_core.language import _
from lstm_core.streams import Rng

# gamma of the paper's bound |u| <= gamma^(1/T): with 1 it is the same for every T. Its authors' code has 2.
MOST = 1.0


def shares(size: int, rng: Rng) -> Tensor:
    """u, (H,), from U(0, 1)."""
    return torch.from_numpy(rng.uniform(0, 1, size))


def diagonal(p: Parameters) -> Parameters:
    """W_h = diag(u)"""
    return p._replace(recurrent=torch.diag(p.own["u_h"]))


def equations(setting: Setting) -> list[str]:
    return [r"W_h &= \mathrm{diag}(u_h)", rf"h_t &= \mathrm{{ReLU}}({setting.sum()})"]


INDRNN = Family(
    "indrnn",
    "IndRNN",
    blocks={"h": _("hidden state")},
    step=rnn.step,
    equations=equations,
    phi=lambda p: ACTIVATIONS["relu"],
    own={"u_h": shares},
    made=diagonal,
    free=False,
    most={"u_h": MOST},
    activated=False,
    transforms=True,
    back=rnn.back,
)
