"""
How does a step change the weights? torch's own update rules, as functions.

Its optimizer classes import torch's compiler, 80 MB and a second of it, and take longer for their bookkeeping than for
a small network's update.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.optim.adam import adam
from torch.optim.rmsprop import rmsprop
from torch.optim.sgd import sgd

from lstm_core.experiment import Experiment


def update_rule(experiment: Experiment, weights: Tensor, gradient: Tensor) -> Callable[[], None]:
    """A call changes `weights` in their place by what stands in `gradient`, as torch.optim does it."""
    count, w, g = torch.tensor(0.0), [weights], [gradient]
    first, second = torch.zeros_like(weights), torch.zeros_like(weights)
    common: dict[str, Any] = {"weight_decay": 0.0, "maximize": False, "lr": experiment.lr}
    adaptive = common | {"eps": 1e-8, "state_steps": [count]}
    rule: Callable[[], None]
    if experiment.optimizer == "adam":
        moments: dict[str, Any] = {"exp_avgs": [first], "exp_avg_sqs": [second], "max_exp_avg_sqs": []}
        rule = partial(adam, w, g, **moments, fused=True, amsgrad=False, beta1=0.9, beta2=0.999, **adaptive)
    elif experiment.optimizer == "rmsprop":
        averages: dict[str, Any] = {"square_avgs": [second], "grad_avgs": [], "momentum_buffer_list": []}
        rule = partial(rmsprop, w, g, **averages, foreach=False, alpha=0.9, momentum=0.0, centered=False, **adaptive)
    else:
        momentum = experiment.momentum
        rule = partial(sgd, w, g, [first], foreach=False, momentum=momentum, dampening=0.0, nesterov=False, **common)
    return torch.no_grad()(rule)
