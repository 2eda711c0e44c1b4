"""
What follows from numbers that lie far apart? Adding, multiplication and parity.

With a sequence length of 6, one sample of adding reads, step by step,

    value  .9  .2  .5  .7  .1  .3
    mark    0   1   0   0   1   0        target at the end: .2 + .1 = .3

of multiplication the same with the target .2 * .1 = .02; and of parity

    bit     0   1   1   0   1   0        target at the end: three ones, odd
"""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lstm_core.language import _
from lstm_core.streams import Rng
from lstm_core.tasks.task import Sample, Task, undecided


def _mark_two(length: int, batch: int, rng: Rng) -> tuple[Tensor, Any, Any]:
    """Inputs (T, B, 2) of values and marks, and the two marked values, each (B,); one mark in either half."""
    half, column = (length + 1) // 2, np.arange(batch)
    first, second = rng.integers(0, half, batch), rng.integers(half, length, batch)
    inputs = np.zeros((length, batch, 2), np.float32)
    inputs[:, :, 0] = rng.random((length, batch), np.float32)
    inputs[first, column, 1] = inputs[second, column, 1] = 1
    return torch.from_numpy(inputs), inputs[first, column, 0], inputs[second, column, 0]


def _adding(length: int, batch: int, rng: Rng) -> Sample:
    inputs, a, b = _mark_two(length, batch, rng)
    return inputs, torch.from_numpy(a + b)[:, None]


def _multiplication(length: int, batch: int, rng: Rng) -> Sample:
    inputs, a, b = _mark_two(length, batch, rng)
    return inputs, torch.from_numpy(a * b)[:, None]


ADDING = Task(
    "adding",
    _("Adding"),
    _("Two of the numbers are marked. At the end the network must give their sum."),
    _("values .9 .2 .5 .7 .1 .3, marks on .2 and .1: the answer is .3"),
    inputs=(_("value"), _("mark")),
    outputs=(_("sum"),),
    shortest=2,
    draw=_adding,
    constant=lambda length: torch.tensor([1.0]),
    constant_loss=lambda length: 1 / 6,
    plateaus=lambda length: ((_("one of two remembered"), 1 / 12),),
    classes=False,
)


MULTIPLICATION = Task(
    "multiplication",
    _("Multiplication"),
    _("Two of the numbers are marked. At the end the network must give their product."),
    _("values .9 .2 .5 .7 .1 .3, marks on .2 and .1: the answer is .02"),
    inputs=(_("value"), _("mark")),
    outputs=(_("product"),),
    shortest=2,
    draw=_multiplication,
    constant=lambda length: torch.tensor([0.25]),
    constant_loss=lambda length: 7 / 144,
    plateaus=lambda length: ((_("one of two remembered"), 1 / 36),),
    classes=False,
)


def _parity(length: int, batch: int, rng: Rng) -> Sample:
    bits = rng.integers(0, 2, (length, batch, 1), np.uint8)
    return torch.from_numpy(bits.astype(np.float32)), torch.from_numpy(bits.sum((0, 2)) % 2).long()


PARITY = Task(
    "parity",
    _("Parity"),
    _("Random bits. At the end: was the number of ones even or odd? Every single bit counts."),
    _("0 1 1 0 1 0: three ones, the answer is odd"),
    inputs=(_("bit"),),
    outputs=(_("even"), _("odd")),
    shortest=2,
    draw=_parity,
    constant=undecided(2),
    constant_loss=lambda length: math.log(2),
)
