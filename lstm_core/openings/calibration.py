"""Does every opening race, and every race to start from, show what its page says, whatever the seed?"""

import datetime
import platform
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from typing import Any, NamedTuple

import torch
from tqdm import tqdm

from lstm_core.openings.presets import OPENINGS, Opening, Results
from lstm_core.openings.record import Held, record
from lstm_core.openings.starts import STARTS, Start
from lstm_core.race.runs import weights_every
from lstm_core.training.snapshot import SOLVED, Snapshot, plain
from lstm_core.training.train import train

SEEDS = (0, 1, 2, 3, 4)
RACES: dict[str, Opening | Start] = {**OPENINGS, **{start.key: start for start in STARTS}}


class End(NamedTuple):
    """Of a racer: the step at which it solved its task, None if it did not, and the mean of the last 20 losses."""

    solved: int | None
    mean_loss: float


# Whether the claim of a race held for a seed, and how its racers ended, by label.
Verdict = tuple[bool, dict[str, End]]
Verdicts = Mapping[str, Sequence[Verdict]]


def run(name: str, seed: int) -> Results:
    """All snapshots of a row of `RACES`, by racer, with weights where the page has them."""
    return {
        label: list(train(experiment, weights_every=weights_every(experiment.steps)))
        for label, experiment in RACES[name].experiments(seed).items()
    }


def _end(snapshots: Sequence[Snapshot]) -> End:
    last = snapshots[-1]
    return End(last.step if last.ended == SOLVED else None, last.mean_loss)


def _verdict(name: str, seed: int) -> Verdict:
    results = run(name, seed)
    return RACES[name].holds(results), {label: _end(snapshots) for label, snapshots in results.items()}


def verdicts(executor: Executor, seeds: Sequence[int] = SEEDS) -> Verdicts:
    """Of each row of `RACES`, one for each seed; it trains them all."""
    jobs = [(name, seed) for name in RACES for seed in seeds]
    results = executor.map(_verdict, *zip(*jobs, strict=True))
    found = dict(zip(jobs, tqdm(results, total=len(jobs), disable=None), strict=True))
    return {name: [found[name, seed] for seed in seeds] for name in RACES}


def rows(found: Verdicts) -> Iterator[dict[str, Any]]:
    """One a race, for JSON: for which seeds, from 0 on, its claim held, and how each racer ended."""
    for name, columns in found.items():
        racers = {label: [plain(ends[label]._asdict()) for _, ends in columns] for label in columns[0][1]}
        claim = RACES[name].claim
        yield {"race": name, "claim": claim, "held": [held for held, _ in columns], "racers": racers}


def report(found: Verdicts, seeds: Sequence[int] = SEEDS) -> Iterator[str]:
    """A table in Markdown for each race: how every racer ended for every seed, and whether its claim held."""
    yield "# Opening races, and races to start from"
    yield ""
    yield "Bold: the step at which the task was solved. Otherwise: the mean loss of the last 20 steps."
    yield f"Made by `python -m lstm_core openings` on {_today()}, {platform.machine()}, torch {torch.__version__}."
    for name, columns in found.items():
        yield ""
        yield f"## {name}"
        yield ""
        yield f"{RACES[name].claim} Held for {sum(held for held, _ in columns)} of {len(seeds)} seeds."
        yield ""
        yield f"| racer | {' | '.join(f'seed {seed}' for seed in seeds)} |"
        yield f"|---|{'---|' * len(seeds)}"
        for label in columns[0][1]:
            yield f"| {label} | {' | '.join(_told(ends[label]) for _, ends in columns)} |"
        yield f"| claim held | {' | '.join('yes' if held else 'no' for held, _ in columns)} |"


def _told(end: End) -> str:
    return f"{end.mean_loss:.4g}" if end.solved is None else f"**{end.solved}**"


def keep(found: Verdicts, seeds: Sequence[int] = SEEDS) -> None:
    """Write for how many seeds each claim held, and of which experiments, in place of what was recorded."""
    record(
        Held(
            name,
            sum(held for held, _ in columns),
            len(seeds),
            _today(),
            {label: experiment.key for label, experiment in RACES[name].experiments(seeds[0]).items()},
        )
        for name, columns in found.items()
    )


def _today() -> str:
    return datetime.datetime.now(tz=datetime.UTC).date().isoformat()
