"""Does every opening race show what its page says, whatever the seed?"""

import datetime
import platform
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor

import torch
from tqdm import tqdm

from lstm_core.openings.presets import OPENINGS, Results
from lstm_core.race.runs import weights_every
from lstm_core.training import SOLVED, Snapshot, train

SEEDS = (0, 1, 2, 3, 4)


def run(page: str, seed: int) -> Results:
    """All snapshots of a page's opening race, by racer, with weights where the page has them."""
    return {
        label: list(train(experiment, weights_every=weights_every(experiment.steps)))
        for label, experiment in OPENINGS[page].experiments(seed).items()
    }


def _outcome(snapshots: Sequence[Snapshot]) -> str:
    last = snapshots[-1]
    return f"**{last.step}**" if last.ended == SOLVED else f"{last.mean_loss:.4g}"


def _verdict(page: str, seed: int) -> tuple[bool, dict[str, str]]:
    results = run(page, seed)
    return OPENINGS[page].holds(results), {label: _outcome(snapshots) for label, snapshots in results.items()}


def report(executor: Executor, seeds: Sequence[int] = SEEDS) -> Iterator[str]:
    """A table in Markdown for each page: how every racer ended for every seed, and whether the page's claim held."""
    yield "# Opening races"
    yield ""
    yield "Bold: the step at which the task was solved. Otherwise: the mean loss of the last 20 steps."
    today = datetime.datetime.now(tz=datetime.UTC).date()
    yield f"Made by `python -m lstm_core openings` on {today}, {platform.machine()}, torch {torch.__version__}."
    jobs = [(page, seed) for page in OPENINGS for seed in seeds]
    results = executor.map(_verdict, *zip(*jobs, strict=True))
    verdicts = dict(zip(jobs, tqdm(results, total=len(jobs), disable=None), strict=True))
    for page, opening in OPENINGS.items():
        columns = [verdicts[page, seed] for seed in seeds]
        yield ""
        yield f"## {page}"
        yield ""
        yield f"{opening.claim} Held for {sum(held for held, _ in columns)} of {len(seeds)} seeds."
        yield ""
        yield f"| racer | {' | '.join(f'seed {seed}' for seed in seeds)} |"
        yield f"|---|{'---|' * len(seeds)}"
        for label in opening.racers:
            yield f"| {label} | {' | '.join(outcomes[label] for _, outcomes in columns)} |"
        yield f"| claim held | {' | '.join('yes' if held else 'no' for held, _ in columns)} |"
