"""
How does torch change weights by a gradient? Its update rules as functions, which it keeps for its own classes.

Those classes import torch's compiler, 80 MB and a second of it, and take longer for their bookkeeping than for a small
network's update. The functions are in `torch.optim`, but not in its documentation. Weights and moments are changed in
their place.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.optim.adam import adam as torch_adam
from torch.optim.rmsprop import rmsprop as torch_rmsprop
from torch.optim.sgd import sgd as torch_sgd

UpdateRule = Callable[[], None]


def adam(weights: Tensor, gradient: Tensor, first: Tensor, second: Tensor, lr: float, made: int = 0) -> UpdateRule:
    """A call does what `torch.optim.Adam` does (Kingma and Ba 2015) after so many updates; moments are 0 before any."""
    rule = partial(
        torch_adam,
        [weights],
        [gradient],
        exp_avgs=[first],
        exp_avg_sqs=[second],
        max_exp_avg_sqs=[],
        state_steps=[torch.tensor(float(made))],
        fused=True,
        amsgrad=False,
        beta1=0.9,
        beta2=0.999,
        lr=lr,
        weight_decay=0.0,
        eps=1e-8,
        maximize=False,
    )
    return torch.no_grad()(rule)


def rmsprop(weights: Tensor, gradient: Tensor, second: Tensor, lr: float) -> UpdateRule:
    """The same as `torch.optim.RMSprop` does with alpha = .9 (Tieleman and Hinton 2012)."""
    rule = partial(
        torch_rmsprop,
        [weights],
        [gradient],
        square_avgs=[second],
        grad_avgs=[],
        momentum_buffer_list=[],
        state_steps=[torch.tensor(0.0)],
        foreach=False,
        lr=lr,
        alpha=0.9,
        eps=1e-8,
        weight_decay=0.0,
        momentum=0.0,
        centered=False,
        maximize=False,
    )
    return torch.no_grad()(rule)


def sgd(weights: Tensor, gradient: Tensor, first: Tensor, lr: float, momentum: float) -> UpdateRule:
    """The same as `torch.optim.SGD` does."""
    rule = partial(
        torch_sgd,
        [weights],
        [gradient],
        [first],
        foreach=False,
        weight_decay=0.0,
        momentum=momentum,
        lr=lr,
        dampening=0.0,
        nesterov=False,
        maximize=False,
    )
    return torch.no_grad()(rule)
