"""Which charts are there? The same on a page and in a notebook."""

from lstm_core.charts import clipping, depth, flow, highways, lengths, outlook, states, step_length, tables
from lstm_core.charts.chart import CHARTS, PAPERS, Chart, Paper

__all__ = [
    "CHARTS",
    "PAPERS",
    "Chart",
    "Paper",
    "clipping",
    "depth",
    "flow",
    "highways",
    "lengths",
    "outlook",
    "states",
    "step_length",
    "tables",
]
