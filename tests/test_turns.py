"""Does a turn of kernels do what one training step after the other does in torch?"""

import dataclasses
import itertools
import math
from typing import Any

import pytest
import torch
from torch import Tensor

from lstm_core import TASKS, Experiment, train
from lstm_core.cells import Cell
from lstm_core.engine import FUSED, REFERENCE_ENGINE
from lstm_core.experiment import CLIPS, OPTIMIZERS
from lstm_core.kernels import turns
from lstm_core.kernels.pieces import KERNELS
from lstm_core.race.limits import tape_bytes
from lstm_core.training.by_turns import WIRING_CODES, ByTurns
from lstm_core.training.standing import standing_of
from tests.equality.pairs import SMALL, Pair, close, farthest, free
from tests.test_cells import described
from tests.test_fused import WINDOWS, WITH_KERNELS


def assert_equal(experiment: Experiment, steps: int) -> None:
    """One step of both from equal states, so many times."""
    found = farthest(experiment, steps)
    assert max(found.values()) < 1e-9, found


@pytest.mark.parametrize("cell", WITH_KERNELS + WINDOWS[:4], ids=described)
def test_a_step_of_every_cell_equals_the_oracles(cell: Cell) -> None:
    fields = {field.name: getattr(cell, field.name) for field in dataclasses.fields(cell) if field.name != "family"}
    assert_equal(dataclasses.replace(SMALL, cell=cell.family, **fields), 4)


@pytest.mark.parametrize(("task", "cell"), list(itertools.product(TASKS, KERNELS)))
def test_a_step_of_every_task_equals_the_oracles(task: str, cell: str) -> None:
    assert_equal(dataclasses.replace(SMALL, task=task, cell=cell), 4)


@pytest.mark.parametrize(("optimizer", "clip"), list(itertools.product(OPTIMIZERS, CLIPS)))
def test_a_step_of_every_optimizer_and_clip_equals_the_oracles(optimizer: str, clip: str) -> None:
    assert_equal(dataclasses.replace(SMALL, optimizer=optimizer, clip=clip, clip_at=0.05), 12)


@pytest.mark.parametrize(("wiring", "layers"), list(itertools.product(WIRING_CODES, (1, 2, 4))))
@pytest.mark.parametrize("cell", KERNELS)
@pytest.mark.parametrize("task", ["adding", "copy"])
def test_a_step_of_every_wiring_equals_the_oracles(wiring: str, layers: int, cell: str, task: str) -> None:
    assert_equal(dataclasses.replace(SMALL, wiring=wiring, layers=layers, cell=cell, task=task, length=6), 3)


@pytest.mark.parametrize(("weights", "biases"), list(itertools.product(("separate", "concatenated"), (1, 2))))
@pytest.mark.parametrize("cell", KERNELS)
def test_a_step_of_every_layout_equals_the_oracles(weights: str, biases: int, cell: str) -> None:
    assert_equal(dataclasses.replace(SMALL, weights=weights, biases=biases, cell=cell, layers=2, wiring="dense"), 3)


@pytest.mark.parametrize(("hidden", "batch"), list(itertools.product((1, 7, 20, 33), (1, 7, 33))))
def test_a_step_of_any_size_equals_the_oracles(hidden: int, batch: int) -> None:
    assert_equal(dataclasses.replace(SMALL, hidden=hidden, batch=batch), 3)


@pytest.mark.parametrize(
    "changes",
    [
        {"activation": "identity", "lr": 10.0, "length": 50},
        {"cell": "rnn", "activation": "relu", "gain": 10.0, "lr": 1.0, "clip": "none", "length": 50},
        {"cell": "rnn", "activation": "identity", "gain": 10.0, "lr": 10.0, "clip": "none", "precision": "float64"},
        {"gates": "", "activation": "softplus", "lr": 100.0, "clip": "none", "length": 40},
    ],
)
def test_an_explosion_is_the_same_result(changes: dict[str, Any]) -> None:
    """Step by step, up to the one at which loss or gradient are no numbers any more."""
    experiment = Experiment(**{"hidden": 6, "batch": 4, "length": 40, "steps": 300, **changes})
    pair = Pair(experiment)
    for _ in range(experiment.steps):
        pair.level()
        theirs, ours = pair.oracle.advance(1), pair.turns.advance(1)
        assert ours["ended"] == theirs["ended"]
        if theirs["ended"]:
            break
    assert theirs["ended"] == "diverged"


@pytest.mark.parametrize("cell", KERNELS)
def test_free_trainings_agree_as_long_as_the_oracle_does_with_itself(cell: str) -> None:
    ours, shaken = free(dataclasses.replace(SMALL, cell=cell), 60)
    assert ours >= min(50, shaken)


@pytest.mark.parametrize("changes", [{}, {"task": "latch", "length": 3, "steps": 400}, {"sequences": 7, "steps": 30}])
def test_free_trainings_tell_the_same(changes: dict[str, Any]) -> None:
    """Recorded at some steps and at the end, whoever makes them, with the weights of that step."""
    experiment = dataclasses.replace(SMALL, **{"steps": 40, **changes})
    one, other = (
        list(train(dataclasses.replace(experiment, engine=engine), 7, 14)) for engine in (FUSED, REFERENCE_ENGINE)
    )
    assert [snapshot.step for snapshot in one] == [snapshot.step for snapshot in other]
    for ours, theirs in zip(one, other, strict=True):
        assert (ours.weights is None) == (theirs.weights is None)
        if ours.weights is not None:
            torch.testing.assert_close(ours.weights, theirs.weights, rtol=0, atol=1e-7)
        assert close(ours.loss, theirs.loss)
        assert close(ours.held_out_loss, theirs.held_out_loss)


def test_what_lay_in_the_workspace_before_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    experiment = dataclasses.replace(SMALL, engine=FUSED, layers=3, wiring="dense", hidden=7, steps=6)
    clean = list(train(experiment))
    room_of = turns._Room.of

    def littered(self: Any, size: int) -> Tensor:
        given = room_of(self, size)
        given.view(torch.float32).fill_(math.nan)
        return given

    monkeypatch.setattr(turns._Room, "of", littered)
    assert list(train(experiment)) == clean


def test_between_two_turns_a_training_keeps_no_tape() -> None:
    """A racer that waits for its turn holds its weights, what belongs to them, and the batches that are drawn."""
    experiment = Experiment(layers=4, wiring="dense", length=100, hidden=16)
    standing = standing_of(experiment)
    training = ByTurns(experiment, standing)
    training.advance(3)
    held = vars(training._turns)
    arrays = [value for value in (*held["_learned"], *held["_fixed"], *held.values()) if hasattr(value, "nbytes")]
    assert sum(array.nbytes for array in arrays) < 9 * standing.weights.nbytes < tape_bytes(experiment) / 10
