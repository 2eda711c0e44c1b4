"""
The LSTM family: a cell state that is added to, and gates that say how much (Hochreiter and Schmidhuber 1997; Gers et
al. 2000; variants of Greff et al. 2017).
"""

import torch
from torch import Tensor

from lstm_core.activations import ACTIVATIONS, as_latex
from lstm_core.cells.family import Blocks, Cell, Family, Parameters, Setting, States

GATES = {"i": "input gate", "f": "forget gate", "o": "output gate"}


def step(cell: Cell, p: Parameters, blocks: Blocks, states: States) -> tuple[States, dict[str, Tensor]]:
    """
    i, f, o = sigmoid(pre)      g = phi(pre_g)
    c' = f * c + i * g          h' = o * psi(c')

    A gate that is not learned is 1. A peephole adds p_i * c to the preactivation of i, likewise f, and p_o * c' to o.
    """
    phi, psi = (ACTIVATIONS[name].function for name in cell.activations)
    peepholes = {} if p.peephole is None else dict(zip(cell.learned_gates, p.peephole, strict=True))
    _, c = states
    gates: dict[str, Tensor] = {}

    def opened(gate: str, c: Tensor) -> Tensor:
        block = blocks[gate]
        gates[gate] = torch.sigmoid(torch.addcmul(block, peepholes[gate], c) if peepholes else block)
        return gates[gate]

    kept, added = c, phi(blocks["g"])
    if "i" in blocks:
        added = opened("i", c) * added
    if cell.coupled:
        gates["f"] = 1 - gates["i"]
        kept = (1 - gates["i"]) * c
    elif "f" in blocks:
        kept = opened("f", c) * c
    c = kept + added
    h = psi(c)
    if "o" in blocks:
        h = opened("o", c) * h
    return (h, c), gates


def _gate(setting: Setting, gate: str) -> str:
    cell = setting.cell
    if gate not in cell.gates:
        return f"{gate}_t &= 1"
    if gate == "f" and cell.coupled:
        return "f_t &= 1 - i_t"
    state = ("c_t" if gate == "o" else "c_{t-1}") if cell.peephole else ""
    return rf"{gate}_t &= \sigma({setting.sum(gate, state)})"


def equations(setting: Setting) -> list[str]:
    cell = setting.cell
    phi, psi = map(as_latex, cell.activations)
    held = {gate: f"{gate}_t" if gate in cell.gates else "1" for gate in GATES}
    return [
        _gate(setting, "i"),
        _gate(setting, "f"),
        rf"g_t &= {phi}({setting.sum('g')})",
        rf"c_t &= {held['f']} \odot c_{{t-1}} + {held['i']} \odot g_t",
        _gate(setting, "o"),
        rf"h_t &= {held['o']} \odot {psi}(c_t)",
    ]


LSTM = Family(
    "lstm",
    "LSTM",
    blocks={"i": GATES["i"], "f": GATES["f"], "g": "candidate", "o": GATES["o"]},
    step=step,
    equations=equations,
    gates="ifo",
    states=("h", "c"),
    options=frozenset({"gates", "coupled", "peephole", "output_activation"}),
    forget="f",
    adds=True,
)
