"""Does a cell that sees its last k hidden states compute what it should, and how short are the ways back?"""

import dataclasses
import math
from typing import Any

import pytest
import torch
from torch import Generator, Tensor
from torch.autograd.functional import jacobian

from lstm_core import Experiment, train
from lstm_core.activations import ACTIVATIONS
from lstm_core.cells import LAYOUTS, Cell, Parameters, Path, unroll
from lstm_core.initialisation import INITS
from lstm_core.layers import Layer, Stack
from lstm_core.measurements import checkpoints, gradients
from lstm_core.measurements.gradients import backward, jacobians, walk
from lstm_core.network import Network, parameter_count
from lstm_core.streams import Purpose, stream
from tests.test_cells import normal

T, B, D, H = 7, 3, 2, 4
every_window = pytest.mark.parametrize("window", [1, 2, 3, 8])


def layer(window: int, **options: Any) -> Layer:
    cell = Cell("rnn", options.pop("activation", "tanh"), window=window)
    return Stack(cell, D, H, generator=Generator().manual_seed(0), **options).double().layer_list[0]


def weights(window: int, **options: Any) -> Parameters:
    """All of them random."""
    one = layer(window, **options)
    for seed, parameter in enumerate(one.parameters()):
        parameter.data += 0.5 * normal(*parameter.shape, seed=seed)
    return one.tensors().each(Tensor.detach)


def written_out(p: Parameters, activation: str, inputs: Tensor, window: int) -> Tensor:
    """h_t = phi(sum over k of W_k h_(t-k) + W_x x_t + b), block by block, zeros before the start."""
    blocks, states = p.recurrent.split(H, 1), [torch.zeros(inputs.shape[1], H).double()] * window
    bias = p.bias if p.recurrent_bias is None else p.bias + p.recurrent_bias
    for x in inputs:
        pre = x @ p.input.T + bias
        for k, block in enumerate(blocks, start=1):
            pre = pre + states[-k] @ block.T
        states.append(ACTIVATIONS[activation].function(pre))
    return torch.stack(states[window:])


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@every_window
def test_the_cell_is_its_equation_written_out(window: int, activation: str, layout: str) -> None:
    p, inputs = weights(window, activation=activation, weights=layout, biases=2), normal(T, B, D, seed=9)
    trace = unroll(inputs, (torch.zeros(B, H).double(),), p, Cell("rnn", activation, window=window))
    torch.testing.assert_close(trace.hidden, written_out(p, activation, inputs, window), rtol=0, atol=1e-12)
    assert torch.equal(trace.final[0], trace.hidden[-1])


@every_window
def test_a_sequence_in_two_parts_is_the_whole(window: int) -> None:
    """The second part starts from the last k states of the first, newest first."""
    p, cell, inputs = weights(window), Cell("rnn", window=window), normal(T, B, D, seed=9)
    start = torch.zeros(B, H).double()
    whole = unroll(inputs, (start,), p, cell).hidden
    first = unroll(inputs[:4], (start,), p, cell).hidden
    last = torch.cat(list(first.flip(0)[:window]), 1)
    torch.testing.assert_close(unroll(inputs[4:], (last,), p, cell).hidden, whole[4:], rtol=0, atol=1e-14)


@every_window
def test_gradients_are_finite_differences(window: int) -> None:
    stack = Stack(Cell("rnn", window=window), D, H, generator=Generator().manual_seed(0)).double()
    x, h = normal(T, B, D, seed=9).requires_grad_(), normal(1, B, H, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(lambda x, h: stack(x, (h,))[0], (x, h), fast_mode=True)


def state(path: Path, t: int, window: int) -> Tensor:
    """[h_t; ...; h_(t-k+1)] of a batch of one."""
    zeros = [torch.zeros_like(path.hidden[0, 0])] * window
    return torch.cat([*path.hidden[: t + 1, 0].flip(0), *zeros][:window])


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@every_window
def test_jacobians_are_those_of_autograd_to_1e_10(window: int, activation: str, layout: str) -> None:
    p, cell = weights(window, activation=activation, weights=layout), Cell("rnn", activation, window=window)
    inputs = normal(T, 1, D, seed=9)
    path = walk(p, cell, inputs)
    ours = jacobians(backward(p, cell, path), path, range(T + 1))
    assert ours.shape == (T + 1, window * H, window * H)
    for t in range(T):

        def last(start: Tensor, t: int = t) -> Tensor:
            hidden = unroll(inputs[t:], (start[None],), p, cell).hidden[:, 0]
            return torch.cat([*hidden.flip(0), start])[: window * H]

        torch.testing.assert_close(ours[t], jacobian(last, state(path, t, window)), rtol=1e-10, atol=1e-10)


@every_window
def test_a_growth_rate_has_as_many_numbers_as_the_state(window: int) -> None:
    """Of a linear network it is the logarithm of the largest eigenvalue of [W_1 .. W_k; I 0]."""
    cell, p = Cell("rnn", "identity", window=window), weights(window, activation="identity")
    companion = torch.cat([p.recurrent, torch.eye(window * H).double()])[: window * H]
    path = walk(p, cell, torch.zeros(900, 1, D).double())
    rate = gradients.growth_rate(backward(p, cell, path), path, 300, stream(0, Purpose.PROBES))
    assert float(rate) == pytest.approx(math.log(gradients.spectrum(companion).radius), abs=0.01)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("init", INITS)
def test_every_block_starts_like_the_only_one_divided_by_their_number(init: str, layout: str) -> None:
    one, four = (layer(window, init=init, weights=layout).tensors() for window in (1, 4))
    newest, *others = four.recurrent.split(H, 1)
    torch.testing.assert_close(4 * newest, one.recurrent, rtol=0, atol=1e-6)
    assert torch.equal(four.input, one.input)
    assert torch.equal(four.bias, one.bias)
    for other in others:
        assert torch.equal(other, newest) == (init in ("identity", "identity_alone"))
        assert 0.2 < float((other.norm() / newest.norm()).detach()) < 5


def test_identity_blocks_start_as_the_mean_of_the_last_states() -> None:
    p = layer(4, init="identity").tensors()
    torch.testing.assert_close(p.recurrent.sum(1), torch.ones(H).double())


@every_window
def test_the_number_of_weights_is_the_closed_form(window: int) -> None:
    assert parameter_count(Experiment(cell="rnn", hidden=7, window=window)) == 7 * (7 * window + 2 + 1) + 7 + 1


@pytest.mark.parametrize("wiring", ["plain", "residual", "dense"])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("engine", ["fused", "reference"])
def test_it_trains(engine: str, layers: int, wiring: str) -> None:
    small = Experiment(cell="rnn", window=3, engine=engine, length=8, hidden=4, batch=3, steps=40)
    experiment = dataclasses.replace(small, layers=layers, wiring=wiring)
    snapshots = list(train(experiment))
    assert {snapshot.engine for snapshot in snapshots} == {engine}
    assert snapshots[-1].mean_loss < snapshots[0].loss
    assert not checkpoints.measurable(experiment)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_only_a_vanilla_rnn_has_a_window(cell: str) -> None:
    with pytest.raises(ValueError, match=f"^window: 2 needs cell rnn, not {cell}"):
        Experiment(cell=cell, window=2)


@pytest.mark.parametrize("window", [0, 9, 1.0, True, "2"])
def test_windows_from_1_to_8_are_allowed(window: Any) -> None:
    with pytest.raises(ValueError, match=f"^window: {window!r} is not one of 1, 2, 3, 4, 5, 6, 7, 8"):
        Cell("rnn", window=window)


def test_a_windowed_network_has_its_states_beside_its_inputs_in_one_matrix() -> None:
    (one,) = Network(Experiment(cell="rnn", hidden=5, window=3, weights="concatenated")).stack.layer_list
    assert one.weight.shape == (5, 15 + 2)
