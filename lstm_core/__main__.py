"""The command line: `python -m lstm_core train --task adding --length 50 ...`"""

import argparse
import dataclasses
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from tqdm import tqdm

from lstm_core import bench, calibration
from lstm_core.claims import CLAIMS, ROWS, SEEDS, Claim
from lstm_core.engine import FUSED
from lstm_core.experiment import Experiment
from lstm_core.grid import Group, read_grid
from lstm_core.history import outcomes, with_weights
from lstm_core.kernels.compilation import build, unfinished
from lstm_core.records import Record
from lstm_core.report import report
from lstm_core.runs import FAILED
from lstm_core.schema import History, UnavailableError, open_history
from lstm_core.series import Series, register
from lstm_core.series_file import MOST_BYTES, opened
from lstm_core.series_file import column as series_column
from lstm_core.sweep import CLUSTER_IN_FLIGHT, cluster, compile_kernels, plan, processes, sweep
from lstm_core.training import Snapshot, train
from lstm_core.verdicts import Judgement, experiments, judged, record, recorded

DIFFERS, UNAVAILABLE, REFUSED, INTERRUPTED = 1, 1, 2, 130


class _OneLineParser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(REFUSED, f"{self.prog}: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _OneLineParser(prog="python -m lstm_core", allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser(
        "train",
        help="train one experiment, one JSON object a line",
        allow_abbrev=False,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    for spec in dataclasses.fields(Experiment):
        _add_option(command, spec)
    command.add_argument("--csv", metavar="FILE", type=Path, help="forecast a column of this file; needs --column")
    command.add_argument("--column", metavar="NAME", help="of the file, what is forecast")
    command.add_argument(
        "--times", metavar="NAME", help="of the file, a column of times that shows where rows are missing"
    )
    command.add_argument("--record-every", type=int, default=1, help="steps between two lines")
    commands.add_parser("openings", help="run every page's opening race with five seeds, a table in Markdown")
    commands.add_parser("bench", help="time the fused engine against others, a report in Markdown")
    command = commands.add_parser("sweep", help="train the experiments of a grid, each once", allow_abbrev=False)
    _add_grid(command)
    _add_workers(command)
    command.add_argument("--scheduler", metavar="ADDRESS", help="train on the workers of this Dask scheduler instead")
    command.add_argument("--retry-failed", action="store_true", help="train runs that have failed once more")
    command = commands.add_parser(
        "report", help="how often a grid's tasks were solved, in Markdown", allow_abbrev=False
    )
    _add_grid(command)
    command = commands.add_parser(
        "claims", help="put the article's statements to the test, one JSON object each", allow_abbrev=False
    )
    command.add_argument("names", metavar="NAME", nargs="*", help=f"{', '.join(ROWS)}; by default all of the article")
    _add_history(command)
    _add_workers(command)
    command.add_argument("--seeds", type=int, default=SEEDS, help="from 2 on, counted from seed 0")
    command.add_argument("--record", action="store_true", help="write the verdicts over the recorded ones")
    return parser


def _add_grid(command: argparse.ArgumentParser) -> None:
    command.add_argument("grid", metavar="GRID.toml", type=Path, help="the experiments, see lstm_core/grid.py")
    _add_history(command)


def _add_history(command: argparse.ArgumentParser) -> None:
    command.add_argument("--history", metavar="URL", help="database of finished runs, as SQLAlchemy names it")


def _add_workers(command: argparse.ArgumentParser) -> None:
    command.add_argument("--workers", type=int, default=os.cpu_count(), help="processes, one core each")


def _add_option(command: argparse.ArgumentParser, spec: dataclasses.Field[Any]) -> None:
    option, about = "--" + spec.name.replace("_", "-"), spec.metadata["about"]
    if isinstance(spec.default, bool):
        command.add_argument(option, action=argparse.BooleanOptionalAction, default=spec.default, help=about)
        return
    options = spec.metadata.get("options", ())
    allowed = f" ({', '.join('none' if o is None else str(o) for o in options)})" if options else ""
    command.add_argument(
        option, default=spec.default, type=lambda text: _parsed(text, spec), help=about + allowed, metavar="VALUE"
    )


def _parsed(text: str, spec: dataclasses.Field[Any]) -> Any:
    """The text as a value of the field's type where it reads as one; `Experiment` judges it."""
    if spec.default is None and text == "none":
        return None
    if isinstance(spec.default, int | float):
        for kind in (int, float):
            try:
                return kind(text)
            except ValueError:
                continue
    return text


def _own_series(task: str, path: Path | None, name: str | None, times: str | None) -> Series | None:
    """The series of a file, known for as long as it is held; None without a file. ValueError for what does not fit."""
    if path is None:
        if name or times:
            raise ValueError(f"column: {name or times!r} needs the --csv that it is of")
        return None
    if task != "forecast":
        raise ValueError(f"csv: {path} is for --task forecast alone")
    try:
        with path.open("rb") as stream:
            file = opened(stream.read(MOST_BYTES + 1))
        if name is None:
            raise ValueError(f"say which --column, one of {', '.join(file.names)[:200]}")
        filled = series_column(file, name, times)
        own = register(Series(name, filled.values))
    except (ValueError, OSError) as error:
        raise ValueError(f"csv: {path}: {getattr(error, 'strerror', None) or error}") from None
    print(f"{path}: {len(own.values):,} values. {filled.report}", file=sys.stderr)
    return own


def _train(experiment: Experiment, record_every: int) -> int:
    """Print the snapshots as they come and a last line that sums up; Ctrl-C ends it early, with the same last line."""
    if experiment.engine == FUSED and not build(experiment.precision).soon:
        print("compiling the kernels, once on this machine; --engine auto would not wait", file=sys.stderr)
    started, last, status, reason = time.perf_counter(), None, 0, "interrupted"
    progress = tqdm(total=experiment.steps, unit="step", disable=sys.stdout.isatty() or None)
    try:
        with progress:
            for last in train(experiment, record_every):
                print(json.dumps(last.to_dict()), flush=True)
                progress.update(last.step - progress.n)
        reason = last.ended if last and last.ended else reason
    except KeyboardInterrupt:
        status = INTERRUPTED
    print(json.dumps(_summary(last, reason, time.perf_counter() - started)), flush=True)
    return status


def _summary(last: Snapshot | None, reason: str, seconds: float) -> dict[str, Any]:
    told: dict[str, Any] = last.to_dict() if last else {"step": 0, "loss": None, "mean_loss": None, "engine": None}
    return {
        "done": True,
        "reason": reason,
        "steps": told["step"],
        "final_loss": told["loss"],
        "final_mean_loss": told["mean_loss"],
        "engine": told["engine"],
        "steps_per_second": round(told["step"] / seconds, 2),
    }


def _print(lines: Iterable[str]) -> int:
    for line in lines:
        print(line, flush=True)
    return 0


def _sweep(groups: Iterable[Group], history: History, workers: int, scheduler: str | None, retry_failed: bool) -> int:
    """Train what is not in the history; one line sums up, after Ctrl-C as well."""
    started, status, ran = time.perf_counter(), 0, 0
    experiments = (experiment for group in groups for experiment in group.experiments)
    left, found, failures = plan(experiments, outcomes(history), retry_failed)
    total = len(left) + found + failures
    pool = partial(cluster, scheduler) if scheduler else partial(processes, min(workers, len(left)))
    # The second half waits in the pool, so that no worker waits for this process.
    in_flight = CLUSTER_IN_FLIGHT if scheduler else 2 * workers
    try:
        if not scheduler:
            compile_kernels(left)
        progress = tqdm(total=total, initial=found + failures, unit="run", disable=None)
        with progress, closing(sweep(left, history, pool, in_flight)) as records:
            for record in records:
                ran, failures = ran + (record.ended != FAILED), failures + (record.ended == FAILED)
                progress.update()
    except KeyboardInterrupt:
        status = INTERRUPTED
    counts = {"ran": ran, "found": found, "failed": failures, "left": total - ran - found - failures}
    print(json.dumps({"done": not status, **counts, "seconds": round(time.perf_counter() - started, 2)}), flush=True)
    return status


def _claims(claims: Sequence[Claim], history: History, workers: int, seeds: int, recording: bool) -> int:
    """Train what is not in the history, and judge; after Ctrl-C what was judged so far is told and recorded, too."""
    left, found, failures = plan(experiments(claims, range(seeds)), outcomes(history), weighed=with_weights(history))
    done: list[Judgement] = []
    status = 0
    try:
        compile_kernels(left)
        progress = tqdm(total=len(left) + found + failures, initial=found + failures, unit="run", disable=None)
        runs = sweep(left, history, partial(processes, max(1, min(workers, len(left)))), 2 * workers, weights=True)
        with progress, closing(runs):
            for judgement in judged(claims, range(seeds), history, left, _counted(runs, progress)):
                done.append(judgement)
                told = judgement.to_dict()
                before = recorded().get(judgement.claim.name, {}).get("verdict")
                print(json.dumps({**told, "recorded": before}, ensure_ascii=False), flush=True)
                status = status or DIFFERS * (judgement.verdict != before and not recording)
    except KeyboardInterrupt:
        status = INTERRUPTED
    if recording:
        record(done, list(ROWS))
    return status


def _counted(runs: Iterable[Record], progress: "tqdm[Any]") -> Iterator[Record]:
    for run in runs:
        progress.update()
        yield run


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
        opened = open_history(history)
        if command == "sweep":
            return _sweep(groups, opened, **options)
        known = outcomes(opened)
    except (UnavailableError, OSError, ImportError) as error:
        parser.exit(UNAVAILABLE, f"{parser.prog}: {error}\n")
    return _print(report(groups, known))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status is 0, 2 for refused input, 130 after Ctrl-C, 1 for what is out of reach, or
    for a verdict that is not the recorded one."""
    parser = _parser()
    values = vars(parser.parse_args(arguments))
    match command := values.pop("command"):
        case "openings":
            with ProcessPoolExecutor() as executor:
                return _print(calibration.report(executor))
        case "bench":
            return _print(bench.report())
        case "sweep" | "report":
            return _on_grid(parser, command, **values)
        case "claims":
            return _on_claims(parser, **values)
    record_every = values.pop("record_every")
    if record_every < 1:
        parser.error(f"record_every: {record_every} is not a whole number of at least 1")
    file, column, times = (values.pop(name) for name in ("csv", "column", "times"))
    try:
        own = _own_series(values["task"], file, column, times)
        experiment = Experiment(**{**values, **({"series": own.name} if own else {})})
    except ValueError as error:
        parser.error(str(error))
    try:
        return _train(experiment, record_every)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    status = main()
    if unfinished():
        # Nobody waits for the compiler; it starts anew next time.
        sys.stdout.flush()
        os._exit(status)
    sys.exit(status)
