"""How does a trained forecaster travel? As a safetensors file with weights, experiment and scale, but no series."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from lstm_core.cells import choose
from lstm_core.experiment import Experiment, fields_of
from lstm_core.measurements.forecast import continued
from lstm_core.network import Network
from lstm_core.reading.numbers import LARGEST
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
        from its own forecasts too. ValueError for fewer values, or others than numbers.
        """
        length, horizon = self.experiment.length, self.experiment.horizon
        if len(values) < length + horizon - 1:
            raise ValueError(f"values: {len(values)} are fewer than {length + horizon - 1}, its window and horizon")
        if type(steps) is not int or steps < 0:
            raise ValueError(f"steps: {steps!r} is not a whole number of at least 0")
        further = continued(self.network, self._scaled(values)[:, None], length, horizon, steps)[:, 0]
        return (self.mean + self.scale * further.double()).tolist()

    def _scaled(self, values: Sequence[float]) -> Tensor:
        """As the network has learned them; ValueError, naming the place, for one that it cannot have."""
        numbers = torch.tensor(list(map(_float, values)), dtype=torch.float64)
        scaled = ((numbers - self.mean) / self.scale).to(self.experiment.dtype)
        for place, number in enumerate(scaled.tolist()):
            if not math.isfinite(number):
                raise ValueError(
                    f"values: {repr(values[place])[:40]} at place {place} is not a number that it can scale"
                )
        return scaled


def _float(value: Any) -> float:
    """nan for what is no number."""
    try:
        return math.nan if isinstance(value, str) else float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan


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
    experiment then names another. ValueError, naming the file, and the field where there is one, for any other file.
    """
    try:
        with safe_open(path, framework="pt") as file:
            return _forecaster(file, Path(path).stat().st_size)
    except SafetensorError as error:
        raise ValueError(f"{path}: is not a forecaster; {str(error).partition(chr(10))[0]}") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _forecaster(file: safe_open, size: int) -> Forecaster:
    """Of an open file of so many bytes, from which no more is read than fits."""
    header: dict[str, str] = file.metadata() or {}
    if header.get("format") != FORMAT:
        raise ValueError("is not a forecaster")
    for name in ("experiment", "mean", "scale"):
        if name not in header:
            raise ValueError(f"{name}: is missing")
    experiment = _without_series(header["experiment"])
    mean, scale = (_number(name, header[name]) for name in ("mean", "scale"))
    if not scale > 0:
        raise ValueError(f"scale: {scale} is not a number above 0")
    fewest = experiment.dtype.itemsize * experiment.layers * experiment.hidden**2
    if size < fewest:
        raise ValueError(f"hidden: {experiment.hidden} units need at least {fewest:,} bytes, and the file has {size:,}")
    network = Network(experiment)
    network.load_state_dict(_weights(file, network.state_dict()))
    return Forecaster(network.requires_grad_(False), experiment, mean, scale)


def _without_series(text: str) -> Experiment:
    """What the network is made of does not depend on the series."""
    fields = fields_of(text)
    fields.pop("series", None)
    experiment = Experiment.from_json(json.dumps(fields))
    choose("task", experiment.task, ["forecast"])
    return experiment


def _number(name: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not abs(number) <= LARGEST:
        raise ValueError(f"{name}: {text[:40]!r} is not a number up to {LARGEST:g}")
    return number


def _weights(file: safe_open, wanted: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """By name; ValueError for the first that is not as the experiment has it."""
    names, found = set(file.keys()), {}
    for name, like in wanted.items():
        if name not in names:
            raise ValueError(f"{name}: is missing")
        found[name] = tensor = file.get_tensor(name)
        if tensor.dtype != like.dtype or tensor.shape != like.shape:
            raise ValueError(f"{name}: {_kind(tensor)} is not {_kind(like)}, as its experiment has it")
        if not tensor.isfinite().all():
            raise ValueError(f"{name}: not all of its numbers are finite")
    for name in sorted(names - wanted.keys())[:1]:
        choose("weights", name, wanted)
    return found


def _kind(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {list(tensor.shape)}"
