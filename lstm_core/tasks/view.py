"""How does a network see a series: as values or as changes, as they are or by logarithm, up to which fold?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from lstm_core.tasks.once import once
from lstm_core.tasks.scaling import Scaling, moments
from lstm_core.tasks.season import ROUNDING
from lstm_core.tasks.series import Series, known


@dataclass(frozen=True, eq=False)
class View:
    """
    A series, forecast `horizon` steps ahead by whoever reads it so: with `log` by its logarithms, with `difference` by
    its changes; what stands beside the series is read as it is.

    All tensors are in double precision; places are counted from 0. What cannot be seen so is a ValueError of `check`.
    """

    series: Series
    horizon: int = 1
    log: bool = False
    difference: bool = False

    def check(self) -> None:
        """ValueError, naming the field, for a series that has no logarithm or whose changes are all the same."""
        _scaling(self.series, self.horizon, self.log, self.difference)

    def seen(self, length: int) -> int:
        """How many values a window of this length needs: a change needs the value before it, too."""
        return length + self.difference

    @property
    def scaling(self) -> Scaling:
        """By the part to train on alone."""
        return _scaling(self.series, self.horizon, self.log, self.difference)

    @property
    def levels(self) -> Tensor:
        """The values or their logarithms, (N,)."""
        return _levels(self.series, self.log)

    @property
    def inputs(self) -> Tensor:
        """What is read at each place, (N, D), the series first, what stands beside it behind."""
        return _inputs(self.series, self.horizon, self.log, self.difference)

    def answers(self, places: Tensor) -> Tensor:
        """What is to be answered at these places, (B,), scaled."""
        return self.scaling.answers(self.levels[places], self.levels[places - self.horizon])

    def unchanged(self, places: Tensor) -> Tensor:
        """What somebody answers there who takes the last value for the one to come, (B,), scaled."""
        before = self.levels[places - self.horizon]
        return self.scaling.answers(before, before)

    def restored(self, answers: Tensor, places: Tensor) -> Tensor:
        """The values, in units of the series, that answers at these places mean, (B,)."""
        scaling = self.scaling
        return scaling.values(scaling.answered(answers.double(), self.levels[places - self.horizon]))


class Question(NamedTuple):
    """What is asked of a network about a series, by its name; the series itself may be gone meanwhile."""

    series: str = "mackey_glass"
    horizon: int = 1
    log: bool = False
    difference: bool = False
    fold: int = 1
    folds: int = 1

    @property
    def view(self) -> View:
        """ValueError where the series is not there, or has no such fold."""
        return View(known(self.series).fold(self.fold, self.folds), self.horizon, self.log, self.difference)


@once
def _levels(series: Series, log: bool) -> Tensor:
    if log:
        series.check_positive()
    values = torch.tensor(series.values, dtype=torch.float64)
    return values.log() if log else values


@once
def _scaling(series: Series, horizon: int, log: bool, difference: bool) -> Scaling:
    if not (log or difference):
        return Scaling(series.mean, series.scale)
    levels = _levels(series, log)
    mean, scale = moments(levels[: series.train_end][_there(series)[: series.train_end]].tolist())
    if not difference:
        return Scaling(mean, scale, log)
    (each, spread), ahead = (_checked(series, levels, steps, ROUNDING * scale) for steps in (1, horizon))
    return Scaling(each, spread, log, ahead)


def _checked(series: Series, levels: Tensor, steps: int, least: float) -> tuple[float, float]:
    """Mean and standard deviation of the changes over so many steps; ValueError for one of at most `least`."""
    found = moments(changes) if (changes := _changes(series, levels, steps)) else (0.0, 0.0)
    if not found[1] > least:
        over = "" if steps == 1 else f" over {steps:,} steps"
        raise ValueError(
            f"difference: column {series.label[:40]!r}: its changes{over}, in its first {series.train_end:,} values, "
            "are all the same"
        )
    return found


def _changes(series: Series, levels: Tensor, steps: int) -> Sequence[float]:
    """Over so many steps in the part to train on, between what is known."""
    there = _there(series)[: series.train_end]
    both = there[steps:] & there[: len(there) - steps]
    part = levels[: series.train_end]
    changes: list[float] = (part[steps:] - part[: len(part) - steps])[both].tolist()
    return changes


def _there(series: Series) -> Tensor:
    return torch.tensor(series.known or [True] * len(series.values))


@once
def _inputs(series: Series, horizon: int, log: bool, difference: bool) -> Tensor:
    own = series.scaled
    if log or difference:
        own = _scaling(series, horizon, log, difference).read(_levels(series, log))
    if not series.beside:
        return own[:, None]
    return torch.stack([own, *(one.scaled(series.train_end) for one in series.beside)], 1)
