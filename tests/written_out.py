"""The equations of cells whose W_h is not like others, in numpy, as their papers have them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.linalg
import torch
from torch import Tensor

from lstm_core.cells import Cell
from lstm_core.layers import Layer


def numbers(layer: Layer) -> dict[str, Any]:
    """The parameters of a layer by name."""
    return {name: parameter.detach().numpy() for name, parameter in layer.named_parameters()}


def _modrelu(a: Any, b: Any) -> Any:
    """Arjovsky et al. 2016, equation 8, of real numbers: (|z| + b) z/|z| where |z| + b >= 0, else 0."""
    size = np.abs(a)
    return np.where(size + b >= 0, (size + b) * a / np.where(size == 0, 1, size), 0.0)


def _turned(square: Any, layer: Layer, x: Tensor, h: Tensor) -> list[Tensor]:
    p, state, states = numbers(layer), h.detach().numpy(), []
    for x_t in x.detach().numpy():
        state = _modrelu(state @ square.T + x_t @ p["weight_x"].T, p["own.b"])
        states.append(state)
    return [torch.from_numpy(np.stack(states)), torch.from_numpy(state)]


def exprnn(cell: Cell, layer: Layer, x: Tensor, h: Tensor) -> list[Tensor]:
    """Lezcano-Casado and Martinez-Rubio 2019, section 3."""
    drawn = numbers(layer)["own.A_h"]
    return _turned(scipy.linalg.expm(drawn - drawn.T), layer, x, h)


def modrnn(cell: Cell, layer: Layer, x: Tensor, h: Tensor) -> list[Tensor]:
    return _turned(numbers(layer)["weight_h"], layer, x, h)


def indrnn(cell: Cell, layer: Layer, x: Tensor, h: Tensor) -> list[Tensor]:
    """Li et al. 2018, equation 2: h_t = relu(W x_t + u * h_(t-1) + b)."""
    p, state, states = numbers(layer), h.detach().numpy(), []
    for x_t in x.detach().numpy():
        state = np.maximum(x_t @ p["weight_x"].T + p["own.u_h"] * state + p["bias"], 0)
        states.append(state)
    return [torch.from_numpy(np.stack(states)), torch.from_numpy(state)]


def _turning(p: dict[str, Any], inward: Any, seen: Any, s: Any) -> list[Tensor]:
    """
    Orvieto et al. 2023, equation 5 and section 3.4, in complex numbers: x_k = Lambda x_(k-1) + exp(gamma) * (B u_k),
    y_k = Re(C x_k) + D u_k, Lambda = diag(exp(-exp(nu) + i exp(theta))).
    """
    r, i, d = np.split(inward, 3)
    of_lambda = np.exp(-np.exp(p["own.nu"]) + 1j * np.exp(p["own.theta"]))
    b, c = np.exp(p["own.gamma"])[:, None] * (r + 1j * i), p["own.C_r"] + 1j * p["own.C_i"]
    outputs = []
    for u in seen:
        s = of_lambda * s + u @ b.T
        outputs.append((s @ c.T).real + u @ d.T)
    return [torch.from_numpy(np.stack(outputs)), torch.from_numpy(outputs[-1]), torch.from_numpy(s)]


def lru(cell: Cell, layer: Layer, x: Tensor, h: Tensor, s: Tensor) -> list[Tensor]:
    p = numbers(layer)
    return _turning(p, p["weight_x"], x.detach().numpy(), s.detach().numpy())


def lru_relu(cell: Cell, layer: Layer, x: Tensor, h: Tensor, s: Tensor) -> list[Tensor]:
    p = numbers(layer)
    seen = np.maximum(x.detach().numpy() @ p["weight_x"].T + p["bias"], 0)
    return _turning(p, p["own.W_v"], seen, s.detach().numpy())


def _diagonal(transition: Callable[[Any], Any]) -> Callable[..., list[Tensor]]:
    """Grazzi et al. 2024, equation 1, with a diagonal: h_t = a(x_t) * h_(t-1) + b(x_t)."""

    def written_out(cell: Cell, layer: Layer, x: Tensor, h: Tensor) -> list[Tensor]:
        state, states, p = h.detach().numpy(), [], layer.tensors()
        weights, bias = p.input.detach().numpy(), p.whole_bias.detach().numpy()
        for x_t in x.detach().numpy():
            of_a, of_u = np.split(x_t @ weights.T + bias, 2, -1)
            state = transition(of_a) * state + of_u
            states.append(state)
        return [torch.from_numpy(np.stack(states)), torch.from_numpy(state)]

    return written_out


WRITTEN_OUT: dict[str, Callable[..., list[Tensor]]] = {
    "exprnn": exprnn,
    "modrnn": modrnn,
    "modrnn_slow": modrnn,
    "indrnn": indrnn,
    "lru": lru,
    "lru_relu": lru_relu,
    "diagonal": _diagonal(lambda a: 1 / (1 + np.exp(-a))),
    "signed": _diagonal(lambda a: np.tanh(a / 2)),
}
