"""The equations of cells whose W_h is not like others, in numpy, as their papers have them."""

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


WRITTEN_OUT = {"exprnn": exprnn, "modrnn": modrnn, "modrnn_slow": modrnn, "indrnn": indrnn}
