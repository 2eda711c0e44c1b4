"""One experiment from the command line: trained, taken away, or scored as a forecast; a series may come from a file."""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from tqdm import tqdm

from lstm_core import options
from lstm_core.backtest import scored
from lstm_core.backtest.fitted import check_installed
from lstm_core.charts.points import Curve
from lstm_core.commands.telling import INTERRUPTED, UNAVAILABLE, print_lines
from lstm_core.engine import FUSED, resolve
from lstm_core.experiment import Experiment
from lstm_core.export.archive import archive
from lstm_core.kernels.pieces import build
from lstm_core.reading.column import Choices, shape
from lstm_core.reading.column import column as series_column
from lstm_core.reading.numbers import AmbiguousError
from lstm_core.reading.table import MOST_BYTES, opened
from lstm_core.streams import Purpose
from lstm_core.tasks.series import FILLED, Beside, Series, register
from lstm_core.training.snapshot import Snapshot
from lstm_core.training.train import train


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


def asked(parser: argparse.ArgumentParser, values: dict[str, Any]) -> tuple[Experiment, Series | None]:
    """What is to be trained, and the series to hold meanwhile; ends where that is refused."""
    file, named = values.pop("csv"), {name: values.pop(name) for name in options.OF_A_FILE}
    try:
        own = _own_series(values["task"], file, named)
        experiment = Experiment(**{**values, **({"series": own.name} if own else {})})
        experiment.stream_for(Purpose.DATA)
    except ValueError as error:
        parser.error(str(error))
    return experiment, own


def forecast(parser: argparse.ArgumentParser, statistics: bool, values: dict[str, Any]) -> int:
    """Train in every fold and print a table of scores; after Ctrl-C that of the folds before."""
    experiment, _series = asked(parser, values)
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
    print_lines(scored.table(folds) if folds else ())
    return status


def train_one(experiment: Experiment, record_every: int) -> int:
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


def export(parser: argparse.ArgumentParser, experiment: Experiment, record_every: int, out: Path | None) -> int:
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
    packed = archive([Curve(label, experiment, snapshots)])
    try:
        file.write_bytes(packed)
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
