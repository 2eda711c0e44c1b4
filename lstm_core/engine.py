"""Who computes a sequence? One call, two engines."""

import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Protocol

import torch
from torch import Tensor

from lstm_core.borrowed.autograd import more_than_numbers
from lstm_core.cells import Cell, Parameters, Trace, choose, unroll
from lstm_core.kernels.autograd import FusedTrainer, run_fused
from lstm_core.kernels.code import Code
from lstm_core.kernels.compilation import PRECISIONS, Build
from lstm_core.kernels.pieces import build, without_kernel

AUTO, FUSED, REFERENCE_ENGINE = ENGINES = ("auto", "fused", "reference")


def check_kernels(engine: str, cell: Cell | None) -> None:
    """ValueError for `fused` where the family of the cell, or an activation, has no kernel."""
    if engine == FUSED and cell and (missing := without_kernel(cell)):
        raise ValueError(f"engine: 'fused' has no kernel for {', '.join(missing)}, choose auto or reference")


def resolve(engine: str, dtype: torch.dtype = torch.float32, device: str = "cpu", cell: Cell | None = None) -> str:
    """
    The engine that computes such a cell now, or one that has kernels: "fused" or "reference".

    `auto` is fused on the CPU, in single or double precision, where the cell and its activations have kernels, as soon
    as these are compiled; it has them compiled in the background and is the reference until then. Kernels that an
    earlier process has compiled are loaded at once. Asking for `fused` waits for them. Raises ValueError for an engine
    that is not in `ENGINES` and for `fused` where there are no kernels.
    """
    choose("engine", engine, ENGINES)
    check_kernels(engine, cell)
    kernels = _kernels(engine, dtype, device, cell)
    if engine == FUSED:
        if kernels is None:
            allowed = " or ".join(PRECISIONS)
            raise ValueError(f"engine: 'fused' computes {allowed} on the CPU, not {_precision(dtype)} on {device}")
        kernels.done.result()
        return FUSED
    return FUSED if kernels and _compiled(kernels) else REFERENCE_ENGINE


def expected(engine: str, dtype: torch.dtype, cell: Cell) -> str:
    """The engine that computes what begins now on the CPU, as `resolve` finds it; this one does not wait."""
    if engine != AUTO:
        return engine
    kernels = _kernels(engine, dtype, "cpu", cell)
    return FUSED if kernels and _compiled(kernels) else REFERENCE_ENGINE


def preparing(engine: str, dtype: torch.dtype, cell: Cell) -> float | None:
    """
    Seconds since the build of the kernels began which such a cell waits for, or will be computed by on the CPU as soon
    as they are ready; None where nothing is being prepared for it.
    """
    kernels = _kernels(engine, dtype, "cpu", cell)
    return time.monotonic() - kernels.started if kernels and not kernels.done.done() else None


def _kernels(engine: str, dtype: torch.dtype, device: str, cell: Cell | None) -> Build | None:
    """Ready or on their way; None where the reference computes, whatever happens."""
    can = device == "cpu" and _precision(dtype) in PRECISIONS and not (cell and without_kernel(cell))
    return build(_precision(dtype), cell) if can and engine != REFERENCE_ENGINE else None


def _compiled(kernels: Build) -> bool:
    return kernels.done.done() and not kernels.done.exception()


def _precision(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def wait_for_kernels(engine: str, dtype: torch.dtype, cell: Cell) -> None:
    """Until those are compiled that such a cell is computed by on the CPU, or cannot be; not at all where none are."""
    if kernels := _kernels(engine, dtype, "cpu", cell):
        kernels.done.exception()


@lru_cache
def _code(cell: Cell, kernels: Build) -> Code:
    return Code(cell, kernels.done.result())


NAMES = ("W_h", "W_x", "bias", "bias_h", "peephole", "W")
STATE_NAMES = {"h": "state", "c": "cell state"}


def _check_kinds(inputs: Tensor, states: Sequence[Tensor], parameters: Parameters, cell: Cell) -> None:
    dtype, device = parameters.recurrent.dtype, parameters.recurrent.device
    names = [STATE_NAMES.get(letter, f"state {letter}") for letter in cell.row.states]
    kinds = (dtype, *cell.kinds(dtype), *(dtype for _ in NAMES))
    tensors = (inputs, *states, *parameters.arrays)
    for name, kind, tensor in zip(("input", *names, *NAMES), kinds, tensors, strict=True):
        if tensor is None:
            continue
        if tensor.dtype != kind:
            raise ValueError(f"{name}: {_precision(tensor.dtype)} is not {_precision(kind)}, the type of the weights")
        if tensor.device != device:
            raise ValueError(f"{name}: {tensor.device} is not {device}, the device of the weights")


def _cast(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    return tensor.to(dtype) if tensor.is_floating_point() else tensor


def run(
    inputs: Tensor,
    states: tuple[Tensor, ...],
    parameters: Parameters,
    cell: Cell,
    engine: str = AUTO,
    held: Tensor | None = None,
) -> Trace:
    """
    Run one layer over inputs (T, B, D) from its first states, (B, H) each; units may be `held` as `unroll` has it.

    Both engines return the same values and gradients, of every order. What the kernels cannot do the reference does,
    whichever engine is asked for: derivatives of gradients, transforms of `torch.func`, forward-mode differentiation,
    torch.compile, a batch of 0. Under torch.autocast, too, a layer computes in the type of its weights. Raises
    ValueError where a tensor has not the type or not the device of the weights.
    """
    device, dtype = inputs.device.type, parameters.recurrent.dtype
    if torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device):
        with torch.autocast(device, enabled=False):
            cast = tuple(_cast(state, dtype) for state in states)
            return run(_cast(inputs, dtype), cast, parameters, cell, engine, held)
    _check_kinds(inputs, states, parameters, cell)
    if not more_than_numbers() and inputs.shape[1] and resolve(engine, dtype, device, cell) == FUSED:
        return run_fused(inputs, states, parameters, cell, _code(cell, build(_precision(dtype), cell)))
    return unroll(inputs, states, parameters, cell, held)


class LayerTrainer(Protocol):
    """A layer in training, whose parameters keep their places in memory, and so do their gradients, which exist."""

    def run(self, inputs: Tensor) -> Trace:
        """Inputs (T, B, D) from zero states; `hidden` and `final[0]` are asked for."""

    def back(self, trace: Any, gradient: Tensor) -> None:
        """
        From the gradient of all hidden states (T, B, H), or of the last one (B, H), to those of the parameters, which
        were zero, and to the trace's norms.
        """


class _ReferenceTrainer:
    """By autograd."""

    def __init__(self, parameters: Callable[[], Parameters], cell: Cell) -> None:
        self._parameters, self._cell = parameters, cell

    def run(self, inputs: Tensor) -> Trace:
        parameters = self._parameters()
        start = self._cell.start(inputs, len(parameters.recurrent) // len(self._cell.rows))
        return unroll(inputs, start, parameters, self._cell)

    def back(self, trace: Trace, gradient: Tensor) -> None:
        trace.retain_gradients()
        outputs = trace.hidden if gradient.dim() == 3 else trace.final[0]
        # outputs.backward(gradient) would import sympy, 40 MB, to ask whether their shapes are symbols.
        (outputs * gradient).sum().backward()


def layer_trainer(parameters: Callable[[], Parameters], cell: Cell, engine: str) -> LayerTrainer:
    """`parameters` gives those of a layer; `engine` is one of `ENGINES`, see `resolve`."""
    p = parameters()
    if resolve(engine, p.bias.dtype, cell=cell) == FUSED:
        return FusedTrainer(p, cell, _code(cell, build(_precision(p.bias.dtype), cell)))
    return _ReferenceTrainer(parameters, cell)
