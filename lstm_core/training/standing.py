"""Where does a training stand? All that the next step needs to know, whoever computes it."""

import math
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from lstm_core.borrowed.update_rules import UpdateRule
from lstm_core.data import Batches
from lstm_core.experiment import Experiment
from lstm_core.kernels import program
from lstm_core.network import Network
from lstm_core.optimizers import bounded, update_rule

MEAN_OVER = 20


class Standing(NamedTuple):
    """
    Where a training stands; whoever goes on with it changes this in its place.

    Parameters of the `network` are views of the vector `weights`, their gradients of `gradient`, which waits for its
    update. `first` and `second` are the optimizer's moments, `recent` the last losses, that of step n in place n - 1
    modulo their number. `begun` is the number of steps so far, `batches` are those to come.
    """

    network: Network
    weights: Tensor
    gradient: Tensor
    first: Tensor
    second: Tensor
    recent: Tensor
    begun: Tensor
    batches: Batches

    def rule(self, experiment: Experiment) -> UpdateRule:
        """How its weights are updated, as its cell has them learn."""
        return self._rule(experiment, self.weights, self.first, self.second, made=0)

    def updated(self, experiment: Experiment) -> Tensor:
        """A copy of the weights as the update that waits makes them."""
        weights, first, second = (numbers.clone() for numbers in (self.weights, self.first, self.second))
        self._rule(experiment, weights, first, second, int(self.begun) - 1)()
        return weights

    def _rule(self, experiment: Experiment, weights: Tensor, first: Tensor, second: Tensor, made: int) -> UpdateRule:
        update, row = update_rule(experiment, weights, self.gradient, first, second, made), self.network.stack.cell.row
        if not row.rates and not row.most:
            return update
        shares, most = self.network.of_each(row.rates, 1.0), self.network.of_each(row.most, math.inf)
        return bounded(update, weights[: len(shares)], shares, most)


def standing_of(experiment: Experiment) -> Standing:
    """At its start."""
    network = Network(experiment)
    weights, gradient = _flattened(network)
    moments = torch.zeros_like(weights), torch.zeros_like(weights)
    recent, begun = torch.zeros(MEAN_OVER, dtype=torch.float64), torch.zeros(1, dtype=torch.int64)
    return Standing(network, weights, gradient, *moments, recent, begun, Batches(experiment))


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


class Trainer(Protocol):
    """
    How a network trains. The update of a step is made when the next one begins, so that weights are those that a
    snapshot tells of.
    """

    engine: str

    def advance(self, count: int) -> dict[str, Any]:
        """Train so many steps, or to the end where that comes first: of the last one, the fields of a snapshot."""


def solved_below(experiment: Experiment) -> float:
    """The mean loss that ends a training; of a fixed training set none does."""
    return 0.0 if experiment.sequences else experiment.problem.solved_below(experiment.length)
