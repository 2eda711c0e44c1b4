"""Which options does the command line have? Its parser, whose every complaint is one line."""

import argparse
import dataclasses
import os
import sys
from collections.abc import Collection, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn

from lstm_core.claims import ROWS
from lstm_core.claims.evidence import FIRST_SEED, SEEDS
from lstm_core.experiment import Experiment, options, parsed
from lstm_core.installation import NAME, version
from lstm_core.kernels.processors import LEVELS
from lstm_core.reading.numbers import DECIMAL_SIGNS
from lstm_core.reading.times import ORDERS
from lstm_core.tasks.series import FILLED, GAPS, MOST_BESIDE

REFUSED, HISTORY, DASH = 2, "--history", "dash"
# What is said of a file with a series, beside its path.
OF_A_FILE: dict[str, dict[str, Any]] = {
    "column": {"metavar": "NAME", "help": "of the file, what is forecast"},
    "with": {
        "metavar": "NAME",
        "action": "append",
        "help": f"of the file, a further column that networks see up to a window's end, at most {MOST_BESIDE} times",
    },
    "times": {"metavar": "NAME", "help": "of the file, a column of times that shows where rows are missing"},
    "decimal": {"choices": list(DECIMAL_SIGNS), "help": "of the file, the decimal sign, where it could be either"},
    "dates": {"choices": list(ORDERS), "help": "of the file, the order in its dates, where it could be another"},
    "gaps": {"choices": GAPS, "help": f"of the file, what becomes of missing values; {FILLED} if nothing is said"},
    "season": {"metavar": "STEPS", "type": int, "help": "of the file, after how many rows it repeats; 0 if not said"},
}


class _OneLineParser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Without what is behind the :// of an address that stands in a wrong place: it may be a password."""
        said, address, _ = message.partition(":/")
        self.exit(REFUSED, f"{self.prog}: {said}{address}{'***' * bool(address)}\n")


def parser() -> argparse.ArgumentParser:
    """Of all commands."""
    started = NAME if Path(sys.argv[0]).name == NAME else "python -m lstm_core"
    made = _OneLineParser(prog=started, allow_abbrev=False)
    made.add_argument("--version", action="version", version=f"{NAME} {version()}")
    made.add_argument("-v", "--verbose", action="store_true", help="tell of kernels, the history and every run")
    commands = made.add_subparsers(dest="command", required=True)
    command = _trains(commands, "train", "train one experiment, one JSON object a line")
    _add_record_every(command)
    packs = "train one experiment, and write scripts in plain torch, a notebook, ONNX and all numbers into a ZIP"
    command = _trains(commands, "export", packs)
    _add_record_every(command)
    command.add_argument("--out", metavar="FILE", type=Path, help="the ZIP; none: named by task, cell and experiment")
    scores = "train on a series, in folds if asked, and score the forecasts, a table in Markdown"
    command = _trains(commands, "forecast", scores, {"task", "fold"})
    command.add_argument("--statistics", action="store_true", help="fit ETS and ARIMA, too, by statsforecast")
    command = commands.add_parser(
        "openings",
        help="run every page's opening race, and those to start from, with five seeds, tables in Markdown",
        allow_abbrev=False,
    )
    command.add_argument("--record", action="store_true", help="write for how many seeds each claim held")
    _add_json(command)
    command = commands.add_parser("bench", help="time the fused engine against others, a report in Markdown")
    _add_json(command)
    command.add_argument(
        "--before",
        type=Path,
        metavar="FOLDER",
        help="whole training steps alone, also of the project in that folder",
    )
    command = commands.add_parser(
        "compile", help="compile all kernels beforehand, for this machine or for others like it", allow_abbrev=False
    )
    command.add_argument(
        "processors",
        metavar="PROCESSOR",
        nargs="*",
        help=f"{', '.join(LEVELS)}; what fits is used on any machine with this installation; by default this one's own",
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
    _add_json(command)
    command = commands.add_parser(
        "claims", help="put the article's statements to the test, one JSON object each", allow_abbrev=False
    )
    command.add_argument("names", metavar="NAME", nargs="*", help=f"{', '.join(ROWS)}; by default all of the article")
    _add_history(command)
    _add_workers(command)
    planned = f"how many; half as many more where these leave a claim open; by default {SEEDS}, 6 for published results"
    command.add_argument("--seeds", type=int, help=planned)
    command.add_argument(
        "--first-seed", type=int, default=FIRST_SEED, help="counted from there; %(default)s as recorded"
    )
    written = command.add_mutually_exclusive_group()
    written.add_argument("--record", action="store_true", help="write the verdicts over the recorded ones")
    written.add_argument(
        "--beside", action="store_true", help="write them beside those: other seeds, or another processor"
    )
    for command in commands.choices.values():
        # Before the command or behind it.
        about = "tell of kernels, the history and every run on standard error"
        command.add_argument("-v", "--verbose", action="store_true", default=argparse.SUPPRESS, help=about)
    commands.add_parser(
        DASH, help="start the dashboard; further options are those of `streamlit run`", allow_abbrev=False
    )
    command = commands.add_parser("doctor", help="tell what is here, what is wrong, and what helps", allow_abbrev=False)
    _add_history(command)
    _add_json(command)
    return made


def parsed_values(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """What the arguments say, by name, and those that `dash` hands on, which takes what it does not know."""
    values, further = parser.parse_known_args(arguments)
    if further and values.command != DASH:
        parser.error(f"unrecognized arguments: {' '.join(further)}")
    return vars(values), further


def check_address(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> None:
    """Refuse an address with spaces and without quotes: its second half would be shown as an argument like another."""
    named = [before == HISTORY or one.startswith(f"{HISTORY}=") for before, one in pairwise(("", *arguments))]
    if any(named) and any("@" in one for one, is_address in zip(arguments, named, strict=True) if not is_address):
        parser.error("history: an @ stands outside its address; write %20 for a space, and the address in quotes")


def _add_grid(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "grid",
        metavar="GRID.toml",
        type=Path,
        help="the experiments; sweeps/greff.toml and sweeps/small.toml come with this",
    )
    _add_history(command)


def _add_history(command: argparse.ArgumentParser) -> None:
    command.add_argument(HISTORY, metavar="URL", help="database of finished runs, as SQLAlchemy names it")


def _add_json(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="in JSON, for another program to read")


def _add_workers(command: argparse.ArgumentParser) -> None:
    command.add_argument("--workers", type=int, default=os.cpu_count(), help="processes, one core each")


def _trains(commands: Any, name: str, about: str, without: Collection[str] = ()) -> argparse.ArgumentParser:
    """A command that trains one experiment: every field but some, and what is said of a file."""
    defaults = argparse.ArgumentDefaultsHelpFormatter
    command: argparse.ArgumentParser = commands.add_parser(
        name, help=about, allow_abbrev=False, formatter_class=defaults
    )
    for spec in dataclasses.fields(Experiment):
        if spec.name not in without:
            _add_option(command, spec)
    command.add_argument(
        "--csv", metavar="FILE", type=Path, help="forecast a column of this file, CSV or Parquet; needs --column"
    )
    for option, how in OF_A_FILE.items():
        command.add_argument(f"--{option}", **how)
    return command


def _add_record_every(command: argparse.ArgumentParser) -> None:
    command.add_argument("--record-every", type=int, default=1, help="steps between two that are recorded")


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
