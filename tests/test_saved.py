"""Does a saved forecaster come back as it was, without its series?"""

import gc
import json
import math
from pathlib import Path

import pytest
import torch
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
    assert (back.mean, back.scale) == (mean, scale)
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


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no such thing",
        save({"x": torch.zeros(2)}),
        save({"x": torch.zeros(2)}, {"format": "gradient-highway forecaster 1"}),
        save(
            {"x": torch.zeros(2)},
            {"format": "gradient-highway forecaster 1", "experiment": "{}", "mean": "0", "scale": "1"},
        ),
        save({"x": torch.zeros(2)}, {"format": "gradient-highway forecaster 1", "experiment": "[", "mean": "0"}),
    ],
)
def test_another_file_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "it").write_bytes(content)
    with pytest.raises(ValueError, match=r"."):
        load(tmp_path / "it")
