"""What do all tests of torch's contract stand on? Modules of every kind, what goes into them and what comes out."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Generator, Tensor, nn
from torch.func import functional_call

from lstm_core.borrowed.autograd import more_than_numbers
from lstm_core.cells import Cell
from lstm_core.engine import FUSED, REFERENCE_ENGINE
from lstm_core.kernels.autograd import FusedTrace
from lstm_core.layers import Stack
from lstm_core.model import GRU, LSTM, RNN

T, B, D, H = 3, 2, 2, 3
ENGINES = FUSED, REFERENCE_ENGINE
VARIANTS: dict[str, tuple[Cell, dict[str, Any]]] = {
    "rnn": (Cell("rnn"), {}),
    "lstm": (Cell("lstm"), {}),
    "gru": (Cell("gru"), {}),
    "peepholes": (Cell("lstm", peephole=True), {"biases": 2}),
    "one peephole": (Cell("lstm", gates="o", peephole=True), {}),
    "coupled": (Cell("lstm", coupled=True, peephole=True), {"weights": "concatenated"}),
    "no gates": (Cell("lstm", gates=""), {}),
    "joint lstm": (Cell("lstm"), {"weights": "concatenated", "biases": 2}),
    "joint gru": (Cell("gru"), {"weights": "concatenated", "biases": 2}),
    "window": (Cell("rnn", window=2), {}),
    "joint window": (Cell("rnn", window=2), {"weights": "concatenated", "biases": 2}),
    "two layers": (Cell("lstm"), {"num_layers": 2, "wiring": "dense"}),
}
KINDS: dict[str, Any] = {"rnn": RNN, "lstm": LSTM, "gru": GRU}

every_variant = pytest.mark.parametrize("variant", VARIANTS)
every_kind = pytest.mark.parametrize("kind", KINDS)
both_engines = pytest.mark.parametrize("engine", ENGINES)

Function = Callable[..., tuple[Tensor, ...]]
close = partial(torch.testing.assert_close, rtol=1e-9, atol=1e-10)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=Generator().manual_seed(seed), dtype=torch.float64)


def stack(variant: str, engine: str) -> Stack:
    cell, options = VARIANTS[variant]
    return Stack(cell, D, H, engine=engine, generator=Generator().manual_seed(1), **options).double()


def module(kind: str, engine: str, seed: int = 1, **options: Any) -> Any:
    return KINDS[kind](D, H, engine=engine, generator=Generator().manual_seed(seed), **options).double()


def states(kind: str, layers: int = 1) -> Any:
    """As the module takes them."""
    hidden, cell = normal(layers, B, H, seed=2), normal(layers, B, H, seed=3)
    return (hidden, cell) if kind == "lstm" else hidden


def flat(result: Any) -> list[Tensor]:
    return [result] if isinstance(result, Tensor) else [tensor for part in result for tensor in flat(part)]


def total(result: Any) -> Tensor:
    """Of all outputs, each with a weight of its own for every number."""
    return sum((t * normal(*t.shape, seed=k).to(t.dtype)).sum() for k, t in enumerate(flat(result)))  # type: ignore[return-value]


def function(variant: str, engine: str) -> tuple[Function, list[Tensor]]:
    """Of inputs, first states and weights to all outputs; and a point to take it at."""
    layers, own = stack(variant, engine), dict(stack(variant, engine).named_parameters())
    number = 2 if layers.cell.family == "lstm" else 1
    given = [normal(layers.num_layers, B, H, seed=2 + k) for k in range(number)]

    def outputs(x: Tensor, *others: Tensor) -> tuple[Tensor, ...]:
        weights = dict(zip(own, others[number:], strict=True))
        output, final, traces = functional_call(layers, weights, (x, others[:number]))
        assert more_than_numbers() or isinstance(traces[0], FusedTrace) == (engine == FUSED)
        return output, *final

    point = [normal(T, B, D), *given, *(tensor.detach() for tensor in own.values())]
    return outputs, [tensor.requires_grad_() for tensor in point]


def gradients(layer: nn.Module, x: Tensor, *given: Any) -> list[Tensor | None]:
    """By inputs and weights, of all outputs."""
    x = x.detach().requires_grad_()
    layer.zero_grad()
    total(layer(x, *given)).backward()
    return [x.grad, *(parameter.grad for parameter in layer.parameters())]
