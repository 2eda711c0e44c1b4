"""Claims from the command line: put to the test, judged, and recorded."""

import argparse
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from typing import Any

from tqdm import tqdm

from lstm_core.claims import CLAIMS, ROWS, Claim
from lstm_core.claims.evidence import UNDECIDED, more
from lstm_core.claims.provenance import committed
from lstm_core.claims.testing import UnderTest, judged
from lstm_core.claims.verdicts import Judgement, check_recorded, record, record_beside, recorded
from lstm_core.commands.sweeping import check_workers
from lstm_core.commands.telling import DIFFERS, INTERRUPTED, UNAVAILABLE, as_line, tell_run
from lstm_core.history.database import outcomes, records, with_weights
from lstm_core.history.opening import History, UnavailableError, open_history
from lstm_core.history.records import Record
from lstm_core.sweep.pools import processes
from lstm_core.sweep.sweep import Swept, compile_kernels, plan, sweep

LAST_FIRST_SEED = 2**31
# From claims, numbers of seeds by name and the first seed to what came out.
Training = Callable[[Sequence[Claim], Mapping[str, int], int], Iterator[Judgement]]


def _claims(claims: Sequence[Claim], trained: Training, seeds: int | None, first: int) -> Iterator[Judgement]:
    """What comes out of each; with more seeds, after all others, where the planned ones leave it open."""
    left_open = []
    planned = {claim.name: seeds or claim.seeds for claim in claims}
    for judgement in trained(claims, planned, first):
        if judgement.verdict == UNDECIDED:
            left_open.append(judgement.claim)
        else:
            yield judgement
    if left_open:
        yield from trained(left_open, {name: more(number) for name, number in planned.items()}, first)


def _judged(
    history: History, workers: int, claims: Sequence[Claim], seeds: Mapping[str, int], first: int
) -> Iterator[Judgement]:
    """Train what is not in the history, and judge."""
    tests = [UnderTest(claim, range(first, first + seeds[claim.name])) for claim in claims]
    experiments = {key: experiment for test in tests for key, experiment in test.experiments.items()}
    whole = {record.experiment.key for record in records(history, experiments)}
    ended = {key: outcome for key, outcome in outcomes(history, experiments).items() if key in whole}
    left, known, failures = plan(experiments.values(), ended, weighed=with_weights(history))
    compile_kernels(left)
    progress = tqdm(total=len(left) + known + failures, initial=known + failures, unit="run", disable=None)
    runs = sweep(left, history, partial(processes, max(1, min(workers, len(left)))), 2 * workers, weights=True)
    with progress, closing(runs):
        yield from judged(tests, history, left, _counted(runs, progress))


def _say(judgements: Iterator[Judgement], keep: Callable[[list[Judgement]], None] | None) -> int:
    """A line for each; after Ctrl-C what was judged so far is told and kept, too."""
    done: list[Judgement] = []
    status = 0
    try:
        for judgement in judgements:
            done.append(judgement)
            before = recorded().get(judgement.claim.name, {}).get("verdict")
            print(as_line({**judgement.to_dict(), "recorded": before}), flush=True)
            status = status or DIFFERS * (judgement.verdict != before and keep is None)
    except KeyboardInterrupt:
        status = INTERRUPTED
    if keep:
        keep(done)
    return status


def _counted(runs: Iterable[Swept], progress: "tqdm[Any]") -> Iterator[Record]:
    for run in runs:
        progress.update()
        tell_run(run.record)
        yield run.record


def claims(parser: argparse.ArgumentParser, names: list[str], history: str | None, **options: Any) -> int:
    check_workers(parser, options["workers"])
    for name in names:
        if name not in ROWS:
            parser.error(f"name: {name!r} is not one of {', '.join(ROWS)}")
    seeds, first = options["seeds"], options["first_seed"]
    keep: Callable[[list[Judgement]], None] | None = None
    chosen = [ROWS[name] for name in dict.fromkeys(names)] or list(CLAIMS)
    if seeds is not None and seeds < 2:
        parser.error(f"seeds: {seeds} is not a whole number of at least 2")
    if not 0 <= first <= LAST_FIRST_SEED:
        parser.error(f"first_seed: {first} is not a whole number from 0 to {LAST_FIRST_SEED:,}")
    try:
        if options["record"]:
            keep = partial(record, rules=committed())
        elif options["beside"]:
            check_recorded(chosen)
            keep = record_beside
    except ValueError as error:
        parser.error(str(error))
    try:
        trained = partial(_judged, open_history(history), options["workers"])
        return _say(_claims(chosen, trained, seeds, first), keep)
    except (UnavailableError, OSError) as error:
        parser.exit(UNAVAILABLE, f"{parser.prog}: {error}\n")
