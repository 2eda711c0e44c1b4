"""
How do a layer's parameters get onto a tape, and their gradients off a workspace? By copies between views of arrays.

One matrix (K, R) is multiplied with rows [h; x; 1], h being all k states that the cell sees, or none: it is the
transpose of [W_h W_x b], the biases added up, or zeros where there is none. A block that is apart, as a GRU's
candidate, has two places: one for what comes from h, with the bias of its own that belongs there, and one, behind all
others, for what comes from x. The parameters that a family alone has lie as they are, row by row.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from lstm_core.cells import Cell


class Sources(NamedTuple):
    """
    A layer's parameters as arrays, or their gradients: `weight_h` (GH, kH), `weight_x` (GH, D), `bias` and `bias_h`
    (GH,), `peephole` (gates, H); None for one that there is not. Those that its family alone has are `own`.
    """

    weight_h: Any
    weight_x: Any
    bias: Any
    bias_h: Any
    peephole: Any
    own: Sequence[Any]


class _Parts(NamedTuple):
    """What is of real units in a matrix (K, R): `h` (k, H, blocks, H), `x` (D, blocks, H), `one` (blocks, H)."""

    h: Any
    x: Any
    one: Any


def _parts(cell: Cell, matrix: Any, units: int, features: int) -> _Parts:
    blocks = len(cell.rows) + len(cell.row.apart)
    size, seen = matrix.shape[1] // blocks, len(matrix) - features - 1
    by_block = matrix.reshape(len(matrix), blocks, size)[..., :units]
    of_hidden = by_block[:seen].reshape(-1, size, blocks, units)[:, :units]
    return _Parts(of_hidden, by_block[seen:-1], by_block[-1])


def _by_block(cell: Cell, array: Any, units: int) -> Any:
    """(GH, ...) as (G, H, ...)"""
    return array.reshape(len(cell.rows), units, *array.shape[1:])


def _weight_h(cell: Cell, array: Any, units: int) -> Any:
    """(GH, kH) as (k, H, G, H): from each unit of each state to each unit of each block; k is 0 without W_h."""
    return array.reshape(len(cell.rows), units, -1, units).transpose(2, 3, 0, 1)


def _with_rows(arrays: Sequence[Any], own: Any, units: int) -> Iterator[tuple[Any, Any]]:
    """Each own parameter, (H,) or (GH, H), and its rows (G, H)."""
    start = 0
    for array in arrays:
        end = start + array.size // units
        yield array, own[start:end, :units]
        start = end


def pack(cell: Cell, sources: Sources, matrix: Any, peephole: Any, own: Any) -> None:
    """
    Fill a matrix (K, R), and peepholes (gates, size) and own parameters (n, size) of whole vectors, zeros where no unit
    is.
    """
    units, features = len(sources.weight_x) // len(cell.rows), sources.weight_x.shape[1]
    together, rows = len(cell.rows) - len(cell.row.apart), len(cell.rows)
    h, x, one = _parts(cell, matrix, units, features)
    matrix[:] = 0
    h[:, :, :rows] = _weight_h(cell, sources.weight_h, units)
    weight_x = _by_block(cell, sources.weight_x, units).transpose(2, 0, 1)
    x[:, :together], x[:, rows:] = weight_x[:, :together], weight_x[:, together:]
    if sources.bias is not None:
        bias = _by_block(cell, sources.bias, units)
        one[:together], one[rows:] = bias[:together], bias[together:]
    if sources.bias_h is not None:
        one[:rows] += _by_block(cell, sources.bias_h, units)
    if sources.peephole is not None:
        peephole[:] = 0
        peephole[:, :units] = sources.peephole
    own[:] = 0
    for array, rows_of_it in _with_rows(sources.own, own, units):
        rows_of_it[:] = array.reshape(-1, units)


def unpack(cell: Cell, matrix: Any, peephole: Any, own: Any, gradients: Sources) -> None:
    """The gradient of each source from that of the whole."""
    units, features = len(gradients.weight_x) // len(cell.rows), gradients.weight_x.shape[1]
    together, rows = len(cell.rows) - len(cell.row.apart), len(cell.rows)
    h, x, one = _parts(cell, matrix, units, features)
    if gradients.weight_h is not None:
        _weight_h(cell, gradients.weight_h, units)[:] = h[:, :, :rows]
    weight_x = _by_block(cell, gradients.weight_x, units).transpose(2, 0, 1)
    weight_x[:, :together], weight_x[:, together:] = x[:, :together], x[:, rows:]
    if gradients.bias is not None:
        bias = _by_block(cell, gradients.bias, units)
        bias[:together], bias[together:] = one[:together], one[rows:]
    if gradients.bias_h is not None:
        _by_block(cell, gradients.bias_h, units)[:] = one[:rows]
    if gradients.peephole is not None:
        gradients.peephole[:] = peephole[:, :units]
    for array, rows_of_it in _with_rows(gradients.own, own, units):
        array[...] = rows_of_it.reshape(array.shape)
