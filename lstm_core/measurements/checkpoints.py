"""What did a network do at one step of its training? Its weights of then, run once more in double precision."""

import dataclasses
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from lstm_core.cells import Cell, Parameters, Path
from lstm_core.data import samples
from lstm_core.experiment import Experiment
from lstm_core.measurements import gradients
from lstm_core.measurements.gradients import Spectrum, backward, jacobians, spectral_norms, walk
from lstm_core.measurements.unseen import another, on_unseen
from lstm_core.network import Network
from lstm_core.streams import Purpose
from lstm_core.training.snapshot import Snapshot, engines_of

MOST_KEPT = 256
MOST_TIME_STEPS, MOST_POWERS = 50, 30
RATE_SEQUENCES, RATE_STEPS, RATE_SKIPPED = 8, 400, 200
LOSS_SEQUENCES = 5000


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """
    A step of a training, with the weights that it began with and those that its update made of them, as `Snapshot` has
    them. Two checkpoints are equal if experiment, step and engine are, because then the weights are the same; where
    another engine had begun the training, `engine` says up to which step.
    """

    experiment: Experiment
    step: int
    engine: str
    weights: Tensor = dataclasses.field(compare=False, repr=False)
    updated: Tensor | None = dataclasses.field(default=None, compare=False, repr=False)

    @property
    def cell(self) -> Cell:
        return self.experiment.recurrent_cell

    def network(self) -> Network:
        """In double precision."""
        return Network(self.experiment).load(self.weights.double()).requires_grad_(False)

    def parameters(self) -> Parameters:
        """Of the recurrent layer, in double precision."""
        return self.network().layer.tensors()


@lru_cache(MOST_KEPT)
def beginning(experiment: Experiment) -> Checkpoint:
    """The first step of its training, with the weights that its seed draws. ValueError if it is of another stream."""
    experiment.stream_for(Purpose.WEIGHTS)
    weights = [parameter.detach().flatten() for parameter in Network(experiment).parameters()]
    return Checkpoint(experiment, 1, "", torch.cat(weights))


def measurable(experiment: Experiment) -> bool:
    """Whether there are measurements of it: of a single layer, which sees the last of its hidden states alone."""
    return experiment.layers == experiment.window == 1


def kept(experiment: Experiment, snapshots: Iterable[Snapshot]) -> list[Checkpoint]:
    """Those of a training's snapshots that have their weights with them, and whose weights are numbers still."""
    seen = list(snapshots)
    last_steps = engines_of(seen)
    return [
        Checkpoint(experiment, snapshot.step, _engines_up_to(snapshot, last_steps), snapshot.weights, snapshot.updated)
        for snapshot in seen
        if snapshot.weights is not None and bool(snapshot.weights.isfinite().all())
    ]


def _engines_up_to(snapshot: Snapshot, last_steps: Mapping[str, int]) -> str:
    """The engine of a snapshot, and those before it with the last step of each."""
    before = [f"{engine} to {last}" for engine, last in last_steps.items() if last < snapshot.step]
    return ", ".join([*before, snapshot.engine])


@lru_cache(MOST_KEPT)
def first_inputs(experiment: Experiment) -> Tensor:
    """The first sequence that its seed draws alone, (T, 1, D), which the pages show."""
    inputs, _ = next(samples(dataclasses.replace(experiment, batch=1)))
    return inputs.double()


def _in_a_row(experiment: Experiment, sequences: int, repeats: int) -> Tensor:
    """Held-out inputs (T, B, D), so many sequences side by side and so many one after the other."""
    inputs, _ = another(experiment, sequences * repeats)
    return torch.cat(inputs.chunk(repeats, 1))


def one_sequence(checkpoint: Checkpoint) -> Path:
    """The network on the first sequence of its experiment."""
    return walk(checkpoint.parameters(), checkpoint.cell, first_inputs(checkpoint.experiment))


def shown_steps(last: int) -> list[int]:
    """About `MOST_TIME_STEPS` from 0 to `last`, both among them."""
    return sorted({round(k * last / MOST_TIME_STEPS) for k in range(MOST_TIME_STEPS + 1)})


class Reach(NamedTuple):
    """
    ||dh_T/dh_t|| of an RNN, spectral norm, for the time steps `steps`; what bounds it; the same for a residual chain
    with its weights. All (N,).
    """

    steps: list[int]
    measured: Tensor
    true_slopes: Tensor
    largest_slope: Tensor
    spectral_radius: Tensor
    residual: Tensor


def reach(checkpoint: Checkpoint) -> Reach:
    """Of an RNN, on the first sequence of its task."""
    p, cell, inputs = checkpoint.parameters(), checkpoint.cell, first_inputs(checkpoint.experiment)
    path, steps = walk(p, cell, inputs), shown_steps(len(inputs))
    measured = spectral_norms(jacobians(backward(p, cell, path), path, steps))
    true_slopes, largest_slope, radius = (limit[steps] for limit in gradients.bounds(p, cell, path))
    chain = gradients.walk_residual(p, cell, inputs)
    residual = spectral_norms(jacobians(gradients.back_residual(p, cell, chain), chain, steps))
    return Reach(steps, measured, true_slopes, largest_slope, radius, residual)


class Highway(NamedTuple):
    """
    Of a cell that adds to a state c, spectral norms by time step, (N,): the Jacobian dc_T/dc_t; its direct part, the
    product of what each step keeps; the rest, through gates and hidden state; and dh_T/dh_t.
    """

    steps: list[int]
    cell: Tensor
    direct: Tensor
    rest: Tensor
    hidden: Tensor


def highway(checkpoint: Checkpoint) -> Highway:
    """Of a cell that adds, on the first sequence of its task; its states are what they stand for."""
    p, cell = checkpoint.parameters(), unscaled(checkpoint.cell)
    path = walk(p, cell, first_inputs(checkpoint.experiment))
    steps, size = shown_steps(len(path.inputs)), path.hidden.shape[2]
    whole = jacobians(backward(p, cell, path), path, steps)
    direct = _as_matrices(direct_path(p, cell, path)[steps])
    added = slice(size, size + direct.shape[1]) if len(path.states) > 1 else slice(size)
    hidden, cells = whole[:, :size, :size], whole[:, added, added]
    return Highway(steps, *map(spectral_norms, (cells, direct, cells - direct, hidden)))


def unscaled(cell: Cell) -> Cell:
    """The same cell whose states are what they stand for: in double precision they have more room."""
    return dataclasses.replace(cell, **cell.row.unscaled)


def _as_matrices(factors: Tensor) -> Tensor:
    """Diagonals (N, H) as real matrices, (N, H, H), or (N, 2H, 2H) where a complex number is two real ones."""
    if not factors.is_complex():
        return torch.diag_embed(factors)
    parts = zip((factors.real, factors.imag), ([[1, 0], [0, 1]], [[0, -1], [1, 0]]), strict=True)
    real, imaginary = (torch.kron(torch.diag_embed(part), part.new_tensor(pair)) for part, pair in parts)
    return real + imaginary


def direct_path(p: Parameters, cell: Cell, path: Path) -> Tensor:
    """The product of what is kept from t + 1 to T, (T + 1, H) for t = 0 .. T, of a batch of one."""
    each = kept_of_cell(p, cell, path)[:, 0]
    return torch.cat([each.flip(0).cumprod(0).flip(0), torch.ones_like(each[:1])])


def kept_of_cell(p: Parameters, cell: Cell, path: Path) -> Tensor:
    """
    What each time step keeps of the state that is added to, (T, B, H), but for the share of the steps at which the unit
    keeps all of it by chance.
    """
    assert cell.row.kept is not None
    each = cell.row.kept(p, path)
    by_chance = cell.zoneout[cell.row.states.index(cell.row.memory)]
    return torch.lerp(each, torch.ones_like(each), by_chance) if by_chance else each


def recurrent_spectrum(checkpoint: Checkpoint) -> Spectrum:
    """Of the W_h of an RNN."""
    return gradients.spectrum(checkpoint.parameters().recurrent)


class Powers(NamedTuple):
    """||W^n|| for n = 1 .. `MOST_POWERS`, sigma_max^n and rho^n, all (N,)."""

    measured: Tensor
    norm: Tensor
    radius: Tensor


def recurrent_powers(checkpoint: Checkpoint) -> Powers:
    """Of the W_h of an RNN."""
    return powers(checkpoint.parameters().recurrent)


def powers(matrix: Tensor) -> Powers:
    """Of a square matrix, (H, H)."""
    spectrum, n = gradients.spectrum(matrix), torch.arange(1, MOST_POWERS + 1, dtype=matrix.dtype)
    return Powers(gradients.powers(matrix, MOST_POWERS), spectrum.norm**n, spectrum.radius**n)


def time_constants(checkpoint: Checkpoint) -> Tensor:
    """
    1/(1 - f) of each unit of a cell that adds in time steps, (H,), where f is the mean size of what it keeps over the
    first sequence; infinite where it forgets nothing.
    """
    p, cell = checkpoint.parameters(), unscaled(checkpoint.cell)
    kept = kept_of_cell(p, cell, walk(p, cell, first_inputs(checkpoint.experiment))).abs().mean((0, 1))
    return 1 / (1 - kept).clamp_min(0)


def states(checkpoint: Checkpoint) -> Tensor:
    """The state that remembers, on the first sequence, (T + 1, H); of complex numbers the absolute values."""
    row, path = checkpoint.cell.row, one_sequence(checkpoint)
    memory = path.states[row.states.index(row.memory)][:, 0]
    return memory.abs() if memory.is_complex() else memory


class Rate(NamedTuple):
    """
    Growth of the gradient per time step, as a natural logarithm: the largest Lyapunov exponent, the mean over 8
    sequences of 400 steps or more and the standard error of that mean, and the mean slope of log ||ds_T/ds_t|| over one
    sequence of the task.
    """

    exponent: float
    error: float
    slope: float


def growth(checkpoint: Checkpoint) -> Rate:
    """On the network's own input: held-out sequences of its task, one after the other without a new start."""
    p, cell, experiment = checkpoint.parameters(), checkpoint.cell, checkpoint.experiment
    repeats = -(-(RATE_STEPS + 2 * RATE_SKIPPED) // experiment.time_steps)
    path = walk(p, cell, _in_a_row(experiment, RATE_SEQUENCES, repeats))
    rng = experiment.stream_for(Purpose.PROBES)
    rates = gradients.growth_rate(backward(p, cell, path), path, RATE_SKIPPED, rng)
    one = walk(p, cell, first_inputs(experiment))
    norm = spectral_norms(jacobians(backward(p, cell, one), one, [0]))[0]
    return Rate(float(rates.mean()), float(rates.std()) / RATE_SEQUENCES**0.5, float(norm.log()) / len(one.inputs))


def held_out_loss(checkpoint: Checkpoint) -> float:
    """On sequences that it was not trained on; nan if there are none."""
    return on_unseen(checkpoint.network().loss, checkpoint.experiment, LOSS_SEQUENCES)
