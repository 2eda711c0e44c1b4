"""Which equations does an experiment's cell compute, and with how many numbers? As LaTeX, and term by term."""

import math
import re
from dataclasses import dataclass
from typing import NamedTuple

from lstm_core.cells import Cell
from lstm_core.cells.family import W_H
from lstm_core.experiment import Experiment
from lstm_core.language import _
from lstm_core.streams import Purpose, stream
from lstm_core.wiring import WIRINGS

# What every layer has for itself: a letter with an index, a Greek one too, and without one the matrix and the bias of
# an RNN and some Greek letters.
OF_A_LAYER = re.compile(
    r"\\[A-Za-z]+(?=_)|\\(?:lambda|nu|theta|gamma)(?![a-z])|(?<![\\A-Za-z])(?:[A-Za-z](?=_)|[Wb](?![A-Za-z]))"
)
# Of the name of an array of weights: its letter, and a Greek one that is not yet written as LaTeX does.
FIRST, GREEK = re.compile(r"^(?:\\[a-z]+|.)"), re.compile(r"^[a-z]{2,}(?=_|$)")
# s^(l), which layer l sees in the place of x; above the last layer it is what the readout sees.
SEEN = {
    "plain": [r"s^{(\ell+1)}_t &= h^{(\ell)}_t"],
    "residual": [
        r"s^{(2)}_t &= h^{(1)}_t",
        r"s^{(\ell+1)}_t &= s^{(\ell)}_t + h^{(\ell)}_t \quad (\ell \geq 2)",
    ],
    "highway": [
        r"s^{(2)}_t &= h^{(1)}_t",
        r"T^{(\ell)}_t &= \sigma(W^{(\ell)}_T\,s^{(\ell)}_t + b^{(\ell)}_T) \quad (\ell \geq 2)",
        r"s^{(\ell+1)}_t &= T^{(\ell)}_t \odot h^{(\ell)}_t + (1 - T^{(\ell)}_t) \odot s^{(\ell)}_t",
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


def _index(row: str) -> str:
    return f"_{row}" if row else ""


def _last_states(window: int) -> list[str]:
    """h_(t-1) to h_(t-k), without those in between."""
    ends = [f"h_{{t-{k}}}" for k in (1, window)]
    return ends[:window] if window < 3 else [ends[0], r"\dots", ends[1]]


@dataclass(frozen=True)
class _AsSet:
    """How an experiment writes the products of its cell: `cells.family.Setting`."""

    experiment: Experiment

    @property
    def cell(self) -> Cell:
        return self.experiment.recurrent_cell

    def sum(self, block: str = "", peephole: str = "") -> str:
        states = r";\,".join(_last_states(self.experiment.window))
        if not self.cell.row.recurrent:
            products = rf"W_{{x{block}}}\,x_t"
        elif self.experiment.weights == "concatenated" and self.cell.row.free:
            products = rf"W{_index(block)}\,[{states};\,x_t]"
        else:
            states = f"[{states}]" if self.experiment.window > 1 else states
            products = rf"W_{{h{block}}}\,{states} + W_{{x{block}}}\,x_t"
        if self.cell.layer_norm:
            of_x, of_h = ("W_x", "W_h") if self.experiment.weights == "separate" else ("W_{:,x}", "W_{:,h}")
            products = rf"\mathrm{{LN}}_h({of_h}\,{states})_{block} + \mathrm{{LN}}_x({of_x}\,x_t)_{block}"
        seen = rf" + p_{{{block}}} \odot {peephole}" if peephole else ""
        bias = f"b_{{x{block}}} + b_{{h{block}}}" if self.experiment.biases == 2 else f"b{_index(block)}"
        return f"{products}{seen} + {bias}" if self.cell.row.biased else f"{products}{seen}"

    def parts(self, block: str, seen: str = "h_{t-1}") -> tuple[str, str]:
        order = "{1}{0}" if self.experiment.weights == "separate" else "{0},{1}"
        of_x, of_h = (f"W_{{{order.format(block, letter)}}}" for letter in "xh")
        two = self.experiment.biases == 2
        bias, bias_h = (f"b_{{x{block}}}", f" + b_{{h{block}}}") if two else (f"b_{block}", "")
        return rf"{of_x}\,x_t + {bias}", rf"{of_h}\,{seen}{bias_h}"


def _of_a_layer(line: str) -> str:
    """An equation with the number of its layer at each of its letters, and with s in the place of x."""
    return OF_A_LAYER.sub(r"\g<0>^{(\\ell)}", line.replace("x_t", "s_t"))


def latex(experiment: Experiment) -> str:
    """
    The cell as it is set, one line an equation, and the readout: a gate that is removed is 1, the activation has its
    name. Of several layers the equations of layer l stand for all, behind what it sees of those below.
    """
    when, layers = "t" if experiment.problem.every_step else "T", experiment.layers
    cell = experiment.recurrent_cell.row.equations(_AsSet(experiment))
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
    for layer in range(2, WIRINGS[experiment.wiring].gates(experiment.layers) + 2):
        about, of = _("gate of the highway"), f"^{{({layer})}}_T"
        terms += [Term(f"W{of}", (size, size), about), Term(f"b{of}", (size,), about)]
    outputs = len(task.outputs)
    return [*terms, Term("V", (outputs, widths[-1]), _("readout")), Term("a", (outputs,), _("readout"))]


def _at_its_rate(term: Term, cell: Cell) -> str:
    """What it is for, and where it has a rate of its own, how much of the others' that is."""
    name = W_H if term.name == "W" else term.name
    if name not in cell.row.rates:
        return term.about
    slowed = _("{name} at {share:g} of the learning rate").format(name=name, share=cell.row.rates[name])
    return ", ".join(filter(None, [term.about, slowed]))


def _of_layer(experiment: Experiment, layer: int, inputs: int) -> list[Term]:
    """The weights of one layer, which sees so many inputs; they carry its number where there are several."""
    cell, size = experiment.recurrent_cell, experiment.hidden
    rows, states = len(cell.rows) * size, cell.seen(size)
    blocks = "" if len(cell.row.blocks) == 1 else _("rows of {gates}").format(gates=" ".join(cell.rows))
    if not states:
        terms = [Term("W_x", (rows, inputs), blocks)]
    elif experiment.weights == "concatenated" and cell.row.free:
        terms = [Term("W", (rows, states + inputs), blocks)]
    else:
        of_h = [Term(W_H, (rows, states), blocks)] * cell.row.free
        terms = [*of_h, Term("W_x", (rows, inputs), blocks)]
    biases = ("b",) if experiment.biases == 1 else ("b_x", "b_h")
    terms += [Term(name, (rows,), blocks) for name in biases if cell.row.biased]
    if cell.peephole and cell.learned_gates:
        about = _("peepholes of {gates}").format(gates=" ".join(cell.learned_gates))
        terms.append(Term("p", (len(cell.learned_gates), size), about))
    drawn = {name: tuple(draw(size, stream(0, Purpose.WEIGHTS)).shape) for name, draw in cell.own.items()}
    about = _("of the {cell}").format(cell=cell.row.label)
    terms += [Term(GREEK.sub(r"\\\g<0>", name), shape, about) for name, shape in drawn.items()]
    terms = [term._replace(about=_at_its_rate(term, cell)) for term in terms]
    if experiment.layers == 1:
        return terms
    return [term._replace(name=FIRST.sub(rf"\g<0>^{{({layer})}}", term.name)) for term in terms]
