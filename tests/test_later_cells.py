"""Do cells of later years work wherever a cell does, and do they keep what they promise?"""

import dataclasses
import json
import math
from pathlib import Path

import pytest
import torch

from lstm_core import Experiment, train
from lstm_core.cells import FAMILIES, FORGET_ACTIVATIONS, Cell
from lstm_core.charts.catalogue import CHARTS
from lstm_core.charts.equations import terms
from lstm_core.charts.needs import measured
from lstm_core.charts.points import Curve
from lstm_core.history.database import records, store
from lstm_core.history.opening import open_history
from lstm_core.layers import Stack
from lstm_core.measurements.saved import to_safetensors
from lstm_core.network import Network, parameter_count
from lstm_core.sweep.grid import read_grid
from lstm_core.sweep.sweep import train_one
from tests.test_cells import H, T, built, normal
from tests.test_new_cell import OF_A_SERIES, SMALL

LATER = ("mingru", "minlstm", "slstm")
every_later_cell = pytest.mark.parametrize("cell", LATER)


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def one(cell: str, **changes: object) -> Experiment:
    return Experiment(cell=cell, **{**SMALL, **changes})  # type: ignore[arg-type]


@every_later_cell
@pytest.mark.parametrize("name", CHARTS)
def test_every_chart_can_be_drawn_of_it(name: str, cell: str) -> None:
    setting = one(cell, task="forecast") if name in OF_A_SERIES else one(cell)
    curves = [Curve(label, setting, list(train(setting, weights_every=20))) for label in (cell, "again")]
    assert len(CHARTS[name].table(measured(curves, CHARTS[name].needs))) > 0


@every_later_cell
def test_it_trains_every_parameter_of_its(cell: str) -> None:
    first, *_, last = train(one(cell), weights_every=1)
    assert first.weights is not None
    assert last.weights is not None
    assert bool((first.weights != last.weights).all())
    assert {*last.openness} == {*FAMILIES[cell].gates}
    assert json.loads(json.dumps(last.to_dict()))["step"] == last.step


@every_later_cell
def test_it_is_swept_kept_and_saved(cell: str, tmp_path: Path) -> None:
    groups = read_grid(f'[base]\ncell = "{cell}"\nlength = 6\nsteps = 5\n[grid]\nseeds = 2\n')
    swept = [experiment for group in groups for experiment in group.experiments]
    history = open_history(f"sqlite:///{tmp_path}/history.sqlite")
    assert store(history, map(train_one, swept)) == 2
    assert {record.experiment for record in records(history)} == {*swept}
    *_, last = train(one(cell), weights_every=1)
    assert last.weights is not None
    again = torch.cat([p.detach().flatten() for p in Network(one(cell)).load(last.weights).parameters()])
    assert torch.equal(again, last.weights)
    assert to_safetensors(dataclasses.replace(one(cell), task="forecast"), last.weights)


@pytest.mark.parametrize(("cell", "blocks"), [("mingru", 2), ("minlstm", 3)])
@pytest.mark.parametrize("weights", ["separate", "concatenated"])
@pytest.mark.parametrize("layers", [1, 3])
def test_where_blocks_see_x_alone_there_are_no_recurrent_weights(
    cell: str, blocks: int, weights: str, layers: int
) -> None:
    experiment = one(cell, weights=weights, layers=layers, hidden=5)
    widths = [2, *[5] * (layers - 1)]
    readout = 5 + 1
    assert parameter_count(experiment) == sum(blocks * 5 * (width + 1) for width in widths) + readout
    assert not [term for term in terms(experiment) if term.name.startswith("W_h")]
    assert all(parameter.numel() for parameter in Network(experiment).parameters())


@pytest.mark.parametrize(
    "wrong",
    [
        {"cell": "mingru", "activation": "relu"},
        {"cell": "minlstm", "activation": "sigmoid"},
        {"cell": "lstm", "forget_activation": "exponential"},
        {"cell": "minlstm", "stabilised": False},
        {"cell": "slstm", "gates": "io"},
        {"cell": "slstm", "peephole": True},
    ],
    ids=str,
)
def test_what_a_cell_does_not_have_is_refused_by_name(wrong: dict[str, object]) -> None:
    *_, (name, value) = wrong.items()
    with pytest.raises(ValueError, match=rf"^{name}: {value!r} needs cell \w+( or \w+)*, not {wrong['cell']}$"):
        Experiment(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("forget", FORGET_ACTIVATIONS)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 2.4e-6), (torch.float64, 4e-14)])
def test_the_stabiliser_changes_nothing_but_the_range_of_the_numbers(
    forget: str, dtype: torch.dtype, tolerance: float
) -> None:
    """From the first state on, as long as what has no stabiliser is finite."""
    x = normal(T, 8, 4, seed=1).to(dtype)
    hidden = []
    for stabilised in (True, False):
        stack = built(Cell("slstm", forget_activation=forget, stabilised=stabilised)).to(dtype)
        hidden.append(stack(x)[0])
    assert bool(hidden[1].isfinite().all())
    assert float((hidden[0] - hidden[1]).detach().abs().max() / hidden[1].detach().abs().max()) <= tolerance


def test_without_the_stabiliser_exponential_functions_overflow_in_single_precision_and_with_it_they_do_not() -> None:
    """f = e^(1 + ...), multiplied a hundred times, is more than single precision has."""
    x, ends = torch.randn(100, 8, 4, generator=seeded()), []
    for stabilised in (True, False):
        cell = Cell("slstm", forget_activation="exponential", stabilised=stabilised)
        hidden = Stack(cell, 4, 16, generator=seeded())(x)[0]
        ends.append(int(hidden.isfinite().flatten(1).all(1).sum()))
    assert ends[0] == 100
    assert 60 < ends[1] < 100


def test_shortly_before_that_the_numbers_are_finite_and_wrong() -> None:
    """n overflows before c does, and c / inf is 0."""
    x = torch.randn(100, 64, 4, generator=torch.Generator().manual_seed(0))
    right, wrong = (
        Stack(Cell("slstm", forget_activation="exponential", stabilised=on), 4, 16, generator=seeded())(x)[0]
        for on in (True, False)
    )
    assert bool(((wrong == 0) & (right.abs() > 0.1)).any())


@pytest.mark.parametrize("scale", [1.0, 1e3, 1e6])
@pytest.mark.parametrize("forget", FORGET_ACTIVATIONS)
def test_a_stabilised_cell_divides_by_no_less_than_1(forget: str, scale: float) -> None:
    """In spite of an input gate that shuts as far as it can."""
    stack = built(Cell("slstm", forget_activation=forget))
    (trace,) = stack(scale * normal(T, 8, 4, seed=1))[2]
    assert float(trace.states[2].min()) >= 1
    assert bool(trace.hidden.isfinite().all())


def test_a_minlstm_whose_gates_are_shut_still_keeps_by_their_ratio() -> None:
    """f / (f + i) is 0/0 there; the exponents differ by log 3, so 3/4 is kept."""
    layer = built(Cell("minlstm")).layer_list[0]
    torch.nn.init.zeros_(layer.weight_x)
    torch.nn.init.zeros_(layer.bias)
    layer.bias.data[layer.block("f")] = -1000.0
    layer.bias.data[layer.block("i")] = -1000.0 - math.log(3)
    stack = built(Cell("minlstm"))
    stack.load_state_dict({f"layers.0.{name}": value for name, value in layer.state_dict().items()})
    hidden = stack(torch.zeros(3, 1, 4).double(), (torch.ones(1, 1, H).double(),))[0]
    torch.testing.assert_close(hidden[:, 0, 0].detach(), 0.75 ** torch.arange(1, 4).double(), rtol=1e-12, atol=0)
