"""Is every exit status what the documents say?"""

import os
import re
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import pytest

from lstm_core import __main__ as command_line
from lstm_core.__main__ import main

ROOT = Path(__file__).parent.parent
PATIENCE = 60
AWAY = "postgresql://someone@127.0.0.1:1/nowhere"
GRID = "base = { length = 5, hidden = 4, steps = 3 }\ngrid = { seeds = 1 }"


def status(*arguments: str) -> int:
    """Of a command in this process; argparse ends it by an exception."""
    with pytest.raises(SystemExit) as ended:
        sys.exit(main(arguments))
    assert isinstance(ended.value.code, int)
    return ended.value.code


def grid(folder: Path) -> str:
    (folder / "grid.toml").write_text(GRID)
    return str(folder / "grid.toml")


def ended_by(number: int) -> int:
    """Of any command, in the middle of which this process gets a signal."""

    def main() -> int:
        os.kill(os.getpid(), number)
        time.sleep(PATIENCE)
        return 0

    handlers = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with patch.object(command_line, "main", main):
            return command_line.run()
    finally:
        for one, handler in handlers.items():
            signal.signal(one, handler)


WAYS: dict[str, list[Callable[[Path], int]]] = {
    "0": [
        lambda folder: status("report", grid(folder), "--history", f"sqlite:///{folder}/h.sqlite"),
        lambda folder: status("--version"),
    ],
    "1": [
        lambda folder: status("report", grid(folder), "--history", AWAY),
        lambda folder: status("claims", "A6", "--history", AWAY),
        lambda folder: status("doctor", "--history", AWAY),
    ],
    "2": [
        lambda folder: status("report", str(folder / "none.toml")),
        lambda folder: status("train", "--length", "-1"),
        lambda folder: status("colour"),
    ],
    "130": [lambda folder: ended_by(signal.SIGINT), lambda folder: ended_by(signal.SIGTERM)],
}


@pytest.mark.parametrize(("expected", "way"), [(expected, way) for expected, ways in WAYS.items() for way in ways])
def test_a_command_ends_with_the_status_of_the_table(expected: str, way: Callable[[Path], int], tmp_path: Path) -> None:
    assert way(tmp_path) == int(expected)


def test_the_table_lists_them_all() -> None:
    section = (ROOT / "docs/command-line.md").read_text().partition("## Exit statuses\n")[2].partition("\n## ")[0]
    assert re.findall(r"^\| (\d+) \|", section, re.MULTILINE) == list(WAYS)
