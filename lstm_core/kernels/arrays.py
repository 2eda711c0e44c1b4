"""
What do the kernels read and fill? Arrays, by name; one that there is not has a size of 0.

They come to compiled code as plain tuples and get their names there: to find the type of a named one takes numba a
microsecond at every call.
"""

from typing import Any, NamedTuple


class Weights(NamedTuple):
    """
    A layer's parameters as it has them, or their gradients: `weight_h` (R, kH), `weight_x` (R, D), `bias` and `bias_h`
    (R,), `peephole` (gates, H).
    """

    weight_h: Any
    weight_x: Any
    bias: Any
    bias_h: Any
    peephole: Any


class TapeArrays(NamedTuple):
    """
    What a forward pass leaves: `weight` (R, K), see `weights`; `rows` (T + 1, B, K), [h; x; 1] for each step and the
    last h; `blocks` (T, R / H, H B), the gates and the preactivations; and `states` (T + 1, H B): c, or h in a GRU,
    nothing in an RNN. Where B stands last, the units stand before it, so that a gate is one contiguous block.
    """

    weight: Any
    rows: Any
    blocks: Any
    states: Any


class Workspace(NamedTuple):
    """
    Room for a backward pass: the gradient of [h; x] in `below`, and of the preactivations in `delta`; the transposed
    weights, `back`; `dc`, `y` and `slope` (H B,); what goes past the product as `carry`; the sum over time of the
    weights' gradient in `dweight`, and one step's `part` of it; peepholes and their gradient beside the cell states;
    partial `sums` of a norm.
    """

    below: Any
    back: Any
    delta: Any
    dc: Any
    y: Any
    slope: Any
    carry: Any
    dweight: Any
    part: Any
    peephole: Any
    dpeephole: Any
    sums: Any
