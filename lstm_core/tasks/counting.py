"""
Who counts for longer than was shown? Parity with an answer at every step, and parity of sequences of many lengths.

With a sequence length of 6, one sample of running parity reads, step by step,

    bit     0   1   1   0   1   0
    target  even odd even even odd odd

and one of parity of any length, of which the last four of six steps are used,

    zero    .   .   1   .   .   1
    one     .   .   .   1   1   .        target at the end: two ones, even

A network sees that there is no bit yet: bits are one-hot, and before the first one both inputs are 0. Engines train on
arrays of one length, and several batches are drawn side by side, so that each sequence has a length of its own, where
the literature often gives one to each batch (Grazzini and others 2024, with lengths up to 40).
"""

import math

import numpy as np
import torch

from lstm_core.language import _
from lstm_core.streams import Rng
from lstm_core.tasks.symbols import one_hot
from lstm_core.tasks.task import Sample, Task, undecided

FEWEST = 2


def _running_parity(length: int, batch: int, rng: Rng) -> Sample:
    bits = torch.from_numpy(rng.integers(0, 2, (length, batch), np.uint8)).long()
    return bits[:, :, None].float(), bits.cumsum(0) % 2


RUNNING_PARITY = Task(
    "running_parity",
    _("Running parity"),
    _("Random bits. At every step the network must say: is the number of ones so far even or odd?"),
    _("0 1 1 0 1 0: the answers are even, odd, even, even, odd, odd"),
    inputs=(_("bit"),),
    outputs=(_("even"), _("odd")),
    shortest=2,
    draw=_running_parity,
    constant=lambda length: torch.zeros(length, 2),
    constant_loss=lambda length: math.log(2),
    every_step=True,
)


def _parity_varied(length: int, batch: int, rng: Rng) -> Sample:
    """Of each sequence the last few steps, from `FEWEST` to all, have bits."""
    lengths = rng.integers(FEWEST, length + 1, batch)
    bits = rng.integers(0, 2, (length, batch), np.uint8)
    there = np.arange(length)[:, None] >= length - lengths
    targets = torch.from_numpy((bits * there).sum(0) % 2).long()
    return one_hot(bits, 2) * torch.from_numpy(there)[:, :, None], targets


PARITY_VARIED = Task(
    "parity_varied",
    _("Parity, many lengths"),
    _("As parity, but each sequence has another length, from 2 bits to all T. Short ones are easier."),
    _("two empty steps, then 0 1 1 0: two ones, the answer is even"),
    inputs=(_("zero"), _("one")),
    outputs=(_("even"), _("odd")),
    shortest=FEWEST,
    draw=_parity_varied,
    constant=undecided(2),
    constant_loss=lambda length: math.log(2),
)
