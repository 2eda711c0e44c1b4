"""
Which digit is drawn by a line of one dimension? MNIST-1D of Greydanus and Kobak (arXiv 2011.14439).

With a length of 10, one sample reads

    signal  .3  .3  2.7  .4  -.2  -.1  .1  -1.1  -.9  1.2   target at the end: 7

Ten templates of 12 points are stretched, scaled, shifted in a signal of 72 points, put among smooth noise, tilted, and
resampled to T points (there 40), of mean 0 and variance 1. The numbers of the recipe are those of its authors'
repository github.com/greydanus/mnist1d, licensed under Apache 2.0; all code here was written anew. Their data set has
4,000 sequences to train on and 1,000 to test; here new ones are drawn for ever, so that none is learned by heart, and
held-out ones are further ones. A fixed set is a matter of the experiment (`sequences`).
"""

import math
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from lstm_core.language import _
from lstm_core.streams import Rng
from lstm_core.tasks.signals import normal
from lstm_core.tasks.task import Sample, Task, undecided

# Heights of the digits from 0 to 9, each from its first point on.
HEIGHTS = (
    (5, 6, 6.5, 6.75, 7, 7, 7, 7, 6.75, 6.5, 6, 5),
    (5, 3, 3, 3.4, 3.8, 4.2, 4.6, 5, 5.4, 5.8, 5, 5),
    (5, 6, 6.5, 6.5, 6, 5.25, 4.75, 4, 3.5, 3.5, 4, 5),
    (5, 6, 6.5, 6.5, 6, 5, 5, 6, 6.5, 6.5, 6, 5),
    (5, 4.4, 3.8, 3.2, 2.6, 2.6, 5, 5, 5, 5, 5, 5),
    (5, 3, 3, 3, 3, 5, 6, 6.5, 6.5, 6, 4.5, 5),
    (5, 4, 3.5, 3.25, 3, 3, 3, 3, 3.25, 3.5, 4, 5),
    (5, 7, 7, 6.6, 6.2, 5.8, 5.4, 5, 4.6, 4.2, 5, 5),
    (5, 4, 3.5, 3.5, 4, 5, 5, 4, 3.5, 3.5, 4, 5),
    (5, 4, 3.5, 3.5, 4, 5, 5, 5, 5, 4.7, 4.3, 5),
)
POINTS, FEWEST_ADDED, MOST_ADDED, SHIFTS = 12, 36, 60, 48
WHOLE = POINTS + MOST_ADDED
SCALING, TILT, SMOOTH_NOISE, NOISE = 0.4, 0.75, 0.25, 0.02
# The Gaussian that makes noise smooth, and where it is cut off.
WIDTH, REACH = 2.0, 8
# Of all points of three million sequences, before they are standardised.
MEAN, DEVIATION = -0.00605, 0.15468


def _templates() -> Tensor:
    """Of each digit variance 1/36, from 0 to 0, and one more 0 after it, (10, 13)."""
    heights = torch.tensor(HEIGHTS, dtype=torch.float64)
    scaled = (heights - heights[:, :1]) / heights.std(1, correction=0, keepdim=True) / 6
    return torch.cat([scaled, torch.zeros(10, 1)], 1).float()


def _smoothing() -> Tensor:
    """The moving average by a Gaussian, beyond whose ends a signal goes back as it came, (72, 72)."""
    weights = [math.exp(-(k**2) / (2 * WIDTH**2)) for k in range(-REACH, REACH + 1)]
    matrix = torch.zeros(WHOLE, WHOLE, dtype=torch.float64)
    for point in range(WHOLE):
        for k, weight in enumerate(weights, point - REACH):
            inside = -1 - k if k < 0 else 2 * WHOLE - 1 - k if k >= WHOLE else k
            matrix[point, inside] += weight / sum(weights)
    return matrix.float()


TEMPLATES, SMOOTHING, TILTED = _templates(), _smoothing(), torch.linspace(-0.5, 0.5, WHOLE)[:, None]


@lru_cache(16)
def _resampling(length: int) -> Tensor:
    """Straight lines from point to point, read at `length` places from end to end, (length, 72)."""
    matrix = torch.zeros(length, WHOLE, dtype=torch.float64)
    for row in range(length):
        place = row * (WHOLE - 1) / (length - 1)
        low = min(int(place), WHOLE - 2)
        matrix[row, low], matrix[row, low + 1] = low + 1 - place, place - low
    return matrix.float()


def _signals(digits: Tensor, added: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
    """Each template with so many zeros after it, stretched to 72 points, (72, B), and where it is."""
    place = torch.arange(WHOLE)[:, None] * (POINTS - 1 + added) / (WHOLE - 1)
    low = place.long().clamp(max=POINTS)
    first, second = TEMPLATES[digits, low], TEMPLATES[digits, (low + 1).clamp(max=POINTS)]
    return torch.lerp(first, second, place - low) * scale, place < POINTS


def _mnist1d(length: int, batch: int, rng: Rng) -> Sample:
    digits, added, shifts = (
        torch.from_numpy(rng.integers(*ends, batch))
        for ends in ((0, len(HEIGHTS)), (FEWEST_ADDED, MOST_ADDED + 1), (0, SHIFTS))
    )
    scale, tilt = torch.from_numpy(rng.random((2, batch), np.float32)) - 0.5
    smooth, rough = normal(2 * WHOLE * batch, 1.0, rng).view(2, WHOLE, batch)
    signal, there = _signals(digits, added, 1 + SCALING * scale)
    shifted = (torch.arange(WHOLE)[:, None] - shifts) % WHOLE
    signal, there = signal.gather(0, shifted), there.gather(0, shifted)
    signal = torch.where(there, signal, SMOOTH_NOISE * (SMOOTHING @ smooth)) + NOISE * rough - TILT * tilt * TILTED
    return ((_resampling(length) @ signal - MEAN) / DEVIATION)[:, :, None], digits


MNIST1D = Task(
    "mnist1d",
    _("MNIST-1D"),
    _("One of ten lines, each like a digit, somewhere in a noisy signal. At the end: which of the ten was it?"),
    _("a wave with one peak: the answer is 0"),
    inputs=(_("signal"),),
    outputs=tuple(map(str, range(10))),
    shortest=10,
    draw=_mnist1d,
    constant=undecided(10),
    constant_loss=lambda length: math.log(10),
)
