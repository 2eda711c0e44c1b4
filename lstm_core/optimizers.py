"""How does a training step change the weights? By torch's own update rules."""

from torch import Tensor

from lstm_core.borrowed.update_rules import UpdateRule, adam, rmsprop, sgd
from lstm_core.experiment import Experiment


def update_rule(experiment: Experiment, weights: Tensor, gradient: Tensor) -> UpdateRule:
    """A call changes `weights` in their place by what stands in `gradient`, as torch.optim does it."""
    match experiment.optimizer:
        case "adam":
            return adam(weights, gradient, experiment.lr)
        case "rmsprop":
            return rmsprop(weights, gradient, experiment.lr)
        case _:
            return sgd(weights, gradient, experiment.lr, experiment.momentum)
