"""What does it cost to forget slowly? The state of h' = λ h + g x on white noise, and its derivatives."""

from typing import NamedTuple

import torch
from torch import Tensor

SHOWN = 41


class Memory(NamedTuple):
    """
    Root mean squares after T steps from h = 0, all (N,): of h, of dh/d|λ|, and of dh/dν where |λ| = exp(-exp(ν)). The
    factor g is held, as it is a parameter of its own.
    """

    state: Tensor
    by_eigenvalue: Tensor
    by_nu: Tensor


def lengths(steps: int) -> Tensor:
    """1 / (1 - |λ|), the time steps that a cell remembers, from 1 to T by equal factors, (SHOWN,)."""
    return steps ** torch.linspace(0, 1, SHOWN, dtype=torch.float64)


def eigenvalues(steps: int) -> Tensor:
    """|λ| of these, from 0 to 1 - 1/T, (SHOWN,); nothing new comes beyond."""
    return 1 - 1 / lengths(steps)


def memory(eigenvalue: Tensor, steps: int, normalised: bool) -> Memory:
    """
    For each |λ| of `eigenvalue`, (N,), in [0, 1), and inputs that are independent with mean 0 and variance 1:

        h_T = g sum λ^k x_(T-k)      dh_T/dλ = g sum k λ^(k-1) x_(T-k)      dh/dν = λ log λ dh/dλ,      k = 0 .. T - 1

    of which the squares are summed. Where it is `normalised`, g = sqrt(1 - |λ|^2), else 1 (Orvieto et al. 2023, section
    3.4; the growth of dh/dλ is what Zucchet and Orvieto 2024 call the curse of memory). A complex λ turns h and changes
    none of these.
    """
    k, modulus = torch.arange(steps, dtype=torch.float64), eigenvalue[:, None]
    factor = (1 - eigenvalue.square()).sqrt() if normalised else torch.ones_like(eigenvalue)
    state = factor * torch.linalg.vector_norm(modulus**k, dim=1)
    by_eigenvalue = factor * torch.linalg.vector_norm(k[1:] * modulus ** k[:-1], dim=1)
    return Memory(state, by_eigenvalue, by_eigenvalue * torch.special.xlogy(eigenvalue, eigenvalue).abs())
