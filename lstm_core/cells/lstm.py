"""
The LSTM family: a cell state that is added to, and gates that say how much (Hochreiter and Schmidhuber 1997; Gers et
al. 2000; variants of Greff et al. 2017).
"""

import torch
from torch import Tensor
from torch.nn.functional import linear

from lstm_core.activations import ACTIVATIONS, as_code, as_latex
from lstm_core.cells.family import Blocks, Cell, Family, Setting, States
from lstm_core.cells.normalisation import back_through, normalised, normalised_sums
from lstm_core.cells.normalisation import equations as normalisation_equations
from lstm_core.cells.parameters import Parameters
from lstm_core.cells.path import Back, Path, preactivations, sigmoid_slope
from lstm_core.cells.zoneout import equations as zoneout_equations
from lstm_core.cells.zoneout import with_expectation
from lstm_core.language import _

GATES = {"i": _("input gate"), "f": _("forget gate"), "o": _("output gate")}


def step(cell: Cell, p: Parameters, blocks: Blocks, states: States) -> tuple[States, dict[str, Tensor]]:
    """
    i, f, o = sigmoid(pre)      g = phi(pre_g)
    c' = f * c + i * g          h' = o * psi(c')

    A gate that is not learned is 1. A peephole adds p_i * c to the preactivation of i, likewise f, and p_o * c' to o.
    With layer normalisation h' = o * psi(LN(c')).
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
    h = psi(normalised(p, "c", c))
    if "o" in blocks:
        h = opened("o", c) * h
    return (h, c), gates


def _gate(setting: Setting, gate: str) -> str:
    cell = setting.cell
    if gate not in cell.gates:
        return f"{gate}_t &= 1"
    if gate == "f" and cell.coupled:
        return "f_t &= 1 - i_t"
    state = (_written(cell)[0] if gate == "o" else "c_{t-1}") if cell.peephole else ""
    return rf"{gate}_t &= \sigma({setting.sum(gate, state)})"


def _written(cell: Cell) -> tuple[str, str]:
    """What a step makes of c and h: these themselves, or, where units keep theirs by chance, u and v."""
    return "u_t" if cell.zoneout_c else "c_t", "v_t" if cell.zoneout_h else "h_t"


def equations(setting: Setting) -> list[str]:
    cell = setting.cell
    phi, psi = map(as_latex, cell.activations)
    held = {gate: f"{gate}_t" if gate in cell.gates else "1" for gate in GATES}
    c, h = _written(cell)
    shown = rf"\mathrm{{LN}}_c({c})" if cell.layer_norm else c
    return [
        *(normalisation_equations() if cell.layer_norm else ()),
        _gate(setting, "i"),
        _gate(setting, "f"),
        rf"g_t &= {phi}({setting.sum('g')})",
        rf"{c} &= {held['f']} \odot c_{{t-1}} + {held['i']} \odot g_t",
        _gate(setting, "o"),
        rf"{h} &= {held['o']} \odot {psi}({shown})",
        *zoneout_equations("c", "u", cell.zoneout_c),
        *zoneout_equations("h", "v", cell.zoneout_h),
    ]


def code(cell: Cell) -> list[str]:
    phi, psi = cell.activations
    held = {gate: f"{gate} * " if gate in cell.gates else "" for gate in GATES}
    seen = {gate: f" + p_{gate} * c" if cell.peephole else "" for gate in GATES}
    opened = {gate: f"{gate} = sigmoid(a_{gate}{seen[gate]})" for gate in cell.learned_gates}
    if cell.coupled:
        opened["f"] = "f = 1 - i"
    return [
        *(opened[gate] for gate in "if" if gate in cell.gates),
        f"g = {as_code(phi, 'a_g')}",
        f"c = {held['f']}c + {held['i']}g",
        *(opened[gate] for gate in "o" if gate in cell.gates),
        f"h = {held['o']}{as_code(psi, 'c')}",
    ]


def back(p: Parameters, cell: Cell, path: Path) -> Back:
    """
    For u = [u_h, u_c], with d_x the derivative in the preactivation of x:

        d_c = u_c + u_h dh'/dc'      dh'/dc' = o psi'(c') + psi(c') o' p_o
        d_i = d_c g i'   d_f = d_c c f'   d_g = d_c i phi'(a_g)   d_o = u_h psi(c') o'
        u_h <- [d_i d_f d_g d_o] W_h      u_c <- d_c f + d_i p_i + d_f p_f

    A gate held at 1 has no derivative; for coupled ones d_i = d_c (g - c) i'. Where W_h h and c' are normalised, what
    comes back to them goes through LN. c' is the state before some of it is kept by chance.
    """
    assert path.cell is not None
    phi, psi = (ACTIVATIONS[name] for name in cell.activations)
    from_hidden = linear(path.seen, p.recurrent)
    sums = normalised_sums(p, path.inputs, from_hidden) if cell.layer_norm else preactivations(p, path, 1)[0]
    pre = dict(zip(cell.rows, sums.chunk(len(cell.rows), 2), strict=True))
    before, g = path.cell[:-1], phi.function(pre["g"])
    one = torch.ones_like(g)
    i, f, o = (path.gates.get(gate, one) for gate in "ifo")
    after = f * before + i * g
    shown = normalised(p, "c", after)
    of_hidden, of_cell = back_through(p, "h", from_hidden), back_through(p, "c", after)
    peepholes = {} if p.peephole is None else dict(zip(cell.learned_gates, p.peephole, strict=True))
    out, reads = psi.function(shown), o * psi.derivative(shown)
    through = {
        "i": (g - before if cell.coupled else g) * sigmoid_slope(i),
        "f": before * sigmoid_slope(f),
        "g": i * phi.derivative(pre["g"]),
        "o": out * sigmoid_slope(o),
    }
    size, all_through = p.recurrent.shape[1], torch.cat([through[row] for row in cell.rows], -1)

    def step_back(t: int, u: Tensor) -> Tensor:
        u_h, u_c = u.split(size, -1)
        d_c = u_c + of_cell(t - 1, u_h * reads[t - 1])
        if "o" in peepholes:
            d_c = d_c + u_h * through["o"][t - 1] * peepholes["o"]
        d = torch.cat([u_h if row == "o" else d_c for row in cell.rows], -1) * all_through[t - 1]
        u_c = d_c * f[t - 1]
        for gate in peepholes.keys() - "o":
            u_c = u_c + d.split(size, -1)[cell.rows.index(gate)] * peepholes[gate]
        return torch.cat([of_hidden(t - 1, d) @ p.recurrent, u_c], -1)

    return with_expectation(cell, size, step_back)


def kept(p: Parameters, path: Path) -> Tensor:
    """The forget gate, or 1 without one."""
    return path.gates.get("f", torch.ones_like(path.hidden[1:]))


LSTM = Family(
    "lstm",
    "LSTM",
    blocks={"i": GATES["i"], "f": GATES["f"], "g": _("candidate"), "o": GATES["o"]},
    step=step,
    equations=equations,
    gates="ifo",
    states=("h", "c"),
    options=frozenset({"gates", "coupled", "peephole", "output_activation", "layer_norm", "zoneout_h", "zoneout_c"}),
    forget="f",
    chrono={"f": 1, "i": -1},
    kept=kept,
    back=back,
    code=code,
)
