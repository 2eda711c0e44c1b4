"""The equations of all cells, in torch or numpy, as their papers have them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.linalg
import torch
from torch import Tensor

from lstm_core.activations import ACTIVATIONS
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


def parts(tensor: Tensor, rows: list[str]) -> dict[str, Tensor]:
    """Blocks of H rows by name."""
    return dict(zip(rows, tensor.chunk(len(rows)), strict=True))


def rnn(cell: Cell, layer: Layer, x: Tensor, h: Tensor) -> list[Tensor]:
    phi = ACTIVATIONS[cell.activation].function
    outputs = []
    for x_t in x:
        h = phi(h @ layer.weight_h.T + x_t @ layer.weight_x.T + layer.bias)
        outputs.append(h)
    return [torch.stack(outputs), h]


def lstm(cell: Cell, layer: Layer, x: Tensor, h: Tensor, c: Tensor) -> list[Tensor]:
    """
    Gers and Schmidhuber (2000): i and f see the old cell state, o sees the new one. No gate: 1. Ba et al. (2016), (20)
    to (22); Krueger et al. (2017), where the mask is its expectation.
    """
    phi, psi = (ACTIVATIONS[name].function for name in (cell.activation, cell.output_activation or cell.activation))
    learned = [gate for gate in cell.gates if not (cell.coupled and gate == "f")]
    rows = [row for row in "ifgo" if row == "g" or row in learned]
    b = parts(layer.bias, rows)
    p = dict(
        zip(learned, torch.zeros(3, layer.hidden_size) if layer.peephole is None else layer.peephole, strict=False)
    )
    outputs = []

    def norm(z: Tensor, of: str) -> Tensor:
        if not cell.layer_norm:
            return z
        mean = z.sum(1, keepdim=True) / z.shape[1]
        deviation = ((z - mean) ** 2).sum(1, keepdim=True) / z.shape[1] + 1e-5
        return layer.own[f"alpha_{of}"] * (z - mean) / deviation.sqrt() + layer.own[f"beta_{of}"]

    def gate(name: str, sums: dict[str, Tensor], c: Tensor) -> Tensor:
        if name not in learned:
            return torch.ones_like(c)
        return 1 / (1 + torch.exp(-(sums[name] + b[name] + p[name] * c)))

    for x_t in x:
        total = norm(h @ layer.weight_h.T, "h") + norm(x_t @ layer.weight_x.T, "x")
        sums = dict(zip(rows, total.split(layer.hidden_size, 1), strict=True))
        i, f = gate("i", sums, c), gate("f", sums, c)
        g = phi(sums["g"] + b["g"])
        new = (1 - i if cell.coupled else f) * c + i * g
        shown = gate("o", sums, new) * psi(norm(new, "c"))
        c = cell.zoneout_c * c + (1 - cell.zoneout_c) * new
        h = cell.zoneout_h * h + (1 - cell.zoneout_h) * shown
        outputs.append(h)
    return [torch.stack(outputs), h, c]


def gru(cell: Cell, layer: Layer, x: Tensor, h: Tensor) -> list[Tensor]:
    """torch's form: the reset gate acts after the matrix product."""
    phi = ACTIVATIONS[cell.activation].function
    w, u, b = (parts(tensor, ["r", "z", "n"]) for tensor in (layer.weight_h, layer.weight_x, layer.bias))
    outputs = []
    for x_t in x:
        r, z = (1 / (1 + torch.exp(-(h @ w[row].T + x_t @ u[row].T + b[row]))) for row in "rz")
        n = phi(r * (h @ w["n"].T) + x_t @ u["n"].T + b["n"])
        h = (1 - z) * n + z * h
        outputs.append(h)
    return [torch.stack(outputs), h]


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def in_numpy(layer: Layer, rows: str) -> list[dict[str, np.ndarray]]:
    """W_x, b and, where there is one, W_h, by block."""
    kinds = [layer.weight_x, layer.bias, *([layer.weight_h] if layer.cell.row.recurrent else [])]
    return [dict(zip(rows, np.split(kind.detach().numpy(), len(rows)), strict=True)) for kind in kinds]


def mingru(cell: Cell, layer: Layer, x: Tensor, h: Tensor) -> list[Tensor]:
    """Feng et al. (2024), section 3.1: h_t = (1 - z_t) h_(t-1) + z_t h~_t, z and h~ linear in x."""
    (u, b), states = in_numpy(layer, "zh"), [h.numpy()]
    for x_t in x.numpy():
        z, candidate = sigmoid(x_t @ u["z"].T + b["z"]), x_t @ u["h"].T + b["h"]
        states.append((1 - z) * states[-1] + z * candidate)
    return [torch.from_numpy(np.stack(states[1:])), torch.from_numpy(states[-1])]


def minlstm(cell: Cell, layer: Layer, x: Tensor, h: Tensor) -> list[Tensor]:
    """Feng et al. (2024), section 3.2: both gates divided by their sum."""
    (u, b), states = in_numpy(layer, "fih"), [h.numpy()]
    for x_t in x.numpy():
        f, i = (sigmoid(x_t @ u[gate].T + b[gate]) for gate in "fi")
        states.append(f / (f + i) * states[-1] + i / (f + i) * (x_t @ u["h"].T + b["h"]))
    return [torch.from_numpy(np.stack(states[1:])), torch.from_numpy(states[-1])]


def slstm(cell: Cell, layer: Layer, x: Tensor, h: Tensor, c: Tensor, n: Tensor, m: Tensor) -> list[Tensor]:
    """Beck et al. (2024), equations 8 to 17: without the stabiliser, whose states are those times e^-m."""
    phi, (u, b, w) = ACTIVATIONS[cell.activation].function, in_numpy(layer, "ifzo")
    forget = sigmoid if cell.forget_activation == "sigmoid" else np.exp
    hidden, cells, sums, scale = (state.numpy() for state in (h, c, n, m))
    if cell.stabilised:
        cells, sums = cells * np.exp(scale), sums * np.exp(scale)
    outputs = []
    for x_t in x.numpy():
        pre = {block: hidden @ w[block].T + x_t @ u[block].T + b[block] for block in "ifzo"}
        i, f, o = np.exp(pre["i"]), forget(pre["f"]), sigmoid(pre["o"])
        cells = f * cells + i * phi(torch.from_numpy(pre["z"])).numpy()
        sums = f * sums + i
        hidden = o * cells / sums
        log_f = pre["f"] - np.log1p(np.exp(pre["f"])) if cell.forget_activation == "sigmoid" else pre["f"]
        scale = np.maximum(log_f + scale, pre["i"]) if cell.stabilised else np.zeros_like(scale)
        outputs.append(hidden)
    final = hidden, cells * np.exp(-scale), sums * np.exp(-scale), scale
    return [torch.from_numpy(array) for array in (np.stack(outputs), *final)]


WRITTEN_OUT: dict[str, Callable[..., list[Tensor]]] = {
    "rnn": rnn,
    "lstm": lstm,
    "gru": gru,
    "mingru": mingru,
    "minlstm": minlstm,
    "slstm": slstm,
    "exprnn": exprnn,
    "modrnn": modrnn,
    "modrnn_slow": modrnn,
    "indrnn": indrnn,
    "lru": lru,
    "lru_relu": lru_relu,
    "diagonal": _diagonal(lambda a: 1 / (1 + np.exp(-a))),
    "signed": _diagonal(lambda a: np.tanh(a / 2)),
}
