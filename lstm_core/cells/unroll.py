"""How does a step become a sequence? It is repeated over time, in plain torch, and every state is kept."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import linear, pad

from lstm_core.cells.family import Cell, Trace
from lstm_core.cells.normalisation import normalised
from lstm_core.cells.parameters import Parameters
from lstm_core.cells.zoneout import some_kept

# Of the hidden state and the next one.
MOST_NORMS = 2


class _Steps:
    """A trace that grows step by step and keeps every state, so that autograd can leave its gradient there."""

    def __init__(self, states: int) -> None:
        self._states: list[list[Tensor]] = [[] for _ in range(states)]
        self._gates: dict[str, list[Tensor]] = {}
        self._hidden: Tensor | None = None

    def append(self, states: tuple[Tensor, ...], gates: dict[str, Tensor]) -> None:
        for kept, state in zip(self._states, states, strict=True):
            kept.append(state)
        for gate, value in gates.items():
            self._gates.setdefault(gate, []).append(value)

    @property
    def hidden(self) -> Tensor:
        """Kept by hand: torch cannot compile the lock of a cached property."""
        if self._hidden is None:
            self._hidden = torch.stack(self._states[0])
        return self._hidden

    @property
    def final(self) -> tuple[Tensor, ...]:
        return tuple(states[-1] for states in self._states)

    @property
    def states(self) -> tuple[Tensor, ...]:
        return tuple(torch.stack(states).detach() for states in self._states)

    @property
    def cell(self) -> Tensor | None:
        return torch.stack(self._states[1]).detach() if len(self._states) > 1 else None

    @property
    def gates(self) -> dict[str, Tensor]:
        return {gate: torch.stack(values).detach() for gate, values in self._gates.items()}

    def retain_gradients(self) -> None:
        for states in self._states[:MOST_NORMS]:
            for state in states:
                state.retain_grad()

    def gradient_norms(self) -> tuple[Tensor, ...]:
        return tuple(map(_gradient_norms, self._states[:MOST_NORMS]))


def _gradient_norms(states: list[Tensor]) -> Tensor:
    """Squares are summed in float64, where they do not underflow; a state that the loss does not reach has norm 0."""
    gradients = torch.stack([torch.zeros_like(state) if state.grad is None else state.grad for state in states])
    sizes = gradients.abs() if gradients.is_complex() else gradients
    return torch.linalg.vector_norm(sizes, dim=(1, 2), dtype=torch.float64)


def preactivation(p: Parameters, inputs: Tensor) -> Callable[[int, Tensor], Tensor]:
    """
    (t, h) -> W_h h + W_x x_t + b, (B, kH), for inputs (T, B, D).

    With one joint matrix it is a product with [h; x_t] at each step; with separate ones the part of x is known
    beforehand and computed for all steps at once, and where there is no W_h, this part is all.
    """
    bias = p.whole_bias
    if not p.recurrent.shape[1]:
        of_inputs = linear(inputs, p.input, bias).unbind(0)
        return lambda t, h: of_inputs[t]
    if p.joint is not None:
        steps, joint = inputs.unbind(0), p.joint.t()
        return lambda t, h: torch.addmm(bias, torch.cat([h, steps[t]], 1), joint)
    from_inputs, recurrent = linear(inputs, p.input, bias).unbind(0), p.recurrent.t()
    return lambda t, h: torch.addmm(from_inputs[t], h, recurrent)


def normalised_preactivation(p: Parameters, inputs: Tensor) -> Callable[[int, Tensor], Tensor]:
    """(t, h) -> LN(W_h h) + LN(W_x x_t) + b, (B, kH), see `cells.normalisation`."""
    from_inputs = (normalised(p, "x", linear(inputs, p.input)) + p.whole_bias).unbind(0)
    return lambda t, h: from_inputs[t] + normalised(p, "h", linear(h, p.recurrent))


def unroll(inputs: Tensor, states: tuple[Tensor, ...], p: Parameters, cell: Cell, held: Tensor | None = None) -> Trace:
    """
    A layer over inputs (T, B, D) from its first states, (B, H) each; where units keep their states by chance, those
    that are `held`, (N, T, B, H) for N states, or by default the expectation.

    Where the cell sees its last k hidden states, what the first one, (B, H) or, newest first, up to (B, kH), does not
    tell of the time before the start is 0.
    """
    row, size = cell.row, len(p.recurrent) // len(cell.rows)
    together = [block for block in cell.rows if block not in row.apart]
    product = p if not row.apart else _of_rows(p, slice(None, len(together) * size))
    of_steps = normalised_preactivation if cell.layer_norm else preactivation
    blocks_at, trace = of_steps(product, inputs), _Steps(len(row.states))
    halves_at = _halves(_of_rows(p, slice(len(together) * size, None)), inputs, row.apart) if row.apart else None
    older = cell.window * size - size
    seen = pad(states[0], (0, size + older - states[0].shape[1]))
    for t in range(len(inputs)):
        blocks = dict(zip(together, blocks_at(t, seen).chunk(len(together), 1), strict=True))
        if halves_at:
            blocks |= halves_at(t, seen)
        before, (states, gates) = states, row.step(cell, p, blocks, states)
        if any(cell.zoneout):
            states = some_kept(cell, before, states, None if held is None else held[:, t])
        seen = torch.cat([states[0], seen[:, :older]], 1) if older else states[0]
        trace.append(states, gates)
    return trace


def _halves(p: Parameters, inputs: Tensor, block: str) -> Callable[[int, Tensor], dict[str, Tensor]]:
    """(t, h) -> W_h h + b_h and W_x x_t + b of the one block whose halves reach the step one by one."""
    from_inputs = linear(inputs, p.input, p.bias).unbind(0)
    return lambda t, h: {block: linear(h, p.recurrent, p.recurrent_bias), f"{block}_x": from_inputs[t]}


def _of_rows(p: Parameters, rows: slice) -> Parameters:
    return Parameters(*(None if tensor is None else tensor[rows] for tensor in p.arrays), own=p.own)  # type: ignore[arg-type, misc]
