"""Who computes a sequence? One call, two engines."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from lstm_core.borrowed.autograd import more_than_numbers
from lstm_core.cells import Cell, Parameters, Trace, choose, unroll
from lstm_core.kernels.activations import codes
from lstm_core.kernels.autograd import FusedTrainer, run_fused
from lstm_core.kernels.compilation import PRECISIONS, build
from lstm_core.kernels.tape import KERNELS

AUTO, FUSED, REFERENCE_ENGINE = ENGINES = ("auto", "fused", "reference")


def _without_kernel(cell: Cell | None) -> list[str]:
    """The family of a cell, and its activations, where they have none."""
    if cell is None:
        return []
    missing = [name for name in dict.fromkeys(cell.activations) if name not in codes()]
    return missing if cell.family in KERNELS else [cell.family, *missing]


def check_kernels(engine: str, cell: Cell | None) -> None:
    """ValueError for `fused` where the family of the cell, or an activation, has no kernel."""
    if engine == FUSED and (missing := _without_kernel(cell)):
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
    precision = _precision(dtype)
    if engine == REFERENCE_ENGINE or _without_kernel(cell):
        return REFERENCE_ENGINE
    if device != "cpu" or precision not in PRECISIONS:
        if engine == FUSED:
            allowed = " or ".join(PRECISIONS)
            raise ValueError(f"engine: 'fused' computes {allowed} on the CPU, not {precision} on {device}")
        return REFERENCE_ENGINE
    kernels = build(precision)
    if engine == FUSED:
        kernels.done.result()
        return FUSED
    if kernels.soon:
        kernels.done.exception()
    return FUSED if kernels.done.done() and not kernels.done.exception() else REFERENCE_ENGINE


def expected(engine: str, dtype: torch.dtype, cell: Cell) -> str:
    """The engine that computes what begins now on the CPU, as `resolve` finds it; this one does not wait."""
    if engine != AUTO:
        return engine
    if _without_kernel(cell):
        return REFERENCE_ENGINE
    kernels = build(_precision(dtype))
    return FUSED if kernels.soon or kernels.done.done() else REFERENCE_ENGINE


def _precision(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


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
) -> Trace:
    """
    Run one layer over inputs (T, B, D) from its first states, (B, H) each.

    Both engines return the same values and gradients, of every order. What the kernels cannot do the reference does,
    whichever engine is asked for: derivatives of gradients, transforms of `torch.func`, forward-mode differentiation,
    torch.compile, a batch of 0. Under torch.autocast, too, a layer computes in the type of its weights. Raises
    ValueError where a tensor has not the type or not the device of the weights.
    """
    device, dtype = inputs.device.type, parameters.recurrent.dtype
    if torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device):
        with torch.autocast(device, enabled=False):
            cast = tuple(_cast(state, dtype) for state in states)
            return run(_cast(inputs, dtype), cast, parameters, cell, engine)
    _check_kinds(inputs, states, parameters, cell)
    if not more_than_numbers() and inputs.shape[1] and resolve(engine, dtype, device, cell) == FUSED:
        kernels = build(_precision(dtype)).done.result()
        return run_fused(inputs, states, parameters, cell, kernels)
    return unroll(inputs, states, parameters, cell)


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
        return FusedTrainer(p, cell, build(_precision(p.bias.dtype)).done.result())
    return _ReferenceTrainer(parameters, cell)
