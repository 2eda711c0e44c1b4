"""
What does a task say of itself? How its sequences are drawn, and what loss no memory gives.

Arrays are time-major: inputs (T, B, D), targets (B,) or (B, O), and with an answer at every step (T, B) or (T, B, O).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from lstm_core.streams import Rng

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
    With `every_step` there is an answer at each step, and accuracy counts the last `counted_steps(length)` of them, or
    all; the loss is a mean over all of them.
    `plateaus(length)` are losses on the way down that mean something, each with its name. Losses are means: squared
    error, or cross-entropy in nats. `refusal(length)` says why a length does not fit, if it does not. A task that is
    not `solvable` ends after its steps alone. `of(question)` is the same row for what is asked of another series, where
    it has one.
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
    counted_steps: Callable[[int], int] | None = None
    extra_steps: int = 0
    solvable: bool = True
    refusal: Callable[[int], str | None] = lambda length: None
    draw_held_out: Draw | None = None
    of: Callable[[Any], "Task"] | None = None

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
        """The share of right classes among the answers that count; None where there are no classes."""
        if not self.classes:
            return None
        right = answer.argmax(-1) == targets
        if self.counted_steps:
            right = right[-self.counted_steps(len(right) - self.extra_steps) :]
        return float(right.float().mean())


def undecided(classes: int) -> Callable[[int], Tensor]:
    """The answer that finds all classes alike."""
    return lambda length: torch.zeros(classes)
