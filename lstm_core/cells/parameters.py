"""What does a layer learn? Its weights, as both engines take them. Dimensions as in `cells.family`."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from torch import Tensor


class Parameters(NamedTuple):
    """
    One layer's weights: `recurrent` (kH, H), `input` (kH, D), `bias` (kH,), a second bias on the recurrent side or
    None, `peephole` (gates, H) or None; where h and x are concatenated also `joint` (kH, H + D), of which the first two
    are views. A cell that sees its last few hidden states has as many times H columns in `recurrent`, and one that has
    no W_h none. `own` are those that its family alone has, by name.
    """

    recurrent: Tensor
    input: Tensor
    bias: Tensor
    recurrent_bias: Tensor | None = None
    peephole: Tensor | None = None
    joint: Tensor | None = None
    own: Mapping[str, Tensor] = MappingProxyType({})

    @property
    def whole_bias(self) -> Tensor:
        """The sum of both, (kH,)."""
        return self.bias if self.recurrent_bias is None else self.bias + self.recurrent_bias

    @property
    def arrays(self) -> tuple[Tensor | None, ...]:
        """All but the `own`."""
        return self[:-1]

    def each(self, change: Callable[[Tensor], Tensor]) -> "Parameters":
        """The same, every tensor changed."""
        arrays = (None if tensor is None else change(tensor) for tensor in self.arrays)
        return Parameters(*arrays, own={name: change(tensor) for name, tensor in self.own.items()})  # type: ignore[arg-type, misc]
