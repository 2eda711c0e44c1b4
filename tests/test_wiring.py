"""Does every layer see what its wiring says, whoever computes it, and do the gradients come back the same way?"""

import re
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call

from lstm_core.cells import LAYOUTS, Cell
from lstm_core.engine import FUSED, REFERENCE_ENGINE
from lstm_core.layers import Stack, TransformGate
from lstm_core.model import GRU, LSTM, RNN
from lstm_core.wiring import MOST_LAYERS, PLAIN, WIRINGS
from tests.test_fused import TOLERANCE, B, D, H, Named, T, assert_equal, normal
from tests.test_model import MODULES, every_family, seeded

KINDS: dict[str, tuple[Any, dict[str, Any]]] = {
    "rnn": (RNN, {}),
    "rnn-relu": (RNN, {"activation": "relu"}),
    "gru": (GRU, {}),
    "lstm": (LSTM, {}),
    "lstm-gateless": (LSTM, {"gates": ""}),
    "lstm-io": (LSTM, {"gates": "io"}),
    "lstm-coupled-peephole": (LSTM, {"coupled": True, "peephole": True}),
}
every_kind = pytest.mark.parametrize("kind", KINDS)
every_wiring = pytest.mark.parametrize("wiring", WIRINGS)
every_engine = pytest.mark.parametrize("engine", [FUSED, REFERENCE_ENGINE])


def by_hand(
    wiring: str, x: Tensor, layers: Sequence[nn.Module], states: Sequence[Any], gates: Sequence[TransformGate]
) -> tuple[Tensor, list[Any]]:
    """Single public modules, one after the other, and what the readout sees of them."""
    outputs: list[Tensor] = []
    final: list[Any] = []
    seen = x
    for layer, state in zip(layers, states, strict=True):
        output, last = layer(seen, state)
        final.append(last)
        if wiring == "residual" and outputs:
            seen = seen + output
        elif wiring == "highway" and outputs:
            gate = gates[len(outputs) - 1]
            through = 1 / (1 + torch.exp(-(seen @ gate.weight.T + gate.bias)))
            seen = through * output + (1 - through) * seen
        elif wiring == "dense":
            seen = torch.cat([x, *outputs, output], 2)
        else:
            seen = output
        outputs.append(output)
    return seen, final


def first_states(kind: str, layers: int, dtype: torch.dtype = torch.float64) -> list[Tensor]:
    count = 2 if KINDS[kind][0] is LSTM else 1
    return [normal(layers, B, H, seed=seed, dtype=dtype).requires_grad_() for seed in range(20, 20 + count)]


def slopes(outputs: Sequence[Tensor], sources: Named) -> Named:
    """Of a random weighted sum of all outputs; `x` and first states are among the sources."""
    weights = [normal(*output.shape, seed=k, dtype=output.dtype) for k, output in enumerate(outputs)]
    return dict(zip(sources, torch.autograd.grad(outputs, list(sources.values()), weights), strict=True))


@every_engine
@pytest.mark.parametrize("layout", LAYOUTS)
@every_wiring
@every_kind
def test_a_stack_is_single_layers_joined_by_hand(kind: str, wiring: str, layout: str, engine: str) -> None:
    """Outputs, final states and all gradients, to 1e-10."""
    module, options = KINDS[kind]
    options = options | {"weights": layout, "engine": engine, "generator": seeded()}
    whole = module(D, H, 3, wiring=wiring, **options).double()
    singles = [module(layer.input_size, H, **options).double() for layer in whole.stack.layer_list]
    for single, layer in zip(singles, whole.stack.layer_list, strict=True):
        single.stack.layer_list[0].load_state_dict(layer.state_dict())
    x, states = normal(T, B, D, seed=9).requires_grad_(), first_states(kind, 3)

    output, final = whole(x, tuple(states) if len(states) == 2 else states[0])
    together = [output, *(final if len(states) == 2 else [final])]
    own = dict(whole.stack.named_parameters()) | {"x": x} | {f"first {k}": state for k, state in enumerate(states)}

    of_layers = [tuple(state[k : k + 1] for state in states) for k in range(3)]
    given = of_layers if len(states) == 2 else [state for (state,) in of_layers]
    seen, last = by_hand(wiring, x, singles, given, whole.stack.gate_list)
    finals = zip(*last, strict=True) if len(states) == 2 else [last]
    apart = [seen, *(torch.cat(list(parts)) for parts in finals)]
    theirs = {
        f"layers.{k}.{name}": tensor
        for k, single in enumerate(singles)
        for name, tensor in single.stack.layer_list[0].named_parameters()
    }
    torch.testing.assert_close(together, apart, rtol=0, atol=1e-10)
    expected = slopes(apart, theirs | {name: own[name] for name in own if name not in theirs})
    torch.testing.assert_close(slopes(together, own), expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("layers", [1, 2, 3, 6])
@every_wiring
@every_kind
def test_both_engines_agree(kind: str, wiring: str, layers: int, dtype: torch.dtype) -> None:
    """Outputs, final states, norms and all gradients, relative to the largest number."""

    def computed(engine: str) -> Named:
        module, options = KINDS[kind]
        stack = module(D, H, layers, wiring=wiring, engine=engine, generator=seeded(), **options).to(dtype).stack
        x, states = normal(T, B, D, dtype=dtype).requires_grad_(), first_states(kind, layers, dtype)
        output, final, traces = stack(x, tuple(states))
        for trace in traces:
            trace.retain_gradients()
        outputs = [output, *final]
        torch.autograd.backward(outputs, [normal(*one.shape, seed=k, dtype=dtype) for k, one in enumerate(outputs)])
        sources = dict(stack.named_parameters()) | {"x": x} | {f"first {k}": state for k, state in enumerate(states)}
        gradients = {name: source.grad for name, source in sources.items() if source.grad is not None}
        assert gradients.keys() == sources.keys()
        norms = {f"norms {k} {n}": v for k, trace in enumerate(traces) for n, v in enumerate(trace.gradient_norms())}
        return norms | gradients | {f"output {k}": one.detach() for k, one in enumerate(outputs)}

    assert_equal(computed(FUSED), computed(REFERENCE_ENGINE), TOLERANCE[dtype])


@every_family
@pytest.mark.parametrize(("wiring", "width"), [("plain", H), ("residual", H), ("highway", H), ("dense", D + 3 * H)])
def test_the_output_is_as_wide_as_what_the_readout_sees(family: str, wiring: str, width: int) -> None:
    module = MODULES[family](D, H, 3, wiring=wiring)
    assert module(torch.zeros(T, B, D))[0].shape == (T, B, width)
    assert module.stack.output_size == width


def test_the_first_layer_adds_nothing_to_its_input_even_where_it_would_fit() -> None:
    plain, residual = (RNN(H, H, wiring=wiring, generator=seeded()) for wiring in ("plain", "residual"))
    x = normal(T, B, H, dtype=torch.float32)
    assert torch.equal(plain(x)[0], residual(x)[0])


@every_family
@pytest.mark.parametrize("wiring", ["residual", "highway"])
def test_layers_that_are_joined_to_one_size_start_from_the_plain_ones_weights(family: str, wiring: str) -> None:
    plain, other = (MODULES[family](D, H, 3, wiring=one, generator=seeded()) for one in (PLAIN, wiring))
    for name, tensor in plain.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name])


@pytest.mark.parametrize("layers", range(1, MOST_LAYERS + 1))
def test_every_gate_of_a_highway_starts_at_the_bias_that_carries(layers: int) -> None:
    gates = LSTM(D, H, layers, wiring="highway").stack.gate_list
    assert [gate.bias.tolist() for gate in gates] == [[-1.0] * H] * (layers - 1)
    assert all(0 < float(gate.weight.detach().abs().max()) <= H**-0.5 for gate in gates)


@every_engine
def test_a_highway_whose_gates_are_shut_hands_the_first_layer_on(engine: str) -> None:
    """To the last bit, and the layers that are passed by get no gradient."""
    stack = LSTM(D, H, 4, wiring="highway", engine=engine, generator=seeded()).stack
    for gate in stack.gate_list:
        nn.init.constant_(gate.bias, -1e4)
    x = normal(T, B, D, dtype=torch.float32)
    output, _, traces = stack(x)
    assert torch.equal(output, traces[0].hidden)
    slopes = torch.autograd.grad(output.sum(), list(stack.layer_list[3].parameters()))
    assert not any(slope.any() for slope in slopes)


def test_a_highway_whose_gates_are_open_is_plain() -> None:
    highway, plain = (LSTM(D, H, 3, wiring=wiring, generator=seeded()).double() for wiring in ("highway", PLAIN))
    for gate in highway.stack.gate_list:
        nn.init.constant_(gate.bias, 1e4)
    x = normal(T, B, D)
    torch.testing.assert_close(highway(x)[0], plain(x)[0], rtol=0, atol=1e-12)


def test_the_slopes_of_a_highway_are_finite_differences() -> None:
    stack = Stack(Cell("rnn"), D, H, 3, wiring="highway", engine=REFERENCE_ENGINE, generator=seeded()).double()
    names = [name for name, _ in stack.named_parameters()]

    def output(*values: Tensor) -> Tensor:
        seen: Tensor = functional_call(stack, dict(zip(names, values, strict=True)), (normal(T, B, D),))[0]
        return seen

    assert torch.autograd.gradcheck(output, tuple(stack.parameters()), fast_mode=True)


@pytest.mark.parametrize("layers", [1, 2, 6])
@pytest.mark.parametrize(("family", "blocks"), [("rnn", 1), ("gru", 3), ("lstm", 4)])
def test_the_number_of_weights_is_the_closed_form(family: str, blocks: int, layers: int) -> None:
    """A layer that sees W numbers has k H (H + W + 1) weights."""

    def size(wiring: str) -> int:
        return sum(parameter.numel() for parameter in MODULES[family](D, H, layers, wiring=wiring).parameters())

    one = blocks * H * (H + D + 1)
    assert size("plain") == size("residual") == one + (layers - 1) * blocks * H * (2 * H + 1)
    assert size("highway") == size("plain") + (layers - 1) * H * (H + 1)
    assert size("dense") == layers * one + blocks * H * H * layers * (layers - 1) // 2


@every_family
@pytest.mark.parametrize("value", ["skip", "", None, 1])
def test_an_unknown_wiring_is_refused_by_name_and_value(family: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"^wiring: {value!r} is not one of plain, residual, highway, dense"):
        MODULES[family](D, H, 2, wiring=value)


@every_family
@pytest.mark.parametrize("wiring", [name for name in WIRINGS if name != PLAIN])
def test_more_than_six_layers_are_refused_unless_they_are_plain(family: str, wiring: str) -> None:
    assert MODULES[family](D, 1, MOST_LAYERS + 1).stack.num_layers == 7
    with pytest.raises(ValueError, match=f"^num_layers: 7 is not a whole number from 1 to 6, as wiring {wiring} needs"):
        MODULES[family](D, 1, MOST_LAYERS + 1, wiring=wiring)


@every_family
@pytest.mark.parametrize("wiring", [name for name in WIRINGS if name != PLAIN])
def test_to_torch_refuses_wirings_that_torch_does_not_have(family: str, wiring: str) -> None:
    with pytest.raises(ValueError, match=f"^wiring: '{wiring}' is not plain, .* torch.nn.{family.upper()} "):
        MODULES[family](D, H, 2, wiring=wiring).to_torch()


@every_family
def test_what_comes_from_torch_is_wired_plainly(family: str) -> None:
    theirs: Any = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[family]
    assert MODULES[family].from_torch(theirs(D, H, 2)).stack.wiring == PLAIN


@every_wiring
def test_states_of_another_number_of_layers_are_refused(wiring: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"of shape {(3, B, H)}")):
        RNN(D, H, 3, wiring=wiring)(torch.zeros(T, B, D), torch.zeros(2, B, H))


@every_wiring
def test_a_cell_that_sees_several_states_takes_every_wiring(wiring: str) -> None:
    stack = Stack(Cell("rnn", window=3), D, H, 2, wiring=wiring)
    assert [layer.weight_h.shape for layer in stack.layer_list] == [(H, 3 * H)] * 2
    assert stack(torch.zeros(T, B, D))[0].shape == (T, B, stack.output_size)
