"""Is a module that was compiled, traced, saved or copied the same module?"""

import copy
import io
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from tests.contract.ground import (
    B,
    D,
    T,
    both_engines,
    close,
    every_kind,
    flat,
    gradients,
    module,
    normal,
    states,
)

# Torch's own forward-mode differentiation calls what torch itself calls outdated.
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")


@both_engines
@every_kind
def test_a_compiled_module_is_the_module(kind: str, engine: str) -> None:
    """In one graph, with its gradients."""
    layer, x, given = module(kind, engine), normal(T, B, D), states(kind)
    compiled: Any = torch.compile(layer, backend="eager", fullgraph=True)
    close(flat(compiled(x, given)), flat(layer(x, given)))
    close(gradients(compiled, x, given), gradients(layer, x, given))


@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning", "ignore::DeprecationWarning")
@both_engines
@every_kind
def test_a_traced_module_is_the_module(kind: str, engine: str) -> None:
    layer, x = module(kind, engine), normal(T, B, D)
    close(torch.jit.trace(layer, normal(T, B, D, seed=7))(x)[0], layer(x)[0])


def saved(layer: nn.Module) -> Any:
    file = io.BytesIO()
    torch.save(layer, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


def loaded(layer: Any) -> Any:
    """By the weights alone, in single precision, into a module that is different otherwise."""
    other = copy.deepcopy(layer)
    for parameter in other.parameters():
        nn.init.zeros_(parameter)
    weights = {name: tensor.float() for name, tensor in layer.state_dict().items()}
    other.load_state_dict(weights)
    return other


@pytest.mark.parametrize("copied", [copy.deepcopy, saved, loaded])
@both_engines
@every_kind
def test_a_copy_computes_the_same_and_learns_alone(kind: str, engine: str, copied: Callable[[Any], Any]) -> None:
    """Also one that has computed before, with weights that have gradients."""
    layer, x = module(kind, engine).float().double(), normal(T, B, D)
    expected = gradients(layer, x)
    other = copied(layer)
    assert {parameter.dtype for parameter in other.parameters()} == {torch.float64}
    close(flat(other(x)), flat(layer(x)))
    close(gradients(other, x), expected)
    layer.zero_grad()
    assert all(parameter.grad is not None for parameter in other.parameters())


@both_engines
@every_kind
def test_a_module_may_change_its_precision_after_it_has_computed(kind: str, engine: str) -> None:
    layer, x = module(kind, engine), normal(T, B, D)
    expected = layer(x)[0]
    torch.testing.assert_close(layer.float()(x.float())[0], expected.float())
    torch.testing.assert_close(layer.double()(x)[0], expected, rtol=1e-5, atol=1e-6)
