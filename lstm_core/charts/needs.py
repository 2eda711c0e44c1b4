"""What does a chart need to have measured? A measurement, of which networks, at which of their training steps."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from lstm_core.charts.points import Curve
from lstm_core.measurements.checkpoints import Checkpoint, measurable

Result = TypeVar("Result")


@dataclass(frozen=True)
class Need(Generic[Result]):
    """
    `what` is to be measured of the curves for which `of` is true, at the training steps that `at` chooses of a curve's;
    of a ghost nothing is.
    """

    what: Callable[[Checkpoint], Result]
    of: Callable[[Curve], bool]
    at: Callable[[Curve], Sequence[int]]

    def wanted(self, curve: Curve) -> Sequence[int]:
        """The training steps at which it is to be measured."""
        return self.at(curve) if not curve.ghost and self.of(curve) else ()

    def found(self, curves: Iterable[Curve]) -> Iterator[tuple[Curve, int, Result]]:
        """What there is of it: for a step that is not measured yet, what was measured before, if anything was."""
        for curve in curves:
            measured = [step for step in curve.steps if _there(curve.measured.get((self.what, step)))]
            before = ([step for step in measured if step <= wanted][-1:] for wanted in self.wanted(curve))
            for step in dict.fromkeys(step for steps in before for step in steps):
                yield curve, step, curve.measured[self.what, step]


def _there(result: object) -> bool:
    return result is not None and not isinstance(result, Exception)


def single(curve: Curve) -> bool:
    """Whether it is of a single layer that sees the last of its hidden states alone."""
    return measurable(curve.experiment)


def transforms(curve: Curve) -> bool:
    return single(curve) and curve.experiment.recurrent_cell.row.transforms


def adds(curve: Curve) -> bool:
    return single(curve) and curve.experiment.recurrent_cell.row.adds


def begun(curve: Curve) -> bool:
    """Whether it has shown a training step."""
    return bool(curve.snapshots)


def every(curve: Curve) -> Sequence[int]:
    return curve.steps


def first(curve: Curve) -> Sequence[int]:
    return curve.steps[:1]


def last(curve: Curve) -> Sequence[int]:
    return curve.steps[-1:]


def missing(curve: Curve, needs: Iterable[Need[Any]]) -> list[tuple[Callable[[Checkpoint], Any], int]]:
    """What is still to be measured of a curve, and at which training steps; what comes out may bring further ones."""
    wanted = ((need.what, step) for need in needs for step in need.wanted(curve))
    return [key for key in dict.fromkeys(wanted) if key not in curve.measured]


def measured(curves: Iterable[Curve], needs: Sequence[Need[Any]]) -> list[Curve]:
    """The same curves with all that is needed, measured now."""
    complete = []
    for curve in curves:
        results = dict(curve.measured)
        curve = dataclasses.replace(curve, measured=results)
        while keys := missing(curve, needs):
            results |= {(what, step): what(curve.checkpoint(step)) for what, step in keys}
        complete.append(curve)
    return complete
