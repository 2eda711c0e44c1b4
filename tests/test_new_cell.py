"""Is a new cell family one row, and nothing else? One of two states, one of them complex, is added while tests run."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from lstm_core import Experiment, train
from lstm_core.activations import ACTIVATIONS
from lstm_core.cells import FAMILIES, Cell, Family, Parameters, unroll
from lstm_core.cells.family import Blocks, Setting, States
from lstm_core.charts.catalogue import CHARTS
from lstm_core.charts.equations import latex, terms
from lstm_core.charts.needs import measured
from lstm_core.charts.points import Curve
from lstm_core.history.database import records, store
from lstm_core.history.opening import open_history
from lstm_core.layers import Stack
from lstm_core.measurements import checkpoints
from lstm_core.measurements.gradients import backward, jacobians, walk
from lstm_core.measurements.saved import to_safetensors
from lstm_core.network import Network, parameter_count
from lstm_core.race.limits import too_much
from lstm_core.streams import Rng
from lstm_core.sweep.grid import read_grid
from lstm_core.sweep.sweep import train_one


def step(cell: Cell, p: Parameters, blocks: Blocks, states: States) -> tuple[States, dict[str, Tensor]]:
    """s' = f e^(i w) s + u      h' = phi(Re s')      f = sigmoid(pre_f)"""
    f = torch.sigmoid(blocks["f"])
    s = f * torch.polar(torch.ones_like(p.own["w"]), p.own["w"]) * states[1] + blocks["u"]
    return (ACTIVATIONS[cell.activation].function(s.real), s), {"f": f}


def equations(setting: Setting) -> list[str]:
    return [
        rf"f_t &= \sigma({setting.sum('f')})",
        rf"s_t &= f_t \odot e^{{i w}} \odot s_{{t-1}} + {setting.sum('u')}",
        r"h_t &= \varphi(\mathrm{Re}\,s_t)",
    ]


def turns(size: int, rng: Rng) -> Tensor:
    return torch.from_numpy(rng.uniform(0, 1, size))


ROW = Family(
    "turning",
    "Turning",
    blocks={"f": "forget gate", "u": "input"},
    step=step,
    equations=equations,
    gates="f",
    states=("h", "s"),
    complex_states="s",
    own={"w": turns},
    forget="f",
)
OF_A_SERIES = {"forecasts", "beyond", "free_running", "residuals", "validation"}
SMALL = {"length": 6, "hidden": 4, "batch": 4, "steps": 20}


@pytest.fixture(autouse=True)
def _registered() -> Iterator[None]:
    FAMILIES[ROW.name] = ROW
    yield
    del FAMILIES[ROW.name]


def one(**changes: object) -> Experiment:
    return Experiment(cell=ROW.name, **{**SMALL, **changes})  # type: ignore[arg-type]


def test_it_trains_every_parameter_of_its() -> None:
    first, *_, last = train(one(), weights_every=1)
    assert first.weights is not None
    assert last.weights is not None
    assert bool((first.weights != last.weights).all())
    assert last.engine == "reference"
    assert len(last.hidden_grad_norms) == len(last.cell_grad_norms or ()) == SMALL["length"]
    assert last.max_cell is not None
    assert {*last.openness} == {"f"}


def test_its_gradient_is_that_of_finite_differences() -> None:
    stack = Stack(Cell(ROW.name), 2, 3, generator=torch.Generator().manual_seed(0)).double()
    x = torch.randn(4, 2, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    (layer,), names = stack.layer_list, [name for name, _ in stack.named_parameters()]
    assert "layers.0.own.w" in names

    def loss(w: Tensor) -> Tensor:
        p = layer.tensors()
        return unroll(x, layer.cell.start(x, 3), p._replace(own={"w": w}), layer.cell).hidden.square().sum()

    assert torch.autograd.gradcheck(loss, (layer.own["w"].detach().clone().requires_grad_(),))


def test_the_fused_engine_refuses_it_in_a_clear_line() -> None:
    with pytest.raises(ValueError, match="engine: 'fused' has no kernel for turning"):
        one(engine="fused")


@pytest.mark.parametrize("layers", [1, 2])
def test_stacks_of_it_train(layers: int) -> None:
    assert [seen.step for seen in train(one(layers=layers, steps=3))] == [1, 2, 3]


def test_its_jacobians_are_those_of_its_step() -> None:
    checkpoint = checkpoints.beginning(one())
    p, cell, inputs = checkpoint.parameters(), checkpoint.cell, checkpoints.first_inputs(one())
    path = walk(p, cell, inputs)
    found = jacobians(backward(p, cell, path), path, [0, len(inputs)])
    assert torch.equal(found[1], torch.eye(3 * SMALL["hidden"]).double())
    start, nudge = cell.start(inputs, SMALL["hidden"]), 1e-6
    for number in range(SMALL["hidden"]):
        moved = start[1].clone()
        moved[0, number] += nudge
        end = unroll(inputs, (start[0], moved), p, cell).final[0] - unroll(inputs, start, p, cell).final[0]
        column = SMALL["hidden"] + 2 * number
        torch.testing.assert_close(found[0][: SMALL["hidden"], column], end[0] / nudge, rtol=1e-4, atol=1e-8)


@pytest.mark.parametrize("name", CHARTS)
def test_every_chart_can_be_drawn_of_it(name: str) -> None:
    setting = one(task="forecast") if name in OF_A_SERIES else one()
    curves = [Curve(label, setting, list(train(setting, weights_every=20))) for label in ("turning", "again")]
    assert len(CHARTS[name].table(measured(curves, CHARTS[name].needs))) > 0


def test_its_equations_and_the_sizes_of_its_weights() -> None:
    assert r"e^{i w}" in latex(one())
    assert sum(term.size for term in terms(one())) == parameter_count(one())


def test_it_is_swept_and_kept(tmp_path: Path) -> None:
    groups = read_grid(f'[base]\ncell = "{ROW.name}"\nlength = 6\nsteps = 5\n[grid]\nseeds = 2\n')
    swept = [experiment for group in groups for experiment in group.experiments]
    history = open_history(f"sqlite:///{tmp_path}/history.sqlite")
    assert store(history, map(train_one, swept)) == 2
    assert {record.experiment for record in records(history)} == {*swept}


def test_it_is_saved_and_loaded() -> None:
    assert Experiment.from_json(one().to_json()) == one()
    *_, last = train(one(), weights_every=1)
    assert last.weights is not None
    network = Network(one()).load(last.weights)
    again = torch.cat([parameter.detach().flatten() for parameter in network.parameters()])
    assert torch.equal(again, last.weights)
    assert to_safetensors(dataclasses.replace(one(), task="forecast"), last.weights)


def test_its_snapshots_are_printed() -> None:
    assert json.loads(json.dumps(next(train(one())).to_dict()))["engine"] == "reference"


def test_what_it_takes_is_known_beforehand() -> None:
    assert too_much([one()]) is None
    assert too_much([one(steps=10_000, hidden=256, length=500)])
