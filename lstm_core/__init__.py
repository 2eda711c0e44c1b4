"""Recurrent networks whose inside can be changed, watched and timed."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lstm_core.activations import ACTIVATIONS
    from lstm_core.experiment import Experiment
    from lstm_core.initialisation import Chrono
    from lstm_core.model import GRU, LSTM, RNN
    from lstm_core.tasks import TASKS
    from lstm_core.training.snapshot import Snapshot
    from lstm_core.training.train import train

__all__ = ["ACTIVATIONS", "GRU", "LSTM", "RNN", "TASKS", "Chrono", "Experiment", "Snapshot", "train"]

_MODULES = {
    "ACTIVATIONS": "activations",
    "Chrono": "initialisation",
    "Experiment": "experiment",
    "GRU": "model",
    "LSTM": "model",
    "RNN": "model",
    "Snapshot": "training.snapshot",
    "TASKS": "tasks",
    "train": "training.train",
}


def __getattr__(name: str) -> Any:
    """Imported when it is asked for: what only compiles kernels needs no torch, which takes two seconds."""
    if name not in _MODULES:
        raise AttributeError(f"module 'lstm_core' has no attribute {name!r}")
    return getattr(import_module(f"lstm_core.{_MODULES[name]}"), name)
