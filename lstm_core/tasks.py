"""
Which tasks need a memory, and what loss does no memory give?

Every task is a row of `TASKS`. With a sequence length of 6, one sample of adding reads, step by step,

    value  .9  .2  .5  .7  .1  .3
    mark    0   1   0   0   1   0        target at the end: .2 + .1 = .3

Arrays are time-major: inputs (T, B, D), targets (B,), (B, 1) or, for copy memory, (T, B).

The row of forecasting is about one series at one horizon; `bound` gives it for any.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from lstm_core import windows
from lstm_core.series import known
from lstm_core.streams import Rng

SYMBOLS = 8
COPIED = 10
NOISE_VARIANCE = 0.2
SOLVED_FRACTION = 0.06

Sample = tuple[Tensor, Tensor]
# Of length, batch and a stream.
Draw = Callable[[int, int, Rng], Sample]


@dataclass(frozen=True)
class Task:
    """
    One row of `TASKS`.

    `draw(length, batch, rng)` returns inputs and targets; where that is no endless supply, `draw_held_out` has some
    that no training sees. `constant(length)` is the output of the best predictor that looks at no input, (steps, O) or
    (O,); its expected loss is `constant_loss(length)`.
    `plateaus(length)` are losses on the way down that mean something, each with its name. Losses are means: squared
    error, or cross-entropy in nats. `refusal(length)` says why a length does not fit, if it does not. A task that is
    not `solvable` ends after its steps alone. `of(series, horizon)` is the same row for another series, where it has
    one.
    """

    name: str
    label: str
    description: str
    example: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    shortest: int
    draw: Draw
    constant: Callable[[int], Tensor]
    constant_loss: Callable[[int], float]
    plateaus: Callable[[int], tuple[tuple[str, float], ...]] = lambda length: ()
    classes: bool = True
    every_step: bool = False
    extra_steps: int = 0
    solvable: bool = True
    refusal: Callable[[int], str | None] = lambda length: None
    draw_held_out: Draw | None = None
    of: Callable[[str, int], "Task"] | None = None

    def solved_below(self, length: int) -> float:
        """
        The mean loss that counts as solved: 6 % of the constant predictor's (0.01 on adding); 0, which no loss is
        below, where nothing does.
        """
        return SOLVED_FRACTION * self.constant_loss(length) if self.solvable else 0.0

    def loss(self, answer: Tensor, targets: Tensor) -> Tensor:
        """Mean squared error, or mean cross-entropy in nats."""
        if self.classes:
            return F.cross_entropy(answer.flatten(0, -2), targets.flatten())
        return F.mse_loss(answer, targets)

    def accuracy(self, answer: Tensor, targets: Tensor) -> float | None:
        """The share of right classes, on copy memory among the copied symbols; None where there are no classes."""
        if not self.classes:
            return None
        right = answer.argmax(-1) == targets
        return float((right[-COPIED:] if self.every_step else right).float().mean())


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


def _one_hot(symbols: Any, classes: int) -> Tensor:
    """(..., classes)"""
    return torch.from_numpy(np.eye(classes, dtype=np.float32)[symbols])


def _copy(length: int, batch: int, rng: Rng) -> Sample:
    blank, delimiter = SYMBOLS, SYMBOLS + 1
    shown = np.full((length + 2 * COPIED, batch), blank)
    targets = shown.copy()
    shown[:COPIED] = targets[-COPIED:] = rng.integers(0, SYMBOLS, (COPIED, batch))
    shown[COPIED + length - 1] = delimiter
    return _one_hot(shown, SYMBOLS + 2), torch.from_numpy(targets)


def _copy_constant(length: int) -> Tensor:
    """Blank with certainty until the delimiter, then every symbol alike."""
    outputs = torch.zeros(length + 2 * COPIED, SYMBOLS + 1)
    outputs[:-COPIED, -1] = 50
    outputs[-COPIED:, -1] = -50
    return outputs


def _temporal_order(length: int, batch: int, rng: Rng) -> Sample:
    def tenth(k: int) -> int:
        return -(-k * length // 10)

    column = np.arange(batch)
    symbols = rng.integers(2, 6, (length, batch), np.uint8)
    first, second = rng.integers(0, 2, (2, batch))
    symbols[rng.integers(tenth(1), tenth(2), batch), column] = first
    symbols[rng.integers(tenth(5), tenth(6), batch), column] = second
    return _one_hot(symbols, 6), torch.from_numpy(2 * first + second)


def _normal(size: int, variance: float, rng: Rng) -> Tensor:
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
    inputs = _normal(length * batch, NOISE_VARIANCE, rng).view(length, batch, 1)
    inputs[0, :, 0] = 2.0 * targets - 1
    return inputs, targets


def _recall(length: int, batch: int, rng: Rng) -> Sample:
    blank, cue = SYMBOLS, SYMBOLS + 1
    shown, targets = np.full((length, batch), blank), rng.integers(0, SYMBOLS, batch)
    shown[0], shown[-1] = targets, cue
    return _one_hot(shown, SYMBOLS + 2), torch.from_numpy(targets)


def _parity(length: int, batch: int, rng: Rng) -> Sample:
    bits = rng.integers(0, 2, (length, batch, 1), np.uint8)
    return torch.from_numpy(bits.astype(np.float32)), torch.from_numpy(bits.sum((0, 2)) % 2).long()


def _undecided(classes: int) -> Callable[[int], Tensor]:
    return lambda length: torch.zeros(classes)


@lru_cache(64)
def _forecasting(series: str, horizon: int) -> Task:
    """
    The row of forecasting one series; the name and not the series is kept, which a visitor may have taken away. It is
    never solved: nobody knows how much of a series is noise.
    """

    def answers(length: int) -> Tensor:
        return windows.learned(known(series), length, horizon)[0]

    def last_value_loss(length: int) -> float:
        later, last = windows.learned(known(series), length, horizon)
        return float((later - last).square().mean())

    return Task(
        "forecast",
        "Forecasting",
        "Part of a series is read, scaled to mean 0 and variance 1; at its end, the value so many steps later, the "
        "horizon, is asked for.",
        "values .1 .5 .8 .9, and a horizon of 1: the answer is the value that comes after .9",
        inputs=("value",),
        outputs=("value to come",),
        shortest=1,
        draw=lambda length, batch, rng: windows.drawn(known(series), horizon, length, batch, rng),
        draw_held_out=lambda length, batch, rng: windows.held_out(known(series), horizon, length, batch, rng),
        constant=lambda length: answers(length).mean()[None],
        constant_loss=lambda length: float(answers(length).var(correction=0)),
        plateaus=lambda length: (("last value", last_value_loss(length)),),
        classes=False,
        solvable=False,
        refusal=lambda length: windows.too_long(known(series), horizon, length),
        of=_forecasting,
    )


LETTERS = tuple("abcdefgh")

_ROWS = (
    Task(
        "adding",
        "Adding",
        "Two of the numbers are marked; at the end, their sum is asked for.",
        "values .9 .2 .5 .7 .1 .3, marks on .2 and .1: the answer is .3",
        inputs=("value", "mark"),
        outputs=("sum",),
        shortest=2,
        draw=_adding,
        constant=lambda length: torch.tensor([1.0]),
        constant_loss=lambda length: 1 / 6,
        plateaus=lambda length: (("one of two remembered", 1 / 12),),
        classes=False,
    ),
    Task(
        "multiplication",
        "Multiplication",
        "Two of the numbers are marked; at the end, their product is asked for.",
        "values .9 .2 .5 .7 .1 .3, marks on .2 and .1: the answer is .02",
        inputs=("value", "mark"),
        outputs=("product",),
        shortest=2,
        draw=_multiplication,
        constant=lambda length: torch.tensor([0.25]),
        constant_loss=lambda length: 7 / 144,
        plateaus=lambda length: (("one of two remembered", 1 / 36),),
        classes=False,
    ),
    Task(
        "copy",
        "Copy memory",
        "Ten symbols, a long blank, a delimiter; then the ten symbols are to be written out in order.",
        "d a g b b h c a f e, blanks, delimiter: the answer is d a g b b h c a f e",
        inputs=(*LETTERS, "blank", "delimiter"),
        outputs=(*LETTERS, "blank"),
        shortest=1,
        draw=_copy,
        constant=_copy_constant,
        constant_loss=lambda length: COPIED * math.log(SYMBOLS) / (length + 2 * COPIED),
        plateaus=lambda length: (("five of ten symbols", COPIED / 2 * math.log(SYMBOLS) / (length + 2 * COPIED)),),
        every_step=True,
        extra_steps=2 * COPIED,
    ),
    Task(
        "temporal_order",
        "Temporal order",
        "Among distractors, an A or a B appears early and another one in the middle: which two, in which order?",
        "c e A d f c B e d c: the answer is AB",
        inputs=("A", "B", "c", "d", "e", "f"),
        outputs=("AA", "AB", "BA", "BB"),
        shortest=10,
        draw=_temporal_order,
        constant=_undecided(4),
        constant_loss=lambda length: math.log(4),
        plateaus=lambda length: (("one of two remembered", math.log(2)),),
    ),
    Task(
        "latch",
        "Latch",
        "The first input is +1 or -1, all others are noise; at the end, the sign of the first is asked for.",
        "+1, then noise: the answer is +",
        inputs=("signal",),
        outputs=("-", "+"),
        shortest=2,
        draw=_latch,
        constant=_undecided(2),
        constant_loss=lambda length: math.log(2),
    ),
    Task(
        "recall",
        "Delayed recall",
        "One symbol, then blanks; at the cue, the symbol is to be named.",
        "c, blanks, cue: the answer is c",
        inputs=(*LETTERS, "blank", "cue"),
        outputs=LETTERS,
        shortest=2,
        draw=_recall,
        constant=_undecided(SYMBOLS),
        constant_loss=lambda length: math.log(SYMBOLS),
    ),
    Task(
        "parity",
        "Parity",
        "Random bits; at the end: was the number of ones even or odd? Every single bit counts.",
        "0 1 1 0 1 0: three ones, the answer is odd",
        inputs=("bit",),
        outputs=("even", "odd"),
        shortest=2,
        draw=_parity,
        constant=_undecided(2),
        constant_loss=lambda length: math.log(2),
    ),
    _forecasting("mackey_glass", 1),
)

TASKS = {row.name: row for row in _ROWS}


def bound(name: str, series: str, horizon: int) -> Task:
    """The row of a task; where it is about a series, for this one at this horizon."""
    row = TASKS[name]
    return row.of(series, horizon) if row.of else row
