"""What happens at every step of a training? `train` tells it, one snapshot after another."""

import dataclasses
import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Generator, Tensor, nn

from lstm_core.cells import Trace, gradient_norms
from lstm_core.experiment import CHRONO, Experiment
from lstm_core.initialisation import Chrono
from lstm_core.layers import Layer, Stack
from lstm_core.tasks import TASKS

MEAN_OVER = 20
SEED_OF_WEIGHTS = 2**32
SOLVED, DIVERGED, COMPLETED = "solved", "diverged", "completed"


@dataclass(frozen=True)
class Snapshot:
    """
    One training step, measured before its update. Losses are means over the batch, norms Euclidean.

    `mean_loss` is the mean of the last 20 losses, by which a task counts as solved. `grad_norm` is over all parameters,
    before clipping; `gate_grad_norms` over the rows of one block. `hidden_grad_norms` and `cell_grad_norms` are
    ||dL/dh_t|| and ||dL/dc_t|| for t = 1 .. T. `openness` is the mean of each gate over batch, units and time. `ended`
    says why this is the last snapshot. Everything is a plain float, because thousands of small arrays would riddle the
    heap.
    """

    step: int
    loss: float
    mean_loss: float
    accuracy: float | None
    grad_norm: float
    clipped_grad_norm: float
    gate_grad_norms: dict[str, float]
    hidden_grad_norms: tuple[float, ...]
    cell_grad_norms: tuple[float, ...] | None
    max_hidden: float
    max_cell: float | None
    openness: dict[str, float]
    ended: str | None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; inf and nan, which JSON does not know, become the words "inf", "-inf" and "nan"."""
        return {spec.name: _plain(getattr(self, spec.name)) for spec in dataclasses.fields(self)}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


class Network(nn.Module):
    """The recurrent layer of an experiment and a linear readout of its hidden state; weights drawn from its seed."""

    def __init__(self, experiment: Experiment) -> None:
        super().__init__()
        generator = Generator().manual_seed(SEED_OF_WEIGHTS + experiment.seed)
        chrono = experiment.forget_bias == CHRONO
        self.task = TASKS[experiment.task]
        outputs = len(self.task.outputs)
        # A plain nn.Linear(...) would draw first weights from the generator that the whole process shares.
        self.readout = nn.utils.skip_init(nn.Linear, experiment.hidden, outputs)
        bound = experiment.hidden**-0.5
        for parameter in self.readout.parameters():
            nn.init.uniform_(parameter, -bound, bound, generator=generator)
        self.stack = Stack(
            experiment.recurrent_cell,
            len(self.task.inputs),
            experiment.hidden,
            weights=experiment.weights,
            biases=experiment.biases,
            init=experiment.init,
            gain=experiment.gain,
            forget_bias=Chrono(max(experiment.time_steps, 2)) if chrono else float(experiment.forget_bias),
            engine=experiment.engine,
            generator=generator,
        )
        self.to(getattr(torch, experiment.precision))

    @property
    def layer(self) -> Layer:
        return self.stack.layer_list[0]

    def forward(self, inputs: Tensor) -> tuple[Tensor, Trace]:
        """Inputs (T, B, D) to the answer, (B, O) or (T, B, O), and what the layer did."""
        outputs, _, (trace,) = self.stack(inputs)
        return self.readout(self.task.answer(outputs)), trace


def parameter_count(experiment: Experiment) -> int:
    """The number of trained weights, readout included."""
    return sum(parameter.numel() for parameter in Network(experiment).parameters())


def samples(experiment: Experiment) -> Iterator[tuple[Tensor, Tensor]]:
    """The endless stream of fresh batches; it depends on task, length, batch and seed alone."""
    task, generator = TASKS[experiment.task], Generator().manual_seed(experiment.seed)
    while True:
        inputs, targets = task.draw(experiment.length, experiment.batch, generator)
        if targets.is_floating_point():
            targets = targets.to(getattr(torch, experiment.precision))
        yield inputs.to(getattr(torch, experiment.precision)), targets


def train(experiment: Experiment, record_every: int = 1) -> Iterator[Snapshot]:
    """
    Train, and yield a snapshot of the first step, of every `record_every`-th and of the last.

    It ends when the task is solved, when loss or gradient are no longer finite ("diverged": a result, not an error), or
    after `experiment.steps` ("completed"). Equal experiments yield bitwise equal snapshots, on one thread of torch with
    denormal numbers flushed to zero, which it sets for the calling thread.
    """
    task, network, recent = TASKS[experiment.task], Network(experiment), deque[float](maxlen=MEAN_OVER)
    optimizer = _optimizer(experiment, network)
    for step, (inputs, targets) in enumerate(samples(experiment), start=1):
        torch.set_num_threads(1)
        torch.set_flush_denormal(True)
        answer, trace = network(inputs)
        loss = task.loss(answer, targets)
        recent.append(float(loss.detach()))
        mean_loss = sum(recent) / len(recent)
        optimizer.zero_grad()
        trace.retain_gradients()
        loss.backward()
        blocks, grad_norm = _gradient_norms(network)
        ended = None
        if not math.isfinite(recent[-1]) or not math.isfinite(grad_norm):
            ended = DIVERGED
        elif len(recent) == MEAN_OVER and mean_loss < task.solved_below(experiment.length):
            ended = SOLVED
        elif step == experiment.steps:
            ended = COMPLETED
        _clip(experiment, network, grad_norm)
        if ended or step == 1 or step % record_every == 0:
            yield Snapshot(
                step=step,
                loss=recent[-1],
                mean_loss=mean_loss,
                accuracy=task.accuracy(answer.detach(), targets),
                grad_norm=grad_norm,
                clipped_grad_norm=_gradient_norms(network)[1],
                gate_grad_norms=blocks,
                hidden_grad_norms=tuple(gradient_norms(trace.hidden).tolist()),
                cell_grad_norms=tuple(gradient_norms(trace.cell).tolist()) if trace.cell else None,
                max_hidden=_largest(trace.hidden),
                max_cell=_largest(trace.cell) if trace.cell else None,
                openness={gate: float(torch.stack(values).detach().mean()) for gate, values in trace.gates.items()},
                ended=ended,
            )
        if ended:
            return
        optimizer.step()


def _optimizer(experiment: Experiment, network: Network) -> torch.optim.Optimizer:
    parameters, lr = network.parameters(), experiment.lr
    if experiment.optimizer == "adam":
        return torch.optim.Adam(parameters, lr)
    if experiment.optimizer == "rmsprop":
        return torch.optim.RMSprop(parameters, lr, alpha=0.9)
    return torch.optim.SGD(parameters, lr, momentum=experiment.momentum)


def _largest(states: list[Tensor]) -> float:
    return float(torch.stack(states).detach().abs().amax())


def _norm(tensor: Tensor) -> float:
    return float(torch.linalg.vector_norm(tensor, dtype=torch.float64))


def _gradient_norms(network: Network) -> tuple[dict[str, float], float]:
    """The gradient's norm by block of rows, and over all parameters."""
    layer = network.layer
    blocks = dict.fromkeys(layer.cell.rows, 0.0)
    for name, parameter in layer.named_parameters():
        assert parameter.grad is not None
        owners = layer.cell.learned_gates if name == "peephole" else layer.cell.rows
        parts = torch.linalg.vector_norm(parameter.grad.reshape(len(owners), -1), dim=1, dtype=torch.float64)
        for owner, part in zip(owners, parts.tolist(), strict=True):
            blocks[owner] = math.hypot(blocks[owner], part)
    readout = (_norm(parameter.grad) for parameter in network.readout.parameters() if parameter.grad is not None)
    return blocks, math.hypot(*blocks.values(), *readout)


def _clip(experiment: Experiment, network: Network, grad_norm: float) -> None:
    gradients = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
    if experiment.clip == "norm" and grad_norm > experiment.clip_at:
        for gradient in gradients:
            gradient.mul_(experiment.clip_at / grad_norm)
    elif experiment.clip == "value":
        for gradient in gradients:
            gradient.clamp_(-experiment.clip_at, experiment.clip_at)
