"""What does torch ask for that kernels, which know numbers alone, cannot give? Its own answers, mostly private."""

from collections.abc import Iterable

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
