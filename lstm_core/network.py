"""What is trained? A stack of recurrent layers and its readout, and how they get their gradients."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple, Self

import torch
from torch import Tensor, nn

from lstm_core.cells import Trace
from lstm_core.engine import LayerTrainer, layer_trainer
from lstm_core.experiment import CHRONO, Experiment
from lstm_core.initialisation import Chrono
from lstm_core.layers import Held, Layer, Readout, Stack
from lstm_core.streams import Purpose, stream
from lstm_core.wiring import WIRINGS


class Learned(NamedTuple):
    """
    Of one batch: the answer, (B, O) or (T, B, O), the loss, and what each layer did, with the norms of its gradients.
    """

    answer: Tensor
    loss: Tensor
    traces: list[Trace]


# Inputs (T, B, D) and targets of a batch; gradients are added to those of the parameters, which exist.
TrainingStep = Callable[[Tensor, Tensor], Learned]


class Network(nn.Module):
    """
    The recurrent layers of an experiment and a linear readout of what they show; weights drawn from its seed. So many
    `inputs` as its task has, or where its series is another's, as are given.
    """

    def __init__(self, experiment: Experiment, inputs: int | None = None) -> None:
        super().__init__()
        rng, chrono = stream(experiment.seed, Purpose.WEIGHTS), experiment.forget_bias == CHRONO
        self.task, wiring = experiment.problem, WIRINGS[experiment.wiring]
        size = len(self.task.inputs) if inputs is None else inputs
        *_, width = wiring.widths(size, experiment.hidden, experiment.layers)
        self.readout = Readout(width, len(self.task.outputs), rng)
        self.stack = Stack(
            experiment.recurrent_cell,
            size,
            experiment.hidden,
            experiment.layers,
            weights=experiment.weights,
            biases=experiment.biases,
            init=experiment.init,
            gain=experiment.gain,
            forget_bias=Chrono(max(experiment.time_steps, 2)) if chrono else float(experiment.forget_bias),
            wiring=experiment.wiring,
            generator=rng,
        )
        self.to(experiment.dtype)

    def load(self, weights: Tensor) -> Self:
        """Take over the weights of a snapshot, in its precision."""
        nn.utils.vector_to_parameters(weights, self.to(weights.dtype).parameters())
        return self

    @property
    def layer(self) -> Layer:
        """The last one."""
        return self.stack.layer_list[-1]

    def of_each(self, values: Mapping[str, float], other: float) -> Tensor:
        """The value for each of its numbers, in the order of its parameters, see `Layer.of_each`."""
        readout = torch.full_like(nn.utils.parameters_to_vector(self.readout.parameters()), other)
        return torch.cat([readout, *(layer.of_each(values, other) for layer in self.stack.layer_list)]).detach()

    def reached(self, trace: Trace) -> Tensor:
        """The hidden states of a layer that answers are made of: all (T, B, H), or the last (B, H)."""
        return trace.hidden if self.task.every_step else trace.final[0]

    def answer(self, inputs: Tensor, reached: Sequence[Tensor]) -> Tensor:
        """(T, B, O) or (B, O), from inputs (T, B, D) and what each layer has `reached`."""
        return self.readout(self.stack.seen(inputs if self.task.every_step else inputs[-1], reached))

    def layer_trainer(self, engine: str) -> LayerTrainer:
        """Of the last recurrent layer."""
        return layer_trainer(self.layer.tensors, self.stack.cell, engine)

    def training_step(self, engine: str, held: Held | None = None) -> TrainingStep:
        """
        How it learns from a batch, on one of `ENGINES`: a single layer without autograd, several by it, and so does one
        whose units keep their states by chance; `held` says which at this training step, else it is the expectation.
        """
        self.stack.engine = engine
        if len(self.stack.layers) == 1 and not held:
            return partial(self._learn_alone, self.layer_trainer(engine))
        return partial(self._learn_by_autograd, held)

    @torch.no_grad()
    def features(self, inputs: Tensor) -> Tensor:
        """What the readout sees at the end of inputs (T, B, D), (B, W); where it answers at every step, (T, B, W)."""
        reached = [self.reached(trace) for trace in self.stack.traces(inputs)]
        return self.stack.seen(inputs if self.task.every_step else inputs[-1], reached)

    @torch.no_grad()
    def loss(self, inputs: Tensor, targets: Tensor) -> float:
        """Of its answers to a batch, from which it does not learn."""
        return float(self.task.loss(self.readout(self.features(inputs)), targets))

    def _learn_alone(self, layer: LayerTrainer, inputs: Tensor, targets: Tensor) -> Learned:
        """The readout's gradients are torch's own; they end at the hidden states, where those of the layer begin."""
        trace = layer.run(inputs)
        hidden = self.reached(trace).detach().requires_grad_()
        answer = self.answer(inputs, [hidden])
        loss = self.task.loss(answer, targets)
        loss.backward()
        assert hidden.grad is not None
        layer.back(trace, hidden.grad)
        return Learned(answer.detach(), loss.detach(), [trace])

    def _learn_by_autograd(self, held: Held | None, inputs: Tensor, targets: Tensor) -> Learned:
        traces = self.stack.traces(inputs, held=held)
        answer = self.answer(inputs, [self.reached(trace) for trace in traces])
        loss = self.task.loss(answer, targets)
        for trace in traces:
            trace.retain_gradients()
        loss.backward()
        return Learned(answer.detach(), loss.detach(), traces)


def parameter_count(experiment: Experiment) -> int:
    """The number of trained weights, readout included."""
    return sum(parameter.numel() for parameter in Network(experiment).parameters())
