"""The public modules: drop-in relatives of torch.nn.RNN, LSTM and GRU whose inside can be changed."""

from collections.abc import Iterable, Iterator
from typing import Any, Self

import torch
from torch import Tensor, nn

from lstm_core.cells import Cell
from lstm_core.initialisation import Chrono
from lstm_core.layers import Stack
from lstm_core.streams import Purpose, Rng, stream
from lstm_core.wiring import PLAIN


class RNN(nn.Module):
    """
    Vanilla RNN, h' = phi(W_h h + W_x x + b), with any row of `ACTIVATIONS` as phi.

    Shapes, states and layers as torch.nn.RNN, time-major; `wiring`, one of `WIRINGS`, as `Stack` has it. Raises
    ValueError for anything that is not allowed.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        activation: str = "tanh",
        weights: str = "separate",
        biases: int = 1,
        init: str = "uniform",
        gain: float = 1.0,
        wiring: str = PLAIN,
        engine: str = "auto",
        generator: torch.Generator | Rng | None = None,
    ) -> None:
        super().__init__()
        self.stack = Stack(
            Cell("rnn", activation),
            input_size,
            hidden_size,
            num_layers,
            weights=weights,
            biases=biases,
            init=init,
            gain=gain,
            wiring=wiring,
            engine=engine,
            generator=generator,
        )

    def forward(self, x: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """
        x (T, B, D), state (L, B, H) -> output, final state (L, B, H).

        The output, what a readout sees, is (T, B, H): the hidden states of the last layer (plain), or of all layers,
        added up (residual). Wired densely it is (T, B, D + L H): x and the hidden states of all layers, lowest first.
        """
        output, (hidden,), _ = self.stack(x, None if state is None else (state,))
        return output, hidden

    @classmethod
    def from_torch(cls, module: nn.RNN) -> Self:
        """The same function with a copy of torch's weights; ValueError for what this project does not have."""
        return _from_torch(cls, module, nn.RNN, activation=getattr(module, "nonlinearity", "tanh"))

    def to_torch(self) -> nn.RNN:
        """The same function as a torch.nn.RNN; ValueError where torch cannot express it."""
        activation = self.stack.cell.activation
        if activation not in ("tanh", "relu"):
            raise ValueError(f"activation: {activation!r} is not one of tanh, relu, which torch.nn.RNN knows")
        return _to_torch(nn.RNN, self.stack, nonlinearity=activation)


class LSTM(nn.Module):
    """
    The LSTM family (Hochreiter and Schmidhuber 1997; Gers et al. 2000; Greff et al. 2017):

        i, f, o = sigmoid(W_h h + W_x x + b)      g = phi(W_h h + W_x x + b)
        c' = f * c + i * g                        h' = o * psi(c')

    `gates` are the learned gates, a subset of "ifo"; a missing one is held at 1. `activation` is phi,
    `output_activation` psi (None: the same). `forget_bias` is the sum over both biases where there are two. Shapes,
    states, layers and gate order as torch.nn.LSTM, time-major; `wiring`, one of `WIRINGS`, as `Stack` has it. Raises
    ValueError for anything that is not allowed.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        activation: str = "tanh",
        output_activation: str | None = None,
        gates: str = "ifo",
        coupled: bool = False,
        peephole: bool = False,
        weights: str = "separate",
        biases: int = 1,
        forget_bias: float | Chrono = 1.0,
        init: str = "uniform",
        gain: float = 1.0,
        wiring: str = PLAIN,
        engine: str = "auto",
        generator: torch.Generator | Rng | None = None,
    ) -> None:
        super().__init__()
        self.stack = Stack(
            Cell("lstm", activation, output_activation, gates, coupled, peephole),
            input_size,
            hidden_size,
            num_layers,
            weights=weights,
            biases=biases,
            init=init,
            gain=gain,
            wiring=wiring,
            forget_bias=forget_bias,
            engine=engine,
            generator=generator,
        )

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """x (T, B, D), state ((L, B, H), (L, B, H)) -> output as of an RNN, final (h_n, c_n), both (L, B, H)."""
        output, (hidden, cell_state), _ = self.stack(x, state)
        return output, (hidden, cell_state)

    @classmethod
    def from_torch(cls, module: nn.LSTM) -> Self:
        """The same function with a copy of torch's weights; ValueError for what this project does not have."""
        return _from_torch(cls, module, nn.LSTM)

    def to_torch(self) -> nn.LSTM:
        """The same function as a torch.nn.LSTM; ValueError where torch cannot express the variant."""
        cell = self.stack.cell
        if cell not in (Cell(cell.family), Cell(cell.family, output_activation="tanh")):
            raise ValueError(f"torch.nn.LSTM has all gates, tanh and no peepholes; this is {cell}")
        return _to_torch(nn.LSTM, self.stack)


class GRU(nn.Module):
    """
    Gated recurrent unit (Cho et al. 2014) in torch's form, the reset gate after the matrix product:

        r, z = sigmoid(W_h h + W_x x + b)      n = phi(W_xn x + b_n + r * (W_hn h + b_hn))      h' = (1 - z) * n + z * h

    Shapes, states and layers as torch.nn.GRU, time-major; `wiring`, one of `WIRINGS`, as `Stack` has it. Raises
    ValueError for anything that is not allowed.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        activation: str = "tanh",
        weights: str = "separate",
        biases: int = 1,
        init: str = "uniform",
        gain: float = 1.0,
        wiring: str = PLAIN,
        engine: str = "auto",
        generator: torch.Generator | Rng | None = None,
    ) -> None:
        super().__init__()
        self.stack = Stack(
            Cell("gru", activation),
            input_size,
            hidden_size,
            num_layers,
            weights=weights,
            biases=biases,
            init=init,
            gain=gain,
            wiring=wiring,
            engine=engine,
            generator=generator,
        )

    forward = RNN.forward

    @classmethod
    def from_torch(cls, module: nn.GRU) -> Self:
        """The same function with a copy of torch's weights; ValueError for what this project does not have."""
        return _from_torch(cls, module, nn.GRU)

    def to_torch(self) -> nn.GRU:
        """The same function as a torch.nn.GRU; ValueError where torch cannot express it."""
        if self.stack.cell.activation != "tanh":
            raise ValueError(f"activation: {self.stack.cell.activation!r} is not tanh, which torch.nn.GRU has")
        return _to_torch(nn.GRU, self.stack)


TORCH_NAMES = {"recurrent": "weight_hh", "input": "weight_ih", "bias": "bias_ih", "recurrent_bias": "bias_hh"}
TORCH_ONLY = {"bidirectional": False, "proj_size": 0, "dropout": 0.0, "batch_first": False}


def _from_torch(ours: type, theirs: nn.Module, kind: Any, **options: Any) -> Any:
    """Our module with torch's weights; ValueError for another kind of module, or for what ours does not have."""
    if not isinstance(theirs, kind):
        raise ValueError(f"module: {type(theirs).__name__} is not a torch.nn.{kind.__name__}")
    for name, plain in TORCH_ONLY.items():
        if getattr(theirs, name) != plain:
            raise ValueError(f"{name}: {getattr(theirs, name)!r} is not supported, only {plain!r}")
    sizes = theirs.input_size, theirs.hidden_size, theirs.num_layers
    module = ours(*sizes, biases=2, generator=stream(0, Purpose.WEIGHTS), **options).to(theirs.weight_hh_l0)
    _copy((mine, other) for mine, other in _pairs(module.stack, theirs))
    return module


def _to_torch(kind: Any, ours: Stack, **options: Any) -> Any:
    """Torch's module with our weights; ValueError for another wiring than torch has."""
    if ours.wiring != PLAIN:
        raise ValueError(f"wiring: {ours.wiring!r} is not {PLAIN}, the only one that torch.nn.{kind.__name__} has")
    theirs = kind(ours.input_size, ours.hidden_size, ours.num_layers, **options).to(ours.layer_list[0].bias)
    _copy((other, mine) for mine, other in _pairs(ours, theirs))
    return theirs


def _pairs(ours: Stack, theirs: nn.RNNBase) -> Iterator[tuple[Tensor | None, Tensor | None]]:
    for index, layer in enumerate(ours.layer_list):
        for name, torch_name in TORCH_NAMES.items():
            yield getattr(layer.tensors(), name), getattr(theirs, f"{torch_name}_l{index}", None)


@torch.no_grad()
def _copy(pairs: Iterable[tuple[Tensor | None, Tensor | None]]) -> None:
    """Fill each first tensor with the second; a bias that the source does not have is 0."""
    for target, source in pairs:
        if target is not None:
            target.copy_(torch.zeros_like(target) if source is None else source)
