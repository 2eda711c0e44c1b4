"""How does a command tell what it does, beside its progress, and how are its tables read by another program?"""

import json
import logging
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from tqdm import tqdm

from lstm_core.history.records import Record

# Exit statuses, beside 0, and 2 for refused input.
DIFFERS, UNAVAILABLE, INTERRUPTED = 1, 1, 130
_log = logging.getLogger("lstm_core")


class _AboveTheBar(logging.Handler):
    """On standard error, where a progress bar may be."""

    def emit(self, record: logging.LogRecord) -> None:
        tqdm.write(self.format(record), file=sys.stderr)


def tell_more() -> None:
    """From now on, in this process: kernels, the history and every run, as they come, one line each."""
    handler = _AboveTheBar()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    logger = logging.getLogger("lstm_core")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)


def tell_run(run: Record) -> None:
    """Of one that has ended, to whoever has asked for more."""
    ended = f"{run.ended} after {run.last_step} steps in {run.seconds:.1f} s"
    _log.info("run %s: %s%s", run.experiment.key[:12], ended, f": {run.reason}" if run.reason else "")


def print_lines(lines: Iterable[str]) -> int:
    """As they come; the status of a command that does nothing else."""
    for line in lines:
        print(line, flush=True)
    return 0


def as_line(values: dict[str, Any]) -> str:
    """As JSON."""
    return json.dumps(values, ensure_ascii=False)


def rows(markdown: Iterable[str]) -> Iterator[str]:
    """
    Of all tables of a report, one JSON object a row: its cells by the heads of their columns, numbers where they are
    nothing else, and under `table` the heading above. What is no table is left out.
    """
    table, heads = "", list[str]()
    for line in markdown:
        if line.startswith("#"):
            table = line.lstrip("# ")
        if not line.startswith("|"):
            heads = []
        elif not heads:
            heads = _cells(line)
        elif not line.startswith("|--"):
            yield json.dumps({"table": table, **dict(zip(heads, map(_value, _cells(line)), strict=True))})


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def _value(cell: str) -> Any:
    try:
        return float(cell)
    except ValueError:
        return cell or None
