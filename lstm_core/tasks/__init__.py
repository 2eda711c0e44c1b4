"""
Which tasks need a memory? Every task is a row of `TASKS`.

The row of forecasting is about one series at one horizon; `bound` gives it for any.
"""

from lstm_core.tasks.arithmetic import ADDING, MULTIPLICATION, PARITY
from lstm_core.tasks.forecasting import forecasting
from lstm_core.tasks.signals import LATCH
from lstm_core.tasks.symbols import COPY, RECALL, TEMPORAL_ORDER
from lstm_core.tasks.task import Draw, Sample, Task

__all__ = ["TASKS", "Draw", "Sample", "Task", "bound"]

_ROWS = (
    ADDING,
    MULTIPLICATION,
    COPY,
    TEMPORAL_ORDER,
    LATCH,
    RECALL,
    PARITY,
    forecasting("mackey_glass", 1),
)

TASKS = {row.name: row for row in _ROWS}


def bound(name: str, series: str, horizon: int) -> Task:
    """The row of a task; where it is about a series, for this one at this horizon."""
    row = TASKS[name]
    return row.of(series, horizon) if row.of else row
