"""Recurrent networks whose inside can be changed, watched and timed."""

from lstm_core.activations import ACTIVATIONS
from lstm_core.experiment import Experiment
from lstm_core.initialisation import Chrono
from lstm_core.model import GRU, LSTM, RNN
from lstm_core.tasks import TASKS
from lstm_core.training import Snapshot, train

__all__ = ["ACTIVATIONS", "GRU", "LSTM", "RNN", "TASKS", "Chrono", "Experiment", "Snapshot", "train"]
