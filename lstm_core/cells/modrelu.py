"""
RNNs whose W_h is orthogonal: kept so, as the exponential of a skew-symmetric matrix (Lezcano-Casado and Martinez-Rubio
2019), or only at first. Their function is modReLU (Arjovsky et al. 2016), which a bias of its own shifts.
"""

import dataclasses
import math

import torch
from torch import Tensor

from lstm_core.activations import Activation
from lstm_core.cells import rnn
from lstm_core.cells.family import W_H, Family, Setting
from lstm_core.cells.parameters import Parameters
from lstm_core.language import _
from lstm_core.streams import Rng

# Of the learning rate, as in the experiments of 2019.
SLOW = 0.1


def modrelu(p: Parameters) -> Activation:
    """phi(a) = sign(a) relu(|a| + b), whose slope is 1 or 0."""
    b = p.own["b"]
    return Activation(
        "modrelu",
        "modReLU",
        lambda a: a.sign() * torch.relu(a.abs() + b),
        lambda a: ((a.abs() + b > 0) & (a != 0)).to(a.dtype),
        1.0,
        r"\mathrm{sign}(x)\,\mathrm{ReLU}(|x| + b)",
        r"1 \text{ where } |x| + b > 0 \text{, else } 0",
    )


def turns(p: Parameters, gain: float, rng: Rng) -> None:
    """W_h turns pairs of units, as exp(A - A^T) does."""
    p.recurrent.copy_(gain * torch.linalg.matrix_exp(skew(generators(len(p.recurrent), rng))))


def generators(size: int, rng: Rng) -> Tensor:
    """
    A, (H, H), of which exp(A - A^T) turns pairs of units by angles U(-pi, pi) (Henaff et al. 2016); of an odd number
    the last stays.
    """
    drawn, first = torch.zeros(size, size, dtype=torch.float64), torch.arange(0, size - 1, 2)
    drawn[first, first + 1] = torch.from_numpy(rng.uniform(-math.pi, math.pi, len(first)))
    return drawn


def skew(drawn: Tensor) -> Tensor:
    """A - A^T"""
    return drawn - drawn.mT


def shifts(size: int, rng: Rng) -> Tensor:
    return torch.from_numpy(rng.uniform(-0.01, 0.01, size))


def orthogonal(p: Parameters) -> Parameters:
    """W_h = exp(A - A^T)"""
    return p._replace(recurrent=torch.linalg.matrix_exp(skew(p.own["A_h"])))


def equations(setting: Setting) -> list[str]:
    return [
        rf"a_t &= {setting.sum()}",
        r"h_t &= \mathrm{sign}(a_t) \odot \mathrm{ReLU}(|a_t| + b)",
    ]


def kept_equations(setting: Setting) -> list[str]:
    return [r"W_h &= \exp(A_h - A_h^\top)", *equations(setting)]


FREE = Family(
    "modrnn",
    "modReLU RNN",
    blocks={"h": _("hidden state")},
    step=rnn.step,
    equations=equations,
    phi=modrelu,
    own={"b": shifts},
    biased=False,
    starts=turns,
    title="W_h orthogonal at first",
    activated=False,
    transforms=True,
    back=rnn.back,
)
SLOWLY_FREE = dataclasses.replace(
    FREE, name="modrnn_slow", label="modReLU RNN, W_h slow", rates={W_H: SLOW}, title="W_h orthogonal at first, slow"
)
KEPT = dataclasses.replace(
    FREE,
    name="exprnn",
    label="expRNN",
    equations=kept_equations,
    own={"A_h": generators, "b": shifts},
    made=orthogonal,
    free=False,
    starts=None,
    rates={"A_h": SLOW},
    title="W_h kept orthogonal",
)
