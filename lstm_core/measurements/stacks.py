"""What did a stack of layers do at one step of its training? Its gradients, its features, and who reads them."""

from typing import NamedTuple

import torch

from lstm_core import engine
from lstm_core.measurements.checkpoints import Checkpoint
from lstm_core.measurements.unseen import another
from lstm_core.network import Network

FEATURE_SEQUENCES = 200


def layer_gradients(checkpoint: Checkpoint) -> list[float]:
    """||dL/dh|| of each layer, the lowest first, over all time steps of held-out sequences together."""
    network = checkpoint.network().requires_grad_()
    for parameter in network.parameters():
        parameter.grad = torch.zeros_like(parameter)
    learned = network.training_step(engine.REFERENCE_ENGINE)(*another(checkpoint.experiment, FEATURE_SEQUENCES))
    return [float(torch.linalg.vector_norm(trace.gradient_norms()[0])) for trace in learned.traces]


class Features(NamedTuple):
    """
    What the readout sees of held-out sequences: the effective rank of these features, exp of the entropy of their
    singular values' shares (Roy and Vetterli 2007), from 1 to their number; the mean |correlation| of pairs; and how
    many features there are.
    """

    rank: float
    correlation: float
    number: int


def features(checkpoint: Checkpoint) -> Features:
    """Of any network, its input left out where the readout sees that too."""
    network = checkpoint.network()
    inputs, _ = another(checkpoint.experiment, FEATURE_SEQUENCES)
    seen = network.features(inputs).flatten(0, -2)
    seen = seen[:, _inputs_seen(network) :]
    centred = seen - seen.mean(0)
    values = torch.linalg.svdvals(centred)
    shares = values[values > 0] / values.sum()
    # A feature that stands still is correlated with nothing.
    unit = torch.nn.functional.normalize(centred, dim=0)
    pairs = (unit.t() @ unit).abs().triu(1)
    count = pairs.shape[0] * (pairs.shape[0] - 1) / 2
    return Features(float(torch.special.entr(shares).sum().exp()), float(pairs.sum() / max(count, 1)), len(pairs))


def input_slope(checkpoint: Checkpoint) -> float:
    """||dy/dx||, how steeply the answer changes with the whole input of a sequence, the mean over held-out ones."""
    network = checkpoint.network()
    network.stack.engine = engine.REFERENCE_ENGINE
    inputs, _ = another(checkpoint.experiment, FEATURE_SEQUENCES)
    inputs.requires_grad_()
    reached = [network.reached(trace) for trace in network.stack.traces(inputs)]
    (slope,) = torch.autograd.grad(network.answer(inputs, reached).sum(), inputs)
    return float(slope.norm(dim=(0, 2)).mean())


def _inputs_seen(network: Network) -> int:
    """How many numbers of the network's input its readout sees, before those of the layers."""
    stack = network.stack
    return 0 if stack.output_size == stack.hidden_size else stack.output_size - stack.num_layers * stack.hidden_size


def readout_norms(checkpoint: Checkpoint) -> dict[str, float]:
    """The Frobenius norm of the readout's weights for each source: the input, if it sees it, and each layer it sees."""
    network, size = checkpoint.network(), checkpoint.experiment.hidden
    weight, extra = network.readout.weight, _inputs_seen(network)
    parts = [weight[:, :extra]] * bool(extra) + list(weight[:, extra:].split(size, 1))
    names = ["input"] * bool(extra)
    first = checkpoint.experiment.layers - (len(parts) - len(names)) + 1
    names += [f"layer {layer}" for layer in range(first, checkpoint.experiment.layers + 1)]
    return {name: float(part.norm()) for name, part in zip(names, parts, strict=True)}
