"""How does a trained forecaster travel? As a safetensors file with weights, experiment and scale, but no series."""

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from lstm_core.cells import choose
from lstm_core.experiment import Experiment, fields_of
from lstm_core.measurements.forecast import Known, continued
from lstm_core.network import Network
from lstm_core.reading.numbers import LARGEST
from lstm_core.tasks.scaling import Scaling, moments
from lstm_core.tasks.series import MOST_BESIDE

FORMAT = "gradient-highway forecaster 1"


class Forecaster:
    """
    A trained network that forecasts: `experiment` says how it was trained, `scaling` how it reads values, `beside` mean
    and scale of each column that stood beside the series.
    """

    def __init__(
        self,
        network: Network,
        experiment: Experiment,
        scaling: Scaling,
        beside: Sequence[tuple[float, float]] = (),
    ) -> None:
        self.network, self.experiment, self.scaling, self.beside = network, experiment, scaling, beside

    @property
    def needed(self) -> int:
        """How many values it needs: window + horizon - 1, and one more where it reads changes."""
        return needed(self.experiment)

    def __call__(self, values: Sequence[float], steps: int = 1, beside: Sequence[Sequence[float]] = ()) -> list[float]:
        """
        The `steps` values after these, which are at least as many as are `needed`, the first ones from them alone, then
        from its own forecasts too; `beside` has as many values of each column beside the series, in their order, the
        last of which then stay. ValueError for fewer values, or others than numbers.
        """
        if len(values) < self.needed:
            raise ValueError(f"values: {len(values)} are fewer than {self.needed}, its window and horizon")
        if type(steps) is not int or steps < 0:
            raise ValueError(f"steps: {steps!r} is not a whole number of at least 0")
        if [len(column) for column in beside] != [len(values)] * len(self.beside):
            raise ValueError(f"beside: {len(self.beside)} columns of {len(values):,} values each are needed")
        levels = self.scaling.levels(_numbers(values))
        read = [self._checked(self.scaling.read(levels), "values", values)]
        for (mean, scale), column in zip(self.beside, beside, strict=True):
            read.append(self._checked((_numbers(column) - mean) / scale, "beside", column))
        before = Known(torch.stack(read, 1)[:, None], levels[:, None])
        length, horizon = self.experiment.length, self.experiment.horizon
        return continued(self.network, self.scaling, before, length, horizon, steps)[:, 0].tolist()

    def _checked(self, scaled: Tensor, what: str, values: Sequence[float]) -> Tensor:
        """In the network's precision; ValueError, naming the place, for one that it cannot have."""
        scaled = scaled.to(self.experiment.dtype)
        for place, number in enumerate(scaled.tolist()):
            if not math.isfinite(number):
                raise ValueError(
                    f"{what}: {repr(values[place])[:40]} at place {place} is not a number that it can scale"
                )
        return scaled


def needed(experiment: Experiment) -> int:
    """How many values of a series a forecast of this experiment starts from."""
    return experiment.length + experiment.horizon - 1 + experiment.difference


def _numbers(values: Sequence[float]) -> Tensor:
    return torch.tensor(list(map(_float, values)), dtype=torch.float64)


def _float(value: Any) -> float:
    """nan for what is no number."""
    try:
        return math.nan if isinstance(value, str) else float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def to_safetensors(experiment: Experiment, weights: Tensor) -> bytes:
    """A network with these weights, in one vector as a snapshot has them; the bytes of a file."""
    view, network = experiment.view, Network(experiment).load(weights)
    tensors = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    header = {
        "format": FORMAT,
        "experiment": experiment.to_json(),
        "mean": repr(view.scaling.mean),
        "scale": repr(view.scaling.scale),
    }
    if view.scaling.change:
        header["change"] = json.dumps(view.scaling.change)
    if view.series.beside:
        parts = (moments(one.values[: view.series.train_end]) for one in view.series.beside)
        header["beside"] = json.dumps(list(parts))
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
    mean, scale = _scale("scale", (_number(name, header[name]) for name in ("mean", "scale")))
    change = _scales("change", header, int(experiment.difference), int(experiment.difference))
    beside = _scales("beside", header, 0, MOST_BESIDE)
    row = experiment.recurrent_cell.row
    square = experiment.hidden if row.recurrent and row.free else 1
    fewest = experiment.dtype.itemsize * experiment.layers * experiment.hidden * square
    if size < fewest:
        raise ValueError(f"hidden: {experiment.hidden} units need at least {fewest:,} bytes, and the file has {size:,}")
    network = Network(experiment, 1 + len(beside))
    network.load_state_dict(_weights(file, network.state_dict()))
    scaling = Scaling(mean, scale, experiment.log, next(iter(change), None))
    return Forecaster(network.requires_grad_(False), experiment, scaling, beside)


def _without_series(text: str) -> Experiment:
    """What the network is made of does not depend on the series."""
    fields = fields_of(text)
    for name in ("series", "fold", "folds"):
        fields.pop(name, None)
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


def _scale(name: str, both: Iterable[float]) -> tuple[float, float]:
    mean, scale = both
    if not scale > 0:
        raise ValueError(f"{name}: {scale} is not a number above 0")
    return mean, scale


def _scales(name: str, header: Mapping[str, str], least: int, most: int) -> list[tuple[float, float]]:
    """Pairs of mean and scale, none where nothing is told; ValueError for another number of them, or for no numbers."""
    text = header.get(name, "")
    found = re.findall(r"[^][, ]+", text)
    if len(found) % 2 or not least <= len(found) // 2 <= most:
        allowed = f"{least} to {most}" if least < most else str(least)
        raise ValueError(f"{name}: {text[:40]!r} is not {allowed} pairs of numbers")
    values = [_number(name, number) for number in found]
    return [_scale(name, pair) for pair in zip(values[::2], values[1::2], strict=True)]


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
