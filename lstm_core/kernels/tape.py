"""Where does a forward pass leave what the backward pass needs? On a tape, one for every sequence of a layer."""

from collections.abc import Sequence
from typing import Any

import numpy as np
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
        return tuple(self._by_time(first + k, self.at.cells) for k in range(0, self.at.cells, self.at.size))

    def _further(self, numbers: Any, start: int, k: int) -> Any:
        """Of state number k beside the hidden one, (B, H), where those of one time step begin there."""
        at = self.at
        rows = numbers[start : start + at.batch * at.cells].reshape(at.batch, at.cells)
        return rows[:, k * at.size : k * at.size + at.units]

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
        matrix, peephole = numbers[: at.deep * at.wide], numbers[at.peephole : at.rows]
        pack(self.cell, sources, matrix.reshape(at.deep, at.wide), peephole.reshape(at.gates, at.size))
        first = numbers[at.rows : at.rows + batch * at.stride].reshape(batch, at.stride)
        hidden, *further = states or self._start
        first[:, : at.seen] = hidden
        for k, state in enumerate(further):
            self._further(numbers, at.states, k)[:] = state
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
    ) -> tuple[Any, ...]:
        """Fill `gradients` and the norms, and `dinputs`, which were zero; the gradients of the first states."""
        at, batch = self.at, self.at.batch
        room = self.numbers.new_empty(at.work_end)
        work = room.numpy()
        dhidden = work[at.dhidden : at.dhidden + batch * at.seen].reshape(batch, at.seen)
        work[at.dhidden : at.back] = 0
        if dlast is not None:
            dhidden[:, : at.units] = dlast.detach().numpy()
        for k, dlast_state in enumerate(dlast_states):
            if dlast_state is not None:
                self._further(work, at.dstate, k)[:] = dlast_state.detach().numpy()
        dout = None if doutputs is None else doutputs.detach().contiguous()
        places = address(code.spec), address(self._layer), self.numbers.data_ptr(), room.data_ptr()
        beside = [(0, 0, 0) if tensor is None else (tensor.data_ptr(), *_strides(tensor)) for tensor in (dout, dinputs)]
        aside(code.backward, *places, *beside[0], *beside[1], address(self.norms), True)
        dpeephole = work[at.dpeephole : at.dhidden].reshape(at.gates, at.size)
        unpack(self.cell, work[: at.deep * at.wide].reshape(at.deep, at.wide), dpeephole, gradients)
        return dhidden, *(self._further(work, at.dstate, k) for k in range(len(self.cell.row.states) - 1))
