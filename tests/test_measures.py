"""Are the numbers behind a verdict what they are called? Against closed forms, and broken on purpose."""

import dataclasses
import math
from typing import Any

import pytest
import torch

from lstm_core import Experiment
from lstm_core.activations import ACTIVATIONS
from lstm_core.cells import unroll
from lstm_core.claims import measures
from lstm_core.claims.measures import SeedResult
from lstm_core.data import samples
from lstm_core.history.records import record_of
from lstm_core.measurements import checkpoints
from lstm_core.measurements.checkpoints import Checkpoint, beginning
from lstm_core.network import Network
from lstm_core.race.runs import Run
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


def test_a_seed_result_has_the_weights_that_its_run_ended_with() -> None:
    run = Run(RNN, weights=True)
    while not run.ended:
        run.advance()
    result = SeedResult.of(record_of(run))
    last = list(train(RNN, weights_every=1))[-1]
    assert last.weights is not None
    assert (result.ended, result.loss) == (last.ended, last.mean_loss)
    assert torch.equal(result.after.weights, last.weights)
    assert torch.equal(result.start.weights, beginning(RNN).weights)


def test_a_seed_result_without_weights_says_so() -> None:
    with pytest.raises(measures.NoWeightsError, match=RNN.key):
        _ = SeedResult(RNN).after


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
    monkeypatch.setattr(checkpoints, "another", lambda *_: batch)
    measures.seen.cache_clear()
    expected = next(train(experiment)).layer_grad_norms
    assert checkpoints.layer_gradients(beginning(experiment)) == pytest.approx(list(expected), rel=1e-9)
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
