"""How often is each task solved, by which variant, and how surely? A table in Markdown."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from lstm_core.history.database import Outcome
from lstm_core.race.runs import FAILED
from lstm_core.sweep.grid import Group
from lstm_core.sweep.scores import Score, score
from lstm_core.training.snapshot import plain


class Row(NamedTuple):
    """Of a group: the score of its finished runs, None if there are none, how many are not there, and have failed."""

    task: str
    variant: str
    score: Score | None
    missing: int
    failed: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; without a score, its numbers are None."""
        numbers = self.score._asdict() if self.score else dict.fromkeys(Score._fields)
        counts = {"missing": self.missing, "failed": self.failed}
        return {"task": self.task, "variant": self.variant, **plain(numbers), **counts}


def rows(groups: Iterable[Group], outcomes: Mapping[str, Outcome]) -> Iterator[Row]:
    """One a group, of `outcomes` by the keys of experiments."""
    for group in groups:
        there = [outcomes[experiment.key] for experiment in group.experiments if experiment.key in outcomes]
        failed = sum(outcome.ended == FAILED for outcome in there)
        yield Row(group.task, group.variant, score(there), len(group.experiments) - len(there), failed)


def report(groups: Iterable[Group], outcomes: Mapping[str, Outcome], left_out: Collection[str] = ()) -> Iterator[str]:
    """
    One row a group: how many of its finished runs have solved the task, and after how many steps.

    `outcomes` is by the keys of experiments; runs that are not there, or have failed, are not counted but told, and
    those that are `left_out` are named.
    """
    yield "| task | variant | solved | 95 % interval | median steps to solve | median final loss | missing | failed |"
    yield "|---|---|---|---|---|---|---|---|"
    for row in rows(groups, outcomes):
        cells = [row.task, row.variant.replace("|", "\\|"), *_shares(row.score), f"{row.missing}", f"{row.failed}"]
        yield f"| {' | '.join(cells)} |"
    if left_out:
        yield from ("", "Damaged runs, which are left out:", "", *(f"- {run}" for run in sorted(left_out)))


def _shares(summary: Score | None) -> list[str]:
    if summary is None:
        return ["", "", "", ""]
    return [
        f"{summary.solved} of {summary.runs}",
        f"{100 * summary.low:.0f} to {100 * summary.high:.0f} %",
        "" if summary.median_steps is None else f"{summary.median_steps:g}",
        f"{summary.median_loss:.3g}",
    ]
