"""What does one step of each cell compute? The equations, in plain torch, to be read: a file for each family."""

from lstm_core.cells.family import (
    FAMILIES,
    LAYOUTS,
    MOST_WINDOW,
    MOST_ZONEOUT,
    Cell,
    Family,
    Trace,
    choose,
)
from lstm_core.cells.gru import GRU
from lstm_core.cells.lstm import GATES, LSTM
from lstm_core.cells.parameters import Parameters
from lstm_core.cells.path import Back, Path
from lstm_core.cells.rnn import RNN
from lstm_core.cells.unroll import unroll

__all__ = [
    "FAMILIES",
    "GATES",
    "LAYOUTS",
    "MOST_WINDOW",
    "MOST_ZONEOUT",
    "Back",
    "Cell",
    "Family",
    "Parameters",
    "Path",
    "Trace",
    "choose",
    "unroll",
]

FAMILIES |= {row.name: row for row in (RNN, LSTM, GRU)}
