"""Which equations does an experiment's cell compute, and with how many numbers? As LaTeX, and term by term."""

import math
from typing import NamedTuple

from lstm_core.activations import ACTIVATIONS
from lstm_core.cells import Cell
from lstm_core.experiment import Experiment
from lstm_core.tasks import TASKS


class Term(NamedTuple):
    """One array of weights: its name in LaTeX, its shape, and what it is for."""

    name: str
    shape: tuple[int, ...]
    about: str

    @property
    def size(self) -> int:
        return math.prod(self.shape)


def function(name: str) -> str:
    """An activation as LaTeX writes it."""
    label = ACTIVATIONS[name].label
    return rf"\{name}" if name == "tanh" else rf"\mathrm{{{label.replace(' ', '~')}}}"


def _index(row: str) -> str:
    return f"_{row}" if row else ""


def _sum(experiment: Experiment, row: str = "", peephole: str = "") -> str:
    """W_h h + W_x x + b of one block of rows, with a peephole into the cell state `peephole`."""
    if experiment.weights == "concatenated":
        products = rf"W{_index(row)}\,[h_{{t-1}};\,x_t]"
    else:
        products = rf"W_{{h{row}}}\,h_{{t-1}} + W_{{x{row}}}\,x_t"
    seen = rf" + p_{{{row}}} \odot {peephole}" if peephole else ""
    bias = f"b_{{x{row}}} + b_{{h{row}}}" if experiment.biases == 2 else f"b{_index(row)}"
    return f"{products}{seen} + {bias}"


def _rnn(experiment: Experiment) -> list[str]:
    return [rf"h_t &= {function(experiment.activation)}({_sum(experiment)})"]


def _gate(experiment: Experiment, gate: str, cell: Cell) -> str:
    if gate not in cell.gates:
        return f"{gate}_t &= 1"
    if gate == "f" and cell.coupled:
        return "f_t &= 1 - i_t"
    state = ("c_t" if gate == "o" else "c_{t-1}") if cell.peephole else ""
    return rf"{gate}_t &= \sigma({_sum(experiment, gate, state)})"


def _lstm(experiment: Experiment) -> list[str]:
    cell = experiment.recurrent_cell
    read = function(cell.output_activation or cell.activation)
    held = {gate: f"{gate}_t" if gate in cell.gates else "1" for gate in "ifo"}
    return [
        _gate(experiment, "i", cell),
        _gate(experiment, "f", cell),
        rf"g_t &= {function(cell.activation)}({_sum(experiment, 'g')})",
        rf"c_t &= {held['f']} \odot c_{{t-1}} + {held['i']} \odot g_t",
        _gate(experiment, "o", cell),
        rf"h_t &= {held['o']} \odot {read}(c_t)",
    ]


def _gru(experiment: Experiment) -> list[str]:
    split = "W_{{{0}n}}" if experiment.weights == "separate" else "W_n^{{({0})}}"
    of_x, of_h = split.format("x"), split.format("h")
    bias = ("b_{xn}", " + b_{hn}") if experiment.biases == 2 else ("b_n", "")
    return [
        rf"r_t &= \sigma({_sum(experiment, 'r')})",
        rf"z_t &= \sigma({_sum(experiment, 'z')})",
        rf"n_t &= {function(experiment.activation)}({of_x}\,x_t + {bias[0]} + r_t \odot ({of_h}\,h_{{t-1}}{bias[1]}))",
        r"h_t &= (1 - z_t) \odot n_t + z_t \odot h_{t-1}",
    ]


EQUATIONS = {"rnn": _rnn, "lstm": _lstm, "gru": _gru}


def latex(experiment: Experiment) -> str:
    """
    The cell as it is set, one line an equation, and the readout: a gate that is removed is 1, the activation has its
    name.
    """
    when = "t" if TASKS[experiment.task].every_step else "T"
    lines = [*EQUATIONS[experiment.cell](experiment), f"y_{when} &= V\\,h_{when} + a"]
    return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"


def terms(experiment: Experiment) -> list[Term]:
    """Every array of weights of the network; their sizes add up to `parameter_count`."""
    cell, task = experiment.recurrent_cell, TASKS[experiment.task]
    size, inputs, outputs = experiment.hidden, len(task.inputs), len(task.outputs)
    rows = len(cell.rows) * size
    blocks = "" if cell.family == "rnn" else f"rows of {' '.join(cell.rows)}"
    if experiment.weights == "concatenated":
        found = [Term("W", (rows, size + inputs), blocks)]
    else:
        found = [Term("W_h", (rows, size), blocks), Term("W_x", (rows, inputs), blocks)]
    found += [
        Term("b" if experiment.biases == 1 else name, (rows,), blocks) for name in ("b_x", "b_h")[: experiment.biases]
    ]
    if cell.peephole and cell.learned_gates:
        found.append(Term("p", (len(cell.learned_gates), size), f"peepholes of {' '.join(cell.learned_gates)}"))
    return [*found, Term("V", (outputs, size), "readout"), Term("a", (outputs,), "readout")]
