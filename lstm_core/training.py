"""What happens at every step of a training? `train` tells it, one snapshot after another."""

import dataclasses
import math
from array import array
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lstm_core.cells import Trace
from lstm_core.data import held_out, samples
from lstm_core.engine import resolve
from lstm_core.experiment import Experiment
from lstm_core.kernels.one_thread import one_blas_thread, settled_thread
from lstm_core.layers import Layer
from lstm_core.network import Network
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
    task, network, recent = experiment.problem, Network(experiment), deque[float](maxlen=MEAN_OVER)
    weights, gradient = _flattened(network)
    training_step = network.training_step(engine)
    update = update_rule(experiment, weights, gradient)
    unseen = held_out(experiment, HELD_OUT) if experiment.sequences else None
    for step, (inputs, targets) in enumerate(samples(experiment), start=1):
        gradient.zero_()
        answer, loss, traces = training_step(inputs, targets)
        recent.append(float(loss))
        mean_loss = sum(recent) / len(recent)
        grad_norm = _norm(gradient)
        ended = None
        if not math.isfinite(recent[-1]) or not math.isfinite(grad_norm):
            ended = DIVERGED
        elif len(recent) == MEAN_OVER and mean_loss < task.solved_below(experiment.length) and not experiment.sequences:
            ended = SOLVED
        elif step == experiment.steps:
            ended = COMPLETED
        snapshot = None
        recorded = ended or step == 1 or step % record_every == 0
        gate_grad_norms = _gate_gradient_norms(network.layer) if recorded else {}
        before = gradient.clone() if recorded else gradient
        _clip(experiment, gradient, grad_norm)
        if recorded:
            with_weights = weights_every is not None and (ended or step == 1 or step % weights_every == 0)
            snapshot = Snapshot(
                step=step,
                loss=recent[-1],
                mean_loss=mean_loss,
                accuracy=task.accuracy(answer, targets),
                held_out_loss=network.loss(*unseen) if unseen else None,
                grad_norm=grad_norm,
                clipped_grad_norm=_norm(gradient),
                clip_cosine=_cosine(before, gradient),
                gate_grad_norms=gate_grad_norms,
                **_told_by(traces),
                engine=engine,
                ended=ended,
                weights=weights.clone() if with_weights else None,
            )
        # While it waits to go on, a training keeps its weights and nothing that belongs to this step.
        del answer, loss, traces, before
        if not ended:
            update()
        if snapshot:
            yield snapshot
        if ended:
            return


def _flattened(network: Network) -> tuple[Tensor, Tensor]:
    """
    All weights in one vector, and all gradients, of which those of the network become views.

    So that one step of the optimizer is one operation, not one for each matrix.
    """
    parameters = list(network.parameters())
    sizes = [parameter.numel() for parameter in parameters]
    weights = torch.cat([parameter.detach().flatten() for parameter in parameters])
    gradients = torch.zeros_like(weights)
    for parameter, values, gradient in zip(parameters, weights.split(sizes), gradients.split(sizes), strict=True):
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
