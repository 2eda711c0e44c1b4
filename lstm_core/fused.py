"""How does torch call the kernels? One autograd function for a whole sequence, of any cell."""

from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from lstm_core.cells import Cell, Parameters
from lstm_core.kernels import sequence
from lstm_core.kernels.activations import CODES
from lstm_core.kernels.compilation import Kernels

FAMILIES = {"rnn": sequence.RNN, "lstm": sequence.LSTM, "gru": sequence.GRU}


@lru_cache
def _spec(cell: Cell) -> sequence.Spec:
    i, f, g, o = (cell.rows.find(block) for block in "ifgo")
    phi, psi = CODES[cell.activation], CODES[cell.output_activation or cell.activation]
    return sequence.Spec(FAMILIES[cell.family], phi, psi, i, f, g, o, int(cell.coupled), int(cell.peephole))


def _packed(p: Parameters, cell: Cell) -> Tensor:
    """
    The weights (R, H + D + 1) by which [h; x; 1] is multiplied.

    A GRU has four blocks of rows: r, z, and for the candidate what comes from h and what comes from x, each with zeros
    in the place of the other.
    """
    if cell.family == "gru":
        size = p.recurrent.shape[1]
        gates, candidate = slice(None, 2 * size), slice(2 * size, None)
        bias_h = torch.zeros_like(p.bias) if p.recurrent_bias is None else p.recurrent_bias
        both = [p.recurrent[gates], p.input[gates], (p.bias + bias_h)[gates, None]]
        from_hidden = [p.recurrent[candidate], torch.zeros_like(p.input[candidate]), bias_h[candidate, None]]
        from_input = [torch.zeros_like(p.recurrent[candidate]), p.input[candidate], p.bias[candidate, None]]
        return torch.cat([torch.cat(row, 1) for row in (both, from_hidden, from_input)])
    bias = p.bias if p.recurrent_bias is None else p.bias + p.recurrent_bias
    return torch.cat([p.recurrent, p.input, bias[:, None]] if p.joint is None else [p.joint, bias[:, None]], 1)


class Tape:
    """
    What the forward pass leaves for the backward pass, as arrays of numpy: [h; x; 1] for each step, (T + 1, B, K), the
    gates and preactivations, (T, R / H, H B), the states between the steps, (T + 1, H B); and the norms of dL/dh_t and
    dL/dc_t, (2, T), that the backward pass leaves.
    """

    def __init__(self, spec: sequence.Spec, shape: tuple[int, ...], size: int, weight: Any) -> None:
        steps, batch, _ = shape
        rows, columns = weight.shape
        self.spec, self._shape = spec, (-1, size, batch)
        self.rows = np.empty((steps + 1, batch, columns), weight.dtype)
        self.blocks = np.empty((steps, rows // size, size * batch), weight.dtype)
        self.states = np.empty((0 if spec.family == sequence.RNN else steps + 1, size * batch), weight.dtype)
        self.norms = np.zeros((2, steps))

    def by_time(self, units_first: Any) -> Tensor:
        """(T, H B) as (T, B, H)."""
        return torch.from_numpy(units_first.reshape(self._shape).transpose(0, 2, 1))


class _Sequence(torch.autograd.Function):
    """Inputs (T, B, D), first states (B, H), packed weights, peepholes (gates, H) to outputs and last states."""

    @staticmethod
    def forward(
        ctx: Any,
        inputs: Tensor,
        hidden: Tensor,
        state: Tensor,
        weight: Tensor,
        peephole: Tensor,
        cell: Cell,
        kernels: Kernels,
    ) -> Any:
        arrays = [tensor.detach().numpy() for tensor in (inputs, hidden, weight, peephole)]
        size, spec = hidden.shape[1], _spec(cell)
        tape = Tape(spec, inputs.shape, size, arrays[2])
        if len(tape.states):
            tape.states[0] = state.t().reshape(-1)
        kernels.forward(spec, *arrays, tape.rows, tape.blocks, tape.states)
        outputs = torch.from_numpy(tape.rows)[1:, :, :size]
        last_state = tape.by_time(tape.states[-1:])[0] if spec.family == sequence.LSTM else None
        # The outputs lie in the tape: saving them lets torch notice when somebody changes them in place.
        ctx.save_for_backward(weight, peephole, outputs, *(() if last_state is None else (last_state,)))
        ctx.kernels, ctx.tape, ctx.shape = kernels, tape, (*inputs.shape, size)
        ctx.set_materialize_grads(False)
        return outputs, outputs[-1], last_state, tape

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, doutputs: Tensor | None, dlast: Tensor | None, dlast_state: Tensor | None, _: None) -> Any:
        weight, peephole = (tensor.numpy() for tensor in ctx.saved_tensors[:2])
        tape, (steps, batch, features, size) = ctx.tape, ctx.shape
        nothing = np.empty((0, 0, 0), weight.dtype)
        dhidden, dstate = (
            np.zeros((batch, size), weight.dtype) if gradient is None else np.array(gradient.numpy(), order="C")
            for gradient in (dlast, dlast_state)
        )
        dinputs = np.empty((steps, batch, features), weight.dtype) if ctx.needs_input_grad[0] else nothing
        dweight, dpeephole = np.empty_like(weight), np.zeros_like(peephole)
        ctx.kernels.backward(
            tape.spec,
            weight,
            peephole,
            tape.rows,
            tape.blocks,
            tape.states,
            nothing if doutputs is None else doutputs.numpy(),
            dhidden,
            dstate,
            dinputs,
            dweight,
            dpeephole,
            tape.norms,
        )
        gradients = [torch.from_numpy(array) for array in (dhidden, dstate, dweight, dpeephole)]
        return torch.from_numpy(dinputs) if ctx.needs_input_grad[0] else None, *gradients, None, None


class FusedTrace:
    """`cells.Trace` on a tape; cell states and gates are laid out when somebody looks at them."""

    def __init__(self, cell: Cell, hidden: Tensor, final: tuple[Tensor, ...], tape: Tape) -> None:
        self._cell, self._tape = cell, tape
        self.hidden, self.final = hidden, final

    @cached_property
    def cell(self) -> Tensor | None:
        return self._tape.by_time(self._tape.states[1:]) if self._cell.family == "lstm" else None

    @cached_property
    def gates(self) -> dict[str, Tensor]:
        places = {gate: self._cell.rows.index(gate) for gate in self._cell.learned_gates}
        learned = {gate: self._tape.by_time(self._tape.blocks[:, place]) for gate, place in places.items()}
        return learned | {"f": 1 - learned["i"]} if self._cell.coupled else learned

    def retain_gradients(self) -> None:
        """Their norms come with the backward pass."""

    def gradient_norms(self) -> tuple[Tensor, ...]:
        return tuple(torch.from_numpy(self._tape.norms[: len(self.final)]))


def run_fused(inputs: Tensor, h: Tensor, c: Tensor | None, p: Parameters, cell: Cell, kernels: Kernels) -> FusedTrace:
    """The call of `cells.run_rnn` and its sisters, for tensors on the CPU in the precision of the kernels."""
    weight = _packed(p, cell)
    peephole = weight.new_empty(0, h.shape[1]) if p.peephole is None else p.peephole
    outputs, last, last_state, tape = _Sequence.apply(inputs, h, h if c is None else c, weight, peephole, cell, kernels)
    return FusedTrace(cell, outputs, (last,) if c is None else (last, last_state), tape)
