"""Do the equations say what the cell computes?"""

import dataclasses
import re

import pytest

from lstm_core import Experiment
from lstm_core.activations import ACTIVATIONS
from lstm_core.cells import LAYOUTS, Cell
from lstm_core.charts.equations import SEEN, latex, terms
from lstm_core.network import Network, parameter_count
from lstm_core.tasks import TASKS
from lstm_core.wiring import WIRINGS
from tests.test_cells import ALL, GATE_SETS, over
from tests.test_fused import PEEPHOLES

SOME = [Cell("rnn"), Cell("rnn", window=4), Cell("gru"), PEEPHOLES, Cell("lstm", gates="")]


def experiment(cell: Cell, **changes: object) -> Experiment:
    fields = dataclasses.asdict(cell)
    return Experiment(cell=fields.pop("family"), hidden=5, **fields, **changes)  # type: ignore[arg-type]


@over(ALL)
@pytest.mark.parametrize("biases", [1, 2])
@pytest.mark.parametrize("weights", ["separate", "concatenated"])
def test_the_terms_add_up_to_the_number_of_parameters(cell: Cell, weights: str, biases: int) -> None:
    one = experiment(cell, weights=weights, biases=biases)
    assert sum(term.size for term in terms(one)) == parameter_count(one)
    shapes = sorted(tuple(parameter.shape) for parameter in Network(one).parameters())
    assert sorted(term.shape for term in terms(one)) == shapes


@pytest.mark.parametrize("task", TASKS)
def test_the_readout_has_the_shape_of_the_task(task: str) -> None:
    one = Experiment(task=task)
    assert sum(term.size for term in terms(one)) == parameter_count(one)
    assert ("y_t" in latex(one)) == TASKS[task].every_step


@pytest.mark.parametrize("gates", GATE_SETS)
def test_a_removed_gate_is_1_and_a_learned_one_is_a_sigmoid(gates: str) -> None:
    equations = latex(experiment(Cell("lstm", gates=gates)))
    for gate in "ifo":
        assert (f"{gate}_t &= 1 " in equations) == (gate not in gates)
        assert (rf"{gate}_t &= \sigma(" in equations) == (gate in gates)
    assert ("f_t \\odot c_{t-1}" in equations) == ("f" in gates)
    assert ("1 \\odot c_{t-1}" in equations) == ("f" not in gates)


def test_coupled_gates_and_peepholes_are_written_out() -> None:
    equations = latex(experiment(Cell("lstm", coupled=True, peephole=True)))
    assert "f_t &= 1 - i_t" in equations
    assert r"p_i \odot c_{t-1}" in equations.replace("{i}", "i")
    assert r"p_o \odot c_t" in equations.replace("{o}", "o")


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("family", ["rnn", "lstm", "gru"])
def test_the_activation_has_its_name(family: str, name: str) -> None:
    label = ACTIVATIONS[name].label.replace(" ", "~")
    assert label in latex(experiment(Cell(family, activation=name)))


def test_one_matrix_for_both_is_written_as_one() -> None:
    assert r"[h_{t-1};\,x_t]" in latex(Experiment(weights="concatenated"))
    assert "[h_{t-1}" not in latex(Experiment())


@pytest.mark.parametrize("wiring", WIRINGS)
@pytest.mark.parametrize("layers", [1, 2, 6])
@pytest.mark.parametrize("weights", LAYOUTS)
@over(SOME)
def test_the_terms_of_all_layers_add_up_and_carry_their_numbers(
    cell: Cell, weights: str, layers: int, wiring: str
) -> None:
    one = experiment(cell, weights=weights, layers=layers, wiring=wiring)
    assert sum(term.size for term in terms(one)) == parameter_count(one)
    shapes = sorted(tuple(parameter.shape) for parameter in Network(one).parameters())
    assert sorted(term.shape for term in terms(one)) == shapes
    assert len({term.name for term in terms(one)}) == len(terms(one))
    assert ("^{(1)}" in terms(one)[0].name) == (layers > 1)


def test_every_wiring_has_its_equations() -> None:
    assert SEEN.keys() == WIRINGS.keys()


@pytest.mark.parametrize("wiring", WIRINGS)
@over(SOME)
def test_in_several_layers_every_letter_has_its_layer(cell: Cell, wiring: str) -> None:
    """Each state, weight and gate of the cell; x is seen by the first layer, and by all if they are wired densely."""
    lines = latex(experiment(cell, layers=3, wiring=wiring)).split("\n")[1:-1]
    assert lines[0].startswith("s^{(1)}_t &= x_t")
    assert lines[-1].startswith("y_T &= V\\,s^{(4)}_T")
    own = [line for line in lines if not re.match(r"[sy][_^]", line) and line.removesuffix(r" \\") not in SEEN[wiring]]
    assert len(own) == len(latex(experiment(cell)).split("\n")) - 3
    for line in own:
        assert "x_t" not in line
        assert not re.search(r"(?<![\\A-Za-z])([A-Za-z])_", line), line
    assert ("[x_t;" in "".join(lines)) == (wiring == "dense")


def test_the_readout_of_one_dense_layer_sees_the_input() -> None:
    assert r"V\,[x_T;\,h_T]" in latex(Experiment(wiring="dense"))
    assert r"V\,h_T" in latex(Experiment(wiring="residual"))


@pytest.mark.parametrize(
    ("window", "states"),
    [(1, "h_{t-1}"), (2, r"[h_{t-1};\,h_{t-2}]"), (5, r"[h_{t-1};\,\dots;\,h_{t-5}]")],
)
def test_a_window_is_written_out(window: int, states: str) -> None:
    equations = latex(Experiment(cell="rnn", window=window))
    assert rf"W_{{h}}\,{states} +" in equations


@over(ALL)
def test_braces_are_balanced(cell: Cell) -> None:
    equations = latex(experiment(cell)) + latex(experiment(cell, layers=3, weights="concatenated"))
    assert equations.count("{") == equations.count("}")
    assert not re.search(r"_\{\}|\^\{\}", equations)
