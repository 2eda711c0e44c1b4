"""Which engine computes, and when are its kernels ready?"""

from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from lstm_core import ACTIVATIONS, Experiment, engine, train
from lstm_core.cells import Cell

UNWRITABLE = Path("/proc/nowhere")


@pytest.fixture
def building(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Kernels that are under way until the test says otherwise."""
    build = SimpleNamespace(done=Future())
    monkeypatch.setattr(engine, "build", lambda precision, cell: build)
    return build


def test_auto_is_the_reference_until_the_kernels_are_ready(building: SimpleNamespace) -> None:
    assert engine.resolve("auto") == "reference"
    building.done.set_result(None)
    assert engine.resolve("auto") == "fused"


def test_without_a_compiler_auto_stays_the_reference_and_fused_says_why(building: SimpleNamespace) -> None:
    building.done.set_exception(OSError("no compiler"))
    assert engine.resolve("auto") == "reference"
    with pytest.raises(OSError, match="no compiler"):
        engine.resolve("fused")


@pytest.mark.parametrize(("dtype", "device"), [(torch.bfloat16, "cpu"), (torch.float32, "cuda")])
def test_elsewhere_auto_is_the_reference_and_fused_is_refused(dtype: torch.dtype, device: str) -> None:
    assert engine.resolve("auto", dtype, device) == "reference"
    with pytest.raises(ValueError, match="float32 or float64 on the CPU"):
        engine.resolve("fused", dtype, device)


@pytest.fixture
def without_kernel(monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of an activation that no kernel knows."""
    monkeypatch.setitem(ACTIVATIONS, "plain", replace(ACTIVATIONS["tanh"], name="plain", kernel=None))
    return "plain"


def test_fused_is_refused_for_an_activation_without_a_kernel_in_one_line(without_kernel: str) -> None:
    with pytest.raises(ValueError, match=r"^engine: 'fused' has no kernel for plain, choose auto or reference$"):
        Experiment(output_activation=without_kernel, engine="fused")


@pytest.mark.parametrize("family", ["rnn", "lstm", "gru"])
def test_auto_computes_an_activation_without_a_kernel_by_the_reference(without_kernel: str, family: str) -> None:
    cell = Cell(family, without_kernel)
    assert engine.resolve("auto") == "fused"
    assert engine.resolve("auto", cell=cell) == engine.expected("auto", torch.float32, cell) == "reference"


@pytest.mark.parametrize("layers", [1, 2])
def test_auto_trains_an_activation_without_a_kernel(without_kernel: str, layers: int) -> None:
    experiment = Experiment(length=5, hidden=3, batch=2, steps=4, layers=layers, activation=without_kernel)
    *_, last = train(experiment)
    *_, same = train(replace(experiment, activation="tanh", engine="reference"))
    assert (last.engine, last.loss) == ("reference", same.loss)


@pytest.mark.parametrize("name", ["fused", "reference"])
def test_a_training_keeps_the_engine_that_it_began_with_and_says_which(name: str) -> None:
    snapshots = list(train(Experiment(length=5, hidden=3, batch=2, steps=4, engine=name)))
    assert {snapshot.engine for snapshot in snapshots} == {name}
