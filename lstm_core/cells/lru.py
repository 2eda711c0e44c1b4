"""
The linear recurrent unit (Orvieto et al. 2023): a diagonal of complex numbers turns and shrinks what is remembered, and
nothing but what is read of it is passed on. Alone it is linear in x, so it comes with a ReLU layer before it, too.

The state c is complex, and its weights are two real arrays each, the real part and the imaginary one.
"""

import dataclasses
import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import linear

from lstm_core.activations import ACTIVATIONS
from lstm_core.cells.family import Blocks, Cell, Family, Setting, States
from lstm_core.cells.parameters import Parameters
from lstm_core.cells.path import Back, Path
from lstm_core.language import _
from lstm_core.streams import Rng

Draw = Callable[[int, Rng], Tensor]
READ = r"h_t &= \mathrm{Re}((C_r + i\,C_i)\,c_t) + "
MEANING = r"\lambda &= \exp(-\exp(\nu) + i\,\exp(\theta))"


def turned(p: Parameters) -> Tensor:
    """lambda = exp(-exp(nu) + i exp(theta)), (H,) complex."""
    return torch.polar(torch.exp(-p.own["nu"].exp()), p.own["theta"].exp())


def made(p: Parameters) -> Parameters:
    """
    Beside what is learned lambda, exp(gamma) as `scale`, and C, (H, 2H), which h is read with from the real and the
    imaginary part of each number of c in turn.
    """
    matrix = torch.stack([p.own["C_r"], -p.own["C_i"]], 2).flatten(1)
    return p._replace(own={**p.own, "lambda": turned(p), "scale": p.own["gamma"].exp(), "C": matrix})


def step(cell: Cell, p: Parameters, blocks: Blocks, states: States) -> tuple[States, dict[str, Tensor]]:
    """c' = lambda c + exp(gamma) (W_xr x + i W_xi x)      h' = Re((C_r + i C_i) c') + W_xd x"""
    scale = p.own["scale"]
    added = torch.complex(scale * blocks["r"], scale * blocks["i"])
    c = torch.addcmul(added, p.own["lambda"], states[1])
    return (torch.addmm(blocks["d"], torch.view_as_real(c).flatten(1), p.own["C"].t()), c), {}


def step_after_layer(cell: Cell, p: Parameters, blocks: Blocks, states: States) -> tuple[States, dict[str, Tensor]]:
    """v = relu(W_x x + b), and the same with v in the place of x"""
    rows = linear(torch.relu(blocks["v"]), p.own["W_v"]).chunk(3, 1)
    return step(cell, p, dict(zip("rid", rows, strict=True)), states)


def _moved(r: str, i: str) -> str:
    return rf"c_t &= \lambda \odot c_{{t-1}} + \exp(\gamma) \odot ({r} + i\,{i})"


def equations(setting: Setting) -> list[str]:
    r, i, d = map(setting.sum, "rid")
    return [MEANING, _moved(r, i), READ + d]


def equations_after_layer(setting: Setting) -> list[str]:
    r, i, d = (rf"W_{{v{part}}}\,v_t" for part in "rid")
    return [rf"v_t &= \mathrm{{ReLU}}({setting.sum()})", MEANING, _moved(r, i), READ + d]


def kept(p: Parameters, path: Path) -> Tensor:
    """lambda"""
    return turned(p).expand(len(path.inputs), path.inputs.shape[1], -1)


def back(p: Parameters, cell: Cell, path: Path) -> Back:
    """
    For u = [u_h, u_c], a complex number being two real ones: u_c <- (u_c + u_h [C_r, -C_i]) lambda, u_h <- 0.
    """
    size, conjugate = path.hidden.shape[2], turned(p).conj()

    def step_back(t: int, u: Tensor) -> Tensor:
        u_h, u_c = u.split([size, 2 * size], -1)
        pairs = (u_c + u_h @ p.own["C"]).unflatten(-1, (size, 2))
        through = torch.view_as_real(torch.view_as_complex(pairs) * conjugate).flatten(-2)
        return torch.cat([torch.zeros_like(u_h), through], -1)

    return step_back


def ring(least: float, most: float) -> Draw:
    """nu, (H,), with |lambda|^2 uniform between the squares of these."""

    def draw(size: int, rng: Rng) -> Tensor:
        squares = torch.from_numpy(rng.uniform(least**2, most**2, size))
        return torch.log(-squares.log() / 2)

    return draw


def phases(most: float) -> Draw:
    """theta, (H,), with exp(theta) uniform from 0."""
    return lambda size, rng: torch.from_numpy(rng.uniform(0, most, size)).log()


def normal(rows: int, columns: int, variance: float, rng: Rng) -> Tensor:
    return torch.from_numpy(rng.standard_normal((rows, columns))) * math.sqrt(variance)


def inward(size: int, inputs: int, rng: Rng) -> Tensor:
    """(3H, D): both parts of what makes c from N(0, 1/(2D)), what goes past it from N(0, 1/D)."""
    return torch.cat([normal(2 * size, inputs, 0.5 / inputs, rng), normal(size, inputs, 1 / inputs, rng)])


def normalise(p: Parameters) -> None:
    """gamma = log sqrt(1 - |lambda|^2), with which c has the same size for every lambda, where x is white noise."""
    p.own["gamma"].copy_(torch.log(-torch.expm1(-2 * p.own["nu"].exp())) / 2)


def starts(p: Parameters, gain: float, rng: Rng) -> None:
    p.input.copy_(inward(len(p.own["nu"]), p.input.shape[1], rng))
    normalise(p)


def starts_after_layer(p: Parameters, gain: float, rng: Rng) -> None:
    normalise(p)


# Where what is remembered has to stay, as copying asks for: a ring near 1, and all phases.
ALONE = Family(
    "lru",
    "LRU",
    blocks={"r": _("real part"), "i": _("imaginary part"), "d": _("beside the state")},
    step=step,
    equations=equations,
    recurrent=False,
    phi=lambda p: ACTIVATIONS["identity"],
    states=("h", "c"),
    complex_states="c",
    own={
        "nu": ring(0.98, 0.9999),
        "theta": phases(2 * math.pi),
        "gamma": lambda size, rng: torch.zeros(size, dtype=torch.float64),
        "C_r": lambda size, rng: normal(size, size, 1 / size, rng),
        "C_i": lambda size, rng: normal(size, size, 1 / size, rng),
    },
    made=made,
    products=2,
    biased=False,
    starts=starts,
    activated=False,
    kept=kept,
    back=back,
)
# What a layer before it selects is summed: a ring further inside, and small phases.
AFTER_LAYER = dataclasses.replace(
    ALONE,
    name="lru_relu",
    label="LRU after ReLU",
    blocks={"v": _("layer before")},
    step=step_after_layer,
    equations=equations_after_layer,
    own={
        **ALONE.own,
        "nu": ring(0.9, 0.999),
        "theta": phases(math.pi / 10),
        "W_v": lambda size, rng: inward(size, size, rng),
    },
    products=5,
    biased=True,
    kept_beside=2,
    starts=starts_after_layer,
)
