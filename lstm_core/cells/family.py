"""
What is a cell? A row of `FAMILIES`, which says all that is special about it, and a `Cell`, one variant of such a row.

Dimensions: T time, B batch, D input, H hidden. A cell has k blocks of H rows ("rows") in its weights, stacked in the
order of its family, as in torch.nn.
"""

import reprlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn.functional import linear

from lstm_core.activations import ACTIVATIONS, Activation
from lstm_core.cells.normalisation import gains_and_biases
from lstm_core.cells.parameters import Parameters
from lstm_core.cells.path import Back, Path
from lstm_core.streams import Purpose, Rng, stream

LAYOUTS = {"separate": "W_h h + W_x x", "concatenated": "W [h; x]"}
MOST_WINDOW = 8
FORGET_ACTIVATIONS = ("sigmoid", "exponential")
W_H = "W_h"
MOST_ZONEOUT = 0.99


def choose(name: str, value: object, allowed: Iterable[object]) -> None:
    """Raise ValueError, naming field, value and what is allowed, unless `value` is among `allowed`."""
    options = list(allowed)
    if not any(value == option and type(value) is type(option) for option in options):
        raise ValueError(f"{name}: {reprlib.repr(value)} is not one of {', '.join(map(str, options))}")


class Trace(Protocol):
    """
    What one layer did: hidden state, the second state where it has one as `cell`, all `states`, each gate, (T, B, H)
    each; `final` states, (B, H) each. `hidden` and `final` can be differentiated, the others are values to look at.
    """

    @property
    def hidden(self) -> Tensor: ...

    @property
    def final(self) -> tuple[Tensor, ...]: ...

    @property
    def states(self) -> tuple[Tensor, ...]: ...

    @property
    def cell(self) -> Tensor | None: ...

    @property
    def gates(self) -> dict[str, Tensor]: ...

    def retain_gradients(self) -> None:
        """Call before the backward pass, so that `gradient_norms` can be read after it."""

    def gradient_norms(self) -> tuple[Tensor, ...]:
        """After the backward pass: ||dL/dh_t||, and ||dL/dc_t|| where there is one, (T,), over batch and units."""


States = tuple[Tensor, ...]
Blocks = Mapping[str, Tensor]


class Setting(Protocol):
    """What the equations of a cell are written with, see `charts.equations`."""

    @property
    def cell(self) -> "Cell": ...

    def sum(self, block: str = "", peephole: str = "") -> str:
        """W_h h + W_x x + b of one block, with a peephole into the cell state `peephole`, as LaTeX."""

    def parts(self, block: str, seen: str = "h_{t-1}") -> tuple[str, str]:
        """The same in two parts, that of x and that of h, or of what else is `seen` in its place."""


@dataclass(frozen=True)
class Family:
    """
    One row of `FAMILIES`.

    `blocks` are the blocks of rows by letter, with what each is called, in their order; `gates` are those among them
    that open and close; `apart` is "" or the last block, whose halves, that of h and that of x, reach the step one by
    one, as "n" and "n_x". Where they are not `recurrent`, blocks see x alone, and there is no W_h.
    `states` are letters, the hidden state first; those in `complex_states` are complex numbers, and those in
    `from_below` start at minus infinity, all others at 0. `own` are parameters that it alone has, by name: what they
    start as, of H and random numbers. `title` is what it is called in a race, where that is not its label.

    `made(p)` are the weights as a layer computes with them, of those that are learned, once for a sequence; with
    `free` false W_h is among what is made, and with `biased` false there is no bias. Kernels take what is learned: in
    their families, what is made has names of its own among the own parameters. `starts(p, gain, rng)` puts in the place
    of what was drawn what starts otherwise than `INITS` and `own` say. By the name of an own parameter, or `W_H`:
    `rates` are shares of the learning rate, and `most` absolute values that are never exceeded: what an update makes
    larger is cut. `products` says how many matrices (H, H) of its own the step multiplies with.

    `step(cell, p, blocks, states)` is one time step: from the preactivations W_h h + W_x x + b, (B, H) each by letter,
    and the states before, (B, H) each, to the new states and the gates, each by its letter. Where W_h sees something
    else than the state before, such as what a gate leaves of it, `cell.of_hidden` takes the place of the half "n".

    `equations(setting)` are the same in LaTeX, one line each. `options` are the fields of a `Cell` that the family
    knows beside its activation, which it has where it is `activated`; otherwise `phi(p)` is what stands in its place,
    and may depend on weights of its own. `forget` is the gate that multiplies what is kept, with the forget bias for
    its bias, "" if none; `chrono` are the signs of the biases that remember for every time scale, by block.
    `transforms` says that its state is made anew by one matrix at each step, so that the spectrum of W_h rules its
    gradient; `kept(p, path)` is what each step keeps of the state that is added to, (T, B, H), the factors of the
    gradient's direct path. None: no state is added to. `unscaled` are the fields with which states are what they stand
    for, where they are kept within range otherwise. Kernels keep `kept_beside` blocks of numbers for their way back,
    beside those of its rows.

    `code(cell)` are the same as lines of Python, for scripts and files that are taken away: assignments to a gate or a
    state, each by its letter, made of the states before, the preactivation a_x of block x, the peephole p_x of gate x,
    functions of torch, sums, differences and products. None: there are none.

    `back(p, cell, path)` is the step backward along a path, by hand: the same as by autograd, and faster. None: there
    is none.
    """

    name: str
    label: str
    blocks: Mapping[str, str]
    step: Callable[["Cell", Parameters, Blocks, States], tuple[States, dict[str, Tensor]]]
    equations: Callable[[Setting], list[str]]
    gates: str = ""
    apart: str = ""
    recurrent: bool = True
    phi: Callable[[Parameters], Activation] | None = None
    states: tuple[str, ...] = ("h",)
    complex_states: str = ""
    from_below: str = ""
    own: Mapping[str, Callable[[int, Rng], Tensor]] = field(default_factory=dict)
    made: Callable[[Parameters], Parameters] | None = None
    free: bool = True
    biased: bool = True
    starts: Callable[[Parameters, float, Rng], None] | None = None
    rates: Mapping[str, float] = field(default_factory=dict)
    most: Mapping[str, float] = field(default_factory=dict)
    products: int = 0
    options: frozenset[str] = field(default_factory=frozenset)
    activated: bool = True
    forget: str = ""
    chrono: Mapping[str, int] = field(default_factory=dict)
    title: str = ""
    transforms: bool = False
    kept: Callable[[Parameters, Path], Tensor] | None = None
    unscaled: Mapping[str, Any] = field(default_factory=dict)
    kept_beside: int = 0
    back: Callable[[Parameters, "Cell", Path], Back] | None = None
    code: Callable[["Cell"], list[str]] | None = None

    @property
    def adds(self) -> bool:
        """Whether a state is added to, so that the gradient has a direct path."""
        return self.kept is not None

    @property
    def real_states(self) -> tuple[str, ...]:
        """The letters of all states but the first, a complex one twice: of its real part and of its imaginary one."""
        return tuple(letter for letter in self.states[1:] for _ in range(1 + (letter in self.complex_states)))

    @property
    def memory(self) -> str:
        """The letter of the state that says what is remembered: the one after the hidden state, where there is one."""
        return self.states[:2][-1]


FAMILIES: dict[str, Family] = {}


@dataclass(frozen=True)
class Cell:
    """
    What a layer computes, without its weights.

    A gate that is not in `gates` is held at 1 and has no parameters; `coupled` takes f = 1 - i (CIFG of Greff et al.
    2017); `peephole` lets i and f see c_(t-1), and o see c_t (Gers and Schmidhuber 2000); `layer_norm` normalises
    W_h h, W_x x and what of c is shown, see `cells.normalisation`; `zoneout_h` and `zoneout_c` are the probabilities
    that a unit keeps its h, or its c, for a time step, see `cells.zoneout`. All of these and `output_activation` belong
    to the LSTM family. The last `window` hidden states are what W_h sees, (H, kH), of a vanilla RNN alone. The forget
    gate of an sLSTM has a `forget_activation`, a sigmoid or an exponential function, and where it is `stabilised`, its
    states are kept within range. Raises ValueError for anything else.
    """

    family: str
    activation: str = "tanh"
    output_activation: str | None = None
    gates: str = "ifo"
    coupled: bool = False
    peephole: bool = False
    window: int = 1
    forget_activation: str = "sigmoid"
    stabilised: bool = True
    layer_norm: bool = False
    zoneout_h: float = 0.0
    zoneout_c: float = 0.0

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
        choose("forget_activation", self.forget_activation, FORGET_ACTIVATIONS)
        choose("stabilised", self.stabilised, (False, True))
        choose("layer_norm", self.layer_norm, (False, True))
        for name in ("zoneout_h", "zoneout_c"):
            share = getattr(self, name)
            if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= MOST_ZONEOUT:
                raise ValueError(f"{name}: {share!r} is not a number from 0 to {MOST_ZONEOUT}")
        if self.coupled and not {"i", "f"} <= set(self.gates):
            raise ValueError(f"coupled: f = 1 - i needs both gates i and f, but gates is {self.gates!r}")
        for name, default in OPTIONS.items():
            if getattr(self, name) != default and not _knows(self.row, name):
                able = " or ".join(row.name for row in FAMILIES.values() if _knows(row, name))
                raise ValueError(f"{name}: {getattr(self, name)!r} needs cell {able}, not {self.family}")

    @property
    def row(self) -> Family:
        return FAMILIES[self.family]

    def kinds(self, real: torch.dtype) -> tuple[torch.dtype, ...]:
        """The type of each state of a cell whose weights are of this type."""
        return tuple(real.to_complex() if letter in self.row.complex_states else real for letter in self.row.states)

    def start(self, like: Tensor, size: int) -> States:
        """The states before the first step, (B, H) each, for a batch of inputs (..., B, D)."""
        shape = like.shape[-2], size
        values = (-torch.inf if letter in self.row.from_below else 0.0 for letter in self.row.states)
        kinds = self.kinds(like.dtype)
        return tuple(like.new_full(shape, value, dtype=kind) for value, kind in zip(values, kinds, strict=True))

    def phi(self, p: Parameters) -> Activation:
        """The function of the preactivation, of the family's own or as chosen."""
        return self.row.phi(p) if self.row.phi else ACTIVATIONS[self.activation]

    @property
    def activations(self) -> tuple[str, ...]:
        """phi and psi; only an LSTM has a psi, and a cell that is not activated has neither."""
        return (self.activation, self.output_activation or self.activation) if self.row.activated else ()

    def seen(self, size: int) -> int:
        """How many numbers of hidden states (B, H) with H = `size` W_h is multiplied with, 0 where there is no W_h."""
        return self.window * size if self.row.recurrent else 0

    def remembering(self, chrono: bool) -> Mapping[str, int]:
        """
        The blocks whose biases are the forget bias, with their signs: as they are spread over time scales, or as one
        for all. Coupled gates have f = 1 - i and so b_i = -b_f.
        """
        if chrono and self.row.chrono:
            return self.row.chrono
        if self.coupled:
            return {"i": -1}
        return {self.row.forget: 1} if self.row.forget else {}

    @property
    def own(self) -> Mapping[str, Callable[[int, Rng], Tensor]]:
        """The parameters of its family alone, see `Family`, and those of its normalisations."""
        return {**self.row.own, **gains_and_biases(len(self.rows))} if self.layer_norm else self.row.own

    def own_rows(self, size: int) -> int:
        """How many rows of H = `size` numbers these have together."""
        return sum(draw(size, stream(0, Purpose.WEIGHTS)).numel() for draw in self.own.values()) // size

    def made(self, p: Parameters) -> Parameters:
        """The weights as a layer computes with them, see `Family`."""
        return self.row.made(p) if self.row.made else p

    @property
    def zoneout(self) -> tuple[float, ...]:
        """The probability that a unit keeps its state, for each of its states."""
        return tuple(getattr(self, f"zoneout_{letter}", 0.0) for letter in self.row.states)

    def of_hidden(self, p: Parameters, block: str, h: Tensor) -> Tensor:
        """W_h h + b_h of one block, (B, H), for any h (B, H); of a single bias, which goes with x, nothing is added."""
        start, size = self.rows.index(block) * h.shape[1], h.shape[1]
        rows = slice(start, start + size)
        return linear(h, p.recurrent[rows], None if p.recurrent_bias is None else p.recurrent_bias[rows])

    @cached_property
    def learned_gates(self) -> str:
        """The gates with parameters of their own, in row order."""
        if "gates" not in self.row.options:
            return self.row.gates
        return self.gates.replace("f", "") if self.coupled else self.gates

    @cached_property
    def rows(self) -> str:
        """The blocks of H rows in every weight matrix, one letter each."""
        return "".join(block for block in self.row.blocks if block in self.learned_gates or block not in self.row.gates)


# The fields of a cell that not every family has, and their values where it has not.
OPTIONS = {
    "activation": "tanh",
    "window": 1,
    "gates": "ifo",
    "coupled": False,
    "peephole": False,
    "output_activation": None,
    "forget_activation": "sigmoid",
    "stabilised": True,
    "layer_norm": False,
    "zoneout_h": 0.0,
    "zoneout_c": 0.0,
}


def _knows(row: Family, name: str) -> bool:
    return row.activated if name == "activation" else name in row.options
