"""How do cells become layers that train?"""

import copy
import math
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from lstm_core import engine as engines
from lstm_core.cells import LAYOUTS, Cell, Parameters, Trace, choose
from lstm_core.cells.family import W_H
from lstm_core.initialisation import INITS, Chrono, uniform
from lstm_core.streams import Rng, stream_of
from lstm_core.wiring import MOST_LAYERS, PLAIN, WIRINGS

# By the number of a layer, 0 for the lowest.
Held = Callable[[int], Tensor]
# Of the gates of a highway.
TRANSFORM_BIAS = -1.0


class Layer(nn.Module):
    """
    One recurrent layer: the weights of a `Cell`, rows stacked in blocks of H.

    `weight_h` (kH, H) and `weight_x` (kH, D), or both side by side in `weight` (kH, H + D); `bias` (kH,), which goes
    with x, and `bias_h` (kH,), which goes with h, where there are two; `peephole` (gates, H). Where the cell sees its
    last few hidden states, there are as many times H columns for h. What its family has not, or makes of its own
    parameters, is missing.
    """

    weight_h: nn.Parameter

    def __init__(self, cell: Cell, input_size: int, hidden_size: int, weights: str, biases: int) -> None:
        super().__init__()
        self.cell, self.input_size, self.hidden_size = cell, input_size, hidden_size
        rows, self.recurrent_size = len(cell.rows) * hidden_size, cell.seen(hidden_size)
        self.joint = weights == "concatenated" and cell.row.free
        if self.joint:
            self.weight = nn.Parameter(torch.empty(rows, self.recurrent_size + input_size))
        else:
            learned = cell.row.free and cell.row.recurrent
            weight_h = nn.Parameter(torch.empty(rows, self.recurrent_size)) if learned else None
            self.register_parameter("weight_h", weight_h)
            self.weight_x = nn.Parameter(torch.empty(rows, input_size))
        if cell.row.biased:
            self.bias = nn.Parameter(torch.empty(rows))
        self.bias_h = nn.Parameter(torch.empty(rows)) if biases == 2 and cell.row.biased else None
        gates = len(cell.learned_gates)
        self.peephole = nn.Parameter(torch.empty(gates, hidden_size)) if cell.peephole and gates else None

        self.own = nn.ParameterDict({name: torch.empty(0) for name in cell.own})

    def tensors(self) -> Parameters:
        """The weights as the engines take them."""
        return self.cell.made(self._learned())

    def _learned(self) -> Parameters:
        """The weights as they are learned; those that are not are zeros."""
        own, row = dict(self.own.items()), self.cell.row
        if self.joint:
            weight = self.weight  # Looked up once: a parametrization computes it at every look.
            recurrent, inputs = weight.split([self.recurrent_size, self.input_size], 1)
        else:
            weight, inputs = None, self.weight_x
            learned = row.free and row.recurrent
            recurrent = self.weight_h if learned else inputs.new_zeros(len(inputs), self.recurrent_size)
        bias = self.bias if row.biased else inputs.new_zeros(len(inputs))
        return Parameters(recurrent, inputs, bias, self.bias_h, self.peephole, weight, own)

    def block(self, name: str) -> slice:
        """The rows of a gate, or of another block of the cell."""
        start = self.cell.rows.index(name) * self.hidden_size
        return slice(start, start + self.hidden_size)

    @torch.no_grad()
    def initialise(self, init: str, gain: float, forget_bias: float | Chrono, rng: Rng) -> None:
        """
        Draw the weights; `gain` multiplies W_h.

        Nothing drawn depends on the layout, the number of biases or the gates that are left out: variants with the same
        seed start from the same weights wherever both have them. Where W_h sees k hidden states, each block for one of
        them is drawn like the only one and divided by k, so that k equal states count as much as one: from identity
        blocks the states start as the mean of the last k, and do not grow. A gain of k takes it back.
        """
        row, size, p = INITS[init], self.hidden_size, self._learned()
        gain /= self.cell.window
        bound_h, bound_x = row.bounds(size, self.input_size, self.joint and self.cell.row.recurrent)
        bias_h = torch.empty_like(p.bias) if p.recurrent_bias is None else p.recurrent_bias
        for name in self.cell.row.blocks:
            recurrent = gain * row.recurrent(size, bound_h, rng) if self.cell.row.recurrent else None
            inputs = uniform(size, self.input_size, bound_x, rng)
            biases = row.biases * uniform(3, size, 1.0, rng)
            if name in self.cell.rows:
                block = self.block(name)
                if recurrent is not None:
                    p.recurrent[block, :size] = recurrent
                p.input[block] = inputs
                p.bias[block], bias_h[block] = bound_x * biases[0], bound_h * biases[1]
            if p.peephole is not None and name in self.cell.learned_gates:
                p.peephole[self.cell.learned_gates.index(name)] = bound_h * biases[2]
        for older in p.recurrent.split(size, 1)[1:]:
            older.copy_(gain * row.recurrent(size, bound_h, rng))
        for name, draw in self.cell.own.items():
            self.own[name] = nn.Parameter(draw(size, rng).to(p.bias.dtype))
        if self.cell.row.starts:
            self.cell.row.starts(self._learned(), gain, rng)
        self._set_forget_bias(forget_bias, rng)

    @torch.no_grad()
    def of_each(self, values: Mapping[str, float], other: float) -> Tensor:
        """The value for each of its numbers, in the order of its parameters, by the name of its own ones or of W_h."""
        twin = copy.deepcopy(self)
        for parameter in twin.parameters():
            parameter.fill_(other)
        learned = twin._learned()
        for name, value in values.items():
            (learned.recurrent if name == W_H else learned.own[name]).fill_(value)
        return nn.utils.parameters_to_vector(twin.parameters())

    def _set_forget_bias(self, forget_bias: float | Chrono, rng: Rng) -> None:
        """Fill b_f, or what keeps in its place, on one of two biases so that their sum is right."""
        if isinstance(forget_bias, Chrono):
            signs = self.cell.remembering(chrono=True)
            value = forget_bias.draw(self.hidden_size, rng) if signs else torch.empty(0)
        else:
            signs, value = self.cell.remembering(chrono=False), torch.tensor(forget_bias)
        for name, sign in signs.items():
            if name in self.cell.rows:
                self.bias[self.block(name)] = sign * value
                if self.bias_h is not None:
                    self.bias_h[self.block(name)] = 0


class Readout(nn.Module):
    """A linear map of what a stack puts out, (..., W) -> (..., O), uniform in +-1/sqrt(W) as torch.nn.Linear."""

    def __init__(self, width: int, outputs: int, rng: Rng) -> None:
        super().__init__()
        self.weight = nn.Parameter(uniform(outputs, width, width**-0.5, rng).float())
        self.bias = nn.Parameter(uniform(1, outputs, width**-0.5, rng)[0].float())

    def forward(self, seen: Tensor) -> Tensor:
        return nn.functional.linear(seen, self.weight, self.bias)


class TransformGate(nn.Module):
    """
    T = sigmoid(W_T s + b_T) of a highway, (..., H) -> (..., H): `weight` (H, H), uniform in +-1/sqrt(H), and `bias`
    (H,), which starts at -1, so that at first most of s is carried past the layer (Srivastava et al. 2015).
    """

    def __init__(self, size: int, rng: Rng) -> None:
        super().__init__()
        self.weight = nn.Parameter(uniform(size, size, size**-0.5, rng).float())
        self.bias = nn.Parameter(torch.full((size,), TRANSFORM_BIAS))

    def forward(self, seen: Tensor) -> Tensor:
        return torch.sigmoid(nn.functional.linear(seen, self.weight, self.bias))


def _check_sizes(**sizes: int) -> None:
    for name, value in sizes.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"{name}: {value!r} is not a whole number of at least 1")


def _check_finite(**numbers: float) -> None:
    for name, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ValueError(f"{name}: {value!r} is not a finite number")


class Stack(nn.Module):
    """
    Layers of one `Cell`; `wiring`, a row of `WIRINGS`, says what each sees of those below, and what is put out above
    all of them, `output_size` numbers wide. Sizes and choices are checked: ValueError.
    """

    def __init__(
        self,
        cell: Cell,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        weights: str = "separate",
        biases: int = 1,
        init: str = "uniform",
        gain: float = 1.0,
        forget_bias: float | Chrono = 1.0,
        wiring: str = PLAIN,
        engine: str = "auto",
        generator: torch.Generator | Rng | None = None,
    ) -> None:
        super().__init__()
        _check_sizes(input_size=input_size, hidden_size=hidden_size, num_layers=num_layers)
        choose("wiring", wiring, WIRINGS)
        if wiring != PLAIN and num_layers > MOST_LAYERS:
            raise ValueError(
                f"num_layers: {num_layers} is not a whole number from 1 to {MOST_LAYERS}, as wiring {wiring} needs"
            )
        choose("weights", weights, LAYOUTS)
        choose("biases", biases, (1, 2))
        choose("init", init, INITS)
        choose("engine", engine, engines.ENGINES)
        _check_finite(gain=gain, forget_bias=0.0 if isinstance(forget_bias, Chrono) else forget_bias)
        self.cell, self.wiring, self.engine = cell, wiring, engine
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.layers, rng = nn.ModuleList(), stream_of(generator)
        *widths, self.output_size = WIRINGS[wiring].widths(input_size, hidden_size, num_layers)
        for size in widths:
            layer = Layer(cell, size, hidden_size, weights, biases)
            layer.initialise(init, gain, forget_bias, rng)
            self.layers.append(layer)
        gates = WIRINGS[wiring].gates(num_layers)
        self.gates = nn.ModuleList(TransformGate(hidden_size, rng) for _ in range(gates))

    @property
    def layer_list(self) -> list[Layer]:
        return list(self.layers)  # type: ignore[arg-type]

    @property
    def gate_list(self) -> list[TransformGate]:
        """Of a wiring that has them; the lowest, that of the second layer, first."""
        return list(self.gates)  # type: ignore[arg-type]

    def forward(
        self, inputs: Tensor, states: tuple[Tensor, ...] | None = None
    ) -> tuple[Tensor, tuple[Tensor, ...], list[Trace]]:
        """
        Inputs (T, B, D) to the outputs (T, B, W), the final states (L, B, H) each, a trace per layer.

        The outputs are what the wiring shows above all layers, W = `output_size`: the hidden states of the last one,
        their sum over all layers (residual), the same with gates (highway), or input and hidden states of all layers
        side by side (dense).

        `states` are the initial hidden states (L, B, H) and, for the LSTM family, cell states; None is zeros. Raises
        ValueError where a shape does not fit.
        """
        traces = self.traces(inputs, states)
        final = zip(*(trace.final for trace in traces), strict=True)
        return self.seen(inputs, [trace.hidden for trace in traces]), tuple(map(torch.stack, final)), traces

    def traces(self, inputs: Tensor, states: tuple[Tensor, ...] | None = None, held: Held | None = None) -> list[Trace]:
        """
        What each layer does, without the final states in one piece; `held` says which units of which layer keep their
        states, see `unroll`.
        """
        states = self._checked(inputs, states)
        traces: list[Trace] = []
        for number, (layer, *initial) in enumerate(zip(self.layer_list, *states, strict=True)):
            seen, holds = self.seen(inputs, [trace.hidden for trace in traces]), held(number) if held else None
            traces.append(engines.run(seen, tuple(initial), layer.tensors(), self.cell, self.engine, holds))
        return traces

    def seen(self, inputs: Tensor, hidden: Sequence[Tensor]) -> Tensor:
        """What is seen above layers with these hidden states, (..., H) each, for the stack's inputs (..., D)."""
        return WIRINGS[self.wiring].seen(inputs, hidden, self.gate_list)

    def _checked(self, inputs: Tensor, states: tuple[Tensor, ...] | None) -> tuple[Tensor, ...]:
        if not isinstance(inputs, Tensor):
            raise ValueError(f"input: {type(inputs).__name__} is not a tensor (time, batch, {self.input_size})")
        if inputs.dim() != 3 or inputs.shape[2] != self.input_size or len(inputs) < 1:
            raise ValueError(f"input: shape {tuple(inputs.shape)} is not (time, batch, {self.input_size})")
        number = len(self.cell.row.states)
        shape = (self.num_layers, inputs.shape[1], self.hidden_size)
        if states is None:
            start = self.cell.start(inputs, self.hidden_size)
            return tuple(state.expand(shape) for state in start)
        given = [tuple(state.shape) if isinstance(state, Tensor) else type(state).__name__ for state in states]
        if given != [shape] * number:
            raise ValueError(f"state: {given} given, {number} of shape {shape} needed")
        return states
