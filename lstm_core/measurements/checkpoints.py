"""What did a network do at one step of its training? Its weights of then, run once more in double precision."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache, partial
from typing import NamedTuple

import torch
from torch import Tensor

from lstm_core import engine
from lstm_core.cells import Cell, Parameters, Path
from lstm_core.data import held_out, samples
from lstm_core.experiment import Experiment
from lstm_core.measurements import gradients
from lstm_core.measurements.gradients import Spectrum, backward, jacobians, spectral_norms, walk
from lstm_core.network import Network
from lstm_core.streams import Purpose
from lstm_core.tasks import Sample
from lstm_core.training.snapshot import Snapshot, engines_of

MOST_KEPT = 256
MOST_TIME_STEPS, MOST_POWERS = 50, 30
RATE_SEQUENCES, RATE_STEPS, RATE_SKIPPED = 8, 400, 200
ABLATION_SEQUENCES = 500
LOSS_SEQUENCES, AT_A_TIME = 5000, 100


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


def unseen(experiment: Experiment, sequences: int) -> Sample:
    """Held-out inputs (T, B, D) and targets of its task, see `data.held_out`, in double precision."""
    inputs, targets = held_out(experiment, sequences)
    return inputs.double(), targets.double() if targets.is_floating_point() else targets


def another(experiment: Experiment, sequences: int) -> Sample:
    """The same, and always so many: where its task has few sequences, some may be in a fixed training set."""
    return unseen(dataclasses.replace(experiment, sequences=0), sequences)


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
    Of an LSTM, spectral norms by time step, (N,): the Jacobian dc_T/dc_t; its direct part, the product of the forget
    gates; the rest, through gates and hidden state; and dh_T/dh_t.
    """

    steps: list[int]
    cell: Tensor
    direct: Tensor
    rest: Tensor
    hidden: Tensor


def highway(checkpoint: Checkpoint) -> Highway:
    """Of an LSTM, on the first sequence of its task."""
    p, cell = checkpoint.parameters(), checkpoint.cell
    path = walk(p, cell, first_inputs(checkpoint.experiment))
    steps, size = shown_steps(len(path.inputs)), p.recurrent.shape[1]
    whole = jacobians(backward(p, cell, path), path, steps)
    hidden, cells = whole[:, :size, :size], whole[:, size:, size:]
    direct = torch.diag_embed(direct_path(path)[steps])
    return Highway(steps, *map(spectral_norms, (cells, direct, cells - direct, hidden)))


def direct_path(path: Path) -> Tensor:
    """The product of the forget gates from t + 1 to T, (T + 1, H) for t = 0 .. T, of a batch of one; 1 without them."""
    forget = path.gates.get("f", torch.ones_like(path.hidden[1:]))[:, 0]
    return torch.cat([forget.flip(0).cumprod(0).flip(0), torch.ones_like(forget[:1])])


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
    1/(1 - f) of each unit of an LSTM in time steps, (H,), where f is the unit's mean over the first sequence; infinite
    without a forget gate.
    """
    forget = one_sequence(checkpoint).gates.get("f")
    if forget is None:
        return torch.full((checkpoint.experiment.hidden,), torch.inf)
    return 1 / (1 - forget.mean((0, 1)))


def states(checkpoint: Checkpoint) -> Tensor:
    """The last of its states, on the first sequence, (T + 1, H); of complex numbers the absolute values."""
    path = one_sequence(checkpoint)
    last = path.states[-1][:, 0]
    return last.abs() if last.is_complex() else last


def without_forgetting(checkpoint: Checkpoint) -> Tensor:
    """The cell state of an LSTM on the same sequence with its forget gate held at 1, (T + 1, H)."""
    p, cell = held_open(checkpoint.parameters(), checkpoint.cell, "f")
    path = walk(p, cell, first_inputs(checkpoint.experiment))
    assert path.cell is not None
    return path.cell[:, 0]


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


def held_open(p: Parameters, cell: Cell, gate: str) -> tuple[Parameters, Cell]:
    """The same LSTM with a learned gate held at 1: its rows are taken out, the others stay."""
    size = p.recurrent.shape[1]
    rows = torch.cat([torch.arange(size) + k * size for k, row in enumerate(cell.rows) if row != gate])
    left = dataclasses.replace(cell, gates=cell.gates.replace(gate, ""))
    peephole = None if p.peephole is None else p.peephole[[cell.learned_gates.index(g) for g in left.learned_gates]]
    if peephole is not None and not len(peephole):
        peephole = None
    bias = None if p.recurrent_bias is None else p.recurrent_bias[rows]
    return Parameters(p.recurrent[rows], p.input[rows], p.bias[rows], bias, peephole), left


def ablations(checkpoint: Checkpoint) -> dict[str, float]:
    """
    The loss on held-out sequences as trained, under "", and with each learned gate held at 1 alone. Gates that are
    coupled cannot be held one by one, and are left out.
    """
    experiment, network, cell = checkpoint.experiment, checkpoint.network(), checkpoint.cell
    p = network.layer.tensors()

    def loss(weights: Parameters, left: Cell, inputs: Tensor, targets: Tensor) -> float:
        start = inputs.new_zeros(inputs.shape[1], experiment.hidden)
        trace = engine.run(inputs, (start, start), weights, left)
        return float(network.task.loss(network.answer(inputs, [network.reached(trace)]), targets))

    gates = [gate for gate in cell.gates if not cell.coupled or gate == "o"]
    left = {"": (p, cell)} | {gate: held_open(p, cell, gate) for gate in gates}
    return {gate: _in_parts(partial(loss, *one), experiment, ABLATION_SEQUENCES) for gate, one in left.items()}


def held_out_loss(checkpoint: Checkpoint) -> float:
    """On sequences that it was not trained on; nan if there are none."""
    return _in_parts(checkpoint.network().loss, checkpoint.experiment, LOSS_SEQUENCES)


def _in_parts(loss: Callable[[Tensor, Tensor], float], experiment: Experiment, sequences: int) -> float:
    """The mean loss on so many held-out sequences, of which the states are in memory for a part at a time."""
    inputs, targets = unseen(experiment, sequences)
    along = int(experiment.problem.every_step)
    parts = zip(inputs.split(AT_A_TIME, 1), targets.split(AT_A_TIME, along), strict=True)
    losses = torch.tensor([(loss(*part), part[0].shape[1]) for part in parts], dtype=torch.float64)
    return float((losses[:, 0] * losses[:, 1]).sum() / losses[:, 1].sum())
