"""How does a command tell what it does, beside its progress, and how are its tables read by another program?"""

import json
import logging
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from tqdm import tqdm


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
