"""
How far back does a gradient reach? The backward pass of every cell, one step at a time, in double precision.

The state s is h, or [h; c] where there is a cell state, or the last k hidden states, newest first, where the cell sees
them; S numbers. A row vector u dL/ds_t becomes u ds_t/ds_(t-1), so
that S unit vectors give the whole Jacobian ds_T/ds_t, and a single one its growth. Dimensions: T time, B batch, D
input, H hidden.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import linear, pad

from lstm_core.activations import ACTIVATIONS
from lstm_core.cells import Cell, Parameters, unroll
from lstm_core.engine import run
from lstm_core.streams import Rng

# (t, u) -> u ds_t/ds_(t-1), for u (..., B, S) and t from 1 to T.
Back = Callable[[int, Tensor], Tensor]


class Path(NamedTuple):
    """
    Where a layer went: `inputs` (T, B, D), `states` (T + 1, B, H) each from the first, zero, one on, the hidden state
    before others, and each gate (T, B, H); the `window` of its cell.
    """

    inputs: Tensor
    states: tuple[Tensor, ...]
    gates: dict[str, Tensor]
    window: int = 1

    @property
    def hidden(self) -> Tensor:
        return self.states[0]

    @property
    def cell(self) -> Tensor | None:
        """The second state, where there is one."""
        return self.states[1] if len(self.states) > 1 else None

    @property
    def state_size(self) -> int:
        """S, where a complex number counts as two."""
        numbers = sum(1 + state.is_complex() for state in self.states)
        return self.hidden.shape[2] * (self.window if self.window > 1 else numbers)

    @property
    def seen(self) -> Tensor:
        """What W_h is multiplied with at each step, (T, B, H), or (T, B, kH) with zeros before the start."""
        before = self.hidden[:-1]
        return torch.cat([pad(before, (0, 0, 0, 0, k, 0))[: len(before)] for k in range(self.window)], 2)


@torch.no_grad()
def walk(p: Parameters, cell: Cell, inputs: Tensor) -> Path:
    """The path of a layer over inputs (T, B, D), from zero states."""
    start = cell.start(inputs, len(p.recurrent) // len(cell.rows))
    trace = run(inputs, start, p, cell)
    states = zip(start, trace.states, strict=True)
    return Path(inputs, tuple(torch.cat([first[None], later]) for first, later in states), trace.gates, cell.window)


@torch.no_grad()
def walk_residual(p: Parameters, cell: Cell, inputs: Tensor) -> Path:
    """The path of h' = h + phi(W_h h + W_x x + b), a residual chain with the weights of an RNN (He et al. 2016)."""
    hidden = [inputs.new_zeros(inputs.shape[1], p.recurrent.shape[1])]
    phi, from_inputs = ACTIVATIONS[cell.activation].function, linear(inputs, p.input, _bias(p))
    for pre in from_inputs:
        hidden.append(hidden[-1] + phi(pre + hidden[-1] @ p.recurrent.t()))
    return Path(inputs, (torch.stack(hidden),), {})


def _bias(p: Parameters) -> Tensor:
    return p.bias if p.recurrent_bias is None else p.bias + p.recurrent_bias


def _preactivations(p: Parameters, path: Path, count: int) -> tuple[Tensor, ...]:
    """W_h h_(t-1) + W_x x_t + b of every block, (T, B, H) each."""
    return (linear(path.inputs, p.input, _bias(p)) + linear(path.seen, p.recurrent)).chunk(count, 2)


def _sigmoid_slope(gate: Tensor) -> Tensor:
    return gate * (1 - gate)


def slopes(p: Parameters, cell: Cell, path: Path) -> Tensor:
    """phi'(a_t) of an RNN, (T, B, H)."""
    return ACTIVATIONS[cell.activation].derivative(_preactivations(p, path, 1)[0])


def back_rnn(p: Parameters, cell: Cell, path: Path) -> Back:
    """
    u diag(phi'(a_t)) W_h

    For u = [u_1 .. u_k], of the last k hidden states, it is u_1 diag(phi'(a_t)) W_h + [u_2 .. u_k 0].
    """
    slope, size = slopes(p, cell, path), len(p.recurrent)

    def back(t: int, u: Tensor) -> Tensor:
        through = (u[..., :size] * slope[t - 1]) @ p.recurrent
        return through + pad(u[..., size:], (0, size)) if path.window > 1 else through

    return back


def back_residual(p: Parameters, cell: Cell, path: Path) -> Back:
    """u (1 + diag(phi'(a_t)) W_h)"""
    through = back_rnn(p, cell, path)
    return lambda t, u: u + through(t, u)


def back_lstm(p: Parameters, cell: Cell, path: Path) -> Back:
    """
    For u = [u_h, u_c], with d_x the derivative in the preactivation of x:

        d_c = u_c + u_h dh'/dc'      dh'/dc' = o psi'(c') + psi(c') o' p_o
        d_i = d_c g i'   d_f = d_c c f'   d_g = d_c i phi'(a_g)   d_o = u_h psi(c') o'
        u_h <- [d_i d_f d_g d_o] W_h      u_c <- d_c f + d_i p_i + d_f p_f

    A gate held at 1 has no derivative; for coupled ones d_i = d_c (g - c) i'.
    """
    assert path.cell is not None
    phi, psi = (ACTIVATIONS[name] for name in cell.activations)
    pre = dict(zip(cell.rows, _preactivations(p, path, len(cell.rows)), strict=True))
    before, after, g = path.cell[:-1], path.cell[1:], phi.function(pre["g"])
    one = torch.ones_like(g)
    i, f, o = (path.gates.get(gate, one) for gate in "ifo")
    peepholes = {} if p.peephole is None else dict(zip(cell.learned_gates, p.peephole, strict=True))
    out, reads = psi.function(after), o * psi.derivative(after)
    if "o" in peepholes:
        reads = reads + out * _sigmoid_slope(o) * peepholes["o"]
    through = {
        "i": (g - before if cell.coupled else g) * _sigmoid_slope(i),
        "f": before * _sigmoid_slope(f),
        "g": i * phi.derivative(pre["g"]),
        "o": out * _sigmoid_slope(o),
    }
    size, all_through = p.recurrent.shape[1], torch.cat([through[row] for row in cell.rows], -1)

    def back(t: int, u: Tensor) -> Tensor:
        u_h, u_c = u.split(size, -1)
        d_c = u_c + u_h * reads[t - 1]
        d = torch.cat([u_h if row == "o" else d_c for row in cell.rows], -1) * all_through[t - 1]
        u_c = d_c * f[t - 1]
        for gate in peepholes.keys() - "o":
            u_c = u_c + d.split(size, -1)[cell.rows.index(gate)] * peepholes[gate]
        return torch.cat([d @ p.recurrent, u_c], -1)

    return back


def back_gru(p: Parameters, cell: Cell, path: Path) -> Back:
    """
    d_z = u (h - n) z'   d_n = u (1 - z) phi'(a_n)   d_r = d_n (W_n h + b_hn) r'
    u <- u z + [d_r d_z d_n r] W_h
    """
    phi, size = ACTIVATIONS[cell.activation], p.recurrent.shape[1]
    candidate, before = slice(2 * size, None), path.hidden[:-1]
    r, z = path.gates["r"], path.gates["z"]
    bias = None if p.recurrent_bias is None else p.recurrent_bias[candidate]
    from_hidden = linear(before, p.recurrent[candidate], bias)
    pre = linear(path.inputs, p.input[candidate], p.bias[candidate]) + r * from_hidden
    slope, reset = phi.derivative(pre), from_hidden * _sigmoid_slope(r)
    update, renewed = (before - phi.function(pre)) * _sigmoid_slope(z), (1 - z) * slope

    def back(t: int, u: Tensor) -> Tensor:
        d_n = u * renewed[t - 1]
        d = [d_n * reset[t - 1], u * update[t - 1], d_n * r[t - 1]]
        return u * z[t - 1] + torch.cat(d, -1) @ p.recurrent

    return back


# By hand, for the families that have it: the same as `back_by_autograd`, and faster.
BY_HAND = {"rnn": back_rnn, "lstm": back_lstm, "gru": back_gru}


def back_by_autograd(p: Parameters, cell: Cell, path: Path) -> Back:
    """Of any family, from its one step: u ds_t/ds_(t-1) by reverse mode, complex states as pairs of real numbers."""

    def stepped(t: int, states: Tensor) -> Tensor:
        before = _as_states(states, path)
        trace = unroll(path.inputs[t - 1 : t], before, p, cell)
        return _as_numbers(trace.final)

    def back(t: int, u: Tensor) -> Tensor:
        before = _as_numbers(tuple(state[t - 1] for state in path.states))
        _, pull = torch.func.vjp(lambda states: stepped(t, states), before)  # type: ignore[misc]
        rows = u.reshape(-1, *before.shape)
        return torch.stack([pull(row)[0] for row in rows]).reshape(u.shape)

    return back


def _as_numbers(states: tuple[Tensor, ...]) -> Tensor:
    """States (B, H) each as real numbers side by side, (B, S)."""
    return torch.cat([torch.view_as_real(one).flatten(1) if one.is_complex() else one for one in states], 1)


def _as_states(numbers: Tensor, path: Path) -> tuple[Tensor, ...]:
    """The way back."""
    size = path.hidden.shape[2]
    parts = numbers.split([size * (1 + state.is_complex()) for state in path.states], 1)
    pairs = zip(parts, path.states, strict=True)
    return tuple(
        torch.view_as_complex(part.unflatten(1, (size, 2))) if state.is_complex() else part for part, state in pairs
    )


def backward(p: Parameters, cell: Cell, path: Path) -> Back:
    """By hand where that was done, and otherwise by autograd."""
    return BY_HAND.get(cell.family, back_by_autograd)(p, cell, path)


def jacobians(back: Back, path: Path, steps: Sequence[int]) -> Tensor:
    """
    ds_T/ds_t of a batch of one, (S, S), for each t in `steps`, ascending, from 0 to T; what moves is the state at t
    alone, its parts independently of each other.
    """
    last = len(path.inputs)
    u = torch.eye(path.state_size, dtype=path.hidden.dtype)[:, None]
    wanted, kept = set(steps), []
    for t in range(last, min(steps) - 1, -1):
        if t < last:
            u = back(t + 1, u)
        if t in wanted:
            kept.append(u[:, 0])
    return torch.stack(kept[::-1])


def growth_rate(back: Back, path: Path, skip: int, rng: Rng) -> Tensor:
    """
    The largest Lyapunov exponent, one estimate for each sequence of the batch, (B,), as a natural logarithm per step.

    It is the mean of log |u ds_t/ds_(t-1)| / |u| over all but the last `skip` steps, in which u turns to where it grows
    most, and the first `skip`, in which the state leaves zero for where it stays; -inf where nothing is left (Vogt et
    al. 2022). Where the sequences are drawn independently, the standard error is that of the mean of these estimates.
    """
    shape = (path.hidden.shape[1], path.state_size)
    u = torch.from_numpy(rng.standard_normal(shape)).to(path.hidden.dtype)
    norm = torch.linalg.vector_norm(u, dim=1, keepdim=True)
    total, last, tiny = torch.zeros_like(norm), len(path.inputs), torch.finfo(u.dtype).tiny
    for t in range(last, skip, -1):
        u = back(t, u / norm.clamp_min(tiny))
        norm = torch.linalg.vector_norm(u, dim=1, keepdim=True)
        if t <= last - skip:
            total += norm.log()
    return total[:, 0] / (last - 2 * skip)


def spectral_norms(matrices: Tensor) -> Tensor:
    """The largest singular value of each matrix, (N, M, M) -> (N,); nan or inf where an entry is."""
    largest = matrices.abs().amax((1, 2))
    usable = (largest > 0) & largest.isfinite()
    norms = largest.clone()
    scale = largest[usable, None, None]
    norms[usable] = scale[:, 0, 0] * torch.linalg.matrix_norm(matrices[usable] / scale, ord=2)
    return norms


class Spectrum(NamedTuple):
    """Of a square matrix (H, H): eigenvalues, complex, and singular values, both (H,), largest first."""

    eigenvalues: Tensor
    singular_values: Tensor

    @property
    def radius(self) -> float:
        """The spectral radius rho, the largest absolute value of an eigenvalue."""
        return float(self.eigenvalues[0].abs())

    @property
    def norm(self) -> float:
        """The spectral norm, the largest singular value sigma_max."""
        return float(self.singular_values[0])


def spectrum(matrix: Tensor) -> Spectrum:
    """All nan, if an entry is not finite."""
    if not bool(matrix.isfinite().all()):
        nothing = matrix.new_full((len(matrix),), torch.nan)
        return Spectrum(nothing.to(torch.complex128), nothing)
    eigenvalues = torch.linalg.eigvals(matrix)
    return Spectrum(eigenvalues[eigenvalues.abs().argsort(descending=True)], torch.linalg.svdvals(matrix))


def powers(matrix: Tensor, most: int) -> Tensor:
    """||W^n|| for n = 1 .. most, (most,)."""
    product, kept = torch.eye(len(matrix), dtype=matrix.dtype), []
    for _ in range(most):
        product = product @ matrix
        kept.append(product)
    return spectral_norms(torch.stack(kept))


class Bounds(NamedTuple):
    """What ||dh_T/dh_t|| of an RNN cannot exceed, (T + 1,) each for t = 0 .. T, and rho^(T-t), which is no bound."""

    true_slopes: Tensor
    largest_slope: Tensor
    spectral_radius: Tensor


def bounds(p: Parameters, cell: Cell, path: Path) -> Bounds:
    """
    prod ||diag(phi'(a_k))|| sigma_max, and (gamma sigma_max)^(T-t), where gamma is the largest slope of phi (Pascanu et
    al. 2013). Of a window of 1: the other matrices have no powers.
    """
    recurrent = spectrum(p.recurrent)
    steepest = slopes(p, cell, path).abs().amax((1, 2))
    gamma = ACTIVATIONS[cell.activation].largest_slope

    def product(factors: Tensor) -> Tensor:
        """Of the last T - t factors, for every t."""
        return torch.cat([factors.flip(0).cumprod(0).flip(0), factors.new_ones(1)])

    every = torch.ones_like(steepest)
    per_step = steepest * recurrent.norm, every * gamma * recurrent.norm, every * recurrent.radius
    return Bounds(*map(product, per_step))
