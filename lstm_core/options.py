"""Which options does the command line have? Its parser, whose every complaint is one line."""

import argparse
import dataclasses
import os
from pathlib import Path
from typing import Any, NoReturn

from lstm_core.claims import ROWS, SEEDS
from lstm_core.experiment import Experiment, options, parsed

REFUSED = 2


class _OneLineParser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(REFUSED, f"{self.prog}: {message}\n")


def parser() -> argparse.ArgumentParser:
    """Of all commands."""
    made = _OneLineParser(prog="python -m lstm_core", allow_abbrev=False)
    commands = made.add_subparsers(dest="command", required=True)
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
    command = commands.add_parser(
        "openings",
        help="run every page's opening race, and those to start from, with five seeds, tables in Markdown",
        allow_abbrev=False,
    )
    command.add_argument("--record", action="store_true", help="write for how many seeds each claim held")
    command = commands.add_parser("bench", help="time the fused engine against others, a report in Markdown")
    command.add_argument(
        "--before",
        type=Path,
        metavar="FOLDER",
        help="whole training steps alone, also of the project in that folder",
    )
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
    return made


def _add_grid(command: argparse.ArgumentParser) -> None:
    command.add_argument("grid", metavar="GRID.toml", type=Path, help="the experiments, see lstm_core/sweep/grid.py")
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
    listed = ", ".join("none" if value is None else str(value) for value in options(spec))
    allowed = f" ({listed})" if listed else ""
    command.add_argument(
        option, default=spec.default, type=lambda text: parsed(spec, text), help=about + allowed, metavar="VALUE"
    )
