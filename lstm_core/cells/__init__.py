"""What does one step of each cell compute? The equations, in plain torch, to be read: a file for each family."""

from lstm_core.cells.diagonal import POSITIVE, SIGNED
from lstm_core.cells.family import (
    FAMILIES,
    FORGET_ACTIVATIONS,
    LAYOUTS,
    MOST_WINDOW,
    MOST_ZONEOUT,
    OPTIONS,
    Cell,
    Family,
    Trace,
    choose,
)
from lstm_core.cells.gru import GRU
from lstm_core.cells.indrnn import INDRNN
from lstm_core.cells.lru import AFTER_LAYER, ALONE
from lstm_core.cells.lstm import GATES, LSTM
from lstm_core.cells.mingru import MINGRU
from lstm_core.cells.minlstm import MINLSTM
from lstm_core.cells.modrelu import FREE, KEPT, SLOWLY_FREE
from lstm_core.cells.parameters import Parameters
from lstm_core.cells.path import Back, Path
from lstm_core.cells.rnn import RNN
from lstm_core.cells.slstm import SLSTM
from lstm_core.cells.unroll import unroll

__all__ = [
    "FAMILIES",
    "FORGET_ACTIVATIONS",
    "GATES",
    "LAYOUTS",
    "MOST_WINDOW",
    "MOST_ZONEOUT",
    "OPTIONS",
    "Back",
    "Cell",
    "Family",
    "Parameters",
    "Path",
    "Trace",
    "choose",
    "unroll",
]

FAMILIES |= {
    row.name: row
    for row in (
        *(RNN, LSTM, GRU),
        *(MINGRU, MINLSTM, SLSTM, ALONE, AFTER_LAYER, POSITIVE, SIGNED),
        *(KEPT, FREE, SLOWLY_FREE, INDRNN),
    )
}
