"""
Which tasks need a memory? Every task is a row of `TASKS`.

The row of forecasting is about one question; `bound` gives it for any.
"""

from lstm_core.tasks.arithmetic import ADDING, MULTIPLICATION, PARITY
from lstm_core.tasks.counting import PARITY_VARIED, RUNNING_PARITY
from lstm_core.tasks.digits import MNIST1D
from lstm_core.tasks.forecasting import forecasting
from lstm_core.tasks.selecting import ASSOCIATIVE_RECALL, SELECTIVE_COPYING
from lstm_core.tasks.signals import LATCH
from lstm_core.tasks.symbols import COPY, RECALL, TEMPORAL_ORDER
from lstm_core.tasks.task import Draw, Sample, Task
from lstm_core.tasks.view import Question

__all__ = ["TASKS", "Draw", "Question", "Sample", "Task", "bound"]

_ROWS = (
    ADDING,
    MULTIPLICATION,
    COPY,
    TEMPORAL_ORDER,
    LATCH,
    RECALL,
    PARITY,
    RUNNING_PARITY,
    PARITY_VARIED,
    SELECTIVE_COPYING,
    ASSOCIATIVE_RECALL,
    MNIST1D,
    forecasting(Question()),
)

TASKS = {row.name: row for row in _ROWS}


def bound(name: str, asked: Question) -> Task:
    """The row of a task; where it is about a series, for what is asked of this one."""
    row = TASKS[name]
    return row.of(asked) if row.of else row
