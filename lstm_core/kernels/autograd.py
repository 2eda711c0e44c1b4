"""How does torch call the kernels? With a tape for every sequence, through autograd or without."""

from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache, partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lstm_core.borrowed.autograd import more_than_numbers
from lstm_core.cells import Cell, Parameters, unroll
from lstm_core.fair_lock import aside
from lstm_core.kernels.activations import codes
from lstm_core.kernels.compilation import Kernels
from lstm_core.kernels.spec import GRU, LSTM, RNN, Spec

# Families that have a kernel.
KERNELS = {"rnn": RNN, "lstm": LSTM, "gru": GRU}
DIMENSIONS = (2, 2, 1, 1, 2)

Sources = Sequence[Tensor | None]
Arrays = tuple[Any, ...]


@lru_cache
def _spec(cell: Cell) -> Spec:
    i, f, g, o = (cell.rows.find(block) for block in "ifgo")
    phi, psi = (codes()[name] for name in cell.activations)
    return Spec(KERNELS[cell.family], phi, psi, i, f, g, o, int(cell.coupled), int(cell.peephole), cell.window)


@lru_cache
def _zeros(dtype: torch.dtype, *shape: int) -> Any:
    """To be read only. With a size of 0 it is what the kernels take for an array that there is not."""
    return torch.zeros(shape, dtype=dtype).numpy()


def _sources(p: Parameters) -> Sources:
    """Weights, biases and peepholes as the layer keeps them: one joint matrix stands in the place of W_h."""
    weights = (p.recurrent, p.input) if p.joint is None else (p.joint, None)
    return *weights, p.bias, p.recurrent_bias, p.peephole


def _arrays(sources: Sources, seen: int, dtype: torch.dtype) -> Arrays:
    """Sources, or their gradients, as `Weights`: W_h, of so many columns, and W_x apart."""
    arrays = [
        _zeros(dtype, *(0,) * dimensions) if tensor is None else tensor.detach().numpy()
        for tensor, dimensions in zip(sources, DIMENSIONS, strict=True)
    ]
    if sources[1] is None:
        arrays[:2] = arrays[0][:, :seen], arrays[0][:, seen:]
    return tuple(arrays)


class Tape:
    """
    What a forward pass leaves for the backward pass, `arrays` as in `TapeArrays`; and the norms of dL/dh_t and dL/dc_t,
    (2, T), that the backward pass leaves. For inputs (T, B, D); `seen` is kH, the numbers of its last states that the
    cell sees.
    """

    def __init__(self, cell: Cell, inputs: Tensor, seen: int) -> None:
        (steps, batch, features), columns, size = inputs.shape, seen + inputs.shape[2] + 1, seen // cell.window
        self.spec, self.features, self.seen, self._shape = _spec(cell), features, seen, (-1, size, batch)
        blocks = len(cell.rows) + len(cell.row.apart)
        # Memory of torch, unlike numpy's, begins where a vector does.
        self.weight = inputs.new_empty(blocks * size, columns)
        self.rows = inputs.new_empty(steps + 1, batch, columns)
        self.blocks = inputs.new_empty(steps, blocks, size * batch)
        self.states = inputs.new_empty(0 if self.spec.family == RNN else steps + 1, size * batch)
        self.arrays = tuple(tensor.numpy() for tensor in (self.weight, self.rows, self.blocks, self.states))
        self.norms = np.zeros((2, steps))

    @property
    def outputs(self) -> Tensor:
        """Hidden states (T, B, H)."""
        return self.rows[1:, :, : self._shape[1]]

    def by_time(self, units_first: Tensor) -> Tensor:
        """(T, H B) as (T, B, H)."""
        return units_first.reshape(self._shape).transpose(1, 2)

    def back(
        self,
        kernels: Kernels,
        peephole: Any,
        doutputs: Tensor | None,
        dlast: Tensor | None,
        dlast_state: Tensor | None,
        dinputs: Any,
        gradients: Arrays,
    ) -> list[Any]:
        """Fill `dinputs`, `gradients` and the norms; the gradients of the first states."""
        _, size, batch = self._shape
        dtype = self.rows.dtype
        dfirst = [np.zeros((batch, width), peephole.dtype) for width in (self.seen, size)]
        for first, last in zip(dfirst, (dlast, dlast_state), strict=True):
            if last is not None:
                first[:, :size] = last.detach().numpy()
        incoming = _zeros(dtype, 0, 0, 0) if doutputs is None else doutputs.detach().numpy()
        aside(kernels.backward, self.spec, peephole, self.arrays, incoming, *dfirst, dinputs, gradients, self.norms)
        return dfirst


def gradients(
    function: Callable[..., Sequence[Tensor]], given: Sequence[Tensor | None], incoming: Sequence[Tensor | None]
) -> list[Tensor | None]:
    """
    From the gradients of what `function(*given)` returns, None where there is none, to those of what is given, None
    where none is needed. Where torch wants to differentiate further, they can be, by all that they depend on.
    """
    further = torch.is_grad_enabled()
    device = next(tensor.device.type for tensor in given if tensor is not None)
    with torch.enable_grad(), torch.autocast(device, enabled=False):
        # Names of their own: one tensor may be given twice, or made from another one.
        own = [None if tensor is None else tensor.view_as(tensor) for tensor in given]
        pairs = [
            (output, gradient)
            for output, gradient in zip(function(*own), incoming, strict=False)
            if gradient is not None and output.requires_grad
        ]
        needed = [tensor for tensor in own if tensor is not None and tensor.requires_grad]
        outputs, reached = [output for output, _ in pairs], [gradient for _, gradient in pairs]
        grads = iter(torch.autograd.grad(outputs, needed, reached, create_graph=further, materialize_grads=True))
        return [next(grads) if tensor is not None and tensor.requires_grad else None for tensor in own]


def _by_kernels(ctx: Any, given: Sequence[Any], incoming: Sequence[Tensor | None]) -> Sequence[Tensor | None]:
    """The gradients of what `_Sequence` is given; of the inputs only where it is needed."""
    inputs, _hidden, state, *sources = given
    doutputs, dlast, dlast_state, _ = incoming
    tape, dtype = ctx.tape, inputs.dtype
    dinputs = inputs.new_empty(inputs.shape) if ctx.needs_input_grad[2] else None
    dsources = [None if source is None else torch.empty_like(source) for source in sources]
    dhidden, dstate = tape.back(
        ctx.kernels,
        _arrays(sources, tape.seen, dtype)[-1],
        doutputs,
        dlast,
        dlast_state,
        _zeros(dtype, 0, 0, 0) if dinputs is None else dinputs.numpy(),
        _arrays(dsources, tape.seen, dtype),
    )
    return dinputs, torch.from_numpy(dhidden), None if state is None else torch.from_numpy(dstate), *dsources


def _by_reference(
    cell: Cell,
    inputs: Tensor,
    hidden: Tensor,
    state: Tensor | None,
    weight: Tensor,
    input_weight: Tensor | None,
    bias: Tensor,
    recurrent_bias: Tensor | None,
    peephole: Tensor | None,
) -> Sequence[Tensor]:
    """What `_Sequence` makes of the same."""
    joint = None
    if input_weight is None:
        joint = weight
        weight, input_weight = joint.split([hidden.shape[1], inputs.shape[2]], 1)
    p = Parameters(weight, input_weight, bias, recurrent_bias, peephole, joint)
    trace = unroll(inputs, (hidden,) if state is None else (hidden, state), p, cell)
    return trace.hidden, *trace.final


class _Sequence(torch.autograd.Function):
    """
    Inputs (T, B, D), first states (B, kH) and the `_sources` of a layer to outputs, last states and the tape. A cell
    without a cell state has None in its place.
    """

    @staticmethod
    def forward(
        ctx: Any,
        cell: Cell,
        kernels: Kernels,
        inputs: Tensor,
        hidden: Tensor,
        state: Tensor | None,
        *sources: Tensor | None,
    ) -> Any:
        tape = Tape(cell, inputs, hidden.shape[1])
        given = [tensor.detach().numpy() for tensor in (inputs, hidden, hidden if state is None else state)]
        aside(kernels.forward, tape.spec, *given, _arrays(sources, tape.seen, inputs.dtype), tape.arrays)
        outputs = tape.outputs
        last_state = None if state is None else tape.by_time(tape.states[-1:])[0]
        # The outputs lie in the tape: saving them lets torch notice when somebody changes them in place.
        ctx.save_for_backward(outputs, last_state, inputs, hidden, state, *sources)
        ctx.cell, ctx.kernels, ctx.tape = cell, kernels, tape
        ctx.set_materialize_grads(False)
        return outputs, outputs[-1], last_state, tape

    @staticmethod
    def backward(ctx: Any, *incoming: Tensor | None) -> Any:
        _outputs, _last_state, *given = ctx.saved_tensors
        grads = None if more_than_numbers(incoming) else _by_kernels(ctx, given, incoming)
        if grads is None or torch.is_grad_enabled():
            # Somebody differentiates further, which the kernels, asked for the norms alone, do not bear.
            grads = gradients(partial(_by_reference, ctx.cell), given, incoming)
        return None, None, *grads


class FusedTrace:
    """`cells.Trace` on a tape; cell states and gates are laid out when somebody looks at them."""

    def __init__(self, cell: Cell, tape: Tape, hidden: Tensor, final: tuple[Tensor, ...]) -> None:
        self._cell, self.tape = cell, tape
        self.hidden, self.final = hidden, final

    @cached_property
    def cell(self) -> Tensor | None:
        return self.tape.by_time(self.tape.states[1:]) if len(self._cell.row.states) > 1 else None

    @property
    def states(self) -> tuple[Tensor, ...]:
        return (self.hidden.detach(),) if self.cell is None else (self.hidden.detach(), self.cell)

    @cached_property
    def gates(self) -> dict[str, Tensor]:
        places = {gate: self._cell.rows.index(gate) for gate in self._cell.learned_gates}
        learned = {gate: self.tape.by_time(self.tape.blocks[:, place]) for gate, place in places.items()}
        return learned | {"f": 1 - learned["i"]} if self._cell.coupled else learned

    def retain_gradients(self) -> None:
        """Their norms come with the backward pass."""

    def gradient_norms(self) -> tuple[Tensor, ...]:
        return tuple(torch.from_numpy(self.tape.norms[: len(self._cell.row.states)]))


def run_fused(inputs: Tensor, states: tuple[Tensor, ...], p: Parameters, cell: Cell, kernels: Kernels) -> FusedTrace:
    """The call of `cells.unroll`, for tensors on the CPU in the precision of the kernels."""
    h, *others = states
    first = torch.nn.functional.pad(h, (0, p.recurrent.shape[1] - h.shape[1]))
    state = others[0] if others else None
    outputs, *final, tape = _Sequence.apply(cell, kernels, inputs, first, state, *_sources(p))
    return FusedTrace(cell, tape, outputs, tuple(final[: 1 if state is None else 2]))


class FusedTrainer:
    """`engine.LayerTrainer` without autograd: arrays of parameters and their gradients are made once and kept."""

    def __init__(self, p: Parameters, cell: Cell, kernels: Kernels) -> None:
        self._cell, self._kernels = cell, kernels
        self._seen, sources = p.recurrent.shape[1], _sources(p)
        gradients = [None if source is None else source.grad for source in sources]
        self._parameters = _arrays(sources, self._seen, p.bias.dtype)
        self._gradients = _arrays(gradients, self._seen, p.bias.dtype)

    def run(self, inputs: Tensor) -> FusedTrace:
        tape, start = Tape(self._cell, inputs, self._seen), _zeros(inputs.dtype, inputs.shape[1], self._seen)
        aside(self._kernels.forward, tape.spec, inputs.numpy(), start, start, self._parameters, tape.arrays)
        outputs = tape.outputs
        return FusedTrace(self._cell, tape, outputs, (outputs[-1],))

    def back(self, trace: FusedTrace, gradient: Tensor) -> None:
        doutputs, dlast = (gradient, None) if gradient.dim() == 3 else (None, gradient)
        nothing, peephole = _zeros(gradient.dtype, 0, 0, 0), self._parameters[-1]
        trace.tape.back(self._kernels, peephole, doutputs, dlast, None, nothing, self._gradients)
