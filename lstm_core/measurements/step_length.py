"""Is a training step too long? On which side of the loss's valley the weights lie after it."""

import math
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from lstm_core import engine
from lstm_core.data import batch_of, samples
from lstm_core.experiment import Experiment
from lstm_core.measurements.checkpoints import Checkpoint
from lstm_core.network import Network
from lstm_core.tasks import Sample
from lstm_core.training.snapshot import Snapshot
from lstm_core.training.train import train

NO_STEP = -1.0


class Descent(NamedTuple):
    """The loss before and after an update, and its slope there along the update, whose whole length is 1."""

    before: float
    after: float
    slope_before: float
    slope_after: float


def normalised_length(descent: Descent) -> float:
    """
    alpha, the length of a step in a parabola: -1 no step, 0 to the floor, 1 as high on the far side (Schneider, Dangel
    and Hennig 2021, of which it is the alpha of Cockpit).

    The parabola p with p(0), p(1), p'(0), p'(1) as near as possible, by least squares, to both losses and both slopes,
    all of the same weight: the paper weighs them by the noise of the batch, which here is the same at both ends. With
    three numbers to fit four, one residual is left, 2 (L_1 - L_0) - (s_0 + s_1), of which each slope takes a tenth; so
    p'(0) = s_0 + e and p'(1) = s_1 + e, e = (L_1 - L_0 - (s_0 + s_1) / 2) / 5. The floor lies at
    t = p'(0) / (p'(0) - p'(1)), and alpha = 1/t - 1 = -p'(1) / p'(0).

    As in the program of its authors, -1 where the loss falls on without bending up. Unlike there, inf where the step
    climbs from its start, as with momentum, and where what comes after it is no number: there is no floor ahead.
    """
    half_residual = descent.after - descent.before - (descent.slope_before + descent.slope_after) / 2
    start, end = descent.slope_before + half_residual / 5, descent.slope_after + half_residual / 5
    if start == end == 0:
        return NO_STEP
    if not math.isfinite(start + end) or start >= 0:
        return math.inf
    return max(-end / start, NO_STEP)


def descent(experiment: Experiment, weights: Tensor, updated: Tensor, batch: Sample) -> Descent:
    """
    Along the update between two vectors of weights, see `Network.load`, on this batch, in double precision; where units
    keep their states by chance, of what is expected.
    """
    inputs, targets = batch
    seen = inputs.double(), targets.double() if targets.is_floating_point() else targets
    ends = weights.double(), updated.double()
    (before, slope_before), (after, slope_after) = (
        _loss_and_slope(experiment, at, ends[1] - ends[0], seen) for at in ends
    )
    return Descent(before, after, slope_before, slope_after)


def _loss_and_slope(experiment: Experiment, weights: Tensor, along: Tensor, batch: Sample) -> tuple[float, float]:
    network = Network(experiment).load(weights)
    for parameter in network.parameters():
        parameter.grad = torch.zeros_like(parameter)
    loss = network.training_step(engine.REFERENCE_ENGINE)(*batch).loss
    gradient = torch.cat([parameter.grad.flatten() for parameter in network.parameters() if parameter.grad is not None])
    return float(loss), float(gradient @ along)


def step_length(checkpoint: Checkpoint) -> float:
    """alpha of the update of this training step, on its own batch. The checkpoint has its weights after it."""
    experiment = checkpoint.experiment
    assert checkpoint.updated is not None
    batch = batch_of(experiment, checkpoint.step)
    return normalised_length(descent(experiment, checkpoint.weights, checkpoint.updated, batch))


def step_lengths(experiment: Experiment) -> Iterator[tuple[Snapshot, float]]:
    """Train, and tell of every step what is told of it, and alpha of its update, or of the one that would follow."""
    for snapshot, batch in zip(train(experiment, weights_every=1), samples(experiment), strict=False):
        assert snapshot.weights is not None
        assert snapshot.updated is not None
        yield snapshot, normalised_length(descent(experiment, snapshot.weights, snapshot.updated, batch))
