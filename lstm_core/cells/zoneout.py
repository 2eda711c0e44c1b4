"""
Which units keep their state for a time step? While training, some by chance (Krueger et al. 2017):

    s_t = d_t * s_(t-1) + (1 - d_t) * s'      d_t = 1 with the probability z of this kind of state, else 0

s' is what the cell makes of all states before, as if none was kept. Whatever is measured of a network takes the
expectation, z, in the place of d_t.
"""

import torch
from torch import Tensor

from lstm_core.cells.family import Cell, States
from lstm_core.cells.path import Back
from lstm_core.streams import Rng


def equations(state: str, made: str, share: float) -> list[str]:
    """Which part of a state is kept and which is what the step has `made`, as LaTeX; none where no unit keeps it."""
    if not share:
        return []
    kept = f"d_{{{state},t}}"
    return [
        rf"{state}_t &= {kept} \odot {state}_{{t-1}} + (1 - {kept}) \odot {made}_t",
        rf"{kept} &\sim \mathrm{{Bernoulli}}({share:g})",
    ]


def drawn(cell: Cell, steps: int, batch: int, size: int, rng: Rng) -> Tensor:
    """Where units keep their states, for each of the N states of a cell: true or false, (N, T, B, H)."""
    shares = torch.tensor(cell.zoneout, dtype=torch.float64)[:, None, None, None]
    return torch.from_numpy(rng.random((len(shares), steps, batch, size))) < shares


def some_kept(cell: Cell, before: States, after: States, held: Tensor | None) -> States:
    """
    The states of one time step, (B, H) each, where some are `held`, true or false (N, B, H), and the expectation where
    that is None.
    """
    if held is None:
        return tuple(map(torch.lerp, after, before, cell.zoneout))
    return tuple(map(torch.where, held, before, after))


def with_expectation(cell: Cell, size: int, back: Back) -> Back:
    """The step back of a cell whose `back` goes from s' to the states before: z u + (1 - z) u ds'/ds_(t-1)."""
    if not any(cell.zoneout):
        return back
    share = torch.tensor(cell.zoneout, dtype=torch.float64).repeat_interleave(size)
    return lambda t, u: share * u + back(t, (1 - share) * u)
