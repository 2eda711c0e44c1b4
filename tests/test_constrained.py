"""Do rows keep what they promise of W_h: orthogonal, diagonal, within bounds, and at a rate of its own?"""

from typing import Any

import pytest
import torch
from torch import Generator, Tensor

from lstm_core import Experiment, train
from lstm_core.cells import FAMILIES, Cell
from lstm_core.cells.family import W_H
from lstm_core.cells.modrelu import modrelu
from lstm_core.charts.catalogue import CHARTS
from lstm_core.charts.equations import latex, terms
from lstm_core.charts.needs import measured
from lstm_core.charts.points import Curve
from lstm_core.experiment import OPTIMIZERS
from lstm_core.layers import Layer, Stack
from lstm_core.measurements import checkpoints
from lstm_core.measurements.gradients import back_by_autograd, backward, walk
from lstm_core.measurements.saved import load, to_safetensors
from lstm_core.network import Network, parameter_count
from lstm_core.optimizers import bounded, update_rule

KEPT, FREE, SLOW, DIAGONAL = "exprnn", "modrnn", "modrnn_slow", "indrnn"
ROWS = [KEPT, FREE, SLOW, DIAGONAL]
SMALL: dict[str, Any] = {"length": 8, "hidden": 6, "batch": 4, "steps": 40}
D, H = 2, 7


def built(family: str, size: int = H, **options: Any) -> Layer:
    (layer,) = Stack(Cell(family), D, size, generator=Generator().manual_seed(0), **options).double().layer_list
    return layer


def eigenvalues(experiment: Experiment) -> Tensor:
    """Of the W_h with which a training ends, as the spectral charts have them."""
    *_, last = train(experiment, weights_every=experiment.steps)
    assert last.weights is not None
    return checkpoints.recurrent_spectrum(checkpoints.Checkpoint(experiment, last.step, "", last.weights)).eigenvalues


def from_the_circle(values: Tensor) -> float:
    return float((values.abs() - 1).abs().max())


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_eigenvalues_of_a_kept_matrix_stay_on_the_circle(optimizer: str) -> None:
    one = Experiment(cell=KEPT, optimizer=optimizer, lr=0.1, **SMALL)
    assert from_the_circle(eigenvalues(one)) < 1e-6


def test_eigenvalues_of_a_free_matrix_begin_there_and_leave() -> None:
    one = Experiment(cell=FREE, **SMALL)
    first = checkpoints.recurrent_spectrum(checkpoints.beginning(one)).eigenvalues
    assert from_the_circle(first) < 1e-6 < 0.01 < from_the_circle(eigenvalues(one))


@pytest.mark.parametrize("family", [KEPT, FREE, SLOW])
def test_pairs_of_units_turn_at_first_and_an_odd_one_stays(family: str) -> None:
    matrix = built(family).tensors().recurrent.detach()
    angles = torch.atan2(matrix[0:6:2, 1:6:2].diagonal(), matrix.diagonal()[0:6:2])
    blocks = [torch.tensor([[a.cos(), a.sin()], [-a.sin(), a.cos()]]).double() for a in angles]
    torch.testing.assert_close(matrix, torch.block_diag(*blocks, torch.eye(1).double()), rtol=0, atol=1e-6)
    many = built(family, 400).tensors().recurrent.detach()
    angles = torch.atan2(many[0::2, 1::2].diagonal(), many.diagonal()[0::2])
    assert torch.histc(angles, 4, -torch.pi, torch.pi).div(200).tolist() == pytest.approx([0.25] * 4, abs=0.1)


@pytest.mark.parametrize("family", [KEPT, FREE])
def test_the_gain_scales_a_free_matrix_and_no_kept_one(family: str) -> None:
    once, twice = (built(family, gain=gain).tensors().recurrent for gain in (1.0, 2.0))
    assert torch.allclose(twice, 2 * once) == (family == FREE)
    assert torch.allclose(twice, once) == (family == KEPT)


@pytest.mark.parametrize("family", ROWS)
def test_steps_back_by_hand_are_those_of_autograd(family: str) -> None:
    layer, x = built(family), torch.randn(5, 1, D, generator=Generator().manual_seed(1), dtype=torch.float64)
    p = layer.tensors().each(Tensor.detach)
    path = walk(p, layer.cell, x)
    u = torch.eye(H, dtype=torch.float64)[:, None]
    for t in range(1, 6):
        by_hand, by_autograd = (way(p, layer.cell, path)(t, u) for way in (backward, back_by_autograd))
        torch.testing.assert_close(by_hand, by_autograd, rtol=0, atol=1e-12)


def test_the_slope_of_modrelu_is_that_of_autograd_at_0_too() -> None:
    p = built(FREE).tensors()
    shifted = modrelu(p._replace(own={"b": torch.tensor([[-0.5], [0.5]]).double()}))
    a = torch.tensor([-2.0, -0.5, -0.1, 0.0, 0.1, 0.5, 2.0]).double().expand(2, 7).clone().requires_grad_()
    (slope,) = torch.autograd.grad(shifted.function(a).sum(), a)
    assert torch.equal(shifted.derivative(a), slope)
    assert slope[0].tolist() == [1, 0, 0, 0, 0, 0, 1]
    assert slope[1].tolist() == [1, 1, 1, 0, 1, 1, 1]


TORCHS: dict[str, Any] = {
    "adam": lambda groups: torch.optim.Adam(groups, 0.02),
    "rmsprop": lambda groups: torch.optim.RMSprop(groups, 0.02, alpha=0.9),
    "sgd": lambda groups: torch.optim.SGD(groups, 0.02, momentum=0.8),
}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_shares_are_learning_rates_of_groups(optimizer: str) -> None:
    experiment, generator = Experiment(optimizer=optimizer, lr=0.02, momentum=0.8), Generator().manual_seed(0)
    weights = torch.randn(50, generator=generator)
    groups = [torch.nn.Parameter(part.clone()) for part in weights.split(30)]
    theirs = TORCHS[optimizer]([{"params": groups[0]}, {"params": groups[1], "lr": 0.002}])
    gradient, first, second = (torch.zeros_like(weights) for _ in range(3))
    shares = torch.cat([torch.ones(30), torch.full((20,), 0.1)])
    update = update_rule(experiment, weights, gradient, first, second)
    ours = bounded(update, weights, shares, torch.full((50,), torch.inf))
    for _ in range(20):
        gradient.copy_(torch.randn(50, generator=generator))
        for group, part in zip(groups, gradient.split([30, 20]), strict=True):
            group.grad = part.clone()
        ours()
        theirs.step()
    torch.testing.assert_close(weights, torch.nn.utils.parameters_to_vector(groups).detach(), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("weights", ["separate", "concatenated"])
@pytest.mark.parametrize("family", [KEPT, SLOW])
def test_the_first_step_of_adam_moves_what_is_slow_a_tenth_as_far(family: str, weights: str) -> None:
    """By the learning rate, wherever there is a gradient."""
    one = Experiment(cell=family, lr=0.01, weights=weights, layers=2, precision="float64", **SMALL)
    first, second = (snapshot.weights for snapshot, _ in zip(train(one, weights_every=1), range(2), strict=False))
    assert first is not None
    assert second is not None
    network = Network(one).load(second - first).requires_grad_(False)
    moved = {name: parameter.abs().max() for name, parameter in network.named_parameters()}
    layer = network.stack.layer_list[0]._learned()
    slow = layer.own["A_h"] if family == KEPT else layer.recurrent
    assert float(slow.abs().max()) == pytest.approx(0.001, rel=1e-3)
    assert float(layer.input.abs().max()) == pytest.approx(0.01, rel=1e-3)
    assert float(moved["readout.weight"]) == pytest.approx(0.01, rel=1e-3)


def test_a_diagonal_stays_within_1() -> None:
    one = Experiment(cell=DIAGONAL, lr=0.3, **SMALL)
    weights = [snapshot.weights for snapshot in train(one, weights_every=1) if snapshot.weights is not None]
    layers = [Network(one).load(kept).requires_grad_(False).layer for kept in weights]
    assert max(float(layer.own["u_h"].abs().max()) for layer in layers) == 1
    assert float(layers[-1].weight_x.abs().max()) > 1


def test_a_row_that_is_slow_trains_otherwise_than_one_that_is_not() -> None:
    losses = [[snapshot.loss for snapshot in train(Experiment(cell=family, **SMALL))] for family in (FREE, SLOW)]
    assert losses[0][0] == losses[1][0]
    assert losses[0][1:] != losses[1][1:]


@pytest.mark.parametrize("family", ROWS)
def test_a_training_is_repeated_exactly(family: str) -> None:
    one = Experiment(cell=family, **SMALL)
    assert list(train(one)) == list(train(one))


@pytest.mark.parametrize("family", ROWS)
def test_there_is_no_parameter_for_what_is_made_or_missing(family: str) -> None:
    row, one = FAMILIES[family], Experiment(cell=family, task="adding", biases=2, **SMALL)
    of_h = {KEPT: 36 + 6, FREE: 36 + 6, SLOW: 36 + 6, DIAGONAL: 6 + 2 * 6}[family]
    assert parameter_count(one) == of_h + 6 * 2 + 7
    assert sum(term.size for term in terms(one)) == parameter_count(one)
    assert ("W_h" in {term.name for term in terms(one)}) == row.free


def test_a_rate_of_its_own_stands_beside_the_weights() -> None:
    about = {term.name: term.about for term in terms(Experiment(cell=KEPT, **SMALL))}
    assert "0.1 of the learning rate" in about["A_h"]
    assert "rate" not in about["W_x"]
    joint = {term.name: term.about for term in terms(Experiment(cell=SLOW, weights="concatenated", **SMALL))}
    assert "W_h at 0.1 of the learning rate" in joint["W"]


def test_what_is_made_stands_in_the_equations() -> None:
    assert r"W_h &= \exp(A_h - A_h^\top)" in latex(Experiment(cell=KEPT))
    assert r"W_h &= \mathrm{diag}(u_h)" in latex(Experiment(cell=DIAGONAL))
    assert "+ b" not in latex(Experiment(cell=FREE)).replace("|a_t| + b", "")


def test_an_activation_of_another_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^activation: 'relu' needs cell rnn or lstm.*, not exprnn$"):
        Experiment(cell=KEPT, activation="relu")


@pytest.mark.parametrize("family", ROWS)
@pytest.mark.parametrize("name", ["reach", "growth", "eigenvalues", "singular_values", "powers"])
def test_charts_of_one_layer_draw_it(family: str, name: str) -> None:
    one = Experiment(cell=family, **SMALL)
    (curve,) = measured([Curve("it", one, list(train(one, 20, 20)))], CHARTS[name].needs)
    assert "it" in CHARTS[name].table([curve])["series"].to_pylist()


@pytest.mark.parametrize("family", ROWS)
def test_its_gradient_never_passes_its_bounds(family: str) -> None:
    reach = checkpoints.reach(checkpoints.beginning(Experiment(cell=family, **SMALL)))
    assert bool((reach.measured <= reach.true_slopes + 1e-12).all())
    assert bool((reach.true_slopes <= reach.largest_slope + 1e-12).all())


@pytest.mark.parametrize("family", ROWS)
def test_a_forecaster_of_it_travels(family: str, tmp_path: Any) -> None:
    one = Experiment(cell=family, task="forecast", series="sines", **SMALL)
    *_, last = train(one, weights_every=1)
    assert last.weights is not None
    file = tmp_path / "forecaster.safetensors"
    file.write_bytes(to_safetensors(one, last.weights))
    again = torch.nn.utils.parameters_to_vector(load(file).network.parameters())
    assert torch.equal(again, last.weights)


def test_a_wide_diagonal_needs_few_bytes(tmp_path: Any) -> None:
    one = Experiment(cell=DIAGONAL, task="forecast", series="sines", hidden=1024, steps=1, length=5, batch=2)
    *_, last = train(one, weights_every=1)
    assert last.weights is not None
    file = tmp_path / "wide.safetensors"
    file.write_bytes(to_safetensors(one, last.weights))
    assert load(file).experiment.hidden == 1024


def test_other_rows_learn_at_one_rate() -> None:
    assert {row.name for row in FAMILIES.values() if W_H in row.rates} == {SLOW}
