"""How is one step trained in Python? Around the sequences of the layers, whatever torch has."""

import math
from array import array
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from lstm_core.borrowed.system import stop_if_process_ends
from lstm_core.cells import Trace
from lstm_core.cells.zoneout import drawn
from lstm_core.engine import REFERENCE_ENGINE
from lstm_core.experiment import Experiment
from lstm_core.layers import Layer
from lstm_core.network import Learned
from lstm_core.streams import Purpose
from lstm_core.training.snapshot import COMPLETED, DIVERGED, SOLVED
from lstm_core.training.standing import MEAN_OVER, Standing, solved_below


class StepByStep:
    """In Python: torch's loss, readout and optimizer around the sequences of the layers, on either engine."""

    def __init__(self, experiment: Experiment, standing: Standing, engine: str = REFERENCE_ENGINE) -> None:
        self._experiment, self._standing, self.engine = experiment, standing, engine
        held = self._held if any(experiment.recurrent_cell.zoneout) else None
        self._learn = standing.network.training_step(self.engine, held)
        self._update = standing.rule(experiment)

    @property
    def _step(self) -> int:
        return int(self._standing.begun)

    def _held(self, layer: int) -> Tensor:
        """Which units of a layer keep their states at this training step, whatever was drawn before."""
        of, rng = self._experiment, self._experiment.stream_for(Purpose.ZONEOUT, self._step + 1, layer)
        return drawn(of.recurrent_cell, of.time_steps, of.batch, of.hidden, rng)

    def advance(self, count: int) -> dict[str, Any]:
        until, standing = self._step + count, self._standing
        while True:
            stop_if_process_ends()
            if self._step:
                self._update()
            inputs, targets = standing.batches.one()
            standing.gradient.zero_()
            learned = self._learn(inputs, targets)
            standing.recent[self._step % MEAN_OVER] = learned.loss
            standing.begun.add_(1)
            grad_norm = _norm(standing.gradient)
            ended = self._ending(float(learned.loss), grad_norm)
            if ended or self._step == until:
                return self._fields(learned, targets, grad_norm, ended)
            _clip(self._experiment, standing.gradient, grad_norm)

    def _ending(self, loss: float, grad_norm: float) -> str | None:
        if not math.isfinite(loss) or not math.isfinite(grad_norm):
            return DIVERGED
        if self._step >= MEAN_OVER and self._mean_loss() < solved_below(self._experiment):
            return SOLVED
        return COMPLETED if self._step == self._experiment.steps else None

    def _mean_loss(self) -> float:
        recent, oldest = self._standing.recent.tolist(), max(0, self._step - MEAN_OVER)
        return sum(recent[step % MEAN_OVER] for step in range(oldest, self._step)) / min(self._step, MEAN_OVER)

    def _fields(self, learned: Learned, targets: Tensor, grad_norm: float, ended: str | None) -> dict[str, Any]:
        network, gradient = self._standing.network, self._standing.gradient
        gate_grad_norms, before = _gate_gradient_norms(network.layer), gradient.clone()
        _clip(self._experiment, gradient, grad_norm)
        return {
            "step": self._step,
            "loss": float(learned.loss),
            "mean_loss": self._mean_loss(),
            "accuracy": network.task.accuracy(learned.answer, targets),
            "grad_norm": grad_norm,
            "clipped_grad_norm": _norm(gradient),
            "clip_cosine": _cosine(before, gradient),
            "gate_grad_norms": gate_grad_norms,
            "ended": ended,
            **_told_by(learned.traces),
        }


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
