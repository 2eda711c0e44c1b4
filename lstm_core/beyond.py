"""What does torch ask for that kernels, which know numbers alone, cannot give? Then the reference computes."""

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor
from torch.autograd import forward_ad


def more_than_numbers(tensors: Iterable[Tensor | None] = ()) -> bool:
    """
    Whether tensors may now stand for more than their numbers: while torch compiles or traces, inside a transform of
    `torch.func`, at a level of forward-mode differentiation; or whether one of these tensors is a batch of gradients,
    on its way back all at once (`is_grads_batched`).

    Torch answers the first two in public. For the others it has private answers alone: whether a transform is active
    is what `torch.autograd.Function` itself asks, the level is -1 outside of all. What can be asked in public, tensor
    by tensor, costs ten times as much and does not see a transform.
    """
    return (
        torch.compiler.is_compiling()
        or torch.jit.is_tracing()  # type: ignore[attr-defined]
        or torch._C._are_functorch_transforms_active()
        or forward_ad._current_level >= 0
        or any(tensor is not None and torch._C._functorch.is_legacy_batchedtensor(tensor) for tensor in tensors)
    )


def gradients(
    function: Callable[..., Sequence[Tensor]], given: Sequence[Tensor | None], incoming: Sequence[Tensor | None]
) -> list[Tensor | None]:
    """
    From the gradients of what `function(*given)` returns, None where there is none, to those of what is given, None
    where none is needed. Where torch wants to differentiate further, they can be, by all that they depend on.
    """
    further = torch.is_grad_enabled()
    device = next(tensor.device.type for tensor in given if tensor is not None)
    with torch.enable_grad(), torch.autocast(device, enabled=False):
        # Names of their own: one tensor may be given twice, or made from another one.
        own = [None if tensor is None else tensor.view_as(tensor) for tensor in given]
        pairs = [
            (output, gradient)
            for output, gradient in zip(function(*own), incoming, strict=False)
            if gradient is not None and output.requires_grad
        ]
        needed = [tensor for tensor in own if tensor is not None and tensor.requires_grad]
        outputs, reached = [output for output, _ in pairs], [gradient for _, gradient in pairs]
        found = iter(torch.autograd.grad(outputs, needed, reached, create_graph=further, materialize_grads=True))
        return [next(found) if tensor is not None and tensor.requires_grad else None for tensor in own]
