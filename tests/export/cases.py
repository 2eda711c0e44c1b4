"""Which experiments are taken away in tests? All cells, tasks, first weights, optimizers, clips and wirings."""

import dataclasses
import json
import math
import subprocess
import sys
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

from lstm_core import Experiment, train
from lstm_core.export.script import script, sections
from lstm_core.export.words import SERIES_FILE, series_csv

BASE = Experiment(length=20, hidden=12, batch=8, steps=50, precision="float64", engine="reference")
# Some for every run of the tests, together with all that is special somewhere.
TESTED: dict[str, dict[str, Any]] = {
    "LSTM, adding": {},
    "LSTM without gates, latch, RMSprop": {"gates": "", "task": "latch", "optimizer": "rmsprop", "lr": 0.001},
    "LSTM coupled with peepholes, temporal order": {"coupled": True, "peephole": True, "task": "temporal_order"},
    "LSTM sine and identity, chrono, two biases": {
        "activation": "sine",
        "output_activation": "identity",
        "forget_bias": "chrono",
        "biases": 2,
        "init": "linear",
    },
    "RNN, window of 3, identity, ReLU, clip by value": {
        "cell": "rnn",
        "window": 3,
        "init": "identity",
        "activation": "relu",
        "clip": "value",
        "clip_at": 0.1,
        "lr": 0.001,
    },
    "RNN orthogonal, copy, SGD, no clip": {
        "cell": "rnn",
        "init": "orthogonal",
        "gain": 0.9,
        "task": "copy",
        "optimizer": "sgd",
        "clip": "none",
        "length": 5,
    },
    "GRU, concatenated, two biases, parity": {
        "cell": "gru",
        "init": "identity_alone",
        "weights": "concatenated",
        "biases": 2,
        "task": "parity",
        "length": 10,
    },
    "GRU softsign, residual, recall": {
        "cell": "gru",
        "activation": "softsign",
        "layers": 3,
        "wiring": "residual",
        "task": "recall",
    },
    "LSTM highway, three layers": {"layers": 3, "wiring": "highway"},
    "LSTM dense, multiplication, fixed set": {
        "layers": 2,
        "wiring": "dense",
        "task": "multiplication",
        "sequences": 40,
        "weights": "concatenated",
        "init": "xavier",
    },
    "LSTM, forecast with gaps": {
        "task": "forecast",
        "series": "san_francisco_hourly",
        "horizon": 3,
        "init": "gaussian",
    },
    "minGRU, concatenated, two biases, chrono": {
        "cell": "mingru",
        "weights": "concatenated",
        "biases": 2,
        "init": "linear",
        "forget_bias": "chrono",
    },
    "minLSTM, dense, recall": {"cell": "minlstm", "layers": 2, "wiring": "dense", "task": "recall"},
    "sLSTM, two biases": {"cell": "slstm", "biases": 2},
    "sLSTM exponential, not stabilised": {"cell": "slstm", "forget_activation": "exponential", "stabilised": False},
    "GRU, MNIST-1D": {"cell": "gru", "task": "mnist1d"},
}
MATRIX: dict[str, dict[str, Any]] = TESTED | {
    "RNN": {"cell": "rnn"},
    "LSTM without gates, latch, RMSprop, chaotic": {"gates": "", "task": "latch", "optimizer": "rmsprop"},
    "GRU two biases": {"cell": "gru", "biases": 2, "init": "xavier"},
    "GRU chrono": {"cell": "gru", "forget_bias": "chrono"},
    "GRU concatenated": {"cell": "gru", "weights": "concatenated"},
    "RNN window of 8, sigmoid, concatenated": {
        "cell": "rnn",
        "window": 8,
        "activation": "sigmoid",
        "weights": "concatenated",
    },
    "LSTM io": {"gates": "io", "task": "recall"},
    "LSTM f, peepholes, two biases": {"gates": "f", "peephole": True, "biases": 2},
    "LSTM if, hard tanh": {"gates": "if", "activation": "hardtanh", "task": "parity", "length": 8},
    "LSTM o, softplus out": {"gates": "o", "output_activation": "softplus", "lr": 0.003},
    "LSTM coupled, chrono, concatenated": {"coupled": True, "forget_bias": "chrono", "weights": "concatenated"},
    "LSTM peepholes, GELU, SiLU": {"peephole": True, "activation": "gelu", "output_activation": "silu"},
    "LSTM ELU, leaky ReLU": {"activation": "elu", "output_activation": "leaky_relu", "clip_at": 0.1},
    "LSTM four layers, plain": {"layers": 4, "task": "temporal_order", "init": "xavier"},
    "RNN three layers, dense, two biases": {"cell": "rnn", "layers": 3, "wiring": "dense", "biases": 2},
    "GRU two layers, chosen from 10": {"cell": "gru", "layers": 2, "sequences": 10, "task": "copy", "length": 4},
    "LSTM long copy": {"task": "copy", "length": 60, "batch": 16},
    "LSTM SGD fast": {"optimizer": "sgd", "lr": 0.3, "momentum": 0.5},
    "RNN RMSprop by value": {"cell": "rnn", "optimizer": "rmsprop", "clip": "value", "clip_at": 0.01, "lr": 0.003},
    "LSTM, another seed, forecast far": {"seed": 4294967295, "task": "forecast", "horizon": 20},
    "LSTM chrono, running parity": {"task": "running_parity", "forget_bias": "chrono"},
    "GRU, parity of many lengths": {"cell": "gru", "task": "parity_varied"},
    "LSTM, selective copying": {"task": "selective_copying"},
    "LSTM chrono, associative recall": {"task": "associative_recall", "forget_bias": "chrono", "length": 10},
    "GRU forecast by year": {"cell": "gru", "task": "forecast", "series": "seattle_daily", "length": 30, "batch": 16},
}
# Runs each script in its folder, where neither numpy nor this project can be found.
ALONE = """
import contextlib, io, json, os, runpy, sys, traceback
sys.modules.update(numpy=None, lstm_core=None)
printed = []
for file in sys.argv[1:]:
    os.chdir(os.path.dirname(file))
    with contextlib.redirect_stdout(io.StringIO()) as text:
        try:
            runpy.run_path(file)
        except Exception:
            traceback.print_exc(file=text)
    printed.append(text.getvalue())
print(json.dumps(printed))
"""
# What a script prints of a training step.
COLUMNS = 4


def experiment(name: str, **changed: Any) -> Experiment:
    return dataclasses.replace(BASE, **{**MATRIX[name], **changed})


def written(of: Experiment, folder: Path) -> Path:
    """The file of its script, in this new folder, with the series where one is forecast."""
    folder.mkdir()
    if of.task == "forecast":
        (folder / SERIES_FILE).write_text(series_csv(of.series))
    file = folder / "script.py"
    file.write_text(script(sections(of), "A test"))
    return file


def printed(files: Sequence[Path]) -> list[str]:
    """What these scripts print, run one after the other with torch alone."""
    command = [sys.executable, "-I", "-W", "ignore", "-c", ALONE, *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    texts: list[str] = json.loads(done.stdout)
    return texts


def numbers(text: str, column: int = 1) -> list[float]:
    """Of every training step that was printed: the loss, or what stands in another column."""
    rows = [line.split() for line in text.splitlines()]
    return [float(row[column]) for row in rows if len(row) == COLUMNS and row[0].isdecimal()]


def oracle(of: Experiment) -> list[float]:
    """Its losses on the reference engine."""
    return [snapshot.loss for snapshot in train(of)]


def part_at(one: Sequence[float], other: Sequence[float], by: float) -> float:
    """The first step, counted from 1, whose losses are farther apart, or that one of them has not; inf if none is."""
    for step, (a, b) in enumerate(zip_longest(one, other, fillvalue=math.nan), start=1):
        if not (abs(a - b) <= by or (len(one) == len(other) and not math.isfinite(a) and not math.isfinite(b))):
            return step
    return math.inf
