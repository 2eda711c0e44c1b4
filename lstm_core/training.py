"""What happens at every step of a training? `train` tells it, one snapshot after another."""

import dataclasses
import math
from array import array
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from lstm_core.cells import Trace
from lstm_core.data import draws, held_out, samples
from lstm_core.engine import FUSED, REFERENCE_ENGINE, resolve
from lstm_core.experiment import Experiment
from lstm_core.kernels import program
from lstm_core.kernels.compilation import build
from lstm_core.kernels.one_thread import one_blas_thread, settled_thread
from lstm_core.kernels.program import Plan, Rates
from lstm_core.kernels.turns import Turns
from lstm_core.layers import Layer
from lstm_core.network import Learned, Network
from lstm_core.optimizers import update_rule

MEAN_OVER = 20
HELD_OUT = 200
SOLVED, DIVERGED, COMPLETED = "solved", "diverged", "completed"


@dataclass(frozen=True)
class Snapshot:
    """
    One training step, measured before its update. Losses are means over the batch, norms Euclidean.

    `mean_loss` is the mean of the last 20 losses, by which a task counts as solved. `grad_norm` is over all parameters,
    before clipping; `gate_grad_norms` over the rows of one block. `hidden_grad_norms` and `cell_grad_norms` are
    ||dL/dh_t|| and ||dL/dc_t|| for t = 1 .. T. `openness` is the mean activation of each gate, over batch, units and
    time. `ended` says why this is the last snapshot. `clip_cosine` is the cosine of the angle between the gradient
    before and after clipping. `weights` are those of this step in one vector, see `Network.load`, where they were asked
    for.

    `held_out_loss` is the loss on sequences that are not in a fixed training set, None where there is no such set,
    nan where it leaves no others.

    Of several layers all this is about the last one, but for `layer_grad_norms`, ||dL/dh|| of each, the lowest first,
    over all time steps together, and `lower_grad_norms`, ||dL/dh_t|| of each but the last.
    """

    step: int
    loss: float
    mean_loss: float
    accuracy: float | None
    held_out_loss: float | None
    grad_norm: float
    clipped_grad_norm: float
    clip_cosine: float
    gate_grad_norms: dict[str, float]
    hidden_grad_norms: Sequence[float]
    cell_grad_norms: Sequence[float] | None
    layer_grad_norms: Sequence[float]
    lower_grad_norms: Sequence[Sequence[float]]
    max_hidden: float
    max_cell: float | None
    openness: dict[str, float]
    engine: str
    ended: str | None
    weights: Tensor | None = dataclasses.field(default=None, compare=False, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """
        Plain values for JSON, without the weights; inf and nan, which JSON does not know, become the words "inf",
        "-inf" and "nan".
        """
        return {spec.name: _plain(getattr(self, spec.name)) for spec in dataclasses.fields(self) if spec.compare}


def _plain(value: Any) -> Any:
    if isinstance(value, array | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def train(experiment: Experiment, record_every: int = 1, weights_every: int | None = None) -> Iterator[Snapshot]:
    """
    Train, and yield a snapshot of the first step, of every `record_every`-th and of the last. Of these, the first, each
    at a multiple of `weights_every`, and the last have their weights with them; by default none has.

    It ends when the task is solved, which a fixed training set never shows, when loss or gradient are no longer finite
    ("diverged": a result, not an error), or after `experiment.steps` ("completed"). Equal experiments yield bitwise
    equal snapshots on the same engine, which is chosen at the start. It computes on one thread with denormal numbers
    flushed to zero. Between snapshots the calling thread has its own settings of torch; BLAS has its threads back when
    the last training that is under way has ended or was closed.
    """
    engine = resolve(experiment.engine, experiment.dtype, cell=experiment.recurrent_cell)
    steps = _train(experiment, engine, record_every, weights_every)
    with one_blas_thread():
        while True:
            with settled_thread():
                snapshot = next(steps, None)
            if snapshot is None:
                return
            yield snapshot


def _train(experiment: Experiment, engine: str, record_every: int, weights_every: int | None) -> Iterator[Snapshot]:
    network = Network(experiment)
    weights, gradient = _flattened(network)
    count = sum(parameter.numel() for parameter in network.parameters())
    by = ByTurns if engine == FUSED else StepByStep
    training: Trainer = by(experiment, network, weights, gradient)
    unseen = held_out(experiment, HELD_OUT) if experiment.sequences else None
    step, ended = 0, None
    while not ended:
        fields = training.advance(min(record_every - step % record_every, experiment.steps - step) if step else 1)
        step, ended = fields["step"], fields["ended"]
        with_weights = weights_every is not None and (ended or step == 1 or step % weights_every == 0)
        yield Snapshot(
            held_out_loss=network.loss(*unseen) if unseen else None,
            engine=engine,
            weights=weights[:count].clone() if with_weights else None,
            **fields,
        )


class Trainer(Protocol):
    """
    How a network trains. The update of a step is made when the next one begins, so that weights are those that a
    snapshot tells of.
    """

    def advance(self, count: int) -> dict[str, Any]:
        """Train so many steps, or to the end where that comes first: of the last one, the fields of a snapshot."""


class StepByStep:
    """In Python, on one of `ENGINES`: torch's loss, readout and optimizer around the sequences of the layers."""

    def __init__(
        self,
        experiment: Experiment,
        network: Network,
        weights: Tensor,
        gradient: Tensor,
        engine: str = REFERENCE_ENGINE,
    ) -> None:
        self._experiment, self._network, self._gradient = experiment, network, gradient
        self._learn, self._update = network.training_step(engine), update_rule(experiment, weights, gradient)
        self._samples, self._recent, self._step = samples(experiment), deque[float](maxlen=MEAN_OVER), 0

    def advance(self, count: int) -> dict[str, Any]:
        until = self._step + count
        while True:
            if self._step:
                self._update()
            self._step += 1
            inputs, targets = next(self._samples)
            self._gradient.zero_()
            learned = self._learn(inputs, targets)
            self._recent.append(float(learned.loss))
            grad_norm = _norm(self._gradient)
            ended = self._ending(grad_norm)
            if ended or self._step == until:
                return self._fields(learned, targets, grad_norm, ended)
            _clip(self._experiment, self._gradient, grad_norm)

    def _ending(self, grad_norm: float) -> str | None:
        if not math.isfinite(self._recent[-1]) or not math.isfinite(grad_norm):
            return DIVERGED
        if len(self._recent) == MEAN_OVER and self._mean_loss() < _solved_below(self._experiment):
            return SOLVED
        return COMPLETED if self._step == self._experiment.steps else None

    def _mean_loss(self) -> float:
        return sum(self._recent) / len(self._recent)

    def _fields(self, learned: Learned, targets: Tensor, grad_norm: float, ended: str | None) -> dict[str, Any]:
        gate_grad_norms, before = _gate_gradient_norms(self._network.layer), self._gradient.clone()
        _clip(self._experiment, self._gradient, grad_norm)
        return {
            "step": self._step,
            "loss": self._recent[-1],
            "mean_loss": self._mean_loss(),
            "accuracy": self._network.task.accuracy(learned.answer, targets),
            "grad_norm": grad_norm,
            "clipped_grad_norm": _norm(self._gradient),
            "clip_cosine": _cosine(before, self._gradient),
            "gate_grad_norms": gate_grad_norms,
            "ended": ended,
            **_told_by(learned.traces),
        }


class ByTurns:
    """By kernels, many steps in one call, see `kernels.turn`."""

    def __init__(self, experiment: Experiment, network: Network, weights: Tensor, gradient: Tensor) -> None:
        self._experiment, self._network = experiment, network
        self._cell, self._plan = experiment.recurrent_cell, _plan(experiment, network)
        rates = Rates(experiment.lr, experiment.momentum, experiment.clip_at, _solved_below(experiment))
        layers = [layer.tensors() for layer in network.stack.layer_list]
        kernels = build(experiment.precision).done.result()
        self._turns = Turns(
            self._cell, self._plan, rates, layers, weights, gradient, draws(experiment), MEAN_OVER, kernels
        )

    def advance(self, count: int) -> dict[str, Any]:
        report, cell = self._turns.advance(count), self._cell
        told, (steps, units) = report.numbers, (self._plan.steps, self._plan.units)
        halves = slice(steps), slice(steps, None)
        hidden, cells = ([array("d", norms[half].tobytes()) for norms in report.norms] for half in halves)
        sums = dict(zip(cell.rows, report.states[:4].tolist(), strict=False))
        openness = {gate: sums[gate] / (steps * self._plan.batch * units) for gate in cell.learned_gates}
        if cell.coupled:
            openness["f"] = 1 - openness["i"]
        scored = self._plan.batch * (steps if self._plan.every_step else 1) - self._plan.scored
        has_cell = len(cell.row.states) > 1
        return {
            "step": self._turns.begun,
            "loss": float(told[program.LOSS]),
            "mean_loss": float(told[program.MEAN_LOSS]),
            "accuracy": float(told[program.HITS]) / scored if self._plan.classes else None,
            "grad_norm": float(told[program.GRAD_NORM]),
            "clipped_grad_norm": float(told[program.CLIPPED]),
            "clip_cosine": float(told[program.COSINE]),
            "gate_grad_norms": dict(zip(cell.rows, report.gates.tolist(), strict=True)),
            "ended": ENDINGS[int(told[program.ENDED])],
            "hidden_grad_norms": hidden[-1],
            "cell_grad_norms": cells[-1] if has_cell else None,
            "layer_grad_norms": array("d", [math.hypot(*layer) for layer in hidden]),
            "lower_grad_norms": tuple(hidden[:-1]),
            "max_hidden": float(report.states[4]),
            "max_cell": float(report.states[5]) if has_cell else None,
            "openness": openness,
        }


ENDINGS = {program.GOES_ON: None, program.SOLVED: SOLVED, program.DIVERGED: DIVERGED, program.COMPLETED: COMPLETED}
OPTIMIZER_CODES = {"sgd": program.SGD, "rmsprop": program.RMSPROP, "adam": program.ADAM}
CLIP_CODES = {"none": program.NO_CLIPPING, "norm": program.BY_NORM, "value": program.BY_VALUE}
WIRING_CODES = {"plain": program.PLAIN, "residual": program.RESIDUAL, "dense": program.DENSE}


def _plan(experiment: Experiment, network: Network) -> Plan:
    """Of an experiment, in the numbers that kernels know."""
    task, steps, layers = experiment.problem, experiment.time_steps, experiment.layers
    wiring = program.PLAIN if layers == 1 and experiment.wiring == "residual" else WIRING_CODES[experiment.wiring]
    counted = task.counted_steps(experiment.length) if task.counted_steps else steps
    return Plan(
        layers=layers,
        wiring=wiring,
        steps=steps,
        batch=experiment.batch,
        features=len(task.inputs),
        units=experiment.hidden,
        width=network.readout.weight.shape[1],
        outputs=len(task.outputs),
        every_step=int(task.every_step),
        classes=int(task.classes),
        answers=experiment.batch * (steps if task.every_step else 1),
        scored=(steps - counted) * experiment.batch if task.every_step else 0,
        optimizer=OPTIMIZER_CODES[experiment.optimizer],
        clip=CLIP_CODES[experiment.clip],
        limit=experiment.steps,
    )


def _solved_below(experiment: Experiment) -> float:
    """The mean loss that ends a training; of a fixed training set none does."""
    return 0.0 if experiment.sequences else experiment.problem.solved_below(experiment.length)


def _flattened(network: Network) -> tuple[Tensor, Tensor]:
    """
    All weights in one vector, and all gradients, of which those of the network become views; after them are zeros, with
    which kernels compute too.

    So that one step of the optimizer is one operation, not one for each matrix.
    """
    parameters = list(network.parameters())
    sizes = [parameter.numel() for parameter in parameters]
    room = program.aligned(sum(sizes)) + program.aligned(1)
    weights, gradients = (parameters[0].new_zeros(room).detach() for _ in range(2))
    parts = weights[: sum(sizes)].split(sizes), gradients[: sum(sizes)].split(sizes)
    for parameter, values, gradient in zip(parameters, *parts, strict=True):
        values.copy_(parameter.detach().flatten())
        parameter.data, parameter.grad = values.view_as(parameter), gradient.view_as(parameter)
    return weights, gradients


def _told_by(traces: Sequence[Trace]) -> dict[str, Any]:
    """The fields of a snapshot that come from what the layers did."""
    last = traces[-1]
    norms = ([array("d", kind.tolist()) for kind in trace.gradient_norms()] for trace in traces)
    hidden, *cell = zip(*norms, strict=True)
    return {
        "hidden_grad_norms": hidden[-1],
        "cell_grad_norms": cell[0][-1] if cell else None,
        "layer_grad_norms": array("d", [math.hypot(*layer) for layer in hidden]),
        "lower_grad_norms": hidden[:-1],
        "max_hidden": _largest(last.hidden),
        "max_cell": None if last.cell is None else _largest(last.cell),
        "openness": {gate: float(values.mean()) for gate, values in last.gates.items()},
    }


def _largest(states: Tensor) -> float:
    return float(states.detach().abs().amax())


def _norm(tensor: Tensor) -> float:
    return float(torch.linalg.vector_norm(tensor, dtype=torch.float64))


def _cosine(one: Tensor, other: Tensor) -> float:
    """Of the angle between two vectors; nan where one of them has no direction."""
    return float(one.double() @ other.double()) / (_norm(one) * _norm(other) or math.nan)


def _gate_gradient_norms(layer: Layer) -> dict[str, float]:
    """The gradient's norm by block of rows."""
    blocks = dict.fromkeys(layer.cell.rows, 0.0)
    for name, parameter in layer.named_parameters():
        assert parameter.grad is not None
        if name.startswith("own."):
            continue
        owners = layer.cell.learned_gates if name == "peephole" else layer.cell.rows
        parts = torch.linalg.vector_norm(parameter.grad.reshape(len(owners), -1), dim=1, dtype=torch.float64)
        for owner, part in zip(owners, parts.tolist(), strict=True):
            blocks[owner] = math.hypot(blocks[owner], part)
    return blocks


def _clip(experiment: Experiment, gradient: Tensor, grad_norm: float) -> None:
    if experiment.clip == "norm" and grad_norm > experiment.clip_at:
        gradient.mul_(experiment.clip_at / grad_norm)
    elif experiment.clip == "value":
        gradient.clamp_(-experiment.clip_at, experiment.clip_at)
