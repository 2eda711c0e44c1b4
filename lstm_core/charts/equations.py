"""Which equations does an experiment's cell compute, and with how many numbers? As LaTeX, and term by term."""

import math
import re
from typing import NamedTuple

from lstm_core.activations import ACTIVATIONS
from lstm_core.cells import Cell
from lstm_core.experiment import Experiment
from lstm_core.wiring import WIRINGS

# What every layer has for itself: a letter with an index, and the matrix and the bias of an RNN, which have none.
OF_A_LAYER = re.compile(r"(?<![\\A-Za-z])(?:[A-Za-z](?=_)|[Wb](?![A-Za-z]))")
# s^(l), which layer l sees in the place of x; above the last layer it is what the readout sees.
SEEN = {
    "plain": [r"s^{(\ell+1)}_t &= h^{(\ell)}_t"],
    "residual": [
        r"s^{(2)}_t &= h^{(1)}_t",
        r"s^{(\ell+1)}_t &= s^{(\ell)}_t + h^{(\ell)}_t \quad (\ell \geq 2)",
    ],
    "dense": [r"s^{(\ell+1)}_t &= [x_t;\,h^{(1)}_t;\,\dots;\,h^{(\ell)}_t]"],
}


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


def _last_states(window: int) -> list[str]:
    """h_(t-1) to h_(t-k), without those in between."""
    ends = [f"h_{{t-{k}}}" for k in (1, window)]
    return ends[:window] if window < 3 else [ends[0], r"\dots", ends[1]]


def _sum(experiment: Experiment, row: str = "", peephole: str = "") -> str:
    """W_h h + W_x x + b of one block of rows, with a peephole into the cell state `peephole`."""
    states = r";\,".join(_last_states(experiment.window))
    if experiment.weights == "concatenated":
        products = rf"W{_index(row)}\,[{states};\,x_t]"
    else:
        states = f"[{states}]" if experiment.window > 1 else states
        products = rf"W_{{h{row}}}\,{states} + W_{{x{row}}}\,x_t"
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
    split = "W_{{{0}n}}" if experiment.weights == "separate" else "W_{{n,{0}}}"
    of_x, of_h = split.format("x"), split.format("h")
    bias = ("b_{xn}", " + b_{hn}") if experiment.biases == 2 else ("b_n", "")
    return [
        rf"r_t &= \sigma({_sum(experiment, 'r')})",
        rf"z_t &= \sigma({_sum(experiment, 'z')})",
        rf"n_t &= {function(experiment.activation)}({of_x}\,x_t + {bias[0]} + r_t \odot ({of_h}\,h_{{t-1}}{bias[1]}))",
        r"h_t &= (1 - z_t) \odot n_t + z_t \odot h_{t-1}",
    ]


EQUATIONS = {"rnn": _rnn, "lstm": _lstm, "gru": _gru}


def _of_a_layer(line: str) -> str:
    """An equation with the number of its layer at each of its letters, and with s in the place of x."""
    return OF_A_LAYER.sub(r"\g<0>^{(\\ell)}", line.replace("x_t", "s_t"))


def latex(experiment: Experiment) -> str:
    """
    The cell as it is set, one line an equation, and the readout: a gate that is removed is 1, the activation has its
    name. Of several layers the equations of layer l stand for all, behind what it sees of those below.
    """
    when, layers = "t" if experiment.problem.every_step else "T", experiment.layers
    cell = EQUATIONS[experiment.cell](experiment)
    if layers > 1:
        first = rf"s^{{(1)}}_t &= x_t \quad (1 \leq \ell \leq {layers})"
        cell = [first, *SEEN[experiment.wiring], *map(_of_a_layer, cell)]
        seen = f"s^{{({layers + 1})}}_{when}"
    else:
        seen = rf"[x_{when};\,h_{when}]" if experiment.wiring == "dense" else f"h_{when}"
    lines = [*cell, f"y_{when} &= V\\,{seen} + a"]
    return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"


def terms(experiment: Experiment) -> list[Term]:
    """Every array of weights of the network; their sizes add up to `parameter_count`."""
    task, size = experiment.problem, experiment.hidden
    widths = WIRINGS[experiment.wiring].widths(len(task.inputs), size, experiment.layers)
    terms = [term for layer, width in enumerate(widths[:-1], start=1) for term in _of_layer(experiment, layer, width)]
    outputs = len(task.outputs)
    return [*terms, Term("V", (outputs, widths[-1]), "readout"), Term("a", (outputs,), "readout")]


def _of_layer(experiment: Experiment, layer: int, inputs: int) -> list[Term]:
    """The weights of one layer, which sees so many inputs; they carry its number where there are several."""
    cell, size = experiment.recurrent_cell, experiment.hidden
    rows, states = len(cell.rows) * size, cell.window * size
    blocks = "" if cell.family == "rnn" else f"rows of {' '.join(cell.rows)}"
    if experiment.weights == "concatenated":
        terms = [Term("W", (rows, states + inputs), blocks)]
    else:
        terms = [Term("W_h", (rows, states), blocks), Term("W_x", (rows, inputs), blocks)]
    terms += [
        Term("b" if experiment.biases == 1 else name, (rows,), blocks) for name in ("b_x", "b_h")[: experiment.biases]
    ]
    if cell.peephole and cell.learned_gates:
        terms.append(Term("p", (len(cell.learned_gates), size), f"peepholes of {' '.join(cell.learned_gates)}"))
    if experiment.layers == 1:
        return terms
    return [term._replace(name=f"{term.name[0]}^{{({layer})}}{term.name[1:]}") for term in terms]
