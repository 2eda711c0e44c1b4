"""Where does a forward pass leave what the backward pass needs? On a tape, one for every sequence of a layer."""

from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lstm_core.cells import Cell
from lstm_core.fair_lock import aside
from lstm_core.kernels.activations import codes
from lstm_core.kernels.compilation import Kernels
from lstm_core.kernels.layout import TapePlaces, Widths, WorkPlaces, tape_places, widths, work_places
from lstm_core.kernels.packing import Sources, pack, unpack
from lstm_core.kernels.spec import GRU, LSTM, RNN, Shape, Spec

# Families that have a kernel.
KERNELS = {"rnn": RNN, "lstm": LSTM, "gru": GRU}

NOTHING = np.zeros(0)


@lru_cache
def spec_of(cell: Cell) -> Spec:
    """A cell in numbers."""
    i, f, g, o = (cell.rows.find(block) for block in "ifgo")
    phi, psi = (codes()[name] for name in cell.activations)
    return Spec(KERNELS[cell.family], phi, psi, i, f, g, o, int(cell.coupled), int(cell.peephole), cell.window)


@lru_cache
def _layout(spec: Spec, shape: Shape, dtype: torch.dtype) -> tuple[TapePlaces, WorkPlaces, Widths]:
    """On a tape, and in a workspace, of their own."""
    places = (function.py_func(spec, shape, dtype, 0) for function in (tape_places, work_places))
    return *places, widths(spec, shape, dtype)


def _flat(tensor: Tensor) -> Any:
    """All numbers one after the other."""
    return tensor.detach().contiguous().view(-1).numpy()


def _strides(tensor: Tensor) -> tuple[int, int]:
    """Of (T, B, ...), how many numbers it is from one step to the next, and from one row."""
    _, batch, width = tensor.shape
    return batch * width, width


class Tape:
    """
    What a forward pass leaves for the backward pass, as `numbers` in the `places` of `TapePlaces`; and the norms of
    dL/dh_t and dL/dc_t, (2, T), that the backward pass leaves. For inputs (T, B, D) of a layer with H units.
    """

    def __init__(self, cell: Cell, inputs: Tensor, units: int) -> None:
        steps, batch, features = inputs.shape
        self.cell, self.spec, self.shape = cell, spec_of(cell), Shape(steps, batch, features, units)
        self.places, self._work_places, self._widths = _layout(self.spec, self.shape, inputs.dtype)
        # Memory of torch, unlike numpy's, begins where a vector does.
        self.numbers = inputs.new_empty(self.places.end)
        self.norms = np.zeros((2, steps))

    def _by_time(self, start: int, steps: int, row: int, first: int = 0) -> Tensor:
        """(steps, B, H) of rows of so many numbers, of each row those from `first` on."""
        batch, units = self.shape.batch, self.shape.units
        return self.numbers.as_strided((steps, batch, units), (batch * row, row, 1), start + first)

    @property
    def outputs(self) -> Tensor:
        """Hidden states (T, B, H)."""
        stride = self._widths.stride
        return self._by_time(self.places.rows + self.shape.batch * stride, self.shape.steps, stride)

    @property
    def states(self) -> Tensor:
        """Cell states (T, B, H)."""
        size = self._widths.size
        return self._by_time(self.places.states + self.shape.batch * size, self.shape.steps, size)

    def block(self, place: int) -> Tensor:
        """One of the blocks, (T, B, H)."""
        return self._by_time(self.places.blocks, self.shape.steps, self._widths.blocks, place * self._widths.size)

    def run(self, kernels: Kernels, sources: Sources, inputs: Tensor, hidden: Any, state: Any) -> None:
        """Fill it; first states are arrays (B, kH) and (B, H), or None for zeros."""
        places, w, (_, batch, _, units) = self.places, self._widths, self.shape
        numbers = self.numbers.numpy()
        peephole = numbers[places.peephole : places.rows].reshape(w.gates, w.size)
        pack(self.cell, sources, numbers[: w.deep * w.wide].reshape(w.deep, w.wide), peephole)
        first = numbers[places.rows : places.rows + batch * w.stride].reshape(batch, w.stride)
        first[:, : w.seen] = 0 if hidden is None else hidden
        if self.spec.family == LSTM:
            first_state = numbers[places.states : places.states + batch * w.size].reshape(batch, w.size)
            first_state[:] = 0
            if state is not None:
                first_state[:, :units] = state
        aside(kernels.forward, self.spec, self.shape, numbers, 0, _flat(inputs), 0, *_strides(inputs), NOTHING)

    def back(
        self,
        kernels: Kernels,
        doutputs: Tensor | None,
        dlast: Tensor | None,
        dlast_state: Tensor | None,
        dinputs: Tensor | None,
        gradients: Sources,
    ) -> tuple[Any, Any]:
        """Fill `gradients` and the norms, and `dinputs`, which were zero; the gradients of the first states."""
        places, w, (_, batch, _, units) = self._work_places, self._widths, self.shape
        numbers = self.numbers.numpy()
        work = self.numbers.new_empty(places.end).numpy()
        dhidden = work[places.dhidden : places.dhidden + batch * w.seen].reshape(batch, w.seen)
        dstate = work[places.dstate : places.back].reshape(batch, w.size)
        work[places.dhidden : places.back] = 0
        if dlast is not None:
            dhidden[:, :units] = dlast.detach().numpy()
        if dlast_state is not None:
            dstate[:, :units] = dlast_state.detach().numpy()
        dout, dx = (
            (numbers, -1, 0, 0) if tensor is None else (_flat(tensor), 0, *_strides(tensor))
            for tensor in (doutputs, dinputs)
        )
        aside(kernels.backward, self.spec, self.shape, numbers, 0, work, 0, *dout, *dx, self.norms.reshape(-1))
        dpeephole = work[places.dpeephole : places.dhidden].reshape(w.gates, w.size)
        unpack(self.cell, work[: w.deep * w.wide].reshape(w.deep, w.wide), dpeephole, gradients)
        return dhidden, dstate[:, :units]
