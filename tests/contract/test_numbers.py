"""Does it matter to both engines in which precision, where and how numbers lie?"""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_sequence

from lstm_core.engine import FUSED
from tests.contract.ground import (
    B,
    D,
    H,
    T,
    both_engines,
    close,
    every_kind,
    flat,
    gradients,
    module,
    normal,
    states,
    total,
)

OTHERS: dict[str, Callable[[Tensor], Tensor]] = {
    "float32": Tensor.float,
    "bfloat16": Tensor.bfloat16,
    "int64": Tensor.long,
    "complex128": lambda tensor: tensor.to(torch.complex128),
}


@pytest.mark.parametrize("other", OTHERS)
@both_engines
@every_kind
def test_another_type_than_that_of_the_weights_is_refused(kind: str, engine: str, other: str) -> None:
    layer, x, given, change = module(kind, engine), normal(T, B, D), states(kind), OTHERS[other]
    with pytest.raises(ValueError, match=f"^input: {other} is not float64, the type of the weights$"):
        layer(change(x))
    wrong: dict[str, Any] = {"state": change(given)} if kind != "lstm" else {"state": (change(given[0]), given[1])}
    if kind == "lstm":
        wrong["cell state"] = given[0], change(given[1])
    for name, pair in wrong.items():
        with pytest.raises(ValueError, match=f"^{name}: {other} is not float64, the type of the weights$"):
            layer(x, pair)
    layer.stack.layers[0].bias = nn.Parameter(layer.stack.layers[0].bias.detach().float())
    with pytest.raises(ValueError, match=r"^bias: float32 is not float64, the type of the weights$"):
        layer(x)


@both_engines
@every_kind
def test_another_device_than_that_of_the_weights_is_refused(kind: str, engine: str) -> None:
    with pytest.raises(ValueError, match=r"^input: meta is not cpu, the device of the weights$"):
        module(kind, engine)(normal(T, B, D).to("meta"))
    output, _ = module(kind, "auto").to("meta")(normal(T, B, D).to("meta"))
    assert output.shape == (T, B, H)


@both_engines
@every_kind
def test_under_autocast_a_layer_computes_in_the_type_of_its_weights(kind: str, engine: str) -> None:
    """Inputs and states of a lower precision, as a layer before it makes them, are taken."""
    layer, x, given = module(kind, engine).float(), normal(T, B, D), states(kind)
    low_x = x.bfloat16()
    low_given: Any = tuple(map(Tensor.bfloat16, given)) if kind == "lstm" else given.bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        output, final = layer(low_x, low_given)
    slopes = torch.autograd.grad(total(output), list(layer.parameters()))
    high = tuple(map(Tensor.float, low_given)) if kind == "lstm" else low_given.float()
    expected, expected_final = layer(low_x.float(), high)
    torch.testing.assert_close([output, *flat(final)], [expected, *flat(expected_final)])
    torch.testing.assert_close(slopes, torch.autograd.grad(total(expected), list(layer.parameters())))


@every_kind
def test_under_autocast_a_gradient_that_can_be_differentiated_further_is_as_without(kind: str) -> None:
    layer, x = module(kind, FUSED).float(), normal(T, B, D).float().requires_grad_()
    value = total(layer(x))
    with torch.autocast("cpu", torch.bfloat16):
        (slope,) = torch.autograd.grad(value, x, create_graph=True)
    torch.testing.assert_close(slope, torch.autograd.grad(value, x)[0])


@both_engines
@every_kind
def test_a_batch_of_0_has_outputs_of_its_shape_and_gradients_of_0(kind: str, engine: str) -> None:
    layer = module(kind, engine)
    output, final = layer(normal(T, 0, D))
    assert [output.shape, *(state.shape for state in flat(final))][:2] == [(T, 0, H), (1, 0, H)]
    first, *others = gradients(layer, normal(T, 0, D))
    assert first is not None
    assert first.shape == (T, 0, D)
    for slope in others:
        assert slope is not None
        assert not slope.any()


@both_engines
@every_kind
def test_a_packed_sequence_is_refused(kind: str, engine: str) -> None:
    with pytest.raises(ValueError, match=r"^input: PackedSequence is not a tensor \(time, batch, 2\)$"):
        module(kind, engine)(pack_sequence([normal(T, D)]))


LAID: dict[str, Callable[[Tensor], Tensor]] = {
    "transposed": lambda tensor: tensor.mT.contiguous().mT,
    "batch first": lambda tensor: tensor.transpose(0, 1).contiguous().transpose(0, 1),
    "every other": lambda tensor: torch.stack([tensor, tensor], -1)[..., 0],
    "backwards": lambda tensor: tensor.flip(0, 1, 2).flip(0, 1, 2).transpose(0, 2).contiguous().transpose(0, 2),
    "expanded": lambda tensor: tensor[:1, :1, :1].expand_as(tensor),
}


@pytest.mark.parametrize("laid", LAID)
@both_engines
@every_kind
def test_it_does_not_matter_how_inputs_and_states_lie_in_memory(kind: str, engine: str, laid: str) -> None:
    layer, x = module(kind, engine, num_layers=2), LAID[laid](normal(T, B, D))
    given = [LAID[laid](state) for state in flat(states(kind, 2))]
    assert not x.is_contiguous()

    def outputs_and_slopes(x: Tensor, given: list[Tensor]) -> list[Tensor]:
        x, *given = (tensor.detach().requires_grad_() for tensor in (x, *given))
        outputs = flat(layer(x, tuple(given) if kind == "lstm" else given[0]))
        return [*outputs, *torch.autograd.grad(total(outputs), [x, *given, *layer.parameters()])]

    close(outputs_and_slopes(x, given), outputs_and_slopes(x.contiguous(), [state.contiguous() for state in given]))
