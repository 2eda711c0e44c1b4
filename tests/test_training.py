"""Does a snapshot tell the truth about a training step?"""

import dataclasses
import math
from typing import Any

import pytest
import torch
from torch import nn

from lstm_core import LSTM, TASKS, Experiment, Snapshot, train
from lstm_core.data import samples
from lstm_core.layers import Readout
from lstm_core.network import Network, parameter_count

SMALL = Experiment(length=12, hidden=6, batch=5, steps=12, precision="float64")


def last(experiment: Experiment) -> Snapshot:
    *_, snapshot = train(experiment)
    return snapshot


def torch_twin(experiment: Experiment) -> tuple[nn.LSTM, Readout]:
    """torch's own LSTM and readout with the weights that the experiment starts from."""
    network = Network(experiment)
    ours = LSTM(len(TASKS[experiment.task].inputs), experiment.hidden).to(torch.float64)
    ours.stack.load_state_dict(network.stack.state_dict())
    return ours.to_torch(), network.readout


def test_training_equals_a_plain_loop_over_torchs_own_modules() -> None:
    """Losses, gradient norms and clipping over 12 steps of Adam, to 1e-10."""
    lstm, readout = torch_twin(SMALL)
    named = dict(lstm.named_parameters())
    parameters = [named[name] for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0")] + list(readout.parameters())
    optimizer = torch.optim.Adam(parameters, SMALL.lr)
    for snapshot, (inputs, targets) in zip(train(SMALL), samples(SMALL), strict=False):
        loss = nn.functional.mse_loss(readout(lstm(inputs)[0][-1]), targets)
        optimizer.zero_grad()
        loss.backward()
        norm = torch.cat([p.grad.flatten() for p in parameters if p.grad is not None]).norm()
        for parameter in parameters:
            assert parameter.grad is not None
            parameter.grad *= min(1, SMALL.clip_at / norm.item())
        optimizer.step()
        assert snapshot.loss == pytest.approx(loss.item(), rel=1e-10)
        assert snapshot.grad_norm == pytest.approx(norm.item(), rel=1e-9)


def test_hidden_gradients_equal_those_of_torchs_lstm_cut_at_each_step() -> None:
    """dL/dh_t is the gradient of the rest of the sequence with respect to the hidden state it starts from."""
    snapshot = next(train(SMALL))
    lstm, readout = torch_twin(SMALL)
    inputs, targets = next(samples(SMALL))
    for t in range(1, SMALL.length):
        _, (hidden, cell) = lstm(inputs[:t])
        hidden = hidden.detach().requires_grad_()
        outputs, _ = lstm(inputs[t:], (hidden, cell.detach()))
        (gradient,) = torch.autograd.grad(nn.functional.mse_loss(readout(outputs[-1]), targets), hidden)
        assert snapshot.hidden_grad_norms[t - 1] == pytest.approx(gradient.norm().item(), rel=1e-10)


def test_the_last_cell_gradient_is_that_of_the_last_hidden_state_through_the_output_gate() -> None:
    experiment = dataclasses.replace(SMALL, gates="", output_activation="identity")
    snapshot = next(train(experiment))
    assert snapshot.cell_grad_norms is not None
    assert snapshot.cell_grad_norms[-1] == pytest.approx(snapshot.hidden_grad_norms[-1], rel=1e-12)


def test_gate_norms_and_the_readouts_make_up_the_whole() -> None:
    snapshot = next(train(SMALL))
    lstm, readout = torch_twin(SMALL)
    inputs, targets = next(samples(SMALL))
    nn.functional.mse_loss(readout(lstm(inputs)[0][-1]), targets).backward()
    for block, name in enumerate("ifgo"):
        rows = slice(block * SMALL.hidden, (block + 1) * SMALL.hidden)
        gradients = [p.grad[rows].flatten() for p in (lstm.weight_ih_l0, lstm.weight_hh_l0, lstm.bias_ih_l0)]  # type: ignore[index]
        assert snapshot.gate_grad_norms[name] == pytest.approx(torch.cat(gradients).norm().item(), rel=1e-10)


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("task", TASKS)
def test_every_task_trains_on_every_cell(task: str, cell: str) -> None:
    """One value for each time step, accuracy where there are classes, a cell state where the cell has one."""
    snapshot = last(Experiment(task=task, cell=cell, length=10, hidden=4, batch=3, steps=2))
    steps = 10 + TASKS[task].extra_steps
    assert math.isfinite(snapshot.loss)
    assert len(snapshot.hidden_grad_norms) == steps
    assert (snapshot.accuracy is not None) == TASKS[task].classes
    assert (snapshot.cell_grad_norms is not None) == (snapshot.max_cell is not None) == (cell == "lstm")
    assert set(snapshot.openness) == set({"rnn": "", "lstm": "ifo", "gru": "rz"}[cell])
    assert all(0 < value < 1 for value in snapshot.openness.values())


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop", "sgd"])
def test_every_optimizer_lowers_the_loss(optimizer: str) -> None:
    snapshots = list(train(dataclasses.replace(SMALL, optimizer=optimizer, length=4, steps=60)))
    assert snapshots[-1].mean_loss < 0.5 * snapshots[0].loss


def test_a_solved_task_ends_the_training_early() -> None:
    snapshot = last(Experiment(task="latch", length=3, steps=500))
    assert snapshot.ended == "solved"
    assert snapshot.step < 500
    assert snapshot.mean_loss < TASKS["latch"].solved_below(3)


def test_divergence_ends_the_training_as_a_result() -> None:
    snapshots = list(train(Experiment(activation="identity", lr=10.0, steps=300)))
    assert snapshots[-1].ended == "diverged"
    assert not (math.isfinite(snapshots[-1].loss) and math.isfinite(snapshots[-1].grad_norm))
    assert all(math.isfinite(snapshot.loss) for snapshot in snapshots[:-1])


def test_training_without_either_runs_to_its_last_step() -> None:
    snapshot = last(SMALL)
    assert (snapshot.step, snapshot.ended) == (12, "completed")


def test_clipping_by_norm_caps_the_norm_and_never_enlarges() -> None:
    snapshots = list(train(dataclasses.replace(SMALL, steps=30)))
    assert {snapshot.grad_norm > SMALL.clip_at for snapshot in snapshots} == {True, False}
    for snapshot in snapshots:
        assert snapshot.clipped_grad_norm == pytest.approx(min(snapshot.grad_norm, SMALL.clip_at), rel=1e-12)


def test_clipping_by_value_shrinks_and_no_clipping_changes_nothing() -> None:
    by_value = next(train(dataclasses.replace(SMALL, clip="value", clip_at=0.01)))
    without = next(train(dataclasses.replace(SMALL, clip="none")))
    assert by_value.clipped_grad_norm <= 0.01 * math.sqrt(parameter_count(SMALL))
    assert without.clipped_grad_norm == without.grad_norm == by_value.grad_norm


def test_equal_experiments_give_bitwise_equal_snapshots() -> None:
    experiment = dataclasses.replace(SMALL, precision="float32")
    assert list(train(experiment)) == list(train(experiment))
    assert list(train(experiment)) != list(train(dataclasses.replace(experiment, seed=1)))


def test_recording_less_often_changes_nothing_else() -> None:
    every = list(train(SMALL))
    assert list(train(SMALL, record_every=5)) == [every[0], every[4], every[9], every[11]]


def test_all_racers_of_a_seed_see_the_same_data() -> None:
    (one, _), (other, _) = next(samples(SMALL)), next(samples(dataclasses.replace(SMALL, cell="rnn", hidden=3)))
    assert torch.equal(one, other)


def test_the_global_generator_is_left_alone() -> None:
    before = torch.get_rng_state()
    list(train(SMALL))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("changes", "weights"),
    [
        ({}, 4 * (64 * 66 + 64)),
        ({"biases": 2}, 4 * (64 * 66 + 128)),
        ({"gates": ""}, 64 * 66 + 64),
        ({"coupled": True}, 3 * (64 * 66 + 64)),
        ({"peephole": True}, 4 * (64 * 66 + 64) + 3 * 64),
        ({"weights": "concatenated"}, 4 * (64 * 66 + 64)),
        ({"cell": "rnn"}, 64 * 66 + 64),
        ({"cell": "gru"}, 3 * (64 * 66 + 64)),
    ],
    ids=str,
)
def test_the_number_of_weights_is_the_closed_form(changes: dict[str, Any], weights: int) -> None:
    readout = 64 + 1
    assert parameter_count(Experiment(hidden=64, **changes)) == weights + readout


def test_a_snapshot_becomes_plain_json_values() -> None:
    diverged = dataclasses.replace(next(train(SMALL)), loss=math.inf, grad_norm=math.nan)
    row = diverged.to_dict()
    assert (row["loss"], row["grad_norm"]) == ("inf", "nan")
    assert isinstance(row["hidden_grad_norms"], list)
