"""Can these numbers of a column be learned? Every refusal names the column, and the value where there is one."""

import statistics
from collections.abc import Sequence

from lstm_core.reading.numbers import LARGEST
from lstm_core.tasks.scaling import moments

# Farther from the median than three of four values are, so many times: a mark for a missing value, not one.
FARTHEST = 1e6


def check_numbers(label: str, values: Sequence[float]) -> None:
    """ValueError for a value that is not finite, or out of all bounds."""
    for place, value in enumerate(values):
        if not abs(value) <= LARGEST:
            raise ValueError(f"column {label[:40]!r}: {value!r}, value {place + 1}, is not a number up to {LARGEST:g}")


def check_marks(label: str, values: Sequence[float]) -> None:
    """ValueError for a value so far from all others that it can only mean that there is none."""
    middle = statistics.median(values)
    far = [abs(value - middle) for value in values]
    usual = sorted(far)[3 * len(far) // 4]
    place = max(range(len(far)), key=far.__getitem__)
    if usual > 0 and far[place] > FARTHEST * usual:
        raise ValueError(
            f"column {label[:40]!r}: {values[place]:g}, value {place + 1:,}, is too far from all others; "
            "if it marks a missing value, leave its cell empty"
        )


def check_changes(label: str, learned: Sequence[float], train_end: int) -> None:
    """ValueError where the first part, or what is known of it, has no scale."""
    if not learned or not moments(learned)[1] > 1e-12 * max(map(abs, learned)):
        raise ValueError(
            f"column {label[:40]!r}: its first {train_end:,} values, which are to be learned, do not change"
        )
