"""
Where does everything lie? In two arrays of one dimension, a tape and a workspace, each from a vector's start on.

Places are counted in numbers and begin where a vector does. Units beyond the real ones have no weights. What stands for
them in gates, cell states and gradients may be anything; in hidden states and in the gradient of preactivations, which
products read, it is 0.
"""

from functools import lru_cache
from itertools import accumulate

from lstm_core.cells import Cell
from lstm_core.kernels.spec import BYTES, Layer, Shape


@lru_cache
def layer_of(cell: Cell, shape: Shape, bytes_each: int) -> Layer:
    """Of numbers that have so many bytes each."""
    lanes = BYTES // bytes_each
    steps, batch, features, units = shape

    def padded(count: int) -> int:
        return -(-count // lanes) * lanes

    def read_by_vectors(count: int) -> int:
        """Room for so many numbers, of which the last vector may begin with any."""
        return padded(count + lanes - 1)

    blocks = len(cell.rows) + len(cell.row.apart)
    kept_blocks = blocks + cell.row.kept_beside
    size, seen, wide = padded(units), cell.window * units, blocks * units
    gates, further = len(cell.learned_gates) if cell.peephole else 0, cell.row.real_states
    cells, below = len(further) * size, sum((letter in cell.row.from_below) << k for k, letter in enumerate(further))
    skipped = seen - cell.seen(units)
    deep = seen - skipped + features + 1
    # Beyond a row's hidden states there is room to store whole vectors of them; x is put there afterwards.
    stride = padded(max(skipped + deep, size, units + padded(seen - units)))
    weights, peepholes, own = padded(deep * wide), gates * size, cell.own_rows(units) * size
    states = (steps + 1) * batch * cells
    rows, kept = (steps + 1) * batch * stride, steps * batch * kept_blocks * size
    tape = weights, peepholes, own, own, rows, kept, states, read_by_vectors(batch * wide)
    of_step = batch * size
    hidden, back, delta = read_by_vectors(batch * seen), wide * stride, padded(batch * wide)
    work = weights, peepholes, own, hidden, batch * cells, back, delta, of_step, of_step
    widths = size, gates, seen, skipped, deep, stride, wide, kept_blocks * size, cells, below
    return Layer(*shape, *widths, *accumulate(tape, initial=0), *accumulate(work, initial=0))
