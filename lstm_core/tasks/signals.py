"""
What did a noisy signal begin with? The latch problem.

With a length of 4, one sample reads

    signal  +1  .3  -.5  .1              target at the end: +
"""

import math

import numpy as np
import torch
from torch import Tensor

from lstm_core.language import _
from lstm_core.streams import Rng
from lstm_core.tasks.task import Sample, Task, undecided

NOISE_VARIANCE = 0.2


def normal(size: int, variance: float, rng: Rng) -> Tensor:
    """
    Normal numbers of mean 0, (size,), in single precision, in pairs from the raw bits (Box and Muller 1958): four times
    as fast as numpy's, and as fast as torch's own.
    """
    bits = torch.from_numpy(rng.bit_generator.random_raw((size + 1) // 2).view(np.int32))
    first, second = bits.float().view(2, -1)
    radius = first.mul_(2.0**-32).add_(0.5).clamp_min_(2.0**-25).log_().mul_(-2 * variance).sqrt_()
    angle = second.mul_(2 * math.pi * 2.0**-32)
    return torch.cat([angle.cos().mul_(radius), angle.sin().mul_(radius)])[:size]


def _latch(length: int, batch: int, rng: Rng) -> Sample:
    targets = torch.from_numpy(rng.integers(0, 2, batch))
    inputs = normal(length * batch, NOISE_VARIANCE, rng).view(length, batch, 1)
    inputs[0, :, 0] = 2.0 * targets - 1
    return inputs, targets


LATCH = Task(
    "latch",
    _("Latch"),
    _("The first input is +1 or -1, all others are noise. At the end the network must give the sign of the first."),
    _("+1, then noise: the answer is +"),
    inputs=(_("signal"),),
    outputs=("-", "+"),
    shortest=2,
    draw=_latch,
    constant=undecided(2),
    constant_loss=lambda length: math.log(2),
)
