"""Which engine computes, when are its kernels ready, and where do they stay?"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from threading import Timer
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from numba import config

from lstm_core import ACTIVATIONS, Experiment, engine, train
from lstm_core.cells import Cell
from lstm_core.kernels import compilation

UNWRITABLE = Path("/proc/nowhere")


@pytest.fixture
def building(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Kernels that are under way until the test says otherwise."""
    build = SimpleNamespace(soon=False, done=Future())
    monkeypatch.setattr(engine, "build", lambda precision: build)
    return build


@pytest.fixture
def fresh_folder() -> Iterator[None]:
    compilation._folder.cache_clear()
    yield
    compilation._folder.cache_clear()


def test_auto_is_the_reference_until_the_kernels_are_ready(building: SimpleNamespace) -> None:
    assert engine.resolve("auto") == "reference"
    building.done.set_result(None)
    assert engine.resolve("auto") == "fused"


def test_auto_waits_for_kernels_that_are_only_to_be_loaded(building: SimpleNamespace) -> None:
    building.soon = True
    Timer(0.2, building.done.set_result, [None]).start()
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


@pytest.mark.usefixtures("fresh_folder")
def test_the_kernels_stay_in_a_folder_named_after_their_sources(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path))
    before = compilation._folder()
    (tmp_path / "kernels").mkdir()
    (tmp_path / "kernels" / "changed.py").write_text("x = 1")
    monkeypatch.setattr(compilation, "HERE", tmp_path / "kernels")
    compilation._folder.cache_clear()
    assert before is not None
    assert before.parent == tmp_path
    assert compilation._folder() != before


@pytest.mark.usefixtures("fresh_folder")
def test_kernels_of_other_activations_stay_in_another_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    before = compilation._folder()
    monkeypatch.setattr(compilation, "codes", lambda: {"tanh": 0, "sigmoid": 1})
    compilation._folder.cache_clear()
    assert compilation._folder() != before


@pytest.mark.usefixtures("fresh_folder")
def test_kernels_of_an_activation_that_has_no_file_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing would tell when it changes."""
    typed: dict[str, Any] = {}
    exec("def kernel(arithmetic): return lambda x: (x, x)", typed)
    assert compilation._folder() is not None
    monkeypatch.setattr(compilation, "rows", lambda: (replace(ACTIVATIONS["tanh"], kernel=typed["kernel"]),))
    compilation._folder.cache_clear()
    assert compilation._folder() is None


@pytest.mark.usefixtures("fresh_folder")
def test_a_folder_that_cannot_be_written_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    cached: list[bool] = []

    def compiler(signature: Any, *, cache: bool, **options: Any) -> Callable[[Any], Any]:
        cached.append(cache)
        return lambda function: function

    monkeypatch.setattr(config, "CACHE_DIR", str(UNWRITABLE))
    monkeypatch.setattr(compilation, "njit", compiler)
    assert compilation.Build("float32").done.result(60)
    assert cached == [False] * len(compilation.Kernels._fields)
