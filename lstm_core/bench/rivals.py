"""
How does torch train an LSTM, and how is it told to? Everybody on the same data, one step after the other.

A contestant is a `Start`: given a number of steps it prepares them, and returns what is to be timed.
"""

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numba import njit
from torch import Tensor, nn
from torch.nn import functional as F

from lstm_core import streams
from lstm_core.data import samples
from lstm_core.engine import LayerTrainer
from lstm_core.experiment import Experiment
from lstm_core.fair_lock import TRAINING, held
from lstm_core.kernels.blas import add_transposed_product, product
from lstm_core.kernels.elementwise import OPTIONS
from lstm_core.kernels.matrix import Matrix
from lstm_core.kernels.objects import name_products
from lstm_core.layers import Stack
from lstm_core.network import Network
from lstm_core.race.limits import features
from lstm_core.training.snapshot import COMPLETED
from lstm_core.training.train import train

Start = Callable[[int], Callable[[], object]]

CORES = os.cpu_count() or 1


def milliseconds(start: Start, steps: int) -> float:
    """The time of so many steps."""
    run = start(steps)
    started = time.perf_counter()
    run()
    return (time.perf_counter() - started) * 1000


def on_threads(threads: int, start: Start) -> Start:
    """With so many threads of torch; `train` has set them to one."""

    def prepared(steps: int) -> Callable[[], object]:
        torch.set_num_threads(threads)
        return start(steps)

    return prepared


def together(starts: list[Start], pool: ThreadPoolExecutor | None = None) -> Start:
    """All at the same time on the threads of a pool, or one after the other."""

    def prepared(steps: int) -> Callable[[], object]:
        runs = [start(steps) for start in starts]
        return lambda: list((pool.map if pool else map)(lambda run: run(), runs))

    return prepared


def _with_baton(start: Start) -> Start:
    """As the threads of a race do it."""

    def prepared(steps: int) -> Callable[[], object]:
        run = start(steps)

        def passing() -> None:
            with held(TRAINING):
                run()

        return passing

    return prepared


def _gradient(experiment: Experiment) -> Tensor:
    """Of all outputs."""
    return torch.from_numpy(_normal((experiment.time_steps, experiment.batch, experiment.hidden)))


def _normal(shape: Sequence[int]) -> Any:
    """Numbers to begin with, the same for everybody."""
    return streams.stream(0, streams.Purpose.PROBES).standard_normal(shape, dtype=np.float32)


def _sequence(module: nn.Module, experiment: Experiment) -> Start:
    """Forward and backward with a gradient of all outputs; these are the first of what a module returns."""
    (inputs, _), gradient = next(samples(experiment)), _gradient(experiment)

    def run(steps: int) -> None:
        for _ in range(steps):
            module.zero_grad()
            module(inputs)[0].backward(gradient)

    return lambda steps: lambda: run(steps)


def _plain_training(module: nn.Module, experiment: Experiment) -> Start:
    """The training of `train` as one writes it in torch."""
    model, stream = nn.ModuleList([module, nn.Linear(experiment.hidden, 1)]), samples(experiment)
    optimizer = torch.optim.Adam(model.parameters())

    def run(steps: int) -> None:
        for _ in range(steps):
            inputs, targets = next(stream)
            optimizer.zero_grad()
            F.mse_loss(model[1](module(inputs)[0][-1]), targets).backward()
            nn.utils.clip_grad_norm_(model.parameters(), experiment.clip_at)
            optimizer.step()

    return lambda steps: lambda: run(steps)


def _torch(module: nn.Module, experiment: Experiment, whole: bool) -> Start:
    return (_plain_training if whole else _sequence)(module, experiment)


def _training(experiment: Experiment) -> Start:
    """`train` itself; its first step is part of the preparation."""

    def prepared(steps: int) -> Callable[[], None]:
        training = train(replace(experiment, steps=steps + 1), record_every=1000)
        next(training)

        def run() -> None:
            *_, last = training
            assert last.ended == COMPLETED

        return run

    return prepared


def layer_in_training(experiment: Experiment) -> LayerTrainer:
    """The recurrent layer of a training, as it is at the start."""
    network = Network(experiment)
    for parameter in network.parameters():
        parameter.grad = torch.zeros_like(parameter)
    return network.layer_trainer(experiment.engine)


def ours(experiment: Experiment, whole: bool) -> Start:
    """A network of this project, on one thread, as a race trains it."""
    if whole:
        return _with_baton(_training(experiment))
    layer, (inputs, _), gradient = layer_in_training(experiment), next(samples(experiment)), _gradient(experiment)

    def run(steps: int) -> None:
        for _ in range(steps):
            layer.back(layer.run(inputs), gradient)

    return on_threads(1, _with_baton(lambda steps: lambda: run(steps)))


def through_autograd(experiment: Experiment) -> Start:
    """The public module, which leaves the way back to torch."""
    return on_threads(
        1, _sequence(Stack(experiment.recurrent_cell, features(experiment), experiment.hidden), experiment)
    )


class _Cells(nn.Module):
    def __init__(self, experiment: Experiment) -> None:
        super().__init__()
        self.cell = nn.LSTMCell(features(experiment), experiment.hidden)

    def forward(self, inputs: Tensor) -> tuple[Tensor]:
        outputs, state = [], None
        for x in inputs.unbind():
            state = self.cell(x, state)
            outputs.append(state[0])
        return (torch.stack(outputs),)


def nn_lstm(experiment: Experiment, whole: bool) -> Start:
    return on_threads(CORES, _torch(nn.LSTM(features(experiment), experiment.hidden), experiment, whole))


def one_thread_each(experiments: list[Experiment], whole: bool, pool: ThreadPoolExecutor) -> Start:
    """As many torch.nn.LSTM as experiments, side by side on the threads of a pool."""
    modules = [nn.LSTM(features(experiment), experiment.hidden) for experiment in experiments]
    starts = [_torch(module, experiment, whole) for module, experiment in zip(modules, experiments, strict=True)]
    return on_threads(1, together(starts, pool))


def _cells(experiment: Experiment, whole: bool) -> Start:
    """On one thread or on all, whichever is faster."""
    start = _torch(_Cells(experiment), experiment, whole)
    return min(
        (on_threads(threads, start) for threads in (1, CORES)),
        key=lambda option: min(milliseconds(option, 2) for _ in range(3)),
    )


RIVALS: dict[str, Callable[[Experiment, bool], Start]] = {
    "torch.nn.LSTM": nn_lstm,
    "torch.nn.LSTMCell in a loop": _cells,
}


def _multiply(
    rows: Any, weight: Any, blocks: Any, dweight: Any, back: Any, dhidden: Any, steps: int, batch: int
) -> None:
    """The products of `kernels.sequence`, and nothing else."""
    deep, wide, size = rows.size // (steps * batch), blocks.size // batch, dhidden.size // batch
    delta = Matrix(blocks, 0, wide)
    for t in range(steps):
        row = Matrix(rows, t * batch * deep, deep)
        product(row, Matrix(weight, 0, wide), delta, batch, deep, wide, False)
    for t in range(steps):
        row = Matrix(rows, t * batch * deep, deep)
        add_transposed_product(row, delta, Matrix(dweight, 0, wide), batch, deep, wide)
        product(delta, Matrix(back, 0, size), Matrix(dhidden, 0, size), batch, wide, size, False)


_compiled = njit(nogil=True, **OPTIONS)(_multiply)


def products(experiment: Experiment) -> Start:
    name_products()
    steps, batch, size, wide = experiment.time_steps, experiment.batch, experiment.hidden, 4 * experiment.hidden
    deep = size + features(experiment) + 1
    sizes = steps * batch * deep, deep * wide, batch * wide, deep * wide, wide * size, batch * size
    arrays = [np.full(count, 0.5, np.float32) for count in sizes]

    def run(count: int) -> None:
        for _ in range(count):
            _compiled(*arrays, steps, batch)

    return lambda count: lambda: run(count)
