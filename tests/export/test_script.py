"""Does a script of plain torch train as the reference engine does, where nothing but torch can be found?"""

import ast
import dataclasses
import math
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstm_core import train
from lstm_core.activations import ACTIVATIONS
from lstm_core.cells import FAMILIES
from lstm_core.experiment import OPTIMIZERS, Experiment
from lstm_core.export.graph import ABOVE as ONNX_ABOVE
from lstm_core.export.layer import STARTS
from lstm_core.export.plain import tasks
from lstm_core.export.script import ABOVE, UPDATES, script, sections
from lstm_core.export.words import SERIES_FILE, command, series_csv, snippet
from lstm_core.initialisation import INITS
from lstm_core.tasks import TASKS
from lstm_core.tasks.series import Beside, Series, register
from lstm_core.wiring import WIRINGS
from tests.export.cases import BASE, MATRIX, TESTED, experiment, numbers, oracle, part_at, printed, written

# The oracle parts from itself before the last step, if by so much.
CHAOTIC, BY = "LSTM without gates, latch, RMSprop, chaotic", 1e-9
SOLVED = dataclasses.replace(BASE, task="recall", length=2, hidden=16, lr=0.05, steps=200)
EXPLODED = dataclasses.replace(BASE, cell="rnn", activation="relu", optimizer="sgd", lr=100.0, clip="none")
SINGLE = dataclasses.replace(BASE, precision="float32", steps=5)
SCRIPTS = {name: experiment(name) for name in (*TESTED, CHAOTIC)} | {
    "solved": SOLVED,
    "diverged": EXPLODED,
    "single": SINGLE,
}


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """What the scripts print, by name, all run in one process."""
    folder = tmp_path_factory.mktemp("scripts")
    files = [written(of, folder / str(number)) for number, of in enumerate(SCRIPTS.values())]
    return dict(zip(SCRIPTS, printed(files), strict=True))


@pytest.mark.parametrize("name", TESTED)
def test_a_script_has_the_losses_of_the_reference_engine(name: str, texts: Mapping[str, str]) -> None:
    of = experiment(name)
    assert numbers(texts[name]) == pytest.approx(oracle(of), abs=1e-9, rel=1e-9), texts[name][-2000:]


def test_a_chaotic_training_parts_no_sooner_than_the_oracle_from_itself(texts: Mapping[str, str]) -> None:
    of = experiment(CHAOTIC)
    theirs, ours = oracle(of), numbers(texts[CHAOTIC])
    itself = part_at(theirs, oracle(dataclasses.replace(of, lr=math.nextafter(of.lr, 1))), BY)
    assert 1 < itself < len(theirs)
    assert part_at(ours, theirs, BY) >= itself - 1


def test_what_a_script_prints_of_gradients_is_what_was_measured(texts: Mapping[str, str]) -> None:
    name = "LSTM without gates, latch, RMSprop"
    snapshots = list(train(experiment(name)))
    assert numbers(texts[name], 2) == pytest.approx([one.grad_norm for one in snapshots], rel=1e-5)
    assert numbers(texts[name], 3) == pytest.approx([one.hidden_grad_norms[0] for one in snapshots], rel=1e-5)


@pytest.mark.parametrize("why", ["solved", "diverged"])
def test_a_script_ends_where_the_training_ends(why: str, texts: Mapping[str, str]) -> None:
    *_, last = train(SCRIPTS[why])
    assert last.ended == why
    assert last.step < SCRIPTS[why].steps
    assert (len(numbers(texts[why])), texts[why].split()[-1]) == (last.step, why)


def test_single_precision_is_that_of_the_experiment(texts: Mapping[str, str]) -> None:
    assert numbers(texts["single"]) == pytest.approx(oracle(SINGLE), rel=1e-5)


def test_a_script_imports_torch_and_what_python_has() -> None:
    for name in MATRIX:
        tree = ast.parse(script(sections(experiment(name)), name))
        imported = {
            (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name) or ""
            for node in ast.walk(tree)
            if isinstance(node, ast.Import | ast.ImportFrom)
        }
        assert {module.split(".")[0] for module in imported} - {"torch"} <= sys.stdlib_module_names


def test_every_row_of_the_house_has_code() -> None:
    assert all(hasattr(tasks, name) for name in TASKS)
    assert set(STARTS) == set(INITS)
    assert set(ABOVE) == set(ONNX_ABOVE) == set(WIRINGS)
    assert set(UPDATES) == set(OPTIMIZERS)
    assert all(row.code for row in ACTIVATIONS.values())
    assert all(row.code for row in FAMILIES.values() if not row.own)


def test_lines_fit_where_code_is_read() -> None:
    longest = max((line for name in MATRIX for line in script(sections(experiment(name)), name).splitlines()), key=len)
    assert len(longest) <= 120, longest


def test_what_has_no_code_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ACTIVATIONS, "cube", dataclasses.replace(ACTIVATIONS["relu"], name="cube", code=""))
    monkeypatch.setitem(TASKS, "own", dataclasses.replace(TASKS["adding"], name="own"))
    with pytest.raises(ValueError, match=r"^activation: 'cube' has no code"):
        sections(Experiment(activation="cube"))
    with pytest.raises(ValueError, match=r"^task: 'own' has no code"):
        sections(Experiment(task="own"))
    with pytest.raises(ValueError, match=r"^stream: 1 stands for"):
        sections(Experiment(stream=1))


@pytest.mark.parametrize(
    ("name", "changes"),
    [("log", {"log": True}), ("difference", {"difference": True}), ("folds", {"folds": 2, "fold": 1})],
)
def test_a_forecast_without_code_of_its_own_is_refused(name: str, changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"^{name}: "):
        sections(dataclasses.replace(BASE, task="forecast", **changes))


def test_what_stands_beside_a_series_is_taken_away_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shell's line and Python's, executed, mean the experiment that was taken away."""
    rng = np.random.default_rng(0)
    values, further = (tuple(rng.standard_normal(60).tolist()) for _ in range(2))
    own = register(Series("value", values, beside=(Beside("beside 1", further),)))
    experiment = dataclasses.replace(BASE, task="forecast", series=own.name, length=5)
    with pytest.raises(ValueError, match=r"^with: "):
        sections(experiment)
    (tmp_path / SERIES_FILE).write_text(series_csv(own.name))
    monkeypatch.chdir(tmp_path)
    executed: dict[str, Any] = {}
    exec(snippet({"LSTM": experiment}).partition("for label")[0], executed)
    assert executed["own"].name == own.name
    assert executed["racers"]["LSTM"] == experiment
    assert shlex.split(command(experiment))[-2:] == ["--with", "beside 1"]
