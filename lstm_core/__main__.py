"""The command line: `python -m lstm_core train --task adding --length 50 ...`"""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from tqdm import tqdm

from lstm_core import options
from lstm_core.bench import bench, side_by_side
from lstm_core.borrowed.system import end_as_by_ctrl_c, settle_process
from lstm_core.charts.points import Curve
from lstm_core.claims import CLAIMS, ROWS, Claim
from lstm_core.claims.testing import UnderTest, judged
from lstm_core.claims.verdicts import Judgement, record, recorded
from lstm_core.engine import FUSED, resolve
from lstm_core.experiment import Experiment
from lstm_core.export.archive import archive
from lstm_core.history.database import outcomes, records, with_weights
from lstm_core.history.opening import History, UnavailableError, open_history
from lstm_core.history.records import Record
from lstm_core.kernels.compilation import PRECISIONS, compile_all
from lstm_core.kernels.pieces import all_pieces, build
from lstm_core.kernels.processors import LEVELS, level, own
from lstm_core.kernels.store import SHIPPED
from lstm_core.openings import calibration
from lstm_core.race.runs import FAILED
from lstm_core.reading.column import Choices, shape
from lstm_core.reading.column import column as series_column
from lstm_core.reading.numbers import AmbiguousError
from lstm_core.reading.table import MOST_BYTES, opened
from lstm_core.streams import Purpose
from lstm_core.sweep.grid import Group, read_grid
from lstm_core.sweep.pools import CLUSTER_IN_FLIGHT, cluster, processes
from lstm_core.sweep.report import report
from lstm_core.sweep.sweep import Swept, compile_kernels, plan, sweep
from lstm_core.tasks.series import FILLED, Series, register
from lstm_core.training.snapshot import Snapshot
from lstm_core.training.train import train

DIFFERS, UNAVAILABLE, INTERRUPTED = 1, 1, 130


def _own_series(task: str, path: Path | None, named: dict[str, Any]) -> Series | None:
    """
    The series of a file, by what is `named` of it, known for as long as it is held; None without a file. ValueError for
    what does not fit.
    """
    if path is None:
        for option, value in named.items():
            if value is not None:
                raise ValueError(f"{option}: {value!r} needs the --csv that it is of")
        return None
    if task != "forecast":
        raise ValueError(f"csv: {path} is for --task forecast alone")
    name, times = named["column"], named["times"]
    try:
        with path.open("rb") as stream:
            table = opened(stream.read(MOST_BYTES + 1))
        if name is None:
            raise ValueError(f"say which --column, one of {', '.join(table.names)[:200]}")
        read = series_column(table, name, times, Choices(named["decimal"], named["dates"]))
        gaps = named["gaps"] or FILLED
        own = register(Series(name, read.values, named["season"] or 0, read.times, read.known, gaps))
    except AmbiguousError as doubt:
        option, choices = doubt.doubt
        raise ValueError(f"csv: {path}: {doubt}: --{option} {' or '.join(choices)}") from None
    except (ValueError, OSError) as error:
        raise ValueError(f"csv: {path}: {getattr(error, 'strerror', None) or error}") from None
    print(f"{path}: {len(own.values):,} values. {shape(table)} {read.report}", file=sys.stderr)
    for row, stamp, cell, value in read.rows:
        print(f"{path}: row {row}: {stamp!r} {cell!r} = {value}", file=sys.stderr)
    return own


def _train(experiment: Experiment, record_every: int) -> int:
    """Print the snapshots as they come and a last line that sums up; Ctrl-C ends it early, with the same last line."""
    _tell_of_compilation(experiment)
    started, status, reason = time.perf_counter(), 0, "interrupted"
    last: Snapshot | None = None
    try:
        resolve(experiment.engine, experiment.dtype, cell=experiment.recurrent_cell)
        started = time.perf_counter()
        with tqdm(total=experiment.steps, unit="step", disable=sys.stdout.isatty() or None) as progress:
            for snapshot in train(experiment, record_every):
                line = json.dumps(snapshot.to_dict())
                # Before it is printed: whoever has read it may interrupt at once.
                last = snapshot
                print(line, flush=True)
                progress.update(last.step - progress.n)
        reason = last.ended if last and last.ended else reason
    except KeyboardInterrupt:
        status = INTERRUPTED
    print(json.dumps(_summary(last, reason, time.perf_counter() - started)), flush=True)
    return status


def _tell_of_compilation(experiment: Experiment) -> None:
    if experiment.engine == FUSED and not build(experiment.precision, experiment.recurrent_cell).done.done():
        print("compiling the kernels, once on this machine; --engine auto would not wait", file=sys.stderr)


def _export(parser: argparse.ArgumentParser, experiment: Experiment, record_every: int, out: Path | None) -> int:
    """Train, and write all of it to a ZIP; after Ctrl-C, what there is so far. One line sums up."""
    file = out or Path(f"{experiment.task}-{experiment.cell}-{experiment.key}.zip")
    if not file.parent.is_dir() or file.is_dir():
        parser.error(f"out: {str(file)!r} is not a file in a folder that is there")
    _tell_of_compilation(experiment)
    status, snapshots = 0, list[Snapshot]()
    try:
        with tqdm(total=experiment.steps, unit="step", disable=None) as progress:
            for snapshot in train(experiment, record_every, weights_every=experiment.steps):
                snapshots.append(snapshot)
                progress.update(snapshot.step - progress.n)
    except KeyboardInterrupt:
        status = INTERRUPTED
    label = experiment.recurrent_cell.row.title or experiment.recurrent_cell.row.label
    try:
        file.write_bytes(archive([Curve(label, experiment, snapshots)]))
    except OSError as error:
        parser.exit(UNAVAILABLE, f"{parser.prog}: out: {file}: {error.strerror}\n")
    last = snapshots[-1] if snapshots else None
    reason = (last.ended if last else None) or "interrupted"
    print(json.dumps({"done": True, "reason": reason, "steps": last.step if last else 0, "file": str(file)}))
    return status


def _summary(last: Snapshot | None, reason: str, seconds: float) -> dict[str, Any]:
    row: dict[str, Any] = last.to_dict() if last else {"step": 0, "loss": None, "mean_loss": None, "engine": None}
    return {
        "done": True,
        "reason": reason,
        "steps": row["step"],
        "final_loss": row["loss"],
        "final_mean_loss": row["mean_loss"],
        "engine": row["engine"],
        "steps_per_second": round(row["step"] / seconds, 2),
    }


def _print(lines: Iterable[str]) -> int:
    for line in lines:
        print(line, flush=True)
    return 0


def _openings(recording: bool) -> int:
    """Train every race that a page begins with or offers, and tell for which seeds its claim held."""
    for precision in PRECISIONS:
        build(precision).done.exception()
    with ProcessPoolExecutor() as executor:
        found = calibration.verdicts(executor)
    if recording:
        calibration.keep(found)
    return _print(calibration.report(found))


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
                ran, known, failures = ran + (ended and here), known + (ended and not here), failures + (not ended)
                progress.update()
    except KeyboardInterrupt:
        status = INTERRUPTED
    counts = {"ran": ran, "found": known, "failed": failures, "left": total - ran - known - failures}
    print(json.dumps({"done": not status, **counts, "seconds": round(time.perf_counter() - started, 2)}), flush=True)
    return status


def _claims(claims: Sequence[Claim], history: History, workers: int, seeds: int, recording: bool) -> int:
    """Train what is not in the history, and judge; after Ctrl-C what was judged so far is told and recorded, too."""
    tests = [UnderTest(claim, range(seeds)) for claim in claims]
    experiments = {key: experiment for test in tests for key, experiment in test.experiments.items()}
    whole = {record.experiment.key for record in records(history, experiments)}
    ended = {key: outcome for key, outcome in outcomes(history, experiments).items() if key in whole}
    left, known, failures = plan(experiments.values(), ended, weighed=with_weights(history))
    done: list[Judgement] = []
    status = 0
    try:
        compile_kernels(left)
        progress = tqdm(total=len(left) + known + failures, initial=known + failures, unit="run", disable=None)
        runs = sweep(left, history, partial(processes, max(1, min(workers, len(left)))), 2 * workers, weights=True)
        with progress, closing(runs):
            for judgement in judged(tests, history, left, _counted(runs, progress)):
                done.append(judgement)
                row = judgement.to_dict()
                before = recorded().get(judgement.claim.name, {}).get("verdict")
                print(json.dumps({**row, "recorded": before}, ensure_ascii=False), flush=True)
                status = status or DIFFERS * (judgement.verdict != before and not recording)
    except KeyboardInterrupt:
        status = INTERRUPTED
    if recording:
        record(done, list(ROWS))
    return status


def _counted(runs: Iterable[Swept], progress: "tqdm[Any]") -> Iterator[Record]:
    for run in runs:
        progress.update()
        yield run.record


def _on_claims(parser: argparse.ArgumentParser, names: list[str], history: str | None, **options: Any) -> int:
    _check_workers(parser, options["workers"])
    for name in names:
        if name not in ROWS:
            parser.error(f"name: {name!r} is not one of {', '.join(ROWS)}")
    if options["seeds"] < 2:
        parser.error(f"seeds: {options['seeds']} is not a whole number of at least 2")
    try:
        chosen = [ROWS[name] for name in dict.fromkeys(names)] or list(CLAIMS)
        return _claims(chosen, open_history(history), options["workers"], options["seeds"], options["record"])
    except (UnavailableError, OSError) as error:
        parser.exit(UNAVAILABLE, f"{parser.prog}: {error}\n")


def _compile(parser: argparse.ArgumentParser, processors: Sequence[str]) -> int:
    """All kernels, for levels of processors into this installation, or for this machine into its cache."""
    for name in processors:
        if name not in LEVELS:
            parser.error(f"processor: {name!r} is not one of {', '.join(LEVELS)}")
    try:
        for name in processors:
            compile_all(level(name), all_pieces(), SHIPPED)
        if not processors:
            compile_all(own(), all_pieces(), None)
    except (OSError, EOFError, RuntimeError) as error:
        parser.exit(UNAVAILABLE, f"{parser.prog}: {error}\n")
    return 0


def _check_workers(parser: argparse.ArgumentParser, workers: int) -> None:
    if workers < 1:
        parser.error(f"workers: {workers} is not a whole number of at least 1")


def _on_grid(parser: argparse.ArgumentParser, command: str, grid: Path, history: str | None, **options: Any) -> int:
    _check_workers(parser, options.get("workers", 1))
    try:
        groups = read_grid(grid.read_text())
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
    return _print(report(groups, known, left_out))


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run one command; the exit status is 0, 2 for refused input, 130 after Ctrl-C, 1 for what is out of reach or for a
    verdict that is not the recorded one.
    """
    settle_process()
    parser, arguments = options.parser(), sys.argv[1:] if arguments is None else arguments
    options.check_address(parser, arguments)
    values = vars(parser.parse_args(arguments))
    match command := values.pop("command"):
        case "openings":
            return _openings(values["record"])
        case "bench":
            before = values["before"]
            return _print(side_by_side.table(before) if before else chain(bench.report(), side_by_side.table()))
        case "compile":
            return _compile(parser, **values)
        case "sweep" | "report":
            return _on_grid(parser, command, **values)
        case "claims":
            return _on_claims(parser, **values)
    record_every = values.pop("record_every")
    if record_every < 1:
        parser.error(f"record_every: {record_every} is not a whole number of at least 1")
    out = values.pop("out", None)
    file, named = values.pop("csv"), {name: values.pop(name) for name in options.OF_A_FILE}
    try:
        own = _own_series(values["task"], file, named)
        experiment = Experiment(**{**values, **({"series": own.name} if own else {})})
        experiment.stream_for(Purpose.DATA)
    except ValueError as error:
        parser.error(str(error))
    try:
        if command == "export":
            return _export(parser, experiment, record_every, out)
        return _train(experiment, record_every)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    end_as_by_ctrl_c()
    sys.exit(main())
