"""Is a layer-normalised LSTM that of Ba et al. 2016, on every way that an experiment goes?"""

import dataclasses

import pytest
import torch
from torch import Tensor, nn

from lstm_core import Experiment, train
from lstm_core.cells import Cell, unroll
from lstm_core.cells.normalisation import EPSILON, normalised
from lstm_core.charts.equations import latex
from lstm_core.engine import REFERENCE_ENGINE
from lstm_core.export.graph import to_onnx
from lstm_core.export.layer import layer
from lstm_core.layers import Stack
from lstm_core.measurements import checkpoints
from lstm_core.measurements.ablations import ablations, held_open
from lstm_core.measurements.checkpoints import Checkpoint
from lstm_core.measurements.gradients import walk
from lstm_core.network import Network, parameter_count
from tests.test_cells import B, D, H, T, built, normal

NORMED = Cell("lstm", layer_norm=True)
SMALL = Experiment(length=12, hidden=6, batch=4, steps=30, precision="float64", layer_norm=True)


def trained(**changes: object) -> Checkpoint:
    experiment = dataclasses.replace(SMALL, **changes)  # type: ignore[arg-type]
    return checkpoints.kept(experiment, train(experiment, weights_every=30))[-1]


@pytest.mark.parametrize(("of", "size"), [("h", 4 * H), ("x", 4 * H), ("c", H)])
def test_each_of_three_vectors_is_normalised_as_by_torchs_module(of: str, size: int) -> None:
    p, z, oracle = built(NORMED).layer_list[0].tensors(), normal(T, B, size, seed=1), nn.LayerNorm(size, EPSILON)
    oracle.weight, oracle.bias = (nn.Parameter(p.own[f"{name}_{of}"]) for name in ("alpha", "beta"))
    torch.testing.assert_close(normalised(p, of, z), oracle(z), rtol=0, atol=1e-12)


def test_a_larger_matrix_changes_nothing() -> None:
    """The invariance of their section 5.1, but for epsilon, which is small beside these variances."""
    stack, x = built(NORMED), normal(T, B, D, seed=2)
    p, start = stack.layer_list[0].tensors(), (normal(B, H, seed=3), normal(B, H, seed=4))
    large = p._replace(recurrent=1e3 * p.recurrent, input=1e3 * p.input)
    larger = p._replace(recurrent=1e6 * p.recurrent, input=1e6 * p.input)
    cell = Cell("lstm", layer_norm=True)
    one, other = (unroll(x, start, weights, cell).hidden for weights in (large, larger))
    torch.testing.assert_close(one, other, rtol=0, atol=1e-6)


@pytest.mark.parametrize("gates", ["ifo", "io", ""])
def test_it_starts_at_gains_of_1_and_biases_of_0_beside_the_weights_of_the_plain_one(gates: str) -> None:
    """Two vectors of each for all rows, and one for c."""
    plain, normed = (Network(dataclasses.replace(SMALL, gates=gates, layer_norm=it)) for it in (False, True))
    start, size = normed.state_dict(), SMALL.hidden
    for name, tensor in plain.state_dict().items():
        assert torch.equal(tensor, start.pop(name))
    assert {name.rpartition(".")[2] for name in start} == {f"{one}_{of}" for one in ("alpha", "beta") for of in "hxc"}
    for name, tensor in start.items():
        assert bool((tensor == float("alpha" in name)).all())
        assert len(tensor) == (size if name.endswith("c") else (1 + len(gates)) * size)


def test_all_of_its_parameters_learn() -> None:
    experiment = dataclasses.replace(SMALL, steps=5)
    first, *_, last = train(experiment, weights_every=1)
    assert first.weights is not None
    assert last.weights is not None
    assert len(first.weights) == parameter_count(experiment)
    assert bool((first.weights != last.weights).all())
    assert last.engine == REFERENCE_ENGINE


def test_kernels_that_do_not_know_it_are_refused_in_one_line() -> None:
    with pytest.raises(ValueError, match=r"^engine: 'fused' has no kernel for layer_norm, choose auto or reference$"):
        dataclasses.replace(SMALL, engine="fused")


@pytest.mark.parametrize("peephole", [False, True])
def test_a_gate_that_is_held_open_is_1_and_the_others_are_normalised_as_before(peephole: bool) -> None:
    """At the first time step, where none sees another's work."""
    checkpoint = trained(peephole=peephole)
    p, cell, inputs = checkpoint.parameters(), checkpoint.cell, checkpoints.first_inputs(checkpoint.experiment)
    before = walk(p, cell, inputs).gates
    for gate in "ifo":
        held = walk(*held_open(p, cell, gate), inputs).gates
        assert bool((held[gate] == 1).all())
        for other in set("if") - {gate}:
            assert torch.equal(held[other][0], before[other][0])
    losses = ablations(checkpoint)
    assert set(losses) == {"", "i", "f", "o"}
    assert len(set(losses.values())) == 4


def test_its_direct_path_is_the_whole_jacobian_of_c_where_nothing_else_leads_back() -> None:
    """No recurrent weights: what is shown of c is normalised, what is kept is not."""
    checkpoint = trained()
    network = checkpoint.network()
    own = dict(network.named_parameters())
    for name in ("stack.layers.0.weight_h", "stack.layers.0.own.alpha_h"):
        own[name].zero_()
    weights = torch.cat([parameter.flatten() for parameter in network.parameters()])
    way = checkpoints.highway(dataclasses.replace(checkpoint, weights=weights))
    torch.testing.assert_close(way.cell, way.direct, rtol=1e-12, atol=0)
    assert bool((way.direct[:-1] < 1).all())


def test_what_it_cannot_be_written_as_is_said_in_one_line() -> None:
    with pytest.raises(ValueError, match=r"^layer_norm: True has no code of its own$"):
        layer(SMALL)
    with pytest.raises(ValueError, match=r"^layer_norm: True has no code of its own$"):
        to_onnx(checkpoints.beginning(SMALL))


@pytest.mark.parametrize("weights", ["separate", "concatenated"])
def test_its_equations_say_what_is_normalised(weights: str) -> None:
    written = latex(dataclasses.replace(SMALL, weights=weights))
    assert written.count(r"\mathrm{LN}_h(") == written.count(r"\mathrm{LN}_x(") == 4
    assert written.count(r"\mathrm{LN}_c(c_t)") == 1
    assert r"c_t &= f_t \odot c_{t-1}" in written


@pytest.mark.parametrize("layers", [1, 2])
def test_its_gradient_is_finite_where_there_is_nothing_to_normalise(layers: int) -> None:
    """No input and no state at the first step: a variance of 0."""
    stack = Stack(NORMED, D, H, layers, generator=torch.Generator().manual_seed(0))
    output: Tensor = stack(torch.zeros(T, B, D))[0]
    output.sum().backward()
    assert all(bool(parameter.grad.isfinite().all()) for parameter in stack.parameters() if parameter.grad is not None)
