"""Do the equations say what the cell computes?"""

import dataclasses
import re

import pytest

from lstm_core import Experiment
from lstm_core.activations import ACTIVATIONS
from lstm_core.cells import Cell
from lstm_core.equations import latex, terms
from lstm_core.tasks import TASKS
from lstm_core.training import Network, parameter_count
from tests.test_cells import ALL, GATE_SETS, over


def experiment(cell: Cell, **changes: object) -> Experiment:
    fields = dataclasses.asdict(cell)
    return Experiment(cell=fields.pop("family"), hidden=5, **fields, **changes)  # type: ignore[arg-type]


@over(ALL)
@pytest.mark.parametrize("biases", [1, 2])
@pytest.mark.parametrize("weights", ["separate", "concatenated"])
def test_the_terms_add_up_to_the_number_of_parameters(cell: Cell, weights: str, biases: int) -> None:
    told = experiment(cell, weights=weights, biases=biases)
    assert sum(term.size for term in terms(told)) == parameter_count(told)
    shapes = sorted(tuple(parameter.shape) for parameter in Network(told).parameters())
    assert sorted(term.shape for term in terms(told)) == shapes


@pytest.mark.parametrize("task", TASKS)
def test_the_readout_has_the_shape_of_the_task(task: str) -> None:
    told = Experiment(task=task)
    assert sum(term.size for term in terms(told)) == parameter_count(told)
    assert ("y_t" in latex(told)) == TASKS[task].every_step


@pytest.mark.parametrize("gates", GATE_SETS)
def test_a_removed_gate_is_1_and_a_learned_one_is_a_sigmoid(gates: str) -> None:
    told = latex(experiment(Cell("lstm", gates=gates)))
    for gate in "ifo":
        assert (f"{gate}_t &= 1 " in told) == (gate not in gates)
        assert (rf"{gate}_t &= \sigma(" in told) == (gate in gates)
    assert ("f_t \\odot c_{t-1}" in told) == ("f" in gates)
    assert ("1 \\odot c_{t-1}" in told) == ("f" not in gates)


def test_coupled_gates_and_peepholes_are_written_out() -> None:
    told = latex(experiment(Cell("lstm", coupled=True, peephole=True)))
    assert "f_t &= 1 - i_t" in told
    assert r"p_i \odot c_{t-1}" in told.replace("{i}", "i")
    assert r"p_o \odot c_t" in told.replace("{o}", "o")


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("family", ["rnn", "lstm", "gru"])
def test_the_activation_has_its_name(family: str, name: str) -> None:
    label = ACTIVATIONS[name].label.replace(" ", "~")
    assert label in latex(experiment(Cell(family, activation=name)))


def test_one_matrix_for_both_is_written_as_one() -> None:
    assert r"[h_{t-1};\,x_t]" in latex(Experiment(weights="concatenated"))
    assert "[h_{t-1}" not in latex(Experiment())


@over(ALL)
def test_braces_are_balanced(cell: Cell) -> None:
    told = latex(experiment(cell))
    assert told.count("{") == told.count("}")
    assert not re.search(r"_\{\}|\^\{\}", told)
