"""The command line: `python -m lstm_core train --task adding --length 50 ...`"""

from lstm_core.borrowed.system import end_as_by_ctrl_c, settle_process

# Before a BLAS is loaded, which then reads its number of threads.
settle_process()

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from itertools import chain
from pathlib import Path

from lstm_core import options
from lstm_core.bench import bench, side_by_side
from lstm_core.commands.dash import dash
from lstm_core.commands.judging import claims
from lstm_core.commands.sweeping import grid
from lstm_core.commands.telling import INTERRUPTED, UNAVAILABLE, as_line, print_lines, rows, tell_more
from lstm_core.commands.training import asked, export, forecast, train_one
from lstm_core.kernels.compilation import PRECISIONS, compile_all
from lstm_core.kernels.pieces import all_pieces, build
from lstm_core.kernels.processors import LEVELS, level, own
from lstm_core.kernels.store import SHIPPED
from lstm_core.openings import calibration
from lstm_core.sweep.pools import processes


def _openings(recording: bool, as_json: bool) -> int:
    """Train every race that a page begins with or offers, and tell for which seeds its claim held."""
    for precision in PRECISIONS:
        build(precision).done.exception()
    with processes(os.cpu_count() or 1) as executor:
        found = calibration.verdicts(executor)
    if recording:
        calibration.keep(found)
    return print_lines(map(as_line, calibration.rows(found)) if as_json else calibration.report(found))


def _bench(before: Path | None, as_json: bool) -> int:
    lstms = side_by_side.full_lstms(before)
    lines = lstms if before else chain(bench.report(), lstms, side_by_side.later_cells())
    return print_lines(rows(lines) if as_json else lines)


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
            return grid(parser, command, **values)
        case "claims":
            return claims(parser, **values)
        case "forecast":
            return forecast(parser, values.pop("statistics"), {"task": "forecast", **values})
    record_every = values.pop("record_every")
    if record_every < 1:
        parser.error(f"record_every: {record_every} is not a whole number of at least 1")
    out = values.pop("out", None)
    # The series of a file is known for as long as somebody holds it.
    experiment, _series = asked(parser, values)
    if command == "export":
        return export(parser, experiment, record_every, out)
    return train_one(experiment, record_every)


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
