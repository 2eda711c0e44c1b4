"""Does a saved forecaster come back as it was, without its series?"""

import gc
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save

from lstm_core import Experiment, train
from lstm_core.measurements import forecast
from lstm_core.measurements.saved import Forecaster, load, to_safetensors
from lstm_core.tasks.series import Series, known, register

VALUES = tuple(5 + 3 * math.sin(i / 4) for i in range(120))


def saved(path: Path, experiment: Experiment) -> torch.Tensor:
    *_, last = train(experiment, weights_every=experiment.steps)
    assert last.weights is not None
    path.write_bytes(to_safetensors(experiment, last.weights))
    return last.weights


@pytest.mark.parametrize(
    "changes", [{}, {"cell": "gru", "layers": 2, "wiring": "dense"}, {"horizon": 4, "precision": "float64"}], ids=str
)
def test_a_forecaster_comes_back_and_goes_on_as_the_page_shows(changes: dict[str, object], tmp_path: Path) -> None:
    experiment = Experiment(task="forecast", series="sines", length=12, hidden=4, steps=5, **changes)  # type: ignore[arg-type]
    weights = saved(tmp_path / "it.safetensors", experiment)
    series = known("sines")
    values = load(tmp_path / "it.safetensors")(series.values[: series.validation_end], steps=20)
    assert values == pytest.approx(forecast.free_running(experiment, weights)[:20].tolist(), rel=1e-6)


def test_the_series_need_not_be_there(tmp_path: Path) -> None:
    own = register(Series("mine", VALUES))
    experiment = Experiment(task="forecast", series=own.name, length=12, hidden=4, steps=5)
    saved(tmp_path / "it.safetensors", experiment)
    mean, scale = own.mean, own.scale
    del own
    gc.collect()
    back = load(tmp_path / "it.safetensors")
    assert back.scaling[:2] == (mean, scale)
    assert back.experiment.hidden == 4
    assert len(back(VALUES, steps=3)) == 3


def test_a_file_holds_weights_and_experiment_and_no_value_of_the_series(tmp_path: Path) -> None:
    own = register(Series("a secret name", VALUES))
    experiment = Experiment(task="forecast", series=own.name, length=12, hidden=4, steps=5)
    saved(tmp_path / "it.safetensors", experiment)
    assert set(load_file(tmp_path / "it.safetensors")) == {
        "readout.weight",
        "readout.bias",
        *(f"stack.layers.0.{name}" for name in ("weight_h", "weight_x", "bias")),
    }
    header = (tmp_path / "it.safetensors").read_bytes()
    assert b"a secret name" not in header
    assert json.dumps(experiment.to_json()).encode() in header


def back(path: Path) -> Forecaster:
    saved(path, Experiment(task="forecast", length=12, hidden=4, steps=5, horizon=3))
    return load(path)


def test_too_few_values_are_refused(tmp_path: Path) -> None:
    forecaster = back(tmp_path / "it.safetensors")
    with pytest.raises(ValueError, match="values: 13 are fewer than 14, its window and horizon"):
        forecaster(VALUES[:13])
    assert len(forecaster(VALUES[:14])) == 1


@pytest.mark.parametrize("value", [math.inf, math.nan, 1e60, "1", None, 10**400], ids=lambda value: str(value)[:9])
def test_a_value_that_no_network_can_have_is_refused_by_its_place(value: Any, tmp_path: Path) -> None:
    forecaster = back(tmp_path / "it.safetensors")
    with pytest.raises(ValueError, match=r"^values: .* at place 20 is not a number that it can scale$"):
        forecaster([*VALUES[:20], value])


def test_less_than_no_steps_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^steps: -1 is not a whole number of at least 0$"):
        back(tmp_path / "it.safetensors")(VALUES, steps=-1)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no such thing",
        b"\xff" * 100,
        save({"x": torch.zeros(2)}),
        save({"x": torch.zeros(2)}, {"format": "another"}),
    ],
)
def test_another_file_is_refused_by_its_name(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "it").write_bytes(content)
    with pytest.raises(ValueError, match=rf"^{tmp_path / 'it'}: is not a forecaster"):
        load(tmp_path / "it")


def test_a_truncated_file_is_refused_by_its_name(tmp_path: Path) -> None:
    saved(tmp_path / "it", EXPERIMENT)
    whole = (tmp_path / "it").read_bytes()
    for size in (4, 100, len(whole) - 1):
        (tmp_path / "it").write_bytes(whole[:size])
        with pytest.raises(ValueError, match=rf"^{tmp_path / 'it'}: is not a forecaster; "):
            load(tmp_path / "it")


EXPERIMENT = Experiment(task="forecast", length=12, hidden=4, steps=1)
Change = Callable[[dict[str, str], dict[str, torch.Tensor]], object]


def with_fields(header: dict[str, str], **changes: object) -> None:
    header["experiment"] = json.dumps(json.loads(header["experiment"]) | changes)


CHANGES: list[tuple[Change, str]] = [
    (lambda header, _: header.pop("experiment"), "experiment: is missing"),
    (lambda header, _: header.update(experiment="[1]"), r"experiment: '\[1\]' is not a JSON object"),
    (lambda header, _: header.update(experiment="[" * 100_000), r"experiment: '\[+' is not a JSON object"),
    (lambda header, _: with_fields(header, invented_later=1), "experiment: 'invented_later' is not one of "),
    (lambda header, _: with_fields(header, length=[]), r"length: \[\] is not a whole number "),
    (lambda header, _: with_fields(header, task="adding"), "task: 'adding' is not one of forecast"),
    (
        lambda header, _: with_fields(header, hidden=1024, layers=6),
        "hidden: 1024 units need at least 25,165,824 bytes, and the file has ",
    ),
    (lambda header, _: with_fields(header, hidden=3), r"readout.weight: float32 \[1, 4\] is not float32 \[1, 3\], as "),
    (lambda header, _: with_fields(header, layers=2), "stack.layers.1.weight_h: is missing"),
    (lambda header, _: header.update(mean="abc"), "mean: 'abc' is not a number up to "),
    (lambda header, _: header.update(mean="nan"), "mean: 'nan' is not a number up to "),
    (lambda header, _: header.update(scale="0.0"), "scale: 0.0 is not a number above 0"),
    (lambda header, _: header.update(scale="inf"), "scale: 'inf' is not a number up to "),
    (lambda header, _: header.update(change="[[0, 1]]"), r"change: '\[\[0, 1\]\]' is not 0 pairs of numbers"),
    (lambda header, _: with_fields(header, difference=True), "change: '' is not 1 pairs of numbers"),
    (lambda header, _: header.update(beside="[[0, 1], [2]]"), r"beside: '\[\[0, 1\], \[2\]\]' is not 0 to 9 pairs"),
    (lambda header, _: header.update(beside="[[0, 0]]"), "beside: 0.0 is not a number above 0"),
    (lambda header, _: header.update(beside="[[0, word]]"), "beside: 'word' is not a number up to "),
    (lambda header, _: header.update(beside="[[0, 1]]"), r"stack.layers.0.weight_x: float32 \[16, 1\] is not float32 "),
    (lambda _, tensors: tensors.update(more=torch.zeros(1)), "weights: 'more' is not one of readout.weight, "),
    (lambda _, tensors: tensors["readout.bias"].fill_(math.nan), "readout.bias: not all of its numbers are finite"),
    (
        lambda _, tensors: tensors.update({"readout.bias": torch.zeros(1, dtype=torch.int64)}),
        r"readout.bias: int64 \[1\] is not float32 \[1\], as ",
    ),
]


@pytest.mark.parametrize(("change", "message"), CHANGES, ids=[message[:30] for _, message in CHANGES])
def test_a_damaged_forecaster_is_refused_by_file_and_field(change: Change, message: str, tmp_path: Path) -> None:
    saved(tmp_path / "it", EXPERIMENT)
    with safe_open(tmp_path / "it", "pt") as file:
        header, tensors = file.metadata(), load_file(tmp_path / "it")
    change(header, tensors)
    (tmp_path / "it").write_bytes(save(tensors, header))
    with pytest.raises(ValueError, match=rf"^{tmp_path / 'it'}: {message}"):
        load(tmp_path / "it")
