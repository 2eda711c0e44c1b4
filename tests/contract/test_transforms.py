"""Do both engines keep what torch.func asks of a function?"""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import forward_ad, functional
from torch.func import functional_call, grad, hessian, jacfwd, jacrev, jvp, stack_module_state, vjp, vmap

from lstm_core.borrowed.autograd import more_than_numbers
from lstm_core.engine import FUSED
from tests.contract.ground import ENGINES, B, D, H, T, both_engines, close, every_kind, module, normal, states

# Torch's own forward-mode differentiation calls what torch itself calls outdated.
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")


def sum_of_squares(outputs: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    return outputs(x).square().sum()


def dual(outputs: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    with forward_ad.dual_level():
        tangent = forward_ad.unpack_dual(outputs(forward_ad.make_dual(x, normal(*x.shape, seed=5)))).tangent
        assert tangent is not None
        return tangent


def by_numbers(outputs: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """The Jacobian, by rows that the reference differentiates one by one."""
    return functional.jacobian(outputs, x)


Transform = Callable[[Callable[[Tensor], Tensor], Tensor], Any]
# What torch makes of a function of x, beside the same in plain autograd.
TRANSFORMS: dict[str, tuple[Transform, Transform]] = {
    "grad": (
        lambda f, x: grad(partial(sum_of_squares, f))(x),
        lambda f, x: functional.jacobian(partial(sum_of_squares, f), x),
    ),
    "vjp": (
        lambda f, x: vjp(f, x)[1](normal(T, B, H, seed=5))[0],
        lambda f, x: torch.tensordot(normal(T, B, H, seed=5), by_numbers(f, x), 3),
    ),
    "jvp": (
        lambda f, x: jvp(f, (x,), (normal(*x.shape, seed=5),))[1],
        lambda f, x: torch.tensordot(by_numbers(f, x), normal(*x.shape, seed=5), x.dim()),
    ),
    "dual numbers": (dual, lambda f, x: torch.tensordot(by_numbers(f, x), normal(*x.shape, seed=5), x.dim())),
    "jacrev": (lambda f, x: jacrev(f)(x), by_numbers),
    "jacfwd": (lambda f, x: jacfwd(f)(x), by_numbers),
    "vmap": (lambda f, x: vmap(f)(torch.stack([x, 2 * x])), lambda f, x: torch.stack([f(x), f(2 * x)])),
    "hessian": (
        lambda f, x: hessian(partial(sum_of_squares, f))(x),
        lambda f, x: functional.hessian(partial(sum_of_squares, f), x),
    ),
    "functional.hessian": (
        lambda f, x: functional.hessian(partial(sum_of_squares, f), x),
        lambda f, x: hessian(partial(sum_of_squares, f))(x),
    ),
    "functional.hessian, vectorized": (
        lambda f, x: functional.hessian(partial(sum_of_squares, f), x, vectorize=True),
        lambda f, x: functional.hessian(partial(sum_of_squares, f), x),
    ),
    "functional.jacobian, vectorized": (lambda f, x: functional.jacobian(f, x, vectorize=True), by_numbers),
    "functional.jacobian, forwards": (
        lambda f, x: functional.jacobian(f, x, vectorize=True, strategy="forward-mode").detach(),
        by_numbers,
    ),
    "functional.jvp": (
        lambda f, x: functional.jvp(f, x, normal(*x.shape, seed=5))[1],
        lambda f, x: torch.tensordot(by_numbers(f, x), normal(*x.shape, seed=5), x.dim()),
    ),
    "functional.vjp": (
        lambda f, x: functional.vjp(f, x, normal(T, B, H, seed=5))[1],
        lambda f, x: torch.tensordot(normal(T, B, H, seed=5), by_numbers(f, x), 3),
    ),
    "gradients of gradients forwards": (
        lambda f, x: jacfwd(grad(partial(sum_of_squares, f)))(x),
        lambda f, x: functional.hessian(partial(sum_of_squares, f), x),
    ),
}


@pytest.mark.parametrize("name", TRANSFORMS)
@every_kind
def test_a_transform_of_the_inputs_is_that_of_the_reference(kind: str, name: str) -> None:
    transformed, plain = TRANSFORMS[name]
    fused, reference = (module(kind, engine) for engine in ENGINES)
    close(transformed(lambda x: fused(x)[0], normal(T, B, D)), plain(lambda x: reference(x)[0], normal(T, B, D)))


@pytest.mark.parametrize("name", ["grad", "jvp", "dual numbers", "jacrev", "jacfwd", "vmap", "hessian"])
@every_kind
def test_a_transform_of_a_weight_is_that_of_the_reference(kind: str, name: str) -> None:
    """By `functional_call`, from first states."""
    (transformed, plain), given = TRANSFORMS[name], (normal(T, B, D), states(kind))

    def outputs(layer: nn.Module, weight: Tensor) -> Tensor:
        return functional_call(layer, {"stack.layers.0.weight_x": weight}, given)[0]

    fused, reference = (module(kind, engine) for engine in ENGINES)
    weight = fused.stack.layers[0].weight_x.detach()
    close(transformed(partial(outputs, fused), weight), plain(partial(outputs, reference), weight))


@both_engines
@every_kind
def test_many_modules_at_once_are_each_of_them(kind: str, engine: str) -> None:
    ensemble = [module(kind, engine, seed) for seed in range(3)]
    weights, buffers = stack_module_state(ensemble)
    x = normal(T, B, D)
    together = vmap(lambda p, b: functional_call(ensemble[0], (p, b), (x,))[0])(weights, buffers)
    close(together, torch.stack([layer(x)[0] for layer in ensemble]))


@every_kind
def test_gradients_may_go_back_many_at_once_from_kernels(kind: str) -> None:
    layer, x = module(kind, FUSED), normal(T, B, D).requires_grad_()
    output, incoming = layer(x)[0], normal(4, T, B, H)
    (together,) = torch.autograd.grad(output, x, incoming, is_grads_batched=True, retain_graph=True)
    alone = [torch.autograd.grad(output, x, gradient, retain_graph=True)[0] for gradient in incoming]
    close(together, torch.stack(alone))
    assert not together.requires_grad
    (mapped,) = vmap(lambda gradient: torch.autograd.grad(output, x, gradient, retain_graph=True))(incoming)
    close(mapped, torch.stack(alone))


def test_more_than_numbers_is_seen_in_every_transform_and_nowhere_else() -> None:
    """It asks torch in private: a torch that answers otherwise fails here first."""
    seen: list[bool] = []

    def look(x: Tensor) -> Tensor:
        seen.append(more_than_numbers())
        return x.sum()

    x = torch.ones(2)
    assert not more_than_numbers()
    for within in (grad(look), vmap(look), jacrev(look), jacfwd(look), hessian(look), torch.func.functionalize(look)):
        within(x.clone()) if within is not vmap else within(x[None])
    jvp(look, (x,), (x,))
    vjp(look, x)
    with forward_ad.dual_level():
        look(x)
    assert seen
    assert all(seen)
    assert not more_than_numbers()

    class Look(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            return x.clone()

        @staticmethod
        def backward(ctx: Any, gradient: Tensor) -> Tensor:
            seen.append(more_than_numbers([None, gradient]))
            return gradient

    seen.clear()
    leaf = torch.ones(2).requires_grad_()
    torch.autograd.grad(Look.apply(leaf).sum(), leaf)
    torch.autograd.grad(Look.apply(leaf), leaf, torch.eye(2), is_grads_batched=True)
    assert seen == [False, True]
