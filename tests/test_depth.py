"""Does a training of several layers learn what it should, and tell the truth about each of them?"""

import dataclasses
import math
from typing import Any

import pytest
import torch
from torch import Tensor

from lstm_core import LSTM, TASKS, Experiment, Snapshot, train
from lstm_core.data import samples
from lstm_core.engine import FUSED, REFERENCE_ENGINE
from lstm_core.kernels.autograd import FusedTrace
from lstm_core.measurements import checkpoints
from lstm_core.measurements.ablations import ablations
from lstm_core.network import Network, parameter_count
from lstm_core.race import limits
from lstm_core.wiring import WIRINGS

SMALL = Experiment(length=12, hidden=6, batch=5, steps=10, precision="float64", layers=3)
every_wiring = pytest.mark.parametrize("wiring", WIRINGS)
every_engine = pytest.mark.parametrize("engine", [FUSED, REFERENCE_ENGINE])


def variant(**changes: Any) -> Experiment:
    return dataclasses.replace(SMALL, **changes)


@every_engine
@pytest.mark.parametrize("task", ["adding", "copy"])
def test_training_two_layers_equals_a_plain_loop_over_torchs_lstm(task: str, engine: str) -> None:
    """Losses and gradient norms over 10 steps of Adam, to 1e-9."""
    experiment = variant(task=task, layers=2, engine=engine, biases=2)
    network = Network(experiment)
    ours = LSTM(len(network.task.inputs), experiment.hidden, 2, biases=2).to(torch.float64)
    ours.stack.load_state_dict(network.stack.state_dict())
    lstm, readout = ours.to_torch(), network.readout
    parameters = [*lstm.parameters(), *readout.parameters()]
    optimizer = torch.optim.Adam(parameters, experiment.lr)
    snapshots = list(train(experiment))
    assert len(snapshots) == 10
    for snapshot, (inputs, targets) in zip(snapshots, samples(experiment), strict=False):
        outputs = lstm(inputs)[0]
        loss = network.task.loss(readout(outputs if network.task.every_step else outputs[-1]), targets)
        optimizer.zero_grad()
        loss.backward()
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        norm = torch.cat([gradient.flatten() for gradient in gradients]).norm()
        for gradient in gradients:
            gradient *= min(1, experiment.clip_at / norm.item())
        optimizer.step()
        assert snapshot.loss == pytest.approx(loss.item(), rel=1e-9)
        assert snapshot.grad_norm == pytest.approx(norm.item(), rel=1e-9)


def norms_by_autograd(experiment: Experiment) -> list[Tensor]:
    """||dL/dh_t|| of each layer, (T,): the gradient of a number that is 0 and is added to that hidden state."""
    network, (inputs, targets) = Network(experiment), next(samples(experiment))
    layers = network.stack.layer_list
    shape = (len(layers), len(inputs), experiment.batch, experiment.hidden)
    nudges = torch.zeros(shape, dtype=torch.float64, requires_grad=True)
    states = [torch.zeros(shape[2:], dtype=torch.float64)] * len(layers)
    cells = list(states)
    seen = []
    for t, x in enumerate(inputs):
        for k, layer in enumerate(layers):
            below = network.stack.seen(x, states[:k])
            i, f, g, o = (states[k] @ layer.weight_h.T + below @ layer.weight_x.T + layer.bias).chunk(4, 1)
            cells[k] = torch.sigmoid(f) * cells[k] + torch.sigmoid(i) * torch.tanh(g)
            states[k] = torch.sigmoid(o) * torch.tanh(cells[k]) + nudges[k, t]
        seen.append(network.stack.seen(x, states))
    answer = network.readout(torch.stack(seen) if network.task.every_step else seen[-1])
    (gradient,) = torch.autograd.grad(network.task.loss(answer, targets), nudges)
    return list(gradient.flatten(2).norm(dim=2))


@every_engine
@pytest.mark.parametrize("task", ["adding", "copy"])
@pytest.mark.parametrize("layers", [1, 3])
@every_wiring
def test_layer_gradient_norms_are_those_of_autograd(wiring: str, layers: int, task: str, engine: str) -> None:
    experiment = variant(wiring=wiring, layers=layers, task=task, engine=engine)
    snapshot, expected = next(train(experiment)), norms_by_autograd(experiment)
    assert list(snapshot.layer_grad_norms) == pytest.approx([norms.norm().item() for norms in expected], rel=1e-9)
    norms = [*snapshot.lower_grad_norms, snapshot.hidden_grad_norms]
    for ours, theirs in zip(norms, expected, strict=True):
        assert list(ours) == pytest.approx(theirs.tolist(), rel=1e-8, abs=1e-18)


@every_wiring
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_a_training_is_the_same_on_both_engines(cell: str, wiring: str) -> None:
    def snapshots(engine: str) -> list[Snapshot]:
        return list(train(variant(cell=cell, wiring=wiring, engine=engine)))

    for fused, reference in zip(snapshots(FUSED), snapshots(REFERENCE_ENGINE), strict=True):
        assert (fused.engine, reference.engine) == (FUSED, REFERENCE_ENGINE)
        for name in ("loss", "grad_norm", "layer_grad_norms", "openness", "gate_grad_norms", "max_hidden"):
            assert getattr(fused, name) == pytest.approx(getattr(reference, name), rel=1e-6, abs=0), name


def test_a_single_residual_layer_trains_bitwise_like_a_plain_one() -> None:
    plain, residual = (list(train(variant(layers=1, wiring=wiring))) for wiring in ("plain", "residual"))
    assert plain == residual


@every_wiring
def test_equal_experiments_give_bitwise_equal_snapshots(wiring: str) -> None:
    experiment = variant(wiring=wiring, precision="float32")
    assert list(train(experiment)) == list(train(experiment))


def test_the_last_layer_is_what_a_snapshot_is_about() -> None:
    """Of two GRUs above each other the last one's gates are told, not the mean over both."""
    experiment = variant(cell="gru", layers=2)
    network, (inputs, _) = Network(experiment), next(samples(experiment))
    trace = network.stack.traces(inputs)[-1]
    snapshot = next(train(experiment))
    assert snapshot.openness == {gate: pytest.approx(float(values.mean())) for gate, values in trace.gates.items()}
    assert snapshot.max_hidden == pytest.approx(float(trace.hidden.detach().abs().max()))


def test_norms_of_layers_become_plain_json_values() -> None:
    row = next(train(variant())).to_dict()
    assert [len(row["layer_grad_norms"]), *map(len, row["lower_grad_norms"])] == [3, 12, 12]
    assert isinstance(row["lower_grad_norms"][0], list)


@pytest.mark.parametrize("layers", [1, 2, 6])
@pytest.mark.parametrize(("cell", "blocks"), [("rnn", 1), ("gru", 3), ("lstm", 4)])
def test_the_number_of_weights_is_the_closed_form(cell: str, blocks: int, layers: int) -> None:
    def size(wiring: str) -> int:
        return parameter_count(Experiment(cell=cell, hidden=7, layers=layers, wiring=wiring))

    inputs, above = blocks * 7 * (7 + 2 + 1), blocks * 7 * (7 + 7 + 1)
    assert size("plain") == size("residual") == inputs + (layers - 1) * above + 7 + 1
    widths = [2 + below * 7 for below in range(layers + 1)]
    assert size("dense") == sum(blocks * 7 * (7 + width + 1) for width in widths[:-1]) + widths[-1] + 1


@every_wiring
@pytest.mark.parametrize("layers", [1, 2, 4])
@pytest.mark.parametrize(
    "cell", [{"cell": "rnn"}, {"cell": "rnn", "window": 3}, {"cell": "lstm"}, {"cell": "gru"}], ids=str
)
def test_the_memory_of_a_step_is_that_of_all_tapes(cell: dict[str, Any], layers: int, wiring: str) -> None:
    experiment = variant(**cell, layers=layers, wiring=wiring, engine=FUSED)
    network, (inputs, _) = Network(experiment), next(samples(experiment))
    network.stack.engine = FUSED
    tapes = [trace.tape for trace in network.stack.traces(inputs) if isinstance(trace, FusedTrace)]
    assert limits.tape_bytes(experiment) == sum(tape.numbers.nbytes for tape in tapes)


def test_two_equal_layers_are_more_than_twice_the_work_of_one_that_has_fewer_inputs() -> None:
    one, two = (limits.multiplications(variant(layers=layers)) for layers in (1, 2))
    assert two / one == pytest.approx(1 + (6 + 6 + 1) / (6 + 2 + 1))


def test_a_stack_that_is_too_much_is_told_to_have_fewer_layers() -> None:
    large = Experiment(length=200, hidden=64, batch=64, layers=6, wiring="dense")
    assert "the layers" in (limits.too_much([large]) or "")
    assert limits.too_much([dataclasses.replace(large, layers=1)]) is None


def test_a_stack_is_not_measured_as_a_single_layer_is() -> None:
    assert not checkpoints.measurable(variant(steps=2))
    assert checkpoints.measurable(variant(layers=1))


def test_ablations_of_one_dense_layer_are_read_with_its_input() -> None:
    """The loss as trained is that of the readout, which sees the input too."""
    experiment = variant(layers=1, wiring="dense")
    checkpoint = checkpoints.beginning(experiment)
    losses = ablations(checkpoint)
    assert set(losses) == {"", "i", "f", "o"}
    assert all(math.isfinite(loss) for loss in losses.values())


@pytest.mark.parametrize("task", TASKS)
@every_wiring
def test_every_task_trains_in_every_wiring(wiring: str, task: str) -> None:
    *_, snapshot = train(Experiment(task=task, wiring=wiring, layers=2, length=10, hidden=4, batch=3, steps=2))
    assert math.isfinite(snapshot.loss)
    assert len(snapshot.layer_grad_norms) == 2
