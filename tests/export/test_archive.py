"""Does the ZIP of a race hold what its README says, and do its parts train, answer and tell the same?"""

import csv
import dataclasses
import io
import json
import shlex
import zipfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import onnxruntime
import pytest
import torch
from nbclient import NotebookClient

from lstm_core import Experiment, train
from lstm_core.__main__ import main
from lstm_core.activations import ACTIVATIONS
from lstm_core.charts.points import Curve
from lstm_core.commands import training
from lstm_core.data import samples
from lstm_core.export.archive import archive
from lstm_core.export.graph import to_onnx
from lstm_core.export.words import CITATION, citation, command, snippet
from lstm_core.measurements.checkpoints import beginning
from lstm_core.network import Network
from lstm_core.options import parser
from lstm_core.tasks.series import LEFT_OUT, Series, register
from lstm_core.training.snapshot import Snapshot
from tests.export.cases import BASE, experiment, numbers, oracle, printed

LINK = "http://localhost:8501/?cell=gru&stream=2"
README_LINES = 10


def raced(**racers: Experiment) -> list[Curve]:
    return [Curve(label, one, list(train(one, weights_every=one.steps))) for label, one in racers.items()]


def unpacked(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


SHORT = dataclasses.replace(BASE, steps=4)
RACE = raced(LSTM=SHORT, GRU=dataclasses.replace(SHORT, cell="gru"))


def test_a_race_is_one_file_whose_readme_has_ten_lines() -> None:
    files = unpacked(archive(RACE, LINK))
    assert sorted(files) == [
        "GRU.onnx",
        "GRU.py",
        "LSTM.onnx",
        "LSTM.py",
        "README.txt",
        "commands.sh",
        "curves.csv",
        "experiments.json",
        "race.ipynb",
        "with_lstm_core.py",
    ]
    readme = files["README.txt"].decode().splitlines()
    assert len(readme) == README_LINES
    assert any(LINK in line for line in readme)
    assert any(citation() in line for line in readme)
    assert LINK in files["LSTM.py"].decode()


def test_equal_races_are_equal_files() -> None:
    assert archive(RACE, LINK) == archive(RACE, LINK)


def test_all_numbers_are_there() -> None:
    files = unpacked(archive(RACE))
    rows = list(csv.DictReader(io.StringIO(files["curves.csv"].decode())))
    for curve in RACE:
        for snapshot in curve.snapshots:
            of_step = [row for row in rows if (row["racer"], row["step"]) == (curve.label, str(snapshot.step))]
            norms = [float(row["value"]) for row in of_step if row["quantity"] == "hidden_grad_norms"]
            assert norms == list(snapshot.hidden_grad_norms)
            assert [float(row["value"]) for row in of_step if row["quantity"] == "loss"] == [snapshot.loss]
    told = json.loads(files["experiments.json"])
    assert {label: Experiment(**fields) for label, fields in told.items()} == {
        one.label: one.experiment for one in RACE
    }


def test_of_several_seeds_the_first_is_written_and_all_are_told() -> None:
    curves = [*RACE, *raced(**{"LSTM, seed 1": dataclasses.replace(SHORT, seed=1)})]
    files = unpacked(archive(curves))
    assert sorted(name for name in files if name.endswith(".py")) == ["GRU.py", "LSTM.py", "with_lstm_core.py"]
    assert b"LSTM, seed 1" in files["curves.csv"]


def test_labels_that_would_be_one_file_are_two() -> None:
    curves = [dataclasses.replace(curve, label=label) for curve, label in zip(RACE, ("a+", "a-"), strict=True)]
    assert {"a_.py", "a__2.py", "a_.onnx", "a__2.onnx"} <= set(unpacked(archive(curves)))


def test_what_cannot_be_written_is_left_out_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ACTIVATIONS, "cube", dataclasses.replace(ACTIVATIONS["relu"], name="cube", code=""))
    cube = dataclasses.replace(SHORT, activation="cube")
    files = unpacked(archive([*RACE, Curve("cube", cube, [])]))
    assert not {"cube.py", "cube.onnx"} & set(files)
    *_, for_script, for_network = files["README.txt"].decode().splitlines()
    assert for_script == for_network == "Left out: cube: activation: 'cube' has no code of its own"


@pytest.mark.parametrize("name", ["LSTM, adding", "RNN orthogonal, copy, SGD, no clip", "LSTM, forecast with gaps"])
def test_the_line_for_a_shell_means_the_experiment(name: str) -> None:
    one = dataclasses.replace(experiment(name), coupled=True) if name == "LSTM, adding" else experiment(name)
    fields = vars(parser().parse_args(shlex.split(command(one))[3:]))
    assert Experiment(**{spec.name: fields[spec.name] for spec in dataclasses.fields(Experiment)}) == one


def test_the_lines_of_python_mean_the_experiments(capsys: pytest.CaptureFixture[str]) -> None:
    racers = {curve.label: curve.experiment for curve in RACE}
    scope: dict[str, Any] = {}
    exec(snippet(racers), scope)
    assert scope["racers"] == racers
    said = [line.split() for line in capsys.readouterr().out.splitlines()]
    expected = [(curve.label, one.step, one.loss) for curve in RACE for one in curve.snapshots]
    assert [(label, int(step), float(loss)) for label, step, loss, *_ in said] == expected


def test_a_series_of_ones_own_goes_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """To the script, to Python, and to a shell: all have the losses of the race, with its gaps."""
    values = [float(np.sin(place / 4)) + 3 for place in range(90)]
    there = [place % 19 not in (7, 8) for place in range(90)]
    filled = [
        value if known else values[place - 1 - (place % 19 == 8)]
        for place, (value, known) in enumerate(zip(values, there, strict=True))
    ]
    own = register(Series("sales, net", tuple(filled), 7, known=tuple(there), gaps=LEFT_OUT))
    forecast = dataclasses.replace(SHORT, task="forecast", series=own.name, length=5, horizon=2)
    files = unpacked(archive(raced(LSTM=forecast)))
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    (text,) = printed([tmp_path / "LSTM.py"])
    losses = oracle(forecast)
    assert numbers(text) == pytest.approx(losses, abs=1e-9)
    monkeypatch.chdir(tmp_path)
    exec(files["with_lstm_core.py"].decode(), {})
    assert [float(line.split()[2]) for line in capsys.readouterr().out.splitlines()] == losses
    assert main(shlex.split(files["commands.sh"].decode())[3:]) == 0
    *lines, _ = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["loss"] for line in lines] == losses


def test_the_notebook_trains_the_race(tmp_path: Path) -> None:
    made = nbformat.reads(unpacked(archive(RACE, LINK))["race.ipynb"], 4)
    NotebookClient(made, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    texts = ["".join(one.text for one in cell.outputs) for cell in made.cells if cell.get("outputs")]
    assert len(texts) == len(RACE)
    for curve, text in zip(RACE, texts, strict=True):
        assert numbers(text) == pytest.approx([one.loss for one in curve.snapshots], abs=1e-9)


def answered(content: bytes, inputs: torch.Tensor) -> torch.Tensor:
    """What a runtime of ONNX makes of these inputs."""
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return torch.from_numpy(session.run(None, {"inputs": inputs.numpy()})[0])


@pytest.mark.parametrize(
    "name",
    [
        "LSTM coupled with peepholes, temporal order",
        "RNN, window of 3, identity, ReLU, clip by value",
        "GRU softsign, residual, recall",
        "LSTM highway, three layers",
        "LSTM dense, multiplication, fixed set",
        "RNN orthogonal, copy, SGD, no clip",
        "minGRU, concatenated, two biases, chrono",
        "minLSTM, dense, recall",
        "sLSTM, two biases",
        "sLSTM exponential, not stabilised",
    ],
)
def test_a_network_in_onnx_answers_the_same(name: str) -> None:
    """On sequences that are longer and more than those it is trained on, too."""
    one = experiment(name)
    network = Network(one).float()
    inputs, _ = next(samples(dataclasses.replace(one, precision="float32", length=one.length + 7, batch=11)))
    with torch.no_grad():
        answer = network.readout(network.features(inputs))
    torch.testing.assert_close(answered(to_onnx(beginning(one)), inputs), answer, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_is_the_same_in_onnx(activation: str) -> None:
    one = Experiment(cell="rnn", activation=activation, length=4, hidden=5, batch=3, gain=3.0)
    network, (inputs, _) = Network(one), next(samples(one))
    with torch.no_grad():
        answer = network.readout(network.features(inputs))
    torch.testing.assert_close(answered(to_onnx(beginning(one)), inputs), answer, rtol=1e-5, atol=1e-5)


def test_the_network_is_that_of_the_last_weights() -> None:
    curve = RACE[0]
    trained = Network(curve.experiment).load(curve.snapshots[-1].weights.float())  # type: ignore[union-attr]
    inputs, _ = next(samples(dataclasses.replace(curve.experiment, precision="float32")))
    with torch.no_grad():
        answer = trained.readout(trained.features(inputs))
    content = unpacked(archive(RACE))["LSTM.onnx"]
    torch.testing.assert_close(answered(content, inputs), answer, rtol=1e-5, atol=1e-5)


def test_a_shell_writes_the_same_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "race.zip"
    line = command(SHORT).replace("train", "export", 1)
    assert main([*shlex.split(line)[3:], "--record-every", "3", "--out", str(file)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {"done": True, "reason": "completed", "steps": 4, "file": str(file)}
    snapshots = list(train(SHORT, record_every=3, weights_every=SHORT.steps))
    assert file.read_bytes() == archive([Curve("LSTM", SHORT, snapshots)])


def test_what_was_trained_before_ctrl_c_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*arguments: Any, **options: Any) -> Iterator[Snapshot]:
        yield from islice(train(*arguments, **options), 2)
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "train", interrupted)
    monkeypatch.chdir(tmp_path)
    assert main(["export", *shlex.split(command(SHORT))[4:]]) == 130
    told = json.loads(capsys.readouterr().out)
    assert (told["reason"], told["steps"]) == ("interrupted", 2)
    rows = csv.DictReader(io.StringIO(unpacked(Path(told["file"]).read_bytes())["curves.csv"].decode()))
    assert {row["step"] for row in rows} == {"1", "2"}


def test_a_place_where_no_file_can_be_is_refused_before_the_training(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        main(["export", "--steps", "1000000", "--out", "nowhere/race.zip"])
    assert refused.value.code == 2
    assert capsys.readouterr().err.endswith("out: 'nowhere/race.zip' is not a file in a folder that is there\n")


def test_the_citation_is_that_of_the_project() -> None:
    cited = CITATION.read_text()
    author, title, version = citation().rstrip(".").split(". ")
    assert f'name: "{author}"' in cited
    assert f'title: "{title}"' in cited
    assert f"\nversion: {version.removeprefix('Version ')}\n" in cited
