"""What do downloaded snippets import? A model's way back; it lives in `lstm_core.measurements.saved`."""

from lstm_core.measurements.saved import Forecaster, load

__all__ = ["Forecaster", "load"]
