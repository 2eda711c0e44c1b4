"""How often is each task solved, by which variant, and how surely? A table in Markdown."""

from collections.abc import Collection, Iterable, Iterator, Mapping

from lstm_core.history.database import Outcome
from lstm_core.race.runs import FAILED
from lstm_core.sweep.grid import Group
from lstm_core.sweep.scores import score


def report(groups: Iterable[Group], outcomes: Mapping[str, Outcome], left_out: Collection[str] = ()) -> Iterator[str]:
    """
    One row a group: how many of its finished runs have solved the task, and after how many steps.

    `outcomes` is by the keys of experiments; runs that are not there, or have failed, are not counted but told, and
    those that are `left_out` are named.
    """
    yield "| task | variant | solved | 95 % interval | median steps to solve | median final loss | missing | failed |"
    yield "|---|---|---|---|---|---|---|---|"
    for group in groups:
        there = [outcomes[experiment.key] for experiment in group.experiments if experiment.key in outcomes]
        absent = len(group.experiments) - len(there)
        failed = sum(outcome.ended == FAILED for outcome in there)
        cells = [group.task, group.variant.replace("|", "\\|"), *_shares(there), f"{absent}", f"{failed}"]
        yield f"| {' | '.join(cells)} |"
    if left_out:
        yield from ("", "Damaged runs, which are left out:", "", *(f"- {run}" for run in sorted(left_out)))


def _shares(outcomes: Iterable[Outcome]) -> list[str]:
    summary = score(outcomes)
    if summary is None:
        return ["", "", "", ""]
    return [
        f"{summary.solved} of {summary.runs}",
        f"{100 * summary.low:.0f} to {100 * summary.high:.0f} %",
        "" if summary.median_steps is None else f"{summary.median_steps:g}",
        f"{summary.median_loss:.3g}",
    ]
