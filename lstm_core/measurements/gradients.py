"""
How far back does a gradient reach? The backward pass of every cell, one step at a time, in double precision.

A row vector u dL/ds_t becomes u ds_t/ds_(t-1), see `cells.path`, so that S unit vectors give the whole Jacobian
ds_T/ds_t, and a single one its growth. Dimensions: T time, B batch, D input, H hidden, S all numbers of the state.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import linear

from lstm_core.cells import Back, Cell, Parameters, Path, unroll
from lstm_core.cells.path import preactivations
from lstm_core.streams import Rng


@torch.no_grad()
def walk(p: Parameters, cell: Cell, inputs: Tensor) -> Path:
    """The path of a layer over inputs (T, B, D), from zero states."""
    start = cell.start(inputs, len(p.recurrent) // len(cell.rows))
    trace = unroll(inputs, start, p, cell)
    states = zip(start, trace.states, strict=True)
    return Path(inputs, tuple(torch.cat([first[None], later]) for first, later in states), trace.gates, cell.window)


@torch.no_grad()
def walk_residual(p: Parameters, cell: Cell, inputs: Tensor) -> Path:
    """The path of h' = h + phi(W_h h + W_x x + b), a residual chain with the weights of an RNN (He et al. 2016)."""
    hidden = [inputs.new_zeros(inputs.shape[1], p.recurrent.shape[1])]
    phi, from_inputs = cell.phi(p).function, linear(inputs, p.input, p.whole_bias)
    for pre in from_inputs:
        hidden.append(hidden[-1] + phi(pre + hidden[-1] @ p.recurrent.t()))
    return Path(inputs, (torch.stack(hidden),), {})


def slopes(p: Parameters, cell: Cell, path: Path) -> Tensor:
    """phi'(a_t) of an RNN, (T, B, H)."""
    return cell.phi(p).derivative(preactivations(p, path, 1)[0])


def back_residual(p: Parameters, cell: Cell, path: Path) -> Back:
    """u (1 + diag(phi'(a_t)) W_h)"""
    through = backward(p, cell, path)
    return lambda t, u: u + through(t, u)


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
    """
    States (B, H) each as real numbers side by side, (B, S): copies, as torch takes no pair at an odd place for a view
    of a complex number.
    """
    pairs = [torch.stack([one.real, one.imag], 2).flatten(1) if one.is_complex() else one for one in states]
    return torch.cat(pairs, 1)


def _as_states(numbers: Tensor, path: Path) -> tuple[Tensor, ...]:
    """The way back."""
    size = path.hidden.shape[2]
    parts = numbers.split([size * (1 + state.is_complex()) for state in path.states], 1)
    pairs = zip(parts, path.states, strict=True)
    return tuple(torch.complex(part[:, ::2], part[:, 1::2]) if state.is_complex() else part for part, state in pairs)


def backward(p: Parameters, cell: Cell, path: Path) -> Back:
    """By hand where that was done, and otherwise by autograd."""
    return (cell.row.back or back_by_autograd)(p, cell, path)


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
    gamma = cell.phi(p).largest_slope

    def product(factors: Tensor) -> Tensor:
        """Of the last T - t factors, for every t."""
        return torch.cat([factors.flip(0).cumprod(0).flip(0), factors.new_ones(1)])

    every = torch.ones_like(steepest)
    per_step = steepest * recurrent.norm, every * gamma * recurrent.norm, every * recurrent.radius
    return Bounds(*map(product, per_step))
