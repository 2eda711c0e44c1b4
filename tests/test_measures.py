"""Are the numbers behind a verdict what they are called? Against closed forms, and broken on purpose."""

import dataclasses
import itertools
import math
from typing import Any

import pytest
import torch

from lstm_core import Experiment
from lstm_core.activations import ACTIVATIONS
from lstm_core.cells import unroll
from lstm_core.claims import measures
from lstm_core.claims.results import SeedResult
from lstm_core.data import samples
from lstm_core.measurements import checkpoints, forecast, stacks
from lstm_core.measurements.checkpoints import Checkpoint, beginning
from lstm_core.measurements.unseen import another
from lstm_core.network import Network
from lstm_core.tasks import TASKS
from lstm_core.training.train import train

DOUBLE = Experiment(length=8, hidden=4, batch=5, steps=3, precision="float64")
RNN = dataclasses.replace(DOUBLE, cell="rnn")


def zeroed(experiment: Experiment, answer: float) -> Checkpoint:
    """A network that gives the same answer whatever it reads."""
    network = Network(experiment)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        network.readout.bias.fill_(answer)
    return Checkpoint(experiment, 1, "", torch.nn.utils.parameters_to_vector(network.parameters()).detach())


def test_the_constant_predictors_held_out_loss_is_the_tasks() -> None:
    experiment = dataclasses.replace(RNN, length=20)
    checkpoint = zeroed(experiment, float(TASKS["adding"].constant(20)))
    loss = measures.held_out_loss(SeedResult(experiment, end=checkpoint))
    assert loss == pytest.approx(TASKS["adding"].constant_loss(20), rel=0.05)


@pytest.mark.parametrize("wiring", ["plain", "residual", "dense"])
def test_the_gradient_by_layer_is_that_of_a_training_step_on_the_same_sequences(
    wiring: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = dataclasses.replace(DOUBLE, layers=3, wiring=wiring)
    batch = next(samples(experiment))
    monkeypatch.setattr(stacks, "another", lambda *_: batch)
    measures.seen.cache_clear()
    expected = next(train(experiment)).layer_grad_norms
    assert stacks.layer_gradients(beginning(experiment)) == pytest.approx(list(expected), rel=1e-9)
    share = measures.first_layer_share(beginning(experiment))
    assert share == pytest.approx(math.log10(expected[0] / expected[-1]), rel=1e-9)
    measures.seen.cache_clear()


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_steepest_slope_by_autograd_is_the_tables(name: str) -> None:
    assert measures.steepest_slope(name) == pytest.approx(ACTIVATIONS[name].largest_slope, rel=1e-3)


@pytest.mark.parametrize("window", [1, 2, 3, 4])
def test_the_shortest_path_is_counted_in_jacobians(window: int) -> None:
    experiment = dataclasses.replace(RNN, window=window)
    assert measures.shortest_path(beginning(experiment)) == pytest.approx(math.ceil(8 / window) / 8, abs=0.01)


@pytest.mark.parametrize("seed", range(3))
def test_a_wide_open_output_gate_is_none(seed: int) -> None:
    assert measures.output_gate_error(beginning(dataclasses.replace(DOUBLE, seed=seed))) < 1e-12


def test_an_output_gate_that_is_not_wide_open_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measures, "WIDE_OPEN", 1.0)
    assert measures.output_gate_error(beginning(DOUBLE)) > 1e-3


def test_gates_touch_their_own_unit_alone() -> None:
    assert measures.gate_spill(beginning(DOUBLE)) == 0


def test_a_gate_that_spills_over_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def spilling(*arguments: Any) -> Any:
        hidden, states = unroll(*arguments).final
        return type("Trace", (), {"final": (hidden, states + 0.01 * states.roll(1, 1))})

    monkeypatch.setattr(measures, "unroll", spilling)
    assert measures.gate_spill(beginning(DOUBLE)) == pytest.approx(0.01, rel=0.5)


def test_torchs_cell_state_is_a_sum_of_products_element_by_element() -> None:
    assert measures.hadamard_error(beginning(DOUBLE)) < 1e-12
    other = dataclasses.replace(DOUBLE, seed=1)
    p, x, h, c = measures._any_state(beginning(other))
    assert (p.recurrent.shape, x.shape, h.shape, c.shape) == ((16, 4), (1, 1, 2), (1, 4), (1, 4))


def test_the_direct_path_is_1_without_a_forget_gate_and_not_with_one() -> None:
    assert measures.direct_error(beginning(dataclasses.replace(DOUBLE, gates="io"))) == 0
    assert measures.direct_error(beginning(DOUBLE)) > 0.5


def test_a_norm_over_its_bound_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint = beginning(RNN)
    assert measures.over_bound(checkpoint) <= 1.0001
    reach = checkpoints.reach(checkpoint)
    monkeypatch.setattr(checkpoints, "reach", lambda _: reach._replace(true_slopes=reach.measured / 2))
    assert measures.over_bound(checkpoint) == pytest.approx(2)


def test_the_change_per_step_of_known_states(monkeypatch: pytest.MonkeyPatch) -> None:
    states = torch.tensor([[0.0, 0.0], [3.0, 4.0], [6.0, 8.0], [6.0, 8.0]])
    monkeypatch.setattr(checkpoints, "states", lambda _: states)
    assert measures.change_per_step(beginning(RNN)) == pytest.approx((5 / 10 + 0) / 2)
    assert measures.largest_state(beginning(RNN)) == 8


def test_the_share_of_the_readout_below_the_last_layer() -> None:
    experiment = dataclasses.replace(DOUBLE, layers=2, wiring="dense")
    network = Network(experiment)
    with torch.no_grad():
        network.readout.weight.fill_(1.0)
    weights = torch.nn.utils.parameters_to_vector(network.parameters()).detach()
    assert measures.read_below(Checkpoint(experiment, 1, "", weights)) == pytest.approx(6 / 10)


def test_layouts_of_the_same_weights_look_alike_and_others_do_not() -> None:
    joint = dataclasses.replace(DOUBLE, weights="concatenated")
    assert measures.output_difference(beginning(DOUBLE), beginning(joint)) < 1e-12
    assert measures.output_difference(beginning(DOUBLE), beginning(dataclasses.replace(joint, seed=1))) > 1e-3


@pytest.mark.parametrize(("value", "expected"), [(1.0, 0.0), (0.01, -2.0), (0.0, -307.65)])
def test_floored_log10(value: float, expected: float) -> None:
    assert measures.floored_log10(value) == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("cell", ["rnn", "lstm"])
def test_the_likeness_to_identity_is_that_of_the_jacobian_by_autograd(cell: str) -> None:
    experiment = dataclasses.replace(DOUBLE, cell=cell, length=2)
    checkpoint = beginning(experiment)
    p, row, inputs = checkpoint.parameters(), checkpoint.cell, checkpoints.first_inputs(experiment)
    state, found = row.start(inputs, experiment.hidden), []
    for x in inputs:

        def last(one: torch.Tensor, before: tuple[torch.Tensor, ...] = state, x: torch.Tensor = x) -> torch.Tensor:
            return unroll(x[None], (*before[:-1], one[None]), p, row).final[-1][0]

        jacobian = torch.autograd.functional.jacobian(last, state[-1][0])
        found.append(float(jacobian.trace() / (jacobian.norm() * experiment.hidden**0.5)))
        state = unroll(x[None], state, p, row).final
    assert measures.likeness_to_identity(checkpoint) == pytest.approx(sum(found) / len(found), rel=1e-9)


def test_the_rank_per_feature_of_equal_features_is_one_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    found = stacks.Features(8.0, 0.5, 32)
    monkeypatch.setattr(measures, "features", lambda _: found)
    measures.seen.cache_clear()
    assert measures.rank_per_feature(beginning(RNN)) == pytest.approx(math.log10(1 / 4))
    assert measures.correlation(beginning(RNN)) == 0.5
    measures.seen.cache_clear()


@pytest.mark.parametrize("wiring", ["residual", "dense"])
def test_the_slope_of_the_answer_is_that_of_small_changes(wiring: str) -> None:
    experiment = dataclasses.replace(RNN, layers=2, wiring=wiring, length=3)
    checkpoint = beginning(experiment)
    inputs, _ = another(experiment, stacks.FEATURE_SEQUENCES)
    network = checkpoint.network()

    def answers(seen: torch.Tensor) -> torch.Tensor:
        return network.readout(network.features(seen))[:, 0]

    squares = torch.zeros(inputs.shape[1], dtype=torch.float64)
    for t, channel in itertools.product(range(len(inputs)), range(inputs.shape[2])):
        change = torch.zeros_like(inputs)
        change[t, :, channel] = 1e-6
        squares += ((answers(inputs + change) - answers(inputs - change)) / 2e-6) ** 2
    assert measures.input_slope(checkpoint) == pytest.approx(math.log10(float(squares.sqrt().mean())), abs=1e-6)


def test_the_direct_reach_is_the_largest_product_of_forget_gates() -> None:
    checkpoint = beginning(DOUBLE)
    path = checkpoints.one_sequence(checkpoint)
    product = path.gates["f"][:, 0].prod(0)
    assert measures.direct_reach(checkpoint) == pytest.approx(math.log10(float(product.max())), rel=1e-9)


def test_the_lowest_error_is_that_of_the_network_that_validation_picks(monkeypatch: pytest.MonkeyPatch) -> None:
    experiments = [dataclasses.replace(RNN, task="forecast", length=10, lr=lr) for lr in (0.001, 0.01)]
    results = [SeedResult(one, end=beginning(one)) for one in experiments]
    validated, tested = (
        dict(zip(experiments, (2.0, 1.0), strict=True)),
        dict(zip(experiments, (0.1, 10.0), strict=True)),
    )
    monkeypatch.setattr(forecast, "validation_errors", lambda one, _: forecast.Errors(0, validated[one], 0))
    monkeypatch.setattr(forecast, "scores", lambda one, _: forecast.Scores(tested[one], 0))
    assert measures.lowest_error(results) == pytest.approx(1)
    assert measures.lowest_error([results[0], SeedResult(experiments[1])]) == pytest.approx(-1)
    assert math.isnan(measures.lowest_error([SeedResult(one) for one in experiments]))
