"""Grids from the command line: their experiments trained once, or how often each variant solved its task."""

import argparse
import json
import sys
import time
from collections.abc import Iterable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from lstm_core.commands.telling import INTERRUPTED, UNAVAILABLE, as_line, print_lines, tell_run
from lstm_core.history.database import outcomes
from lstm_core.history.opening import History, UnavailableError, open_history
from lstm_core.installation import APP
from lstm_core.race.runs import FAILED
from lstm_core.sweep.grid import Group, read_grid
from lstm_core.sweep.pools import CLUSTER_IN_FLIGHT, cluster, processes
from lstm_core.sweep.report import report
from lstm_core.sweep.report import rows as groups_in_rows
from lstm_core.sweep.sweep import compile_kernels, plan, sweep


def _sweep(groups: Iterable[Group], history: History, workers: int, scheduler: str | None, retry_failed: bool) -> int:
    """Train what is not in the history; one line sums up, after Ctrl-C or SIGTERM as well."""
    started, status, ran = time.perf_counter(), 0, 0
    experiments = (experiment for group in groups for experiment in group.experiments)
    left, known, failures = plan(experiments, outcomes(history), retry_failed)
    total = len(left) + known + failures
    pool = partial(cluster, scheduler) if scheduler else partial(processes, min(workers, len(left)))
    # The second half waits in the pool, so that no worker waits for this process.
    in_flight = CLUSTER_IN_FLIGHT if scheduler else 2 * workers
    try:
        if not scheduler:
            compile_kernels(left)
        progress = tqdm(total=total, initial=known + failures, unit="run", disable=None)
        with progress, closing(sweep(left, history, pool, in_flight, retry_failed=retry_failed)) as swept:
            for record, here in swept:
                ended = record.ended != FAILED
                tell_run(record)
                ran, known, failures = ran + (ended and here), known + (ended and not here), failures + (not ended)
                progress.update()
    except KeyboardInterrupt:
        status = INTERRUPTED
    counts = {"ran": ran, "found": known, "failed": failures, "left": total - ran - known - failures}
    print(json.dumps({"done": not status, **counts, "seconds": round(time.perf_counter() - started, 2)}), flush=True)
    return status


def check_workers(parser: argparse.ArgumentParser, workers: int) -> None:
    if workers < 1:
        parser.error(f"workers: {workers} is not a whole number of at least 1")


def grid(parser: argparse.ArgumentParser, command: str, grid: Path, history: str | None, **options: Any) -> int:
    check_workers(parser, options.get("workers", 1))
    as_json = options.pop("json", False)
    try:
        groups = read_grid((grid if grid.exists() else APP / grid).read_text())
    except (ValueError, OSError) as error:
        parser.error(f"{grid}: {getattr(error, 'strerror', None) or error}")
    try:
        kept = open_history(history)
        if command == "sweep":
            return _sweep(groups, kept, **options)
        left_out = set[str]()
        known = outcomes(kept, left_out=left_out)
    except (UnavailableError, OSError, ImportError) as error:
        parser.exit(UNAVAILABLE, f"{parser.prog}: {error}\n")
    if not as_json:
        return print_lines(report(groups, known, left_out))
    for run in sorted(left_out):
        print(f"damaged, and left out: {run}", file=sys.stderr)
    return print_lines(as_line(row.to_dict()) for row in groups_in_rows(groups, known))
