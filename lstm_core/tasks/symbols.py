"""
Which symbols came, and in which order? Copy memory, temporal order and delayed recall; every symbol is one-hot.

With ten symbols, a blank of 3 steps and `>` for the delimiter, one sample of copy memory reads

    input   d a g b b h c a f e . . > . . . . . . . . . .
    target  . . . . . . . . . . . . . d a g b b h c a f e

of temporal order with a length of 10

    input   c e A d f c B e d c                            target at the end: AB

and of delayed recall with a length of 5 and `>` for the cue

    input   c . . . >                                      target at the end: c
"""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lstm_core.language import _
from lstm_core.streams import Rng
from lstm_core.tasks.task import Sample, Task, undecided

SYMBOLS = 8
COPIED = 10
LETTERS = tuple("abcdefgh")


def one_hot(symbols: Any, classes: int) -> Tensor:
    """(..., classes)"""
    return torch.from_numpy(np.eye(classes, dtype=np.float32)[symbols])


def _copy(length: int, batch: int, rng: Rng) -> Sample:
    blank, delimiter = SYMBOLS, SYMBOLS + 1
    shown = np.full((length + 2 * COPIED, batch), blank)
    targets = shown.copy()
    shown[:COPIED] = targets[-COPIED:] = rng.integers(0, SYMBOLS, (COPIED, batch))
    shown[COPIED + length - 1] = delimiter
    return one_hot(shown, SYMBOLS + 2), torch.from_numpy(targets)


def _copy_constant(length: int) -> Tensor:
    """Blank with certainty until the delimiter, then every symbol alike."""
    outputs = torch.zeros(length + 2 * COPIED, SYMBOLS + 1)
    outputs[:-COPIED, -1] = 50
    outputs[-COPIED:, -1] = -50
    return outputs


COPY = Task(
    "copy",
    _("Copy memory"),
    _("Ten symbols, many blanks, a delimiter. Then the network must repeat the ten symbols in order."),
    _("d a g b b h c a f e, blanks, delimiter: the answer is d a g b b h c a f e"),
    inputs=(*LETTERS, _("blank"), _("delimiter")),
    outputs=(*LETTERS, _("blank")),
    shortest=1,
    draw=_copy,
    constant=_copy_constant,
    constant_loss=lambda length: COPIED * math.log(SYMBOLS) / (length + 2 * COPIED),
    plateaus=lambda length: ((_("five of ten symbols"), COPIED / 2 * math.log(SYMBOLS) / (length + 2 * COPIED)),),
    every_step=True,
    counted_steps=lambda length: COPIED,
    extra_steps=2 * COPIED,
)


def _temporal_order(length: int, batch: int, rng: Rng) -> Sample:
    def tenth(k: int) -> int:
        return -(-k * length // 10)

    column = np.arange(batch)
    symbols = rng.integers(2, 6, (length, batch), np.uint8)
    first, second = rng.integers(0, 2, (2, batch))
    symbols[rng.integers(tenth(1), tenth(2), batch), column] = first
    symbols[rng.integers(tenth(5), tenth(6), batch), column] = second
    return one_hot(symbols, 6), torch.from_numpy(2 * first + second)


TEMPORAL_ORDER = Task(
    "temporal_order",
    _("Temporal order"),
    _("Among other symbols, an A or a B appears early and another in the middle. Which two, in which order?"),
    _("c e A d f c B e d c: the answer is AB"),
    inputs=("A", "B", "c", "d", "e", "f"),
    outputs=("AA", "AB", "BA", "BB"),
    shortest=10,
    draw=_temporal_order,
    constant=undecided(4),
    constant_loss=lambda length: math.log(4),
    plateaus=lambda length: ((_("one of two remembered"), math.log(2)),),
)


def _recall(length: int, batch: int, rng: Rng) -> Sample:
    blank, cue = SYMBOLS, SYMBOLS + 1
    shown, targets = np.full((length, batch), blank), rng.integers(0, SYMBOLS, batch)
    shown[0], shown[-1] = targets, cue
    return one_hot(shown, SYMBOLS + 2), torch.from_numpy(targets)


RECALL = Task(
    "recall",
    _("Delayed recall"),
    _("One symbol, then blanks. At the cue the network must name the symbol."),
    _("c, blanks, cue: the answer is c"),
    inputs=(*LETTERS, _("blank"), _("cue")),
    outputs=LETTERS,
    shortest=2,
    draw=_recall,
    constant=undecided(SYMBOLS),
    constant_loss=lambda length: math.log(SYMBOLS),
)
