"""How does a training step change the weights? By torch's own update rules."""

import torch
from torch import Tensor

from lstm_core.borrowed.update_rules import UpdateRule, adam, rmsprop, sgd
from lstm_core.experiment import Experiment


def update_rule(
    experiment: Experiment, weights: Tensor, gradient: Tensor, first: Tensor, second: Tensor, made: int = 0
) -> UpdateRule:
    """
    A call changes `weights` in their place by what stands in `gradient`, as torch.optim does it. The optimizer's first
    and second moments, which are 0 until updates are `made`, are changed in theirs, as far as it has them.
    """
    match experiment.optimizer:
        case "adam":
            return adam(weights, gradient, first, second, experiment.lr, made)
        case "rmsprop":
            return rmsprop(weights, gradient, second, experiment.lr)
        case _:
            return sgd(weights, gradient, first, experiment.lr, experiment.momentum)


def bounded(update: UpdateRule, weights: Tensor, shares: Tensor, most: Tensor) -> UpdateRule:
    """
    The same for weights each of which moves by its share, as if it had so much of the learning rate, and gets no larger
    than it may be.
    """

    def call() -> None:
        before = weights.clone()
        update()
        weights.copy_(torch.lerp(before, weights, shares).clamp(-most, most))

    return torch.no_grad()(call)
