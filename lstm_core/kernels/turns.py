"""How does Python have a network trained by the kernels? It hands over arrays, and reads a report after each turn."""

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lstm_core.cells import Cell, Parameters
from lstm_core.fair_lock import aside
from lstm_core.kernels import program
from lstm_core.kernels.autograd import learned, sources
from lstm_core.kernels.code import Code, address
from lstm_core.kernels.layout import layer_of
from lstm_core.kernels.packing import unpack
from lstm_core.kernels.program import Data, Learned, Plan, Rates, Report
from lstm_core.kernels.spec import Layer, Shape

# What needs more room gives it back after each turn.
MOST_KEPT_BYTES = 32e6


class _Room(threading.local):
    """Of each thread, for all trainings that have their turns on it, one after the other."""

    def __init__(self) -> None:
        self._kept = torch.empty(0, dtype=torch.uint8)

    def of(self, size: int) -> Tensor:
        """So many bytes, with anything in them, beginning where a vector does, as all memory of torch."""
        room = self._kept if size <= len(self._kept) else torch.empty(size, dtype=torch.uint8)
        if size <= MOST_KEPT_BYTES:
            self._kept = room
        return room


_room = _Room()


def _layers(cell: Cell, plan: Plan, bytes_each: int) -> tuple[list[Layer], list[int]]:
    """Each layer, and where its tape begins; at last where the last one ends."""
    layers, bases = [], [0]
    for k in range(plan.layers):
        below = plan.features + k * plan.units if plan.wiring == program.DENSE else plan.units
        shape = Shape(plan.steps, plan.batch, below if k else plan.features, plan.units)
        layers.append(layer_of(cell, shape, bytes_each))
        bases.append(bases[-1] + layers[-1].tape_end)
    return layers, bases


def _places(cell: Cell, layers: Sequence[Layer], parameters: Sequence[Parameters], weights: Tensor) -> Any:
    """Where each parameter stands in what is packed on its layer's tape."""
    places = torch.zeros(len(weights), dtype=torch.int64)
    for at, p in zip(layers, parameters, strict=True):
        matrix = np.arange(at.deep * at.wide).reshape(at.deep, at.wide)
        peephole, own = (np.arange(*ends).reshape(-1, at.size) for ends in ((at.peephole, at.own), (at.own, at.made)))
        # As each finds its gradient, so it finds its place.
        found = [tensor if tensor is None else _like(tensor, places) for tensor in learned(p, cell)]
        unpack(cell, matrix, peephole, own, sources(found, cell.seen(at.units)))
    return places.numpy()


def _like(tensor: Tensor, vector: Tensor) -> Tensor:
    """Of a vector what a tensor is of the one that it is a view of."""
    return vector.as_strided(tensor.size(), tensor.stride(), tensor.storage_offset())


def _first_and_after(cell: Cell, p: Parameters) -> tuple[int, int]:
    """The first number of a layer's parameters, and the first one after them."""
    given = [tensor for tensor in learned(p, cell) if tensor is not None and tensor.numel()]
    starts, ends = zip(
        *((tensor.storage_offset(), tensor.storage_offset() + tensor.numel()) for tensor in given), strict=True
    )
    return min(starts), max(ends)


def _runs(cell: Cell, p: Parameters) -> Iterator[tuple[int, int, int]]:
    """From, to, and the block of rows to which these parameters of a layer belong."""
    matrices = (p.recurrent, p.input) if p.joint is None else (p.joint,)
    biases = (p.bias, p.recurrent_bias) if cell.row.biased else ()
    owned = [(tensor, cell.rows) for tensor in (*matrices, *biases)]
    for tensor, owners in [*owned, (p.peephole, cell.learned_gates)]:
        if tensor is not None and tensor.numel():
            start, run = tensor.storage_offset(), tensor.numel() // len(owners)
            yield from ((start + k * run, start + (k + 1) * run, cell.rows.index(row)) for k, row in enumerate(owners))


def _place(value: Any) -> Any:
    """Where a tensor begins; numbers are handed over as they are."""
    return value.data_ptr() if isinstance(value, Tensor) else value


class Turns:
    """
    A network in training: the `layers` of one cell with their parameters, views of the vector `weights` that the
    readout's begin, their gradient, the optimizer's `moments`, the last losses and the number of training steps so far,
    all of which are changed in their place. `draw` gives inputs (T, n B, D) and targets of some batches.
    """

    def __init__(
        self,
        cell: Cell,
        plan: Plan,
        rates: Rates,
        layers: Sequence[Parameters],
        weights: Tensor,
        gradient: Tensor,
        moments: tuple[Tensor, Tensor],
        recent: Tensor,
        begun: Tensor,
        draw: Callable[[], tuple[Tensor, Tensor]],
        code: Code,
    ) -> None:
        self._code, self._draw, self._plan = code, draw, plan
        self._bytes_each, self._dtype, self._gates = weights.element_size(), weights.dtype, len(cell.rows)
        places, bases = _layers(cell, plan, self._bytes_each)
        network = program.network_places(plan, max(at.work_end for at in places))
        self._tape, self._work = bases[-1], network.end
        ends = [_first_and_after(cell, p) for p in layers]
        table = np.array([[*at, base, *end] for at, base, end in zip(places, bases, ends, strict=False)])
        runs = np.array(list(_runs(cell, layers[-1])))
        fixed = code.frame, code.spec, np.array(plan), np.array(network), np.array(rates), table, runs
        before = torch.zeros_like(weights)
        places_of = torch.from_numpy(_places(cell, places, layers, weights))
        self._learned = Learned(weights, gradient, before, *moments, len(weights), places_of, recent, begun)
        # Machine code knows where these are, Python has to keep them there.
        self._fixed = fixed
        self._places = *map(address, fixed), len(runs), *map(_place, self._learned)
        self._data: Data | None = None
        self._next = 0

    @property
    def begun(self) -> int:
        """Training steps so far."""
        return int(self._learned.begun)

    def advance(self, count: int) -> Report:
        """Train so many steps, or to the end where that comes first: what the last of them tells."""
        until, plan = self.begun + count, self._plan
        room = _room.of((self._tape + self._work) * self._bytes_each)
        places = room.data_ptr(), room.data_ptr() + self._tape * self._bytes_each
        report = Report(
            np.zeros(program.NUMBERS), np.zeros((plan.layers, 2 * plan.steps)), np.zeros(6), np.zeros(self._gates)
        )
        told = [address(numbers) for numbers in report]
        while True:
            if self._data is None or self._next * plan.batch == self._data.sequences:
                self._data, self._next = self._drawn(*self._draw()), 0
            before = self.begun
            some = min(until - before, self._data.sequences // plan.batch - self._next)
            batches = *map(_place, self._data), self._next, some, before + some == until
            aside(self._code.turn, *self._places, *batches, *places, *told)
            self._next += self.begun - before
            if report.numbers[program.ENDED] or self.begun == until:
                return report

    def _drawn(self, inputs: Tensor, targets: Tensor) -> Data:
        values = None if self._plan.classes else targets.to(self._dtype).contiguous()
        labels = targets.long().contiguous() if self._plan.classes else None
        return Data(inputs.to(self._dtype).contiguous(), values, labels, inputs.shape[1])
