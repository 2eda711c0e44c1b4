"""Does the command line print what it promises, refuse what it must, and end when asked?"""

import dataclasses
import json
import math
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lstm_core import Experiment, train
from lstm_core.__main__ import main
from lstm_core.commands import training
from lstm_core.tasks.series import Series, register
from lstm_core.training.snapshot import Snapshot

SHORT = ["--length", "5", "--hidden", "4", "--batch", "3", "--steps", "4"]


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    assert main(["train", *arguments]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_one_json_object_a_step_and_one_that_sums_up(capsys: pytest.CaptureFixture[str]) -> None:
    *steps, end = run(capsys, *SHORT)
    assert [line["step"] for line in steps] == [1, 2, 3, 4]
    assert {"step", "loss", "grad_norm"} <= set(steps[0])
    assert (end["done"], end["reason"], end["steps"]) == (True, "completed", 4)
    assert end["final_loss"] == steps[-1]["loss"]
    assert end["steps_per_second"] > 0


def test_steps_per_second_are_those_of_training_alone(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]

    def wait(*_: object, **__: object) -> str:
        now[0] += 1000
        return "fused"

    def trained(experiment: Experiment, record_every: int) -> Iterator[Snapshot]:
        for snapshot in train(experiment, record_every):
            now[0] += 0.5
            yield snapshot

    monkeypatch.setattr(training, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    monkeypatch.setattr(training, "resolve", wait)
    monkeypatch.setattr(training, "train", trained)
    assert run(capsys, *SHORT)[-1]["steps_per_second"] == 2


def test_the_lines_are_the_snapshots(capsys: pytest.CaptureFixture[str]) -> None:
    experiment = Experiment(length=5, hidden=4, batch=3, steps=4)
    assert run(capsys, *SHORT)[:-1] == [snapshot.to_dict() for snapshot in train(experiment)]


def test_fewer_lines_on_demand(capsys: pytest.CaptureFixture[str]) -> None:
    assert [line.get("step") for line in run(capsys, *SHORT, "--record-every", "3")] == [1, 3, 4, None]


@pytest.mark.parametrize(
    "arguments",
    [
        ["report", "grid.toml", "--history", "postgresql://u:se", "cr@t@127.0.0.1:1/x"],
        ["report", "--history", "postgresql://u:12", "3@secret/x"],
        ["claims", "--history=postgresql://u:se", "cr@t@127.0.0.1:1/x"],
        ["report", "grid.toml", "--historie", "postgresql://u:secret", "and", "more@127.0.0.1:1/x"],
        ["report", "postgresql://u:secret@127.0.0.1:1/x"],
        ["claims", "postgresql://u:secret@127.0.0.1:1/x"],
    ],
    ids=str,
)
def test_no_complaint_shows_a_password(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert not re.search(r"se|cr|t@|and m|more|12|3@", said.replace("an @ stands", "").replace("the address", ""))


def test_every_field_is_an_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["train", "--help"])
    printed = capsys.readouterr().out
    for spec in dataclasses.fields(Experiment):
        assert "--" + spec.name.replace("_", "-") in printed


def test_options_reach_the_experiment(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        run(capsys, *SHORT, "--layers", "2", "--wiring", "dense")[0]
        == next(train(Experiment(length=5, hidden=4, batch=3, steps=4, layers=2, wiring="dense"))).to_dict()
    )
    arguments = ["--forget-bias", "chrono", "--coupled", "--output-activation", "identity", "--weights", "concatenated"]
    experiment = Experiment(
        length=5, hidden=4, batch=3, steps=4,
        forget_bias="chrono", coupled=True, output_activation="identity", weights="concatenated",
    )  # fmt: skip
    assert run(capsys, *SHORT, *arguments)[0] == next(train(experiment)).to_dict()


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--length", "-5"),
        ("--length", "many"),
        ("--gates", "xyz"),
        ("--task", "nonsense"),
        ("--hidden", "100000"),
        ("--lr", "nan"),
        ("--forget-bias", "huge"),
        ("--seed", "-1"),
        ("--layers", "7"),
        ("--wiring", "skip"),
        ("--window", "9"),
        ("--series", "nonsense"),
        ("--horizon", "0"),
        ("--column", "x"),
        ("--csv", "there-is-none.csv"),
        ("--record-every", "0"),
        ("--record-every", "often"),
        ("--colour", "red"),
    ],
)
def test_a_bad_value_gets_one_line_and_status_2(option: str, value: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["train", option, value])
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert option.strip("-").replace("-", "_") in printed.err.replace("-", "_")
    assert value in printed.err


def test_no_command_gets_one_line_and_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([])
    assert capsys.readouterr().err.count("\n") == 1


def test_divergence_is_valid_json(capsys: pytest.CaptureFixture[str]) -> None:
    end = run(capsys, "--activation", "identity", "--lr", "10")[-1]
    assert end["reason"] == "diverged"
    assert end["final_loss"] in ("inf", "nan") or isinstance(end["final_loss"], float)


def start(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "lstm_core", "train", "--steps", "1000000", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_ctrl_c_ends_it_with_what_was_recorded_so_far() -> None:
    with start("--record-every", "5") as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(3)]
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=60)
    *steps, end = [json.loads(line) for line in [*lines, *rest.splitlines()]]
    assert process.returncode == 130
    assert (end["done"], end["reason"], end["steps"]) == (True, "interrupted", steps[-1]["step"])
    assert errors == ""


def test_a_reader_that_stops_reading_is_no_error() -> None:
    with start() as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(timeout=60) == 0


def written(folder: Path, text: str) -> str:
    (folder / "own.csv").write_text(text)
    return str(folder / "own.csv")


def test_a_column_of_a_file_is_forecast(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values = [math.sin(i / 5) for i in range(100)]
    file = written(tmp_path, "t,x\n" + "".join(f"{i},{value!r}\n" for i, value in enumerate(values)))
    *steps, end = run(capsys, "--task", "forecast", "--csv", file, "--column", "x", "--times", "t", *SHORT)
    held = register(Series("x", tuple(values)))
    experiment = Experiment(task="forecast", series=held.name, length=5, hidden=4, batch=3, steps=4)
    assert steps == [snapshot.to_dict() for snapshot in train(experiment)]
    assert end["reason"] == "completed"


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("x\n1\ntwo\n", ["--column", "x"], "own.csv: line 3, column 'x': 'two' is not a number"),
        ("x,y\n1,2\n", [], "own.csv: say which --column, one of x, y"),
        ("x\n1\n2\n", ["--column", "x"], "own.csv: column 'x': 2 values are fewer than 20"),
        ("x\n" + "1\n2\n" * 20, ["--column", "x", "--length", "60"], "lower the length to at most 27, or the horizon"),
    ],
)
def test_a_file_that_cannot_be_forecast_gets_one_line_and_status_2(
    text: str, options: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["train", "--task", "forecast", "--csv", written(tmp_path, text), *options])
    *_, last = capsys.readouterr().err.splitlines()
    assert message in last
