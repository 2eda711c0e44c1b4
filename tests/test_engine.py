"""Which engine computes, when are its kernels ready, and where do they stay?"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from threading import Timer
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from numba import config

from lstm_core import Experiment, engine, train
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
    (tmp_path / "activations.py").touch()
    compilation._folder.cache_clear()
    assert before is not None
    assert before.parent == tmp_path
    assert compilation._folder() != before


@pytest.mark.usefixtures("fresh_folder")
def test_a_folder_that_cannot_be_written_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    cached: list[bool] = []

    def compiler(signature: Any, *, cache: bool, **options: Any) -> Callable[[Any], Any]:
        cached.append(cache)
        return lambda function: function

    monkeypatch.setattr(config, "CACHE_DIR", str(UNWRITABLE))
    monkeypatch.setattr(compilation, "njit", compiler)
    assert compilation.Build("float32").done.result(60)
    assert cached == [False, False]
