"""Do hooks, modes, shared and frozen weights do with both engines what they do with any module?"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.utils.checkpoint import checkpoint

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


@both_engines
@every_kind
def test_hooks_see_what_the_module_does(kind: str, engine: str) -> None:
    layer, x, seen = module(kind, engine), normal(T, B, D), dict[str, Any]()
    expected = gradients(layer, x)
    layer.register_forward_pre_hook(lambda _, given: seen.update(given=given[0]))
    layer.register_forward_hook(lambda _, given, result: seen.update(result=result[0]))
    layer.register_full_backward_pre_hook(lambda _, incoming: seen.update(incoming=incoming[0]))
    layer.register_full_backward_hook(lambda _, outgoing, incoming: seen.update(outgoing=outgoing[0]))
    weight = layer.stack.layers[0].weight_h
    weight.register_hook(lambda gradient: 2 * gradient)
    weight.register_post_accumulate_grad_hook(lambda parameter: seen.update(weight=parameter.grad.clone()))
    actual = gradients(layer, x)
    assert expected[1] is not None
    close(actual, [expected[0], 2 * expected[1], *expected[2:]])
    close([seen["given"], seen["outgoing"], seen["weight"]], [x, expected[0], 2 * expected[1]])
    close([seen["result"], seen["incoming"]], [layer(x)[0], normal(T, B, H)])


@both_engines
@every_kind
def test_a_forward_hook_may_change_what_comes_out(kind: str, engine: str) -> None:
    layer, x = module(kind, engine), normal(T, B, D)
    expected = layer(x)[0]
    layer.register_forward_hook(lambda _, given, result: (2 * result[0], result[1]))
    close(layer(x)[0], 2 * expected)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
@both_engines
@every_kind
def test_without_gradients_the_values_are_the_same(kind: str, engine: str, mode: Any) -> None:
    layer, x, given = module(kind, engine), normal(T, B, D), states(kind)
    with mode():
        looking = flat(layer(x, given))
    assert not any(tensor.requires_grad for tensor in looking)
    assert all(tensor.is_inference() == (mode is torch.inference_mode) for tensor in looking)
    learning = flat(layer(x, given))
    assert all(tensor.requires_grad for tensor in learning)
    close([tensor.clone() for tensor in looking], [tensor.detach() for tensor in learning])


@both_engines
@every_kind
def test_frozen_weights_have_no_gradient_and_the_others_theirs(kind: str, engine: str) -> None:
    layer, x, whole = module(kind, engine, biases=2), normal(T, B, D), module(kind, engine, biases=2)
    layer.stack.layers[0].weight_h.requires_grad_(False)
    layer.stack.layers[0].bias.requires_grad_(False)
    for actual, expected, parameter in zip(
        gradients(layer, x)[1:], gradients(whole, x)[1:], layer.parameters(), strict=True
    ):
        if parameter.requires_grad:
            close(actual, expected)
        else:
            assert actual is None
    outputs, x = layer(x.requires_grad_())[0], x.detach()
    weights = [parameter for parameter in layer.parameters() if parameter.requires_grad]
    close(
        torch.autograd.grad(total(outputs), weights, create_graph=True, retain_graph=True),
        torch.autograd.grad(total(outputs), weights),
    )


@both_engines
@every_kind
def test_going_back_twice_gives_the_same_gradients_twice(kind: str, engine: str) -> None:
    layer, x = module(kind, engine), normal(T, B, D).requires_grad_()
    value = total(layer(x))
    value.backward(retain_graph=True)
    once = [parameter.grad.clone() for parameter in layer.parameters()]
    layer.zero_grad()
    value.backward()
    assert all(torch.equal(parameter.grad, slope) for parameter, slope in zip(layer.parameters(), once, strict=True))
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        value.backward()


@pytest.mark.parametrize("place", ["output", "input", "cell state", "weight"])
@every_kind
def test_what_the_way_back_reads_may_not_change_in_place(kind: str, place: str) -> None:
    if place == "cell state" and kind != "lstm":
        pytest.skip("hidden state only")
    layer, x, given = module(kind, FUSED), normal(T, B, D), states(kind)
    output, _ = layer(x, given)
    changed = {"output": output, "input": x, "cell state": given[-1], "weight": layer.stack.layers[0].weight_h}
    with torch.no_grad():
        changed[place].add_(1)
    with pytest.raises(RuntimeError, match=r"modified .*inplace"):
        total(output).backward()


@every_kind
def test_an_output_of_kernels_may_not_change_in_place(kind: str) -> None:
    output, _ = module(kind, FUSED)(normal(T, B, D))
    with pytest.raises(RuntimeError, match=r"is being modified inplace"):
        output.add_(1)


class Twice(nn.Module):
    def forward(self, weight: Tensor) -> Tensor:
        return 2 * weight


@pytest.mark.parametrize("weights", ["separate", "concatenated"])
@both_engines
@every_kind
def test_a_weight_may_be_parametrized(kind: str, engine: str, weights: str) -> None:
    """It is computed once a pass."""
    layer, doubled = (module(kind, engine, weights=weights) for _ in range(2))
    name = "weight" if weights == "concatenated" else "weight_h"
    parametrize.register_parametrization(layer.stack.layers[0], name, Twice())
    looks: list[None] = []
    layer.stack.layers[0].parametrizations[name][0].register_forward_hook(lambda *_: looks.append(None))
    with torch.no_grad():
        getattr(doubled.stack.layers[0], name).mul_(2)
    x = normal(T, B, D)
    close(layer(x)[0], doubled(x)[0])
    assert len(looks) == 1
    gradients(layer, x)
    gradients(doubled, x)
    close(layer.stack.layers[0].parametrizations[name].original.grad, 2 * getattr(doubled.stack.layers[0], name).grad)


@both_engines
@every_kind
def test_two_modules_may_share_a_layer(kind: str, engine: str) -> None:
    one, other, x = module(kind, engine), module(kind, engine, 2), normal(T, B, D)
    other.stack.layers[0] = one.stack.layers[0]
    total([one(x), other(2 * x)]).backward()
    together = [parameter.grad for parameter in one.parameters()]
    separate = [module(kind, engine) for _ in range(2)]
    total([separate[0](x), separate[1](2 * x)]).backward()
    expected = [a.grad + b.grad for a, b in zip(*(layer.parameters() for layer in separate), strict=True)]
    close(together, expected)


@pytest.mark.parametrize("further", [False, True])
@both_engines
@every_kind
def test_another_thread_may_go_back(kind: str, engine: str, further: bool) -> None:
    layer, x = module(kind, engine), normal(T, B, D)
    value, weights = total(layer(x)), list(layer.parameters())
    with ThreadPoolExecutor(1) as pool:
        slopes = pool.submit(torch.autograd.grad, value, weights, create_graph=further, retain_graph=True).result()
    close(slopes, torch.autograd.grad(value, weights))


@both_engines
@every_kind
def test_a_pass_may_be_computed_again_to_save_memory(kind: str, engine: str) -> None:
    layer, x = module(kind, engine), normal(T, B, D)
    expected = gradients(layer, x)
    layer.zero_grad()
    x.requires_grad_()
    total(checkpoint(layer, x, use_reentrant=False)).backward()
    close([x.grad, *(parameter.grad for parameter in layer.parameters())], expected)
