"""Are measurements of a training made with the weights of that step?"""

import dataclasses
import math

import pytest
import torch
from torch import Tensor

from lstm_core import Experiment, train
from lstm_core.cells import FORGET_ACTIVATIONS, Cell
from lstm_core.data import samples
from lstm_core.layers import Stack
from lstm_core.measurements import ablations, checkpoints, gradients
from lstm_core.measurements.checkpoints import Checkpoint
from lstm_core.network import Network
from lstm_core.tasks import TASKS

SMALL = Experiment(length=12, hidden=6, batch=4, steps=30, precision="float64")


def trained(**changes: object) -> list[Checkpoint]:
    experiment = dataclasses.replace(SMALL, **changes)  # type: ignore[arg-type]
    return checkpoints.kept(experiment, train(experiment, 5, 10))


def test_the_first_the_last_and_every_so_manieth_snapshot_has_its_weights() -> None:
    assert [checkpoint.step for checkpoint in trained()] == [1, 10, 20, 30]


def test_without_being_asked_no_snapshot_has_weights() -> None:
    assert checkpoints.kept(SMALL, train(SMALL)) == []


def test_the_first_checkpoint_has_the_weights_that_the_experiment_starts_from() -> None:
    first = trained()[0].network().state_dict()
    for name, values in Network(SMALL).state_dict().items():
        assert torch.equal(first[name], values)


def test_the_weights_of_a_snapshot_are_those_that_its_loss_was_measured_with() -> None:
    *_, last = trained()
    *_, snapshot = train(SMALL)
    network, task = last.network(), TASKS[SMALL.task]
    batches = samples(SMALL)
    inputs, targets = [next(batches) for _ in range(SMALL.steps)][-1]
    path = gradients.walk(last.parameters(), last.cell, inputs)
    assert float(task.loss(network.readout(path.hidden[-1]), targets)) == pytest.approx(snapshot.loss, abs=1e-12)


def test_weights_that_are_no_numbers_are_left_out() -> None:
    first, *_ = train(SMALL, 1, 1)
    broken = dataclasses.replace(first, weights=torch.full((9,), torch.nan))
    assert [checkpoint.step for checkpoint in checkpoints.kept(SMALL, [first, broken])] == [1]


def test_all_of_a_highway_is_its_direct_part_and_the_rest() -> None:
    way = checkpoints.highway(trained()[-1])
    assert all(way.cell <= (way.direct + way.rest) * (1 + 1e-12))
    assert all(way.cell >= (way.direct - way.rest).abs() * (1 - 1e-12))


@pytest.mark.parametrize("gates", ["if", "fo", "f", "ifo"])
def test_the_direct_path_is_the_product_of_the_forget_gates(gates: str) -> None:
    one = trained(gates=gates)[-1]
    path = checkpoints.one_sequence(one)
    forget = path.gates["f"][:, 0]
    for t, direct in enumerate(checkpoints.direct_path(one.parameters(), one.cell, path)):
        torch.testing.assert_close(direct, forget[t:].prod(0), rtol=1e-12, atol=0)


@pytest.mark.parametrize("cell", ["mingru", "minlstm"])
def test_where_no_gate_sees_the_state_the_direct_path_is_the_whole_jacobian(cell: str) -> None:
    for checkpoint in trained(cell=cell):
        way = checkpoints.highway(checkpoint)
        assert torch.equal(way.cell, way.hidden)
        assert bool((way.rest <= 1e-14 * way.cell).all())
        torch.testing.assert_close(way.direct, way.cell, rtol=1e-14, atol=0)


@pytest.mark.parametrize("forget", FORGET_ACTIVATIONS)
@pytest.mark.parametrize("stabilised", [True, False])
def test_without_recurrent_weights_the_direct_path_of_an_slstm_is_the_whole_jacobian_of_its_cell_state(
    forget: str, stabilised: bool
) -> None:
    """Of what the state stands for, not of what the stabiliser makes of it, also from the first state on."""
    experiment = dataclasses.replace(SMALL, cell="slstm", forget_activation=forget, stabilised=stabilised, gain=0.0)
    way = checkpoints.highway(checkpoints.beginning(experiment))
    assert bool((way.rest <= 1e-14 * way.cell).all())
    assert bool((way.direct > 0).all())
    layer = Network(experiment).layer.double()
    inputs = checkpoints.first_inputs(experiment)
    pre = (inputs[:, 0] @ layer.weight_x.T + layer.bias)[:, layer.block("f")].detach()
    factors = pre.exp() if forget == "exponential" else pre.sigmoid()
    expected = [float(factors[t:].prod(0).max()) for t in way.steps]
    assert way.direct.tolist() == pytest.approx(expected, rel=1e-10)


def test_a_gate_that_is_held_open_is_a_cell_without_it() -> None:
    """With the weights that are left, in a layer of that cell."""
    for gates in ("ifo", "fo", "io"):
        for peephole in (False, True):
            checkpoint = trained(gates=gates, peephole=peephole, biases=2)[-1]
            p = checkpoint.parameters()
            for gate in gates:
                held, left = ablations.held_open(p, checkpoint.cell, gate)
                assert left == Cell("lstm", gates=gates.replace(gate, ""), peephole=peephole)
                layer = Stack(left, 2, SMALL.hidden, biases=2).layer_list[0].tensors()
                shapes = [None if tensor is None else tensor.shape for tensor in held.arrays]
                assert shapes == [None if tensor is None else tensor.shape for tensor in layer.arrays]
                rows = {row: p.recurrent[k * 6 : k * 6 + 6] for k, row in enumerate(checkpoint.cell.rows)}
                assert torch.equal(held.recurrent, torch.cat([rows[row] for row in left.rows]))


def test_an_ablation_is_the_loss_with_that_gate_at_1() -> None:
    """By a forget gate whose bias is so large that it is 1 anyway: holding it changes nothing, holding i does."""
    experiment = dataclasses.replace(SMALL, forget_bias=20.0)
    checkpoint = checkpoints.kept(experiment, train(experiment, 5, 10))[0]
    losses = ablations.ablations(checkpoint)
    assert set(losses) == {"", "i", "f", "o"}
    assert losses["f"] == pytest.approx(losses[""], abs=1e-6)
    assert abs(losses["i"] - losses[""]) > 1e-3


def test_coupled_gates_cannot_be_held_one_by_one() -> None:
    assert set(ablations.ablations(trained(coupled=True)[-1])) == {"", "o"}


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_every_measurement_is_made_on_every_task(task: str, cell: str) -> None:
    checkpoint = trained(task=task, cell=cell, steps=10)[-1]
    steps = checkpoint.experiment.time_steps
    assert checkpoints.states(checkpoint).shape == (steps + 1, 6)
    assert math.isfinite(checkpoints.growth(checkpoint).exponent)
    norms: list[Tensor] = []
    if cell == "rnn":
        norms = list(checkpoints.reach(checkpoint)[1:])
    if cell == "lstm":
        norms = list(checkpoints.highway(checkpoint)[1:])
        assert ablations.without_forgetting(checkpoint).shape == (steps + 1, 6)
        assert len(ablations.ablations(checkpoint)) == 4
    assert all(len(values) == min(steps, checkpoints.MOST_TIME_STEPS) + 1 for values in norms)


def test_without_a_forget_gate_a_unit_keeps_for_ever() -> None:
    assert checkpoints.time_constants(trained(gates="io")[-1]).tolist() == [math.inf] * 6
