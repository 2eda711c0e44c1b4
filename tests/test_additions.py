"""Does it take no more to add something than CONTRIBUTING.md says? Its examples, executed."""

import json
import math
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
EXAMPLES = (ROOT / "CONTRIBUTING.md").read_text()

USE_ACTIVATION = """
import json
from lstm_core import Experiment, train
from lstm_core.cells import Cell
from lstm_core.charts.equations import latex
from lstm_core.charts.tables import activation_curves
from lstm_core.kernels.pieces import build

def losses(engine, cell, layers):
    experiment = Experiment(activation="rational", engine=engine, cell=cell, layers=layers, precision="float64",
                            length=10, hidden=5, batch=4, steps=20)
    return [snapshot.loss for snapshot in train(experiment)]

if __name__ == "__main__":
    cells = [("rnn", 1), ("lstm", 1), ("gru", 1), ("lstm", 2)]
    print(json.dumps({
        "kept": build("float64", Cell("lstm", "rational")).done.done(),
        "fused": [losses("fused", *cell) for cell in cells],
        "reference": [losses("reference", *cell) for cell in cells],
        "curve": activation_curves(["rational"], slope=False).to_pydict(),
        "equations": latex(Experiment(activation="rational")),
    }))
"""

USE_FAMILY = """
import json
from lstm_core import Experiment, train
from lstm_core.cells import LAYOUTS
from lstm_core.charts.catalogue import CHARTS
from lstm_core.charts.equations import latex
from lstm_core.charts.points import Curve
from lstm_core.layers import Stack

def written_out(x, layer):
    p, h, outputs = layer.tensors(), torch.zeros(3, 5, dtype=torch.float64), []
    bias = p.whole_bias
    for x_t in x:
        f = torch.sigmoid(x_t @ p.input[:5].T + h @ p.recurrent[:5].T + bias[:5])
        n = torch.tanh(x_t @ p.input[5:].T + (f * h) @ p.recurrent[5:].T + bias[5:])
        h = (1 - f) * h + f * n
        outputs.append(h)
    return torch.stack(outputs)

x, differences = torch.randn(7, 3, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)), []
for weights in LAYOUTS:
    for biases in (1, 2):
        stack = Stack(Cell("minimal"), 2, 5, weights=weights, biases=biases).double().requires_grad_(False)
        differences.append(float((stack(x)[0] - written_out(x, stack.layer_list[0])).abs().max()))
small = Experiment(cell="minimal", length=6, hidden=5, batch=3, steps=30, layers=2, wiring="dense")
curve = Curve("it", small, list(train(small, weights_every=10)))
print(json.dumps({
    "differences": differences,
    "engines": sorted({snapshot.engine for snapshot in curve.snapshots}),
    "drawn": CHARTS["gate_activation"].table([curve]).num_rows,
    "equations": latex(Experiment(cell="minimal", biases=2)),
}))
"""

USE_TASK = """
import dataclasses, json
from torch.nn import functional
from lstm_core import Experiment, train
from lstm_core.charts.tables import sample
from lstm_core.data import samples
from lstm_core.sweep.grid import read_grid

experiment = Experiment(task="change", length=30)
*_, last = train(Experiment(task="change", length=3, steps=300, lr=0.03, engine="reference"))
_, targets = next(samples(experiment))
answer = functional.one_hot(targets, 2).float()
answer[:20] = 1 - answer[:20]
groups = read_grid('[grid]\\ntask = ["adding", "change"]\\nseeds = 2')
print(json.dumps({
    "loss": last.mean_loss,
    "accuracy": experiment.problem.accuracy(answer, targets),
    "sample": sample(experiment).to_pydict(),
    "groups": [[group.task, len(group.experiments)] for group in groups],
    "reread": Experiment.from_json(experiment.to_json()) == experiment,
}))
"""

USE_CHART = """
import json
from lstm_core import Experiment, train
experiment = Experiment(length=5, hidden=3, batch=2, steps=10, engine="reference")
snapshots = list(train(experiment, weights_every=5))
row = CHARTS["batch_loss"]
curves = [Curve("LSTM", experiment, snapshots)]
drawn = [row["y"] for row in row.table(curves).to_pylist() if row["kind"] == "racer" and row["series"] == "LSTM"]
print(json.dumps({
    "losses": [snapshot.loss for snapshot in snapshots],
    "drawn": drawn,
    "title": row.of(curves).to_dict()["title"],
    "measured": [
        [row["x"], row["y"]]
        for row in next(iter(CHARTS["recurrent_norm"].of(curves).to_dict()["datasets"].values()))
        if row["kind"] == "racer"
    ],
    "norms": [
        [snapshot.step, recurrent_norm(Checkpoint(experiment, snapshot.step, "", snapshot.weights))]
        for snapshot in snapshots
        if snapshot.weights is not None
    ],
}))
"""

USE_PAGE = """
import json
from streamlit.testing.v1 import AppTest
from lstm_core.ui.session import SHOWING
visit = AppTest.from_file("dashboard.py", default_timeout=60).run()
visit.switch_page(PAGES["sizes"].path).run()
showing = visit.session_state[SHOWING]
showing.race.pause()
print(json.dumps({
    "errors": [error.value for error in visit.exception],
    "title": visit.title[0].value,
    "sizes": {label: experiment.hidden for label, experiment in showing.experiments},
    "charts": [text.value for text in visit.markdown if text.value == "**Loss**"],
    "weights": [racer.run.weights for racer in showing.race.racers],
}))
"""


def blocks(heading: str) -> list[str]:
    """The Python below a heading."""
    section = EXAMPLES.partition(f"### {heading}\n")[2].partition("\n#")[0]
    return re.findall(r"```python\n(.*?)```", section, re.DOTALL)


def run(folder: Path, script: str, **environment: str) -> Any:
    """What a script prints, in a process of its own that begins in this folder."""
    (folder / "script.py").write_text(script)
    done = subprocess.run(
        [sys.executable, "script.py"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def activation(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The activation in use, in the process that compiles its kernels and in one that finds them on disk."""
    folder = tmp_path_factory.mktemp("activation")
    (example,) = blocks("An activation")
    return [run(folder, example + USE_ACTIVATION, NUMBA_CACHE_DIR=str(folder / "cache")) for _ in range(2)]


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Any:
    (example,) = blocks("A task")
    return run(tmp_path_factory.mktemp("task"), example + USE_TASK)


def test_an_added_activation_trains_alike_on_both_engines(activation: Any) -> None:
    compiled, _ = activation
    for fused, reference in zip(compiled["fused"], compiled["reference"], strict=True):
        assert fused == pytest.approx(reference, rel=1e-9, abs=0)


def test_kernels_of_an_added_activation_are_kept_and_the_same_when_they_are_found(activation: Any) -> None:
    compiled, found = activation
    assert (compiled["kept"], found["kept"]) == (False, True)
    assert found["fused"] == compiled["fused"]


def test_an_added_activation_is_drawn(activation: Any) -> None:
    curve = activation[0]["curve"]
    assert set(curve["series"]) == {"rational"}
    assert curve["y"] == pytest.approx([x / (1 + x * x) for x in curve["x"]])


def test_an_added_activation_stands_in_the_equations(activation: Any) -> None:
    assert "rational" in activation[0]["equations"]


def test_an_added_family_computes_its_equations_trains_in_stacks_and_is_drawn(tmp_path: Path) -> None:
    """With either layout of the weights, and with one bias or two."""
    (example,) = blocks("A cell family")
    used = run(tmp_path, example + USE_FAMILY)
    assert max(used["differences"]) < 1e-12
    assert used["engines"] == ["reference"]
    assert used["drawn"] > 30
    assert r"W_{hn}\,(f_t \odot h_{t-1}) + b_{hn}" in used["equations"]


def test_an_added_task_with_an_answer_at_every_step_is_learned(task: Any) -> None:
    assert task["loss"] < math.log(2) / 10


def test_the_accuracy_of_an_added_task_counts_all_steps(task: Any) -> None:
    """Of 30 answers, the first 20 are wrong."""
    assert task["accuracy"] == pytest.approx(1 / 3)


def test_the_sample_of_an_added_task_is_drawn_with_all_its_answers(task: Any) -> None:
    sample = task["sample"]
    rows = zip(sample["channel"], sample["x"], sample["x2"], sample["value"], strict=True)
    shown = [(channel, x) for channel, x, end, value in rows if end > x and value]
    ones = {x for channel, x in shown if channel == "bit"}
    changes = [(t in ones) != (t - 1 in ones) for t in range(30)]
    assert {(channel, x) for channel, x in shown if channel != "bit"} == {
        (("→ same", "→ other")[change], t) for t, change in enumerate(changes)
    }


def test_an_added_task_stands_in_a_grid(task: Any) -> None:
    assert task["groups"] == [["adding", 2], ["change", 2]]


def test_an_experiment_of_an_added_task_is_read_as_it_was_written(task: Any) -> None:
    assert task["reread"]


def test_an_added_chart_draws_its_table_and_what_it_needs_measured(tmp_path: Path) -> None:
    shown = run(tmp_path, "".join(blocks("A chart")) + USE_CHART)
    assert shown["title"] == "Loss of each batch"
    assert shown["drawn"] == pytest.approx(shown["losses"])
    assert [step for step, _ in shown["measured"]] == [1, 5, 10]
    assert shown["measured"] == shown["norms"]


def test_an_added_page_opens_and_its_racers_keep_what_its_charts_measure(tmp_path: Path) -> None:
    page, row = blocks("A page")
    shutil.copytree(ROOT / "pages", tmp_path / "pages")
    shutil.copy(ROOT / "dashboard.py", tmp_path)
    (tmp_path / "pages" / "sizes.py").write_text(page)
    history = f"sqlite:///{tmp_path}/history.sqlite"
    shown = run(tmp_path, row + USE_PAGE, GRADIENT_HIGHWAY_HISTORY=history)
    assert shown == {
        "errors": [],
        "title": "Does a wider network remember longer?",
        "sizes": {"narrow": 8, "wide": 32},
        "charts": ["**Loss**"],
        "weights": [True, True],
    }
