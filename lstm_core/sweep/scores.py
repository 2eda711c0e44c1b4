"""How often do runs that differ in their seeds alone solve their task, how surely, and how soon?"""

import math
import statistics
from collections.abc import Iterable
from typing import Any, NamedTuple

import pyarrow as pa

from lstm_core.history.database import Outcome
from lstm_core.history.schema import FIELDS, RENAMED
from lstm_core.measurements.intervals import wilson
from lstm_core.race.runs import FAILED
from lstm_core.training.snapshot import SOLVED

SEED = "seed"


class Score(NamedTuple):
    """
    Of runs that have finished: how many, how many have solved the task, the 95 % interval of that share, the median of
    the steps to solve among those that did, None if none did, and the median of the final losses.
    """

    runs: int
    solved: int
    low: float
    high: float
    median_steps: float | None
    median_loss: float


def score(outcomes: Iterable[Outcome]) -> Score | None:
    """Of those that have not failed; None if there are none."""
    finished = [outcome for outcome in outcomes if outcome.ended != FAILED]
    if not finished:
        return None
    steps = [outcome.last_step for outcome in finished if outcome.ended == SOLVED]
    # A loss that is not a number is worse than any other.
    losses = [math.inf if math.isnan(outcome.final_mean_loss) else outcome.final_mean_loss for outcome in finished]
    median_steps = float(statistics.median(steps)) if steps else None
    low, high = wilson(len(steps), len(finished))
    return Score(len(finished), len(steps), low, high, median_steps, statistics.median(losses))


class Setting(NamedTuple):
    """Runs that differ in their seeds alone: what tells them from the others, by field; their keys; their score."""

    fields: dict[str, Any]
    keys: tuple[str, ...]
    failed: int
    score: Score | None

    @property
    def label(self) -> str:
        """In a line, in which what is switched off goes unsaid, unless there is nothing else to say."""
        on = {name: value for name, value in self.fields.items() if value is not False}
        return ", ".join(_told(name, value) for name, value in (on or self.fields).items()) or "all the same"


def _told(name: str, value: Any) -> str:
    plain = name.replace("_", " ")
    if isinstance(value, bool):
        return plain if value else f"not {plain}"
    said = "none" if value in (None, "") else f"{value:g}" if isinstance(value, float) else str(value)
    return f"{plain} {said}"


def differing(listed: pa.Table) -> dict[str, list[Any]]:
    """The fields of an experiment, but for the seed, that have several values among these runs, and the values."""
    names = [RENAMED.get(name, name) for name in FIELDS if name != SEED]
    values = {name: listed.column(name).unique().to_pylist() for name in names}
    return {name: sorted(those, key=str) for name, those in values.items() if len(those) > 1}


def ranked(listed: pa.Table) -> list[Setting]:
    """
    The settings among these rows of `history.runs`, those first that solve their task most often, then soonest, then
    with the least loss. A run that two engines have computed counts once.
    """
    fields = list(differing(listed))
    columns = [listed.column(name).to_pylist() for name in ("key", "ended", "last_step", "final_mean_loss", *fields)]
    settings: dict[tuple[Any, ...], dict[str, Outcome]] = {}
    for key, ended, last_step, loss, *values in zip(*columns, strict=True):
        members = settings.setdefault(tuple(values), {})
        if key not in members or members[key].ended == FAILED:
            members[key] = Outcome(ended, last_step, loss)
    scored = [_setting(dict(zip(fields, values, strict=True)), members) for values, members in settings.items()]
    return sorted(scored, key=_rank)


def _setting(fields: dict[str, Any], members: dict[str, Outcome]) -> Setting:
    failed = sum(outcome.ended == FAILED for outcome in members.values())
    return Setting(fields, tuple(members), failed, score(members.values()))


def _rank(setting: Setting) -> tuple[float, ...]:
    if setting.score is None:
        return (1.0,)
    runs, solved, _, _, steps, loss = setting.score
    return (-solved / runs, math.inf if steps is None else steps, loss)
