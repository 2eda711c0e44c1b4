"""
What does one step of each cell compute? The equations, in plain torch, to be read.

Dimensions: T time, B batch, D input, H hidden. A cell has k blocks of H rows ("rows"), stacked in the order i f g o for
the LSTM family and r z n for the GRU, as in torch.nn.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from lstm_core.activations import ACTIVATIONS

LAYOUTS = {"separate": "W_h h + W_x x", "concatenated": "W [h; x]"}
FAMILIES = {"rnn": "RNN", "lstm": "LSTM", "gru": "GRU"}
BLOCKS = {"rnn": "h", "lstm": "ifgo", "gru": "rzn"}
MOST_WINDOW = 8
GATES = {"i": "input gate", "f": "forget gate", "o": "output gate"}


def choose(name: str, value: object, allowed: Iterable[object]) -> None:
    """Raise ValueError, naming field, value and what is allowed, unless `value` is among `allowed`."""
    options = list(allowed)
    if not any(value == option and type(value) is type(option) for option in options):
        raise ValueError(f"{name}: {value!r} is not one of {', '.join(map(str, options))}")


@dataclass(frozen=True)
class Cell:
    """
    What a layer computes, without its weights.

    A gate that is not in `gates` is held at 1 and has no parameters; `coupled` takes f = 1 - i (CIFG of Greff et al.
    2017); `peephole` lets i and f see c_(t-1), and o see c_t (Gers and Schmidhuber 2000). These three and
    `output_activation` belong to the LSTM family. The last `window` hidden states are what W_h sees, (H, kH), of a
    vanilla RNN alone. Raises ValueError for anything else.
    """

    family: str
    activation: str = "tanh"
    output_activation: str | None = None
    gates: str = "ifo"
    coupled: bool = False
    peephole: bool = False
    window: int = 1

    def __post_init__(self) -> None:
        choose("cell", self.family, FAMILIES)
        choose("activation", self.activation, ACTIVATIONS)
        if self.output_activation is not None:
            choose("output_activation", self.output_activation, ACTIVATIONS)
        if not isinstance(self.gates, str) or "".join(g for g in "ifo" if g in self.gates) != self.gates:
            raise ValueError(f"gates: {self.gates!r} is not a subset of ifo in that order (empty: no gates)")
        choose("coupled", self.coupled, (False, True))
        choose("peephole", self.peephole, (False, True))
        choose("window", self.window, range(1, MOST_WINDOW + 1))
        if self.window > 1 and self.family != "rnn":
            raise ValueError(f"window: {self.window} needs cell rnn, not {self.family}")
        if self.coupled and not {"i", "f"} <= set(self.gates):
            raise ValueError(f"coupled: f = 1 - i needs both gates i and f, but gates is {self.gates!r}")
        if self.family != "lstm":
            lstm_only = {"gates": "ifo", "coupled": False, "peephole": False, "output_activation": None}
            for name, default in lstm_only.items():
                if getattr(self, name) != default:
                    raise ValueError(f"{name}: {getattr(self, name)!r} needs cell lstm, not {self.family}")

    @cached_property
    def activations(self) -> tuple[str, str]:
        """phi and psi; only an LSTM has a psi."""
        return self.activation, self.output_activation or self.activation

    @cached_property
    def learned_gates(self) -> str:
        """The gates with parameters of their own, in row order."""
        if self.family != "lstm":
            return BLOCKS[self.family][:-1]
        return self.gates.replace("f", "") if self.coupled else self.gates

    @cached_property
    def rows(self) -> str:
        """The blocks of H rows in every weight matrix, one letter each."""
        if self.family != "lstm":
            return BLOCKS[self.family]
        return "".join(block for block in BLOCKS["lstm"] if block in self.learned_gates + "g")


class Parameters(NamedTuple):
    """
    One layer's weights: `recurrent` (kH, H), `input` (kH, D), `bias` (kH,), a second bias on the recurrent side or
    None, `peephole` (gates, H) or None; where h and x are concatenated also `joint` (kH, H + D), of which the first two
    are views. A cell that sees its last few hidden states has as many times H columns in `recurrent`.
    """

    recurrent: Tensor
    input: Tensor
    bias: Tensor
    recurrent_bias: Tensor | None = None
    peephole: Tensor | None = None
    joint: Tensor | None = None


class Trace(Protocol):
    """
    What one layer did: hidden state, cell state where it has one, each gate, all (T, B, H); `final` hidden and cell
    state, (B, H) each. `hidden` and `final` can be differentiated, the others are values to look at.
    """

    @property
    def hidden(self) -> Tensor: ...

    @property
    def final(self) -> tuple[Tensor, ...]: ...

    @property
    def cell(self) -> Tensor | None: ...

    @property
    def gates(self) -> dict[str, Tensor]: ...

    def retain_gradients(self) -> None:
        """Call before the backward pass, so that `gradient_norms` can be read after it."""

    def gradient_norms(self) -> tuple[Tensor, ...]:
        """After the backward pass: ||dL/dh_t||, and ||dL/dc_t|| where there is one, (T,), over batch and units."""


class _Steps:
    """A trace that grows step by step and keeps every state, so that autograd can leave its gradient there."""

    def __init__(self, gates: str = "") -> None:
        self._states: tuple[list[Tensor], list[Tensor]] = [], []
        self._gates: dict[str, list[Tensor]] = {gate: [] for gate in gates}
        self._hidden: Tensor | None = None

    def append(self, *states: Tensor) -> None:
        for kept, state in zip(self._states, states, strict=False):
            kept.append(state)

    def open(self, **gates: Tensor) -> None:
        for gate, value in gates.items():
            self._gates[gate].append(value)

    @property
    def hidden(self) -> Tensor:
        """Kept by hand: torch cannot compile the lock of a cached property."""
        if self._hidden is None:
            self._hidden = torch.stack(self._states[0])
        return self._hidden

    @property
    def final(self) -> tuple[Tensor, ...]:
        return tuple(states[-1] for states in self._states if states)

    @property
    def cell(self) -> Tensor | None:
        return torch.stack(self._states[1]).detach() if self._states[1] else None

    @property
    def gates(self) -> dict[str, Tensor]:
        return {gate: torch.stack(values).detach() for gate, values in self._gates.items()}

    def retain_gradients(self) -> None:
        for state in (*self._states[0], *self._states[1]):
            state.retain_grad()

    def gradient_norms(self) -> tuple[Tensor, ...]:
        return tuple(_gradient_norms(states) for states in self._states if states)


def _gradient_norms(states: list[Tensor]) -> Tensor:
    """Squares are summed in float64, where they do not underflow; a state that the loss does not reach has norm 0."""
    gradients = [torch.zeros_like(state) if state.grad is None else state.grad for state in states]
    return torch.linalg.vector_norm(torch.stack(gradients), dim=(1, 2), dtype=torch.float64)


def preactivation(p: Parameters, inputs: Tensor) -> Callable[[int, Tensor], Tensor]:
    """
    (t, h) -> W_h h + W_x x_t + b, (B, kH), for inputs (T, B, D).

    With one joint matrix it is a product with [h; x_t] at each step; with separate ones the part of x is known
    beforehand and computed for all steps at once.
    """
    bias = p.bias if p.recurrent_bias is None else p.bias + p.recurrent_bias
    if p.joint is not None:
        steps, joint = inputs.unbind(0), p.joint.t()
        return lambda t, h: torch.addmm(bias, torch.cat([h, steps[t]], 1), joint)
    from_inputs, recurrent = torch.nn.functional.linear(inputs, p.input, bias).unbind(0), p.recurrent.t()
    return lambda t, h: torch.addmm(from_inputs[t], h, recurrent)


def run_rnn(inputs: Tensor, h: Tensor, c: Tensor | None, p: Parameters, cell: Cell) -> Trace:
    """
    h' = phi(W_h h + W_x x + b)

    With a window of k, [h_(t-1); ...; h_(t-k)] stands in the place of h. What the first state, (B, H) or, newest first,
    up to (B, kH), does not tell of the time before the start is 0.
    """
    phi, older = ACTIVATIONS[cell.activation].function, p.recurrent.shape[1] - len(p.recurrent)
    pre, trace = preactivation(p, inputs), _Steps()
    seen = torch.nn.functional.pad(h, (0, p.recurrent.shape[1] - h.shape[1]))
    for t in range(len(inputs)):
        h = phi(pre(t, seen))
        seen = torch.cat([h, seen[:, :older]], 1) if older else h
        trace.append(h)
    return trace


def run_lstm(inputs: Tensor, h: Tensor, c: Tensor | None, p: Parameters, cell: Cell) -> Trace:
    """
    i, f, o = sigmoid(pre)      g = phi(pre_g)
    c' = f * c + i * g          h' = o * psi(c')

    A gate that is not learned is 1. A peephole adds p_i * c to the preactivation of i, likewise f, and p_o * c' to o.
    """
    assert c is not None
    phi, psi = (ACTIVATIONS[name].function for name in cell.activations)
    peepholes = {} if p.peephole is None else dict(zip(cell.learned_gates, p.peephole, strict=True))
    pre, trace, rows = preactivation(p, inputs), _Steps(cell.gates), cell.rows

    def opened(gate: str, block: Tensor, c: Tensor) -> Tensor:
        value = torch.sigmoid(torch.addcmul(block, peepholes[gate], c) if peepholes else block)
        trace.open(**{gate: value})
        return value

    for t in range(len(inputs)):
        block = dict(zip(rows, pre(t, h).chunk(len(rows), 1), strict=True))
        kept, added = c, phi(block["g"])
        if "i" in block:
            i = opened("i", block["i"], c)
            added = i * added
        if cell.coupled:
            trace.open(f=1 - i)
            kept = (1 - i) * c
        elif "f" in block:
            kept = opened("f", block["f"], c) * c
        c = kept + added
        h = psi(c)
        if "o" in block:
            h = opened("o", block["o"], c) * h
        trace.append(h, c)
    return trace


def run_gru(inputs: Tensor, h: Tensor, c: Tensor | None, p: Parameters, cell: Cell) -> Trace:
    """
    r, z = sigmoid(pre)         n = phi(W_xn x + b_n + r * (W_hn h + b_hn))
    h' = (1 - z) * n + z * h

    The form of torch and cuDNN: the reset gate acts after the matrix product, so the rows of n cannot share one product
    with [h; x], whichever way the weights are kept.
    """
    phi = ACTIVATIONS[cell.activation].function
    size = h.shape[1]
    candidate = slice(2 * size, None)
    pre = preactivation(_rows(p, slice(None, 2 * size)), inputs)
    from_inputs = torch.nn.functional.linear(inputs, p.input[candidate], p.bias[candidate]).unbind(0)
    recurrent = p.recurrent[candidate]
    recurrent_bias = None if p.recurrent_bias is None else p.recurrent_bias[candidate]
    trace = _Steps("rz")
    for t in range(len(inputs)):
        r, z = torch.sigmoid(pre(t, h)).chunk(2, 1)
        n = phi(torch.addcmul(from_inputs[t], r, torch.nn.functional.linear(h, recurrent, recurrent_bias)))
        h = torch.lerp(n, h, z)
        trace.open(r=r, z=z)
        trace.append(h)
    return trace


def _rows(p: Parameters, rows: slice) -> Parameters:
    return Parameters(*(None if tensor is None else tensor[rows] for tensor in p))  # type: ignore[arg-type]


REFERENCE = {"rnn": run_rnn, "lstm": run_lstm, "gru": run_gru}
