"""Is the fused engine a good citizen of torch: autograd, layouts in memory, threads?"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import Tensor

from lstm_core.cells import Cell
from lstm_core.engine import FUSED
from lstm_core.layers import Stack
from tests.test_cells import described, over
from tests.test_fused import (
    KINDS,
    PEEPHOLES,
    WINDOW,
    B,
    D,
    Named,
    T,
    assert_equal,
    built,
    first_states,
    incoming_gradient,
    named_outputs,
    normal,
    results,
    run_layer,
)


@over(KINDS)
def test_going_back_twice_gives_the_same_gradients_twice(cell: Cell) -> None:
    stack, x, states = built(cell), normal(T, B, D).requires_grad_(), first_states(cell)
    trace = run_layer(FUSED, stack, x, states)
    sources = [x, *(parameter for parameter in stack.parameters() if parameter.numel())]
    total = trace.hidden.square().sum()
    first = torch.autograd.grad(total, sources, retain_graph=True)
    norms = [norm.clone() for norm in trace.gradient_norms()]
    second = torch.autograd.grad(total, sources)
    assert all(map(torch.equal, first, second))
    assert all(map(torch.equal, norms, trace.gradient_norms()))


@pytest.mark.parametrize("output", ["hidden", "final 0", "final 1"])
def test_a_change_of_an_output_before_the_way_back_is_noticed(output: str) -> None:
    """All of them lie where the way back reads."""
    stack, states = built(Cell("lstm")), first_states(Cell("lstm"))
    outputs = named_outputs(run_layer(FUSED, stack, normal(T, B, D), states))
    total = sum(tensor.sum() for tensor in outputs.values())
    assert isinstance(total, Tensor)
    outputs[output].detach().add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        total.backward()


@over(KINDS)
def test_without_gradients_the_values_are_the_same(cell: Cell) -> None:
    stack, x, states = built(cell), normal(T, B, D), first_states(cell)
    learning = run_layer(FUSED, stack, x, states)
    with torch.no_grad():
        looking = run_layer(FUSED, stack, x, states)
    assert learning.hidden.requires_grad
    assert not looking.hidden.requires_grad
    assert torch.equal(looking.hidden, learning.hidden)
    assert all(map(torch.equal, looking.final, learning.final))


@over(KINDS)
def test_weights_have_the_same_gradients_whether_inputs_have_any_or_not(cell: Cell) -> None:
    def slopes(needed: bool) -> tuple[Tensor, ...]:
        stack, x, states = built(cell), normal(T, B, D).requires_grad_(needed), first_states(cell)
        trace = run_layer(FUSED, stack, x, states)
        return torch.autograd.grad(trace.hidden.square().sum(), list(stack.parameters()))

    torch.testing.assert_close(slopes(True), slopes(False), rtol=0, atol=1e-12)


# Tensors with the shape of the first argument, each laid out in its own way.
STRIDES: dict[str, Callable[[Tensor], Tensor]] = {
    "transposed": lambda tensor: tensor.transpose(0, 1).contiguous().transpose(0, 1),
    "backwards": lambda tensor: (
        tensor.permute(*reversed(range(tensor.dim()))).contiguous().permute(*reversed(range(tensor.dim())))
    ),
    "every other": lambda tensor: torch.stack([tensor, tensor], -1)[..., 0],
    "expanded first": lambda tensor: tensor[:1].expand_as(tensor),
    "expanded last": lambda tensor: tensor[..., :1].expand_as(tensor),
    "one number": lambda tensor: tensor.flatten()[0].expand_as(tensor),
}


@pytest.mark.parametrize("strides", STRIDES)
@pytest.mark.parametrize("cell", [Cell("rnn"), Cell("gru"), PEEPHOLES, WINDOW], ids=described)
def test_it_does_not_matter_how_tensors_lie_in_memory(cell: Cell, strides: str) -> None:
    """Inputs, first states, matrices of weights and incoming gradients."""
    laid = STRIDES[strides]
    x, states = laid(normal(T, B, D)), [laid(state) for state in first_states(cell)]

    def with_weights(change: Callable[[Tensor], Tensor]) -> Stack:
        stack = built(cell)
        for parameter in stack.parameters():
            if parameter.dim() == 2:
                parameter.data = change(laid(parameter.data))
        return stack

    def incoming(name: str, output: Tensor) -> Tensor:
        return laid(incoming_gradient(name, output))

    def packed(name: str, output: Tensor) -> Tensor:
        return incoming(name, output).contiguous()

    assert not x.is_contiguous()
    actual = results(FUSED, with_weights(lambda weight: weight), x, states, incoming)
    plain = x.contiguous(), [state.contiguous() for state in states]
    assert_equal(actual, results(FUSED, with_weights(Tensor.contiguous), *plain, packed), 0)


@over(KINDS)
def test_two_threads_at_once_compute_what_each_computes_alone(cell: Cell) -> None:
    stacks = [built(cell, D, 32) for _ in range(2)]
    x, states = normal(60, 8, D), first_states(cell, 8, 32)
    alone = results(FUSED, stacks[0], x, states)

    def often(stack: Stack) -> list[Named]:
        torch.set_flush_denormal(True)
        return [results(FUSED, stack, x, states) for _ in range(10)]

    with ThreadPoolExecutor(2) as pool:
        together = [one for ones in pool.map(often, stacks) for one in ones]
    assert len(together) == 20
    for one in together:
        assert_equal(one, alone, 0)
