"""How does torch call the kernels? With a tape for every sequence, through autograd or without."""

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import Any

import torch
from torch import Tensor

from lstm_core.borrowed.autograd import more_than_numbers
from lstm_core.cells import Cell, Parameters, unroll
from lstm_core.kernels.code import Code
from lstm_core.kernels.packing import Sources
from lstm_core.kernels.tape import Tape

Given = Sequence[Tensor | None]


def learned(p: Parameters, cell: Cell) -> Given:
    """
    Weights, biases, peepholes and own parameters as the layer keeps them: one joint matrix stands in the place of W_h.
    """
    weights = (p.recurrent, p.input) if p.joint is None else (p.joint, None)
    own = (p.own[name] for name in cell.own)
    return *weights, p.bias if cell.row.biased else None, p.recurrent_bias, p.peephole, *own


def sources(given: Given, seen: int) -> Sources:
    """The same, or their gradients, as arrays: W_h, which has so many columns, and W_x apart."""
    arrays: list[Any] = [None if tensor is None else tensor.detach().numpy() for tensor in given]
    weight_h, weight_x, bias, bias_h, peephole, *own = arrays
    if weight_x is None:
        weight_h, weight_x = weight_h[:, :seen], weight_h[:, seen:]
    return Sources(weight_h, weight_x, bias, bias_h, peephole, own)


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
    further = len(ctx.cell.row.states) - 1
    (inputs, hidden), parameters = given[:2], given[2 + further :]
    doutputs, dlast, *dlast_states = incoming[:-1]
    # Laid out one after the other, as the kernels fill them.
    dinputs = inputs.new_zeros(inputs.shape) if ctx.needs_input_grad[2] else None
    dparameters = [None if one is None else one.new_empty(one.shape) for one in parameters]
    gradients = sources(dparameters, _columns(ctx.cell, hidden))
    dstates = ctx.tape.back(ctx.code, doutputs, dlast, dlast_states, dinputs, gradients)
    return dinputs, *dstates, *dparameters


def _columns(cell: Cell, hidden: Tensor) -> int:
    """How many W_h has, for first states (B, kH)."""
    return cell.seen(hidden.shape[1] // cell.window)


def _by_reference(cell: Cell, inputs: Tensor, *given: Any) -> Sequence[Tensor]:
    """What `_Sequence` makes of the same."""
    number = len(cell.row.states)
    states, (weight, input_weight, bias, recurrent_bias, peephole, *own) = given[:number], given[number:]
    joint = None
    if input_weight is None:
        joint = weight
        weight, input_weight = joint.split([_columns(cell, states[0]), inputs.shape[2]], 1)
    if bias is None:
        bias = input_weight.new_zeros(len(input_weight))
    by_name = dict(zip(cell.own, own, strict=True))
    p = Parameters(weight, input_weight, bias, recurrent_bias, peephole, joint, by_name)
    trace = unroll(inputs, states, cell.made(p), cell)
    return trace.hidden, *trace.final


class _Sequence(torch.autograd.Function):
    """
    Inputs (T, B, D), first states (B, kH) and of further states (B, H) each, and what is `learned` of a layer to
    outputs, last states and the tape.
    """

    @staticmethod
    def forward(
        ctx: Any,
        cell: Cell,
        code: Code,
        inputs: Tensor,
        hidden: Tensor,
        *others: Tensor | None,
    ) -> Any:
        tape, further = Tape(cell, inputs, hidden.shape[1] // cell.window), len(cell.row.states) - 1
        first = [state.numpy(force=True) for state in (hidden, *others[:further]) if state is not None]
        tape.run(code, sources(others[further:], _columns(cell, hidden)), inputs, first)
        outputs, last_states = tape.outputs, [states[-1] for states in tape.states]
        # The outputs lie in the tape: saving them lets torch notice when somebody changes them in place.
        ctx.save_for_backward(outputs, *last_states, inputs, hidden, *others)
        ctx.cell, ctx.code, ctx.tape = cell, code, tape
        ctx.set_materialize_grads(False)
        return outputs, outputs[-1], *last_states, tape

    @staticmethod
    def backward(ctx: Any, *incoming: Tensor | None) -> Any:
        given = ctx.saved_tensors[len(ctx.cell.row.states) :]
        grads = None if more_than_numbers(incoming) else _by_kernels(ctx, given, incoming)
        if grads is None or torch.is_grad_enabled():
            # Somebody differentiates further, which the kernels, asked for the norms alone, do not bear.
            grads = gradients(partial(_by_reference, ctx.cell), given, incoming)
        return None, None, *grads


class FusedTrace:
    """`cells.Trace` on a tape."""

    def __init__(self, cell: Cell, tape: Tape, hidden: Tensor, final: tuple[Tensor, ...]) -> None:
        self._cell, self.tape = cell, tape
        self.hidden, self.final = hidden, final

    @property
    def cell(self) -> Tensor | None:
        return self.tape.states[0] if len(self._cell.row.states) > 1 else None

    @property
    def states(self) -> tuple[Tensor, ...]:
        return self.hidden.detach(), *self.tape.states

    @cached_property
    def gates(self) -> dict[str, Tensor]:
        places = {gate: self._cell.rows.index(gate) for gate in self._cell.learned_gates}
        learned = {gate: self.tape.block(place) for gate, place in places.items()}
        return learned | {"f": 1 - learned["i"]} if self._cell.coupled else learned

    def retain_gradients(self) -> None:
        """Their norms come with the backward pass."""

    def gradient_norms(self) -> tuple[Tensor, ...]:
        """Of the hidden state and the next one, of which alone there are norms."""
        return tuple(torch.from_numpy(self.tape.norms[: len(self._cell.row.states)]))


def run_fused(inputs: Tensor, states: tuple[Tensor, ...], p: Parameters, cell: Cell, code: Code) -> FusedTrace:
    """The call of `cells.unroll`, for tensors on the CPU in the precision of the code."""
    h, *further = states
    first = torch.nn.functional.pad(h, (0, cell.window * _units(p, cell) - h.shape[1]))
    outputs, *final, tape = _Sequence.apply(cell, code, inputs, first, *further, *learned(p, cell))
    return FusedTrace(cell, tape, outputs, tuple(final))


def _units(p: Parameters, cell: Cell) -> int:
    return len(p.bias) // len(cell.rows)


class FusedTrainer:
    """`engine.LayerTrainer` without autograd: arrays of parameters and their gradients are made once and kept."""

    def __init__(self, p: Parameters, cell: Cell, code: Code) -> None:
        self._cell, self._code = cell, code
        seen, given = p.recurrent.shape[1], learned(p, cell)
        self._units = _units(p, cell)
        self._parameters = sources(given, seen)
        self._gradients = sources([None if source is None else source.grad for source in given], seen)

    def run(self, inputs: Tensor) -> FusedTrace:
        tape = Tape(self._cell, inputs, self._units)
        tape.run(self._code, self._parameters, inputs, ())
        outputs = tape.outputs
        return FusedTrace(self._cell, tape, outputs, (outputs[-1],))

    def back(self, trace: FusedTrace, gradient: Tensor) -> None:
        doutputs, dlast = (gradient, None) if gradient.dim() == 3 else (None, gradient)
        trace.tape.back(self._code, doutputs, dlast, (), None, self._gradients)
