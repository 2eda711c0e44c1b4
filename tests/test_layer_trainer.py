"""Does a layer in training, with or without autograd, get the gradients that autograd gives?"""

import weakref
from itertools import product

import pytest
import torch
from torch import Tensor

from lstm_core.cells import LAYOUTS, Cell
from lstm_core.engine import FUSED, REFERENCE_ENGINE, LayerTrainer, layer_trainer, run
from lstm_core.kernels.pieces import KERNELS
from lstm_core.layers import Layer, Stack
from tests.test_cells import ALL, over
from tests.test_fused import WINDOWS, B, D, H, Named, T, assert_equal, built, normal

every_engine = pytest.mark.parametrize("engine", [FUSED, REFERENCE_ENGINE])


def in_training(stack: Stack, engine: str) -> tuple[Layer, LayerTrainer]:
    (layer,) = stack.layer_list
    for parameter in layer.parameters():
        parameter.grad = torch.zeros_like(parameter)
    return layer, layer_trainer(layer.tensors, stack.cell, engine)


def gradients(layer: Layer) -> Named:
    return {name: parameter.grad.clone() for name, parameter in layer.named_parameters() if parameter.grad is not None}


def by_autograd(stack: Stack, x: Tensor, gradient: Tensor) -> Named:
    (layer,) = stack.layer_list
    stack.zero_grad(set_to_none=False)
    trace = run(x, stack.cell.start(x, H), layer.tensors(), stack.cell, REFERENCE_ENGINE)
    trace.retain_gradients()
    (trace.hidden if gradient.dim() == 3 else trace.final[0]).backward(gradient)
    return gradients(layer) | {f"norms {k}": norms for k, norms in enumerate(trace.gradient_norms())}


@every_engine
@over(ALL + WINDOWS)
def test_gradients_and_norms_are_those_of_autograd(cell: Cell, engine: str) -> None:
    """From all hidden states and from the last, in both layouts, with one bias and two, one step after the other."""
    if engine == FUSED and cell.family not in KERNELS:
        pytest.skip("no kernel")
    for layout, biases in product(LAYOUTS, (1, 2)):
        stack = built(cell, layout=layout, biases=biases)
        layer, training = in_training(stack, engine)
        for shape in ((T, B, H), (B, H)):
            x, gradient = normal(T, B, D, seed=len(shape)), normal(*shape, seed=4)
            for parameter in layer.parameters():
                assert parameter.grad is not None
                parameter.grad.zero_()
            trace = training.run(x)
            training.back(trace, gradient)
            computed = gradients(layer) | {f"norms {k}": norms for k, norms in enumerate(trace.gradient_norms())}
            assert_equal(computed, by_autograd(stack, x, gradient), 1e-9)


@every_engine
def test_weights_that_change_in_their_places_count_at_once(engine: str) -> None:
    stack, x = built(Cell("lstm")), normal(T, B, D)
    layer, training = in_training(stack, engine)
    before = training.run(x).hidden.detach().clone()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.mul_(2)
    start = torch.zeros(B, H, dtype=x.dtype)
    now = run(x, (start,) * len(stack.cell.row.states), layer.tensors(), stack.cell, REFERENCE_ENGINE).hidden
    assert not torch.allclose(before, now)
    torch.testing.assert_close(training.run(x).hidden, now, rtol=0, atol=1e-12, check_stride=False)


def test_between_two_steps_the_fused_engine_keeps_no_tape() -> None:
    """A racer that waits for its turn holds its weights and nothing more."""
    stack, x = built(Cell("lstm")), normal(T, B, D)
    _, training = in_training(stack, FUSED)
    trace = training.run(x)
    training.back(trace, normal(B, H))
    tape = weakref.ref(trace.tape)  # type: ignore[attr-defined]
    del trace
    assert tape() is None
