"""How does a trained forecaster travel? As a safetensors file with weights, experiment and scale, but no series."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from lstm_core.experiment import Experiment
from lstm_core.measurements.forecast import continued
from lstm_core.network import Network
from lstm_core.tasks.series import known

FORMAT = "gradient-highway forecaster 1"


class Forecaster:
    """
    A trained network that forecasts: `experiment` says how it was trained, `mean` and `scale` are those of the values
    that it has learned from.
    """

    def __init__(self, network: Network, experiment: Experiment, mean: float, scale: float) -> None:
        self.network, self.experiment, self.mean, self.scale = network, experiment, mean, scale

    def __call__(self, values: Sequence[float], steps: int = 1) -> list[float]:
        """
        The `steps` values after these, which are at least window + horizon - 1, the first ones from them alone, then
        from its own forecasts too. ValueError for fewer values.
        """
        length, horizon = self.experiment.length, self.experiment.horizon
        if len(values) < length + horizon - 1:
            raise ValueError(f"values: {len(values)} are fewer than {length + horizon - 1}, its window and horizon")
        scaled = (torch.tensor(values, dtype=torch.float64) - self.mean) / self.scale
        further = continued(self.network, scaled.to(self.experiment.dtype), length, horizon, steps)
        return (self.mean + self.scale * further.double()).tolist()


def to_safetensors(experiment: Experiment, weights: Tensor) -> bytes:
    """A network with these weights, in one vector as a snapshot has them; the bytes of a file."""
    series, network = known(experiment.series), Network(experiment).load(weights)
    tensors = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    header = {
        "format": FORMAT,
        "experiment": experiment.to_json(),
        "mean": repr(series.mean),
        "scale": repr(series.scale),
    }
    return save(tensors, header)


def load(path: str | Path) -> Forecaster:
    """
    The forecaster of a file of `to_safetensors`; the series that it was trained on need not be there, and its
    experiment then names another. ValueError for any other file.
    """
    try:
        with safe_open(path, framework="pt") as file:
            header: dict[str, Any] = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no dictionary
        if header.get("format") != FORMAT:
            raise ValueError(f"{path}: is not a forecaster")
        experiment = _without_series(json.loads(header["experiment"]))
        network = Network(experiment)
        network.load_state_dict(tensors)
        mean, scale = float(header["mean"]), float(header["scale"])
    except (SafetensorError, KeyError, RuntimeError) as error:
        raise ValueError(f"{path}: is not a forecaster; {str(error).partition(chr(10))[0]}") from None
    return Forecaster(network.requires_grad_(False), experiment, mean, scale)


def _without_series(fields: dict[str, Any]) -> Experiment:
    """What the network is made of does not depend on the series."""
    fields.pop("series", None)
    return Experiment.from_json(json.dumps(fields))
