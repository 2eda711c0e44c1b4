"""
What does layer normalisation do to a vector? It is shifted and scaled to mean 0 and variance 1, with a gain and a bias
for each of its numbers (Ba et al. 2016):

    LN(z) = alpha * (z - mean(z)) / sqrt(var(z) + 1e-5) + beta

Three vectors of an LSTM are normalised, each over all its numbers, as in their equations (20) to (22): W_h h and W_x x,
all kH rows together, before their sum and the bias b; and c, before psi, where the state that is kept stays as it is.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn.functional import layer_norm, linear

from lstm_core.cells.parameters import Parameters
from lstm_core.streams import Rng

EPSILON = 1e-5


def gains_and_biases(rows: int) -> Mapping[str, Callable[[int, Rng], Tensor]]:
    """
    The parameters by name, as `Family.own` has them: `alpha_h`, `beta_h`, `alpha_x`, `beta_x` (kH,) of k = `rows`
    blocks, `alpha_c` and `beta_c` (H,). Gains start at 1, biases at 0.
    """

    def filled(value: float, blocks: int) -> Callable[[int, Rng], Tensor]:
        return lambda size, rng: torch.full((blocks * size,), value)

    blocks, starts = {"h": rows, "x": rows, "c": 1}, {"alpha": 1.0, "beta": 0.0}
    return {f"{name}_{of}": filled(start, k) for of, k in blocks.items() for name, start in starts.items()}


def equations() -> list[str]:
    """What LN stands for, as LaTeX."""
    shares = r"\frac{z - \mathrm{mean}(z)}{\sqrt{\mathrm{var}(z) + 10^{-5}}}"
    return [rf"\mathrm{{LN}}_k(z) &= \alpha_k \odot {shares} + \beta_k"]


def normalised(p: Parameters, of: str, z: Tensor) -> Tensor:
    """LN(z) over the last size, with the gain and the bias `of` h, x or c; z where the layer has none."""
    if f"alpha_{of}" not in p.own:
        return z
    return layer_norm(z, z.shape[-1:], p.own[f"alpha_{of}"], p.own[f"beta_{of}"], EPSILON)


def normalised_sums(p: Parameters, inputs: Tensor, from_hidden: Tensor) -> Tensor:
    """LN(W_h h) + LN(W_x x) + b, (..., kH), of inputs (..., D) and W_h h (..., kH)."""
    return normalised(p, "h", from_hidden) + normalised(p, "x", linear(inputs, p.input)) + p.whole_bias


def back_through(p: Parameters, of: str, z: Tensor) -> Callable[[int, Tensor], Tensor]:
    """(t, u) -> u dLN(z_t)/dz_t for z (T, B, ...); u where the layer does not normalise it."""
    if f"alpha_{of}" not in p.own:
        return lambda t, u: u
    centred, gain = z - z.mean(-1, keepdim=True), p.own[f"alpha_{of}"]
    scale = (centred.square().mean(-1, keepdim=True) + EPSILON).rsqrt()
    even = centred * scale

    def back(t: int, u: Tensor) -> Tensor:
        u = u * gain
        return scale[t] * (u - u.mean(-1, keepdim=True) - even[t] * (u * even[t]).mean(-1, keepdim=True))

    return back
