"""How does Python have a network trained by the kernels? It hands over arrays, and reads a report after each turn."""

import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lstm_core.borrowed.compiler import address
from lstm_core.cells import Cell, Parameters
from lstm_core.fair_lock import aside
from lstm_core.kernels import program
from lstm_core.kernels.autograd import sources
from lstm_core.kernels.compilation import Kernels
from lstm_core.kernels.packing import unpack
from lstm_core.kernels.program import Code, Data, Learned, Plan, Rates, Report
from lstm_core.kernels.tape import spec_of

# What needs more room gives it back after each turn.
MOST_KEPT_BYTES = 32e6


class _Room(threading.local):
    """Of each thread, for all trainings that have their turns on it, one after the other."""

    def __init__(self) -> None:
        self._kept = np.empty(0, np.uint8)

    def numbers(self, real: Any, count: int) -> Any:
        """So many, with anything in them, beginning where a vector does, as all memory of torch."""
        size = count * real.itemsize
        room = self._kept if size <= len(self._kept) else torch.empty(size, dtype=torch.uint8).numpy()
        if size <= MOST_KEPT_BYTES:
            self._kept = room
        return room[:size].view(real)


_room = _Room()


def _places(cell: Cell, table: Any, layers: Sequence[Parameters], weights: Tensor) -> Any:
    """
    Where each parameter stands in the packed matrix and the peepholes of its layer's tape; and in the table the first
    parameter of each layer, and the first one after it.
    """
    places = torch.zeros(len(weights), dtype=torch.int64)
    for at, p in zip(table, layers, strict=True):
        units = len(p.bias) // len(cell.rows)
        rows, wide = cell.window * units + at[program.FEATURES] + 1, (len(cell.rows) + len(cell.row.apart)) * units
        matrix, peephole = np.arange(rows * wide), np.arange(at[program.PEEPHOLE], at[program.ROWS])
        peephole -= at[program.WEIGHT]
        # As each finds its gradient, so it finds its place.
        own = p.each(lambda tensor: places.as_strided(tensor.size(), tensor.stride(), tensor.storage_offset()))
        unpack(cell, matrix.reshape(rows, wide), peephole.reshape(-1, at[program.SIZE]), sources(own))
        given = [tensor for tensor in p.arrays if tensor is not None]
        at[program.FIRST] = min(tensor.storage_offset() for tensor in given)
        at[program.AFTER] = max(tensor.storage_offset() + tensor.numel() for tensor in given)
    return places.numpy()


def _runs(cell: Cell, p: Parameters) -> Iterator[tuple[int, int, int]]:
    """From, to, and the block of rows to which these parameters of a layer belong."""
    matrices = (p.recurrent, p.input) if p.joint is None else (p.joint,)
    owned = [(tensor, cell.rows) for tensor in (*matrices, p.bias, p.recurrent_bias)]
    for tensor, owners in [*owned, (p.peephole, cell.learned_gates)]:
        if tensor is not None:
            start, run = tensor.storage_offset(), tensor.numel() // len(owners)
            yield from ((start + k * run, start + (k + 1) * run, cell.rows.index(row)) for k, row in enumerate(owners))


class Turns:
    """
    A network in training: the `layers` of one cell with their parameters, views of the vector `weights` that the
    readout's begin, and their gradient. `draws` are inputs (T, n B, D) and targets of so many batches as there are.
    """

    def __init__(
        self,
        cell: Cell,
        plan: Plan,
        rates: Rates,
        layers: Sequence[Parameters],
        weights: Tensor,
        gradient: Tensor,
        draws: Iterator[tuple[Tensor, Tensor]],
        recent: int,
        kernels: Kernels,
    ) -> None:
        self._kernels, self._draws = kernels, draws
        spec, like = spec_of(cell), weights[:0].numpy()
        table, self._tape, work = program.layer_table(spec, plan, like)
        self._plan, network = plan, program.network_places(plan, work)
        self._work = network.end
        places, blocks = _places(cell, table, layers, weights), np.array(list(_runs(cell, layers[-1])))
        code = Code(address(kernels.forward), address(kernels.backward))
        self._fixed = tuple(map(tuple, (code, spec, plan, network, rates))), table, blocks
        vectors = (weights, gradient, *(torch.zeros_like(weights) for _ in range(3)))
        values, slope, before, first, second = (vector.numpy() for vector in vectors)
        begun = np.zeros(1, np.int64)
        self._learned = Learned(values, slope, before, first, second, places, np.zeros(recent), begun)
        self._gates = len(cell.rows)
        self._data: Data | None = None
        self._next = 0

    @property
    def begun(self) -> int:
        """Training steps so far."""
        return int(self._learned.begun[0])

    def advance(self, count: int) -> Report:
        """Train so many steps, or to the end where that comes first: what the last of them tells."""
        until, plan = self.begun + count, self._plan
        room = _room.numbers(self._learned.weights.dtype, self._tape + self._work)
        tape, work = room[: self._tape], room[self._tape :]
        report = Report(
            np.zeros(program.NUMBERS), np.zeros((plan.layers, 2 * plan.steps)), np.zeros(6), np.zeros(self._gates)
        )
        while True:
            if self._data is None or self._next * plan.batch == self._data.sequences:
                self._data, self._next = self._drawn(*next(self._draws)), 0
            before = self.begun
            some = min(until - before, self._data.sequences // plan.batch - self._next)
            batches, record = (tuple(self._data), self._next, some), int(before + some == until)
            aside(self._kernels.turn, *self._fixed, tuple(self._learned), *batches, record, tape, work, tuple(report))
            self._next += self.begun - before
            if report.numbers[program.ENDED] or self.begun == until:
                return report

    def _drawn(self, inputs: Tensor, targets: Tensor) -> Data:
        plan = self._plan
        answers = targets.contiguous().numpy().reshape(-1)
        none = np.zeros(0, np.int64) if not plan.classes else np.zeros(0, inputs.numpy().dtype)
        values, labels = (none, answers) if plan.classes else (answers, none)
        return Data(inputs.contiguous().numpy().reshape(-1), values, labels, inputs.shape[1])
