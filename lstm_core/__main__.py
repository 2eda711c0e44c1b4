"""The command line: `python -m lstm_core train --task adding --length 50 ...`"""

from lstm_core.borrowed.system import end_as_by_ctrl_c, settle_process

# Before a BLAS is loaded, which then reads its number of threads.
settle_process()

import argparse
import json
import logging
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any

from tqdm import tqdm

from lstm_core import options
from lstm_core.backtest import scored
from lstm_core.backtest.fitted import check_installed
from lstm_core.bench import bench, side_by_side
from lstm_core.charts.points import Curve
from lstm_core.claims import CLAIMS, ROWS, Claim
from lstm_core.claims.evidence import UNDECIDED, more
from lstm_core.claims.provenance import committed
from lstm_core.claims.testing import UnderTest, judged
from lstm_core.claims.verdicts import Judgement, record, record_beside, recorded
from lstm_core.commands.dash import dash
from lstm_core.commands.telling import rows, tell_more
from lstm_core.engine import FUSED, resolve
from lstm_core.experiment import Experiment
from lstm_core.export.archive import archive
from lstm_core.history.database import outcomes, records, with_weights
from lstm_core.history.opening import History, UnavailableError, open_history
from lstm_core.history.records import Record
from lstm_core.installation import APP
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
from lstm_core.sweep.report import rows as groups_in_rows
from lstm_core.sweep.sweep import Swept, compile_kernels, plan, sweep
from lstm_core.tasks.series import FILLED, Beside, Series, register
from lstm_core.training.snapshot import Snapshot
from lstm_core.training.train import train

DIFFERS, UNAVAILABLE, INTERRUPTED = 1, 1, 130
LAST_FIRST_SEED = 2**31
# From claims, numbers of seeds by name and the first seed to what came out.
Training = Callable[[Sequence[Claim], Mapping[str, int], int], Iterator[Judgement]]
_log = logging.getLogger("lstm_core")


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
        others = named["with"] or []
        read = series_column(table, name, times, Choices(named["decimal"], named["dates"]), others)
        beside = tuple(map(Beside, others, read.beside))
        gaps = named["gaps"] or FILLED
        own = register(Series(name, read.values, named["season"] or 0, read.times, read.known, gaps, beside))
    except AmbiguousError as doubt:
        option, choices = doubt.doubt
        raise ValueError(f"csv: {path}: {doubt}: --{option} {' or '.join(choices)}") from None
    except (ValueError, OSError) as error:
        raise ValueError(f"csv: {path}: {getattr(error, 'strerror', None) or error}") from None
    print(f"{path}: {len(own.values):,} values. {shape(table)} {read.report}", file=sys.stderr)
    for row, stamp, cell, value in read.rows:
        print(f"{path}: row {row}: {stamp!r} {cell!r} = {value}", file=sys.stderr)
    return own


def _asked(parser: argparse.ArgumentParser, values: dict[str, Any]) -> tuple[Experiment, Series | None]:
    """What is to be trained, and the series to hold meanwhile; ends where that is refused."""
    file, named = values.pop("csv"), {name: values.pop(name) for name in options.OF_A_FILE}
    try:
        own = _own_series(values["task"], file, named)
        experiment = Experiment(**{**values, **({"series": own.name} if own else {})})
        experiment.stream_for(Purpose.DATA)
    except ValueError as error:
        parser.error(str(error))
    return experiment, own


def _forecast(parser: argparse.ArgumentParser, statistics: bool, values: dict[str, Any]) -> int:
    """Train in every fold and print a table of scores; after Ctrl-C that of the folds before."""
    experiment, _series = _asked(parser, values)
    try:
        if statistics:
            check_installed()
        every = scored.split(experiment)
    except ValueError as error:
        parser.error(str(error))
    status, folds = 0, list[scored.Fold]()
    try:
        folds.extend(scored.tested(one, statistics) for one in tqdm(every, unit="fold", disable=None))
    except KeyboardInterrupt:
        status = INTERRUPTED
    _print(scored.table(folds) if folds else ())
    return status


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


def _openings(recording: bool, as_json: bool) -> int:
    """Train every race that a page begins with or offers, and tell for which seeds its claim held."""
    for precision in PRECISIONS:
        build(precision).done.exception()
    with processes(os.cpu_count() or 1) as executor:
        found = calibration.verdicts(executor)
    if recording:
        calibration.keep(found)
    return _print(map(_line, calibration.rows(found)) if as_json else calibration.report(found))


def _bench(before: Path | None, as_json: bool) -> int:
    lines = side_by_side.table(before) if before else chain(bench.report(), side_by_side.table())
    return _print(rows(lines) if as_json else lines)


def _line(values: dict[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False)


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
                _tell(record)
                ran, known, failures = ran + (ended and here), known + (ended and not here), failures + (not ended)
                progress.update()
    except KeyboardInterrupt:
        status = INTERRUPTED
    counts = {"ran": ran, "found": known, "failed": failures, "left": total - ran - known - failures}
    print(json.dumps({"done": not status, **counts, "seconds": round(time.perf_counter() - started, 2)}), flush=True)
    return status


def _claims(claims: Sequence[Claim], trained: Training, seeds: int | None, first: int) -> Iterator[Judgement]:
    """What comes out of each; with more seeds, after all others, where the planned ones leave it open."""
    left_open = []
    planned = {claim.name: seeds or claim.seeds for claim in claims}
    for judgement in trained(claims, planned, first):
        if judgement.verdict == UNDECIDED:
            left_open.append(judgement.claim)
        else:
            yield judgement
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
            print(_line({**judgement.to_dict(), "recorded": before}), flush=True)
            status = status or DIFFERS * (judgement.verdict != before and keep is None)
    except KeyboardInterrupt:
        status = INTERRUPTED
    if keep:
        keep(done)
    return status


def _counted(runs: Iterable[Swept], progress: "tqdm[Any]") -> Iterator[Record]:
    for run in runs:
        progress.update()
        _tell(run.record)
        yield run.record


def _tell(run: Record) -> None:
    ended = f"{run.ended} after {run.last_step} steps in {run.seconds:.1f} s"
    _log.info("run %s: %s%s", run.experiment.key[:12], ended, f": {run.reason}" if run.reason else "")


def _on_claims(parser: argparse.ArgumentParser, names: list[str], history: str | None, **options: Any) -> int:
    _check_workers(parser, options["workers"])
    for name in names:
        if name not in ROWS:
            parser.error(f"name: {name!r} is not one of {', '.join(ROWS)}")
    seeds, first = options["seeds"], options["first_seed"]
    keep: Callable[[list[Judgement]], None] | None = None
    if seeds is not None and seeds < 2:
        parser.error(f"seeds: {seeds} is not a whole number of at least 2")
    if not 0 <= first <= LAST_FIRST_SEED:
        parser.error(f"first_seed: {first} is not a whole number from 0 to {LAST_FIRST_SEED:,}")
    try:
        if options["record"]:
            keep = partial(record, rules=committed())
        elif options["beside"]:
            keep = record_beside
    except ValueError as error:
        parser.error(str(error))
    try:
        chosen = [ROWS[name] for name in dict.fromkeys(names)] or list(CLAIMS)
        trained = partial(_judged, open_history(history), options["workers"])
        return _say(_claims(chosen, trained, seeds, first), keep)
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
        return _print(report(groups, known, left_out))
    for run in sorted(left_out):
        print(f"damaged, and left out: {run}", file=sys.stderr)
    return _print(_line(row.to_dict()) for row in groups_in_rows(groups, known))


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run one command; the exit status is 0, 2 for refused input, 130 after Ctrl-C, 1 for what is out of reach or wrong,
    or for a verdict that is not the recorded one.
    """
    parser, arguments = options.parser(), sys.argv[1:] if arguments is None else arguments
    options.check_address(parser, arguments)
    values, further = options.parsed_values(parser, arguments)
    if values.pop("verbose"):
        tell_more()
    match command := values.pop("command"):
        case options.DASH:
            dash(further)
        case "doctor":
            # It knows Streamlit, whose secrets may name a history.
            return import_module("lstm_core.commands.doctor").doctor(values["history"], values["json"])
        case "openings":
            return _openings(values["record"], values["json"])
        case "bench":
            return _bench(values["before"], values["json"])
        case "compile":
            return _compile(parser, **values)
        case "sweep" | "report":
            return _on_grid(parser, command, **values)
        case "claims":
            return _on_claims(parser, **values)
        case "forecast":
            return _forecast(parser, values.pop("statistics"), {"task": "forecast", **values})
    record_every = values.pop("record_every")
    if record_every < 1:
        parser.error(f"record_every: {record_every} is not a whole number of at least 1")
    out = values.pop("out", None)
    # The series of a file is known for as long as somebody holds it.
    experiment, _series = _asked(parser, values)
    if command == "export":
        return _export(parser, experiment, record_every, out)
    return _train(experiment, record_every)


def run() -> int:
    """The command of this process, which SIGTERM ends as Ctrl-C does, and a reader that has gone as its last line."""
    end_as_by_ctrl_c()
    try:
        return main()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    sys.exit(run())
