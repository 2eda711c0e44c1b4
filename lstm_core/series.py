"""What do downloaded snippets import? Series by name or from a file; they live in `lstm_core.tasks.series`."""

from pathlib import Path

from lstm_core.reading.column import Column, column
from lstm_core.reading.table import opened
from lstm_core.tasks.series import Beside, Series, known, register

__all__ = ["Beside", "Series", "from_csv", "known", "register"]


def from_csv(path: str | Path, name: str) -> Column:
    """A column of numbers. ValueError where there is none of that name, OSError where there is no such file."""
    return column(opened(Path(path).read_bytes()), name)
