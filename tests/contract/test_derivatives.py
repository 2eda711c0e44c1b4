"""Do both engines have derivatives of every order, as autograd asks for them?"""

from typing import Any

import pytest
import torch
from torch import Generator, Tensor
from torch.autograd import gradcheck, gradgradcheck

from lstm_core.cells import Cell
from lstm_core.engine import FUSED, REFERENCE_ENGINE
from lstm_core.layers import Stack
from tests.contract.ground import (
    ENGINES,
    VARIANTS,
    B,
    D,
    Function,
    H,
    T,
    both_engines,
    close,
    every_kind,
    every_variant,
    function,
    module,
    normal,
    stack,
    states,
    total,
)

# Torch's own forward-mode differentiation calls what torch itself calls outdated.
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")


def penalty(outputs: Function, point: list[Tensor], order: int, parts: slice = slice(None)) -> tuple[Tensor, ...]:
    """All derivatives of the squares of derivatives of the squares of ..., so many times."""
    value = torch.stack([output.square().sum() for output in outputs(*point)[parts]]).sum()
    for _ in range(order - 1):
        slopes = torch.autograd.grad(value, point, create_graph=True, materialize_grads=True)
        value = torch.stack([slope.square().sum() for slope in slopes]).sum()
    return torch.autograd.grad(value, point, materialize_grads=True)


@both_engines
@every_variant
def test_first_derivatives_are_those_of_finite_differences(variant: str, engine: str) -> None:
    """By inputs, first states and every weight; forwards too, and many at once."""
    outputs, point = function(variant, engine)
    assert gradcheck(outputs, point, fast_mode=True)
    assert gradcheck(outputs, point, fast_mode=True, check_forward_ad=True, check_batched_grad=False)


@both_engines
@every_variant
def test_second_derivatives_are_those_of_finite_differences(variant: str, engine: str) -> None:
    outputs, point = function(variant, engine)
    assert gradgradcheck(outputs, point, fast_mode=True)


@pytest.mark.parametrize("order", [1, 2, 3])
@every_variant
def test_derivatives_of_every_order_are_those_of_the_reference(variant: str, order: int) -> None:
    close(*(penalty(*function(variant, engine), order) for engine in ENGINES))


@pytest.mark.parametrize("part", [0, 1, 2], ids=["hidden", "final hidden", "final cell"])
@every_variant
def test_second_derivatives_may_enter_through_one_output_alone(variant: str, part: int) -> None:
    if part == 2 and VARIANTS[variant][0].family != "lstm":
        pytest.skip("one state only")
    close(*(penalty(*function(variant, engine), 2, slice(part, part + 1)) for engine in ENGINES))


@every_variant
def test_a_gradient_that_can_be_differentiated_further_is_the_plain_one_with_its_norms(variant: str) -> None:
    layers, x = stack(variant, FUSED), normal(T, B, D).requires_grad_()

    def slopes_and_norms(further: bool) -> list[Tensor]:
        output, _, traces = layers(x)
        slopes = torch.autograd.grad(total(output), [x, *layers.parameters()], create_graph=further)
        assert slopes[0].requires_grad == further
        return [*slopes, *(norms for trace in traces for norms in trace.gradient_norms())]

    close(slopes_and_norms(True), slopes_and_norms(False))


@both_engines
@every_kind
def test_only_weights_need_gradients_of_their_gradients(kind: str, engine: str) -> None:
    """As in a training that looks ahead; inputs and states need none."""
    layer, expected = module(kind, engine), module(kind, REFERENCE_ENGINE)
    second_slopes = []
    for one in (layer, expected):
        weights = list(one.parameters())
        slopes = torch.autograd.grad(total(one(normal(T, B, D), states(kind))), weights, create_graph=True)
        second_slopes.append(torch.autograd.grad(sum(slope.square().sum() for slope in slopes), weights))  # type: ignore[arg-type]
    close(*second_slopes)


@both_engines
def test_one_tensor_may_be_given_in_several_places(engine: str) -> None:
    """Inputs that the first states are made of have the gradient of all three, once each."""
    layers = Stack(Cell("lstm"), H, H, engine=engine, generator=Generator().manual_seed(1)).double()

    def outputs(x: Tensor) -> Tensor:
        return layers(x, (x[:1], x[:1]))[0]

    x = normal(T, B, H).requires_grad_()
    assert gradcheck(outputs, [x])
    assert gradgradcheck(outputs, [x])
    close(*(torch.autograd.grad(total(outputs(x)), x, create_graph=further)[0] for further in (False, True)))


def test_a_weight_that_an_output_does_not_depend_on_has_a_gradient_of_0() -> None:
    """The output gate's peephole, from the cell state of one step: the same whether more is wanted or not."""
    layers = stack("one peephole", FUSED).requires_grad_(False)
    peephole = layers.layer_list[0].peephole
    assert peephole is not None
    peephole.requires_grad_()
    _, (_, cell), _ = layers(normal(1, B, D))
    for further in (False, True):
        (slope,) = torch.autograd.grad(cell.sum(), peephole, create_graph=further, retain_graph=True)
        assert not slope.any()


@both_engines
def test_a_gradient_that_does_not_arrive_is_none_or_zero(engine: str) -> None:
    class Nothing(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            ctx.set_materialize_grads(False)
            return x.sum()

        @staticmethod
        def backward(ctx: Any, gradient: Tensor) -> None:
            return None

    for further in (False, True):
        x = normal(T, B, D).requires_grad_()
        value = Nothing.apply(module("lstm", engine)(x)[0])
        (slope,) = torch.autograd.grad(value, x, create_graph=further, materialize_grads=True)
        assert not slope.any()
