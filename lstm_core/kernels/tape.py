"""Where does a forward pass leave what the backward pass needs? On a tape, one for every sequence of a layer."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lstm_core.cells import Cell
from lstm_core.fair_lock import aside
from lstm_core.kernels.code import Code, address
from lstm_core.kernels.layout import layer_of
from lstm_core.kernels.packing import Sources, pack, unpack
from lstm_core.kernels.spec import Shape


def _strides(tensor: Tensor) -> tuple[int, int]:
    """Of (T, B, ...), how many numbers it is from one step to the next, and from one row."""
    _, batch, width = tensor.shape
    return batch * width, width


def _joined(parts: Sequence[Tensor]) -> Tensor:
    """A state of its real part and, where it has one, its imaginary one."""
    return torch.complex(*parts) if len(parts) > 1 else parts[0]


class Tape:
    """
    What a forward pass leaves for the backward pass, as `numbers` in the places of a `Layer`; and the norms of dL/dh_t
    and dL/dc_t, (2, T), that the backward pass leaves. For inputs (T, B, D) of a layer with H units.
    """

    def __init__(self, cell: Cell, inputs: Tensor, units: int) -> None:
        steps, batch, features = inputs.shape
        self.cell = cell
        self.at = layer_of(cell, Shape(steps, batch, features, units), inputs.element_size())
        self._layer = np.array(self.at)
        # Memory of torch, unlike numpy's, begins where a vector does.
        self.numbers = inputs.new_empty(self.at.tape_end)
        self.norms = np.zeros((2, steps))

    def _by_time(self, start: int, row: int) -> Tensor:
        """(T, B, H) of rows of so many numbers, of each row the first ones."""
        _, batch, _, units = self.at[:4]
        return self.numbers.as_strided((self.at.steps, batch, units), (batch * row, row, 1), start)

    @property
    def outputs(self) -> Tensor:
        """Hidden states (T, B, H)."""
        return self._by_time(self.at.rows + self.at.batch * self.at.stride, self.at.stride)

    @property
    def states(self) -> tuple[Tensor, ...]:
        """Those beside the hidden one, (T, B, H) each."""
        first = self.at.states + self.at.batch * self.at.cells
        parts = [self._by_time(first + k, self.at.cells) for k in range(0, self.at.cells, self.at.size)]
        return tuple(map(_joined, self._by_state(parts)))

    def _by_state(self, parts: Sequence[Any]) -> Iterator[Sequence[Any]]:
        """The real part of each state beside the hidden one, and of a complex one its imaginary part."""
        row = self.cell.row
        for letter in row.states[1:]:
            start = row.real_states.index(letter)
            yield parts[start : start + row.real_states.count(letter)]

    def _further(self, numbers: Any, start: int) -> Iterator[Sequence[Any]]:
        """These as arrays (B, H), where those of one time step begin there."""
        at = self.at
        rows = numbers[start : start + at.batch * at.cells].reshape(at.batch, at.cells)
        return self._by_state([rows[:, k : k + at.units] for k in range(0, at.cells, at.size)])

    def _put(self, states: Sequence[Any], numbers: Any, start: int) -> None:
        """States beside the hidden one, (B, H) each, there; those that are None stay as they are."""
        for parts, state in zip(self._further(numbers, start), states, strict=False):
            if state is not None:
                for part, value in zip(parts, (state.real, state.imag), strict=False):
                    part[:] = value

    def _packed(self, numbers: Any, start: int) -> tuple[Any, Any, Any]:
        """The matrix (K, R), the peepholes and the own parameters (n, size), or their gradients, from there on."""
        at = self.at
        matrix = numbers[start : start + at.deep * at.wide].reshape(at.deep, at.wide)
        beside = numbers[start + at.peephole : start + at.made].reshape(-1, at.size)
        return matrix, beside[: at.gates], beside[at.gates :]

    @property
    def _start(self) -> tuple[float, ...]:
        """What each state of the cell starts as."""
        row = self.cell.row
        return tuple(-np.inf if letter in row.from_below else 0.0 for letter in row.states)

    def block(self, place: int) -> Tensor:
        """One of the blocks, (T, B, H)."""
        return self._by_time(self.at.blocks + place * self.at.size, self.at.apart)

    def run(self, code: Code, sources: Sources, inputs: Tensor, states: Sequence[Any]) -> None:
        """Fill it; first states are arrays (B, kH) and of further ones (B, H) each, or those that the cell has."""
        at, batch = self.at, self.at.batch
        numbers, x = self.numbers.numpy(), inputs.detach().contiguous()
        pack(self.cell, sources, *self._packed(numbers, at.weight))
        first = numbers[at.rows : at.rows + batch * at.stride].reshape(batch, at.stride)
        hidden, *further = states or self._start
        first[:, : at.seen] = hidden
        self._put(further, numbers, at.states)
        places = address(code.spec), address(self._layer), self.numbers.data_ptr(), x.data_ptr()
        aside(code.forward, *places, *_strides(x), None, False)

    def back(
        self,
        code: Code,
        doutputs: Tensor | None,
        dlast: Tensor | None,
        dlast_states: Sequence[Tensor | None],
        dinputs: Tensor | None,
        gradients: Sources,
    ) -> tuple[Tensor, ...]:
        """Fill `gradients` and the norms, and `dinputs`, which were zero; the gradients of the first states."""
        at, batch = self.at, self.at.batch
        room = self.numbers.new_empty(at.work_end)
        work = room.numpy()
        dhidden = work[at.dhidden : at.dhidden + batch * at.seen].reshape(batch, at.seen)
        work[at.dhidden : at.back] = 0
        if dlast is not None:
            dhidden[:, : at.units] = dlast.detach().numpy()
        self._put([None if state is None else state.numpy(force=True) for state in dlast_states], work, at.dstate)
        dout = None if doutputs is None else doutputs.detach().contiguous()
        places = address(code.spec), address(self._layer), self.numbers.data_ptr(), room.data_ptr()
        beside = [(0, 0, 0) if tensor is None else (tensor.data_ptr(), *_strides(tensor)) for tensor in (dout, dinputs)]
        aside(code.backward, *places, *beside[0], *beside[1], address(self.norms), True)
        unpack(self.cell, *self._packed(work, at.dweight), gradients)
        dstates = ([torch.from_numpy(part) for part in parts] for parts in self._further(work, at.dstate))
        return torch.from_numpy(dhidden), *map(_joined, dstates)
