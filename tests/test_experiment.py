"""Is an experiment a value: checked, equal, hashable, and the same after a trip through JSON?"""

import dataclasses
import json
from typing import Any

import pytest
import torch

from lstm_core import Experiment
from lstm_core.data import held_out, samples
from lstm_core.experiment import YOUNGER
from lstm_core.measurements.checkpoints import beginning
from lstm_core.training.train import train

OF_SLSTM: dict[str, Any] = {"forget_activation": "exponential", "stabilised": False}
REFUSED: list[dict[str, Any]] = [
    {"task": "nonsense"},
    {"length": -5},
    {"length": 2.5},
    {"length": "50"},
    {"length": True},
    {"cell": "transformer"},
    {"activation": "softmax"},
    {"output_activation": "softmax"},
    {"gates": "xyz"},
    {"gates": "oi"},
    {"gates": "ii"},
    {"gates": None},
    {"coupled": 1.5},
    {"peephole": "yes"},
    {"weights": "shared"},
    {"biases": 3},
    {"init": "zeros"},
    {"gain": -1.0},
    {"forget_bias": "large"},
    {"forget_bias": 1e400},
    {"hidden": 100_000},
    {"batch": 0},
    {"steps": 0},
    {"optimizer": "lion"},
    {"lr": 0.0},
    {"lr": float("nan")},
    {"momentum": 1.0},
    {"clip": "sometimes"},
    {"clip_at": 0.0},
    {"seed": -1},
    {"precision": "float16"},
    {"engine": "quantum"},
    {"layers": 7},
    {"wiring": "skip"},
    {"window": 9},
    {"sequences": 2001},
    {"series": "nonsense"},
    {"horizon": 0},
    {"stream": 3},
    {"log": 1},
    {"difference": "twice"},
    {"fold": 2},
    {"folds": 51},
    {"forget_activation": "relu"},
    {"stabilised": 1},
    {"layer_norm": 1},
    {"zoneout_h": 1.0},
    {"zoneout_c": -0.1},
]


@pytest.mark.parametrize("wrong", REFUSED, ids=str)
def test_a_bad_value_is_refused_by_field_and_value(wrong: dict[str, Any]) -> None:
    ((name, value),) = wrong.items()
    with pytest.raises(ValueError, match=f"^{name}: ") as refused:
        Experiment(**wrong)
    assert repr(value) in str(refused.value)


def test_every_field_has_a_refused_value() -> None:
    assert {name for wrong in REFUSED for name in wrong} == {spec.name for spec in dataclasses.fields(Experiment)}


def test_coupling_needs_both_gates() -> None:
    with pytest.raises(ValueError, match=r"^coupled: "):
        Experiment(coupled=True, gates="io")


@pytest.mark.parametrize(
    "only_lstm",
    [
        {"gates": "io"},
        {"peephole": True},
        {"output_activation": "tanh"},
        {"layer_norm": True},
        {"zoneout_h": 0.1},
        {"zoneout_c": 0.5},
    ],
    ids=str,
)
@pytest.mark.parametrize("cell", ["rnn", "gru"])
def test_gates_of_the_lstm_are_refused_elsewhere(cell: str, only_lstm: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"^{next(iter(only_lstm))}: .* needs cell lstm"):
        Experiment(cell=cell, **only_lstm)


def test_a_length_that_is_too_short_for_the_task_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^length: 9 is too short for temporal_order, which needs at least 10"):
        Experiment(task="temporal_order", length=9)


def test_whole_numbers_and_floats_are_the_same_experiment() -> None:
    assert Experiment(lr=1, forget_bias=2) == Experiment(lr=1.0, forget_bias=2.0)
    assert Experiment(lr=1).key == Experiment(lr=1.0).key


@pytest.mark.parametrize("tiny", [-0.0, 5e-324, -2e-311])
def test_what_is_too_small_for_a_normal_number_is_the_same_experiment_as_0(tiny: float) -> None:
    """In every thread, whether or not it flushes such numbers."""
    one, other = Experiment(forget_bias=tiny, gain=abs(tiny)), Experiment(forget_bias=0, gain=0)
    assert one.to_json() == other.to_json()
    torch.set_flush_denormal(True)
    assert (one, hash(one)) == (other, hash(other))


def test_every_field_changes_the_key() -> None:
    other: dict[str, Any] = {
        "task": "latch", "length": 51, "cell": "gru", "activation": "relu", "output_activation": "relu", "gates": "io",
        "coupled": True, "peephole": True, "weights": "concatenated", "biases": 2, "init": "xavier", "gain": 2.0,
        "forget_bias": "chrono", "hidden": 33, "batch": 33, "steps": 301, "optimizer": "sgd", "lr": 0.02,
        "momentum": 0.5, "clip": "value", "clip_at": 2.0, "seed": 1, "precision": "float64", "engine": "reference",
        "layers": 2, "wiring": "dense", "window": 2, "sequences": 8,
        "series": "sines", "horizon": 2, "stream": 1, "log": True, "difference": True, "fold": 2, "folds": 3,
        "forget_activation": "exponential", "stabilised": False,
        "layer_norm": True, "zoneout_h": 0.1, "zoneout_c": 0.5,
    }  # fmt: skip
    assert set(other) == {spec.name for spec in dataclasses.fields(Experiment)}
    needs: dict[str, dict[str, Any]] = {
        "window": {"cell": "rnn"},
        "fold": {"folds": 2},
        "forget_activation": {"cell": "slstm"},
        "stabilised": {"cell": "slstm"},
    }
    pairs = [(Experiment(**needs.get(name, {})), {name: value}) for name, value in other.items()]
    keys = [dataclasses.replace(base, **change).key for base, change in pairs]
    assert all(base.key != key for (base, _), key in zip(pairs, keys, strict=True))
    assert len({Experiment().key, *keys}) == len(other) + 1


def test_the_key_never_changes() -> None:
    assert Experiment().key == "6503fd42b9b0230d"
    assert Experiment(stream=1).key == "a8e4080798ca53d2"


def test_a_record_without_a_stream_is_of_the_first_one_and_a_new_one_always_tells_its_own() -> None:
    fields = json.loads(Experiment().to_json())
    assert fields.pop("stream") == 2
    assert Experiment.from_json(json.dumps(fields)) == Experiment(stream=1)


def test_what_was_trained_with_earlier_random_numbers_is_not_trained_again() -> None:
    old = Experiment(stream=1)
    assert "\n" not in str(old.refusal)
    for draw in (
        lambda: next(samples(old)),
        lambda: held_out(old, 3),
        lambda: next(train(old)),
        lambda: beginning(old),
    ):
        with pytest.raises(ValueError, match=r"^stream: 1 .* looked at, not trained again"):
            draw()
    assert Experiment().refusal is None


def test_fields_that_are_younger_than_the_first_keys_are_told_where_they_are_set() -> None:
    assert set(YOUNGER) & set(json.loads(Experiment().to_json())) == {"stream"}
    assert not set(YOUNGER) & set(json.loads(Experiment(stream=1).to_json()))
    set_to: dict[str, Any] = {
        "layers": 2, "wiring": "dense", "window": 3, "sequences": 8, "series": "sines", "horizon": 4, "stream": 2,
        "log": True, "difference": True, "fold": 2, "folds": 3, "layer_norm": True, "zoneout_h": 0.1, "zoneout_c": 0.5,
    }  # fmt: skip
    assert set_to.keys() | OF_SLSTM.keys() == YOUNGER.keys()
    bases = {
        **dict.fromkeys(("window", "fold"), Experiment(cell="rnn", folds=3)),
        **dict.fromkeys(OF_SLSTM, Experiment(cell="slstm")),
    }
    for name, value in (set_to | OF_SLSTM).items():
        one = dataclasses.replace(bases.get(name, Experiment()), **{name: value})
        assert json.loads(one.to_json())[name] == value
        assert Experiment.from_json(one.to_json()) == one


def test_json_brings_an_experiment_back() -> None:
    experiment = Experiment(task="copy", forget_bias="chrono", gates="io", output_activation="identity", lr=3e-3)
    assert Experiment.from_json(experiment.to_json()) == experiment


@pytest.mark.parametrize("text", ["[]", "{", '{"colour": "red"}', '{"length": "50"}', "null"])
def test_json_that_is_no_experiment_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Experiment.from_json(text)
