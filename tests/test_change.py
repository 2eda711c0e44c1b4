"""Does a training that goes over to the kernels, in its middle, go on from where it was?"""

import dataclasses
import itertools
import math
from typing import Any

import pytest

from lstm_core import Experiment, Snapshot, train
from lstm_core.engine import FUSED, REFERENCE_ENGINE
from lstm_core.experiment import CLIPS, OPTIMIZERS
from lstm_core.history.records import record_of
from lstm_core.measurements.checkpoints import kept
from lstm_core.race.runs import Run
from lstm_core.training import train as module
from lstm_core.training.by_turns import ByTurns
from lstm_core.training.snapshot import engines_of
from lstm_core.training.standing import standing_of
from lstm_core.training.step_by_step import StepByStep
from tests.equality.pairs import SMALL, differences

# Losses of single precision, as a share: there, engines differ in more of the digits.
WITHIN = {"float64": 1e-9, "float32": 1e-5}


def ready_after(monkeypatch: pytest.MonkeyPatch, snapshots: int) -> None:
    """From now on kernels are there when a training has told of so many snapshots."""
    asked = itertools.count()
    # It asks once at its start, and again before each snapshot.
    monkeypatch.setattr(module, "resolve", lambda *_, **__: FUSED if next(asked) > snapshots else REFERENCE_ENGINE)


def changed(
    monkeypatch: pytest.MonkeyPatch, experiment: Experiment, snapshots: int, record_every: int = 1
) -> list[Snapshot]:
    with monkeypatch.context() as meanwhile:
        ready_after(meanwhile, snapshots)
        return list(train(experiment, record_every))


def assert_goes_on(
    monkeypatch: pytest.MonkeyPatch, experiment: Experiment, after: int = 7, record_every: int = 1
) -> list[Snapshot]:
    """After so many snapshots on other engine, with what the reference would have told; the snapshots."""
    seen = changed(monkeypatch, experiment, after, record_every)
    alone = list(train(dataclasses.replace(experiment, engine=REFERENCE_ENGINE), record_every))
    assert [snapshot.engine for snapshot in seen] == [REFERENCE_ENGINE] * after + [FUSED] * (len(seen) - after)
    assert [(it.step, it.ended) for it in seen] == [(it.step, it.ended) for it in alone]
    for ours, theirs in zip(seen, alone, strict=True):
        for name in ("loss", "mean_loss", "grad_norm", "held_out_loss"):
            one, other = getattr(ours, name), getattr(theirs, name)
            # A gradient is small beside the terms that it is the sum of.
            within = WITHIN[experiment.precision] * (10 if name == "grad_norm" else 1)
            assert one is other or math.isclose(one, other, rel_tol=within), (ours.step, name)
    return seen


@pytest.mark.parametrize("precision", WITHIN)
@pytest.mark.parametrize(("optimizer", "clip"), list(itertools.product(OPTIMIZERS, CLIPS)))
def test_it_goes_on_with_every_optimizer_and_clip(
    monkeypatch: pytest.MonkeyPatch, optimizer: str, clip: str, precision: str
) -> None:
    changes: dict[str, Any] = {"optimizer": optimizer, "clip": clip, "clip_at": 0.05, "precision": precision}
    assert_goes_on(monkeypatch, dataclasses.replace(SMALL, steps=50, lr=0.003, **changes))


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("task", ["adding", "latch", "copy"])
def test_it_goes_on_with_every_kind_of_loss_and_several_layers(
    monkeypatch: pytest.MonkeyPatch, task: str, layers: int
) -> None:
    """Squared error and cross entropy at the last time step, and cross entropy at every one."""
    wiring = "dense" if layers > 1 else "plain"
    experiment = dataclasses.replace(SMALL, task=task, length=5, steps=50, layers=layers, wiring=wiring)
    assert_goes_on(monkeypatch, experiment)


def test_it_goes_on_with_a_fixed_training_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the batches that it would have chosen, and the loss on sequences that it never sees."""
    seen = assert_goes_on(monkeypatch, dataclasses.replace(SMALL, sequences=7, steps=50))
    assert all(snapshot.held_out_loss for snapshot in seen)


def test_what_is_held_out_is_computed_by_the_engine_of_the_snapshot() -> None:
    standing = standing_of(SMALL)
    engines = [by(SMALL, standing).engine == standing.network.stack.engine for by in (StepByStep, ByTurns)]
    assert engines == [True, True]


@pytest.mark.parametrize("after", [1, 3, 10])
def test_it_changes_between_two_snapshots(monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """These are seven steps apart; each names the engine that computed its own step."""
    seen = assert_goes_on(monkeypatch, dataclasses.replace(SMALL, length=5, steps=100), after, 7)
    assert engines_of(seen) == {REFERENCE_ENGINE: max(1, 7 * (after - 1)), FUSED: 100}


def test_it_is_solved_at_the_same_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """By losses of which some are of one engine, others of the other."""
    solved = Experiment(task="latch", length=3, steps=400, hidden=8, batch=16, lr=0.05, precision="float64")
    end = list(train(solved))[-1].step
    assert assert_goes_on(monkeypatch, solved, end - 10)[-1].ended == "solved"


def test_it_explodes_at_the_same_step(monkeypatch: pytest.MonkeyPatch) -> None:
    exploding = Experiment(activation="identity", lr=10.0, hidden=6, batch=4, length=40, steps=300, precision="float64")
    end = list(train(exploding))[-1].step
    seen = changed(monkeypatch, exploding, end // 2)
    assert (seen[-1].step, seen[-1].ended, seen[-1].engine) == (end, "diverged", FUSED)
    assert seen[0].engine == REFERENCE_ENGINE


def test_its_last_weights_are_those_of_the_kernels_in_all_that_it_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first step after the change, from equal weights, tells what the reference tells."""
    seen = changed(monkeypatch, SMALL, 5)[5].to_dict() | {"engine": ""}
    alone = list(itertools.islice(train(dataclasses.replace(SMALL, engine=REFERENCE_ENGINE)), 6))[5].to_dict()
    assert max(differences(seen, alone | {"engine": ""}).values()) < 1e-9


def test_only_auto_changes() -> None:
    """The reference that somebody asks for computes to the end, though kernels are ready."""
    snapshots = train(dataclasses.replace(SMALL, steps=5, engine=REFERENCE_ENGINE))
    assert engines_of(snapshots) == {REFERENCE_ENGINE: 5}


def test_it_stays_where_it_is_without_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "resolve", lambda *_, **__: REFERENCE_ENGINE)
    short = dataclasses.replace(SMALL, steps=10)
    assert list(train(short)) == list(train(dataclasses.replace(short, engine=REFERENCE_ENGINE)))


def test_it_does_not_wait_for_kernels_at_a_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    """While something is being prepared, nobody asks what might wait for it."""
    answers = iter([REFERENCE_ENGINE])
    monkeypatch.setattr(module, "preparing", lambda *_: 1.0)
    monkeypatch.setattr(module, "resolve", lambda *_, **__: next(answers))
    assert engines_of(train(dataclasses.replace(SMALL, steps=5))) == {REFERENCE_ENGINE: 5}


def test_the_record_of_a_run_that_changed_names_both_engines(monkeypatch: pytest.MonkeyPatch) -> None:
    ready_after(monkeypatch, 3)
    run = Run(dataclasses.replace(SMALL, steps=6))
    while not run.ended:
        run.advance()
    assert record_of(run).computed_by == "reference+fused"


def test_weights_of_trainings_that_changed_at_different_steps_are_not_taken_for_the_same() -> None:
    """Nor for those of a training that did not change."""
    seen = [
        dataclasses.replace(snapshot, engine=FUSED) for snapshot in train(dataclasses.replace(SMALL, steps=6), 1, 1)
    ]
    first = [dataclasses.replace(snapshot, engine=REFERENCE_ENGINE) for snapshot in seen]
    last = {kept(SMALL, first[:changed] + seen[changed:])[-1] for changed in range(6)}
    assert len(last) == 6
    assert kept(SMALL, first[:4] + seen[4:])[3] == kept(SMALL, first)[3]
