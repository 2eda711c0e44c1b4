"""Who computes a sequence? One call, two engines."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from lstm_core.borrowed.autograd import more_than_numbers
from lstm_core.cells import REFERENCE, Cell, Parameters, Trace, choose
from lstm_core.kernels.activations import codes
from lstm_core.kernels.autograd import FusedTrainer, run_fused
from lstm_core.kernels.compilation import PRECISIONS, build

AUTO, FUSED, REFERENCE_ENGINE = ENGINES = ("auto", "fused", "reference")


def _without_kernel(cell: Cell | None) -> list[str]:
    return [name for name in dict.fromkeys(cell.activations) if name not in codes()] if cell else []


def check_kernels(engine: str, cell: Cell | None) -> None:
    """ValueError for `fused` where an activation of the cell has no kernel."""
    if engine == FUSED and (missing := _without_kernel(cell)):
        raise ValueError(f"engine: 'fused' has no kernel for {', '.join(missing)}, choose auto or reference")


def resolve(engine: str, dtype: torch.dtype = torch.float32, device: str = "cpu", cell: Cell | None = None) -> str:
    """
    The engine that computes such a cell now, or one whose activations have kernels: "fused" or "reference".

    `auto` is fused on the CPU, in single or double precision, where all activations have kernels, as soon as these are
    compiled; it has them compiled in the background and is the reference until then. Kernels that an earlier process
    has compiled are loaded at once. Asking for `fused` waits for them. Raises ValueError for an engine that is not in
    `ENGINES` and for `fused` where there are no kernels.
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


NAMES = ("input", "state", "cell state", "W_h", "W_x", "bias", "bias_h", "peephole", "W")


def _check_kinds(tensors: Sequence[Tensor | None], weights: Tensor) -> None:
    dtype, device = weights.dtype, weights.device
    for name, tensor in zip(NAMES, tensors, strict=True):
        if tensor is None:
            continue
        if tensor.dtype != dtype:
            raise ValueError(f"{name}: {_precision(tensor.dtype)} is not {_precision(dtype)}, the type of the weights")
        if tensor.device != device:
            raise ValueError(f"{name}: {tensor.device} is not {device}, the device of the weights")


def _cast(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    return tensor.to(dtype) if tensor.is_floating_point() else tensor


def run(
    inputs: Tensor,
    hidden: Tensor,
    cell_state: Tensor | None,
    parameters: Parameters,
    cell: Cell,
    engine: str = AUTO,
) -> Trace:
    """
    Run one layer over inputs (T, B, D) from a hidden state (B, H), and a cell state (B, H) where the family has one.

    Both engines return the same values and gradients, of every order. What the kernels cannot do the reference does,
    whichever engine is asked for: derivatives of gradients, transforms of `torch.func`, forward-mode differentiation,
    torch.compile, a batch of 0. Under torch.autocast, too, a layer computes in the type of its weights. Raises
    ValueError where a tensor has not the type or not the device of the weights.
    """
    device, dtype = inputs.device.type, parameters.recurrent.dtype
    if torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device):
        with torch.autocast(device, enabled=False):
            inputs, hidden = _cast(inputs, dtype), _cast(hidden, dtype)
            cell_state = None if cell_state is None else _cast(cell_state, dtype)
            return run(inputs, hidden, cell_state, parameters, cell, engine)
    _check_kinds((inputs, hidden, cell_state, *parameters), parameters.recurrent)
    if not more_than_numbers() and inputs.shape[1] and resolve(engine, dtype, device, cell) == FUSED:
        kernels = build(_precision(dtype)).done.result()
        return run_fused(inputs, hidden, cell_state, parameters, cell, kernels)
    return REFERENCE[cell.family](inputs, hidden, cell_state, parameters, cell)


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
        start = inputs.new_zeros(inputs.shape[1], parameters.recurrent.shape[1])
        return REFERENCE[self._cell.family](inputs, start, start, parameters, self._cell)

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
