"""
Where does everything lie? In two arrays of one dimension, a tape and a workspace, each from a vector's start on.

Places are counted in numbers and begin where a vector does. A layer of H units is laid out with `size` of them, H
rounded up to whole vectors: those that it has not have no weights. What stands for them in gates, cell states and
gradients may be anything; in hidden states and in the gradient of preactivations, which products read, it is 0.
"""

from typing import Any, NamedTuple

from numba import njit

from lstm_core.kernels.elementwise import OPTIONS, inner
from lstm_core.kernels.spec import GRU, LSTM, RNN, Shape, Spec
from lstm_core.kernels.vectors import lanes


class Widths(NamedTuple):
    """
    `size` of a block on the tape, `gates` with peepholes, `seen` the numbers of all hidden states that the cell sees,
    `deep` K those of [h; x; 1], `stride` from one such row to the next, `wide` R the preactivations of all blocks, and
    `blocks` the numbers that these have on the tape.
    """

    size: int
    gates: int
    seen: int
    deep: int
    stride: int
    wide: int
    blocks: int


class TapePlaces(NamedTuple):
    """
    What a forward pass reads and leaves: `weight` (K, R), which rows [h; x; 1] are multiplied with; `peephole` (gates,
    size); `rows` (T + 1, B, stride), those rows and the last h; `blocks` (T, B, blocks), gates and preactivations;
    `states` (T + 1, B, size), c, which only an LSTM has; `pre` (B, R), the products of one time step.
    """

    weight: int
    peephole: int
    rows: int
    blocks: int
    states: int
    pre: int
    end: int


class WorkPlaces(NamedTuple):
    """
    What a backward pass fills: `dweight` (K, R) and `dpeephole` (gates, size), the gradients; `dhidden` (B, seen) and
    `dstate` (B, size), those of the states of the time step it is at. And its room: `back` (R, stride), the weights
    transposed, as many columns as it needs; `delta` (B, R), the gradient of the preactivations; values and slopes of an
    activation, `y` and `slope` (B, size).
    """

    dweight: int
    dpeephole: int
    dhidden: int
    dstate: int
    back: int
    delta: int
    y: int
    slope: int
    end: int


@inner
def padded(units: Any, like: Any) -> Any:
    """As many numbers in whole vectors, of the type of the array `like`."""
    return -(-units // lanes(like)) * lanes(like)


@inner
def block_count(cell: Any) -> Any:
    """Blocks of rows in the weights; a GRU keeps apart for its candidate what comes from h and what comes from x."""
    if cell.family == RNN:
        return 1
    if cell.family == GRU:
        return 4
    return 1 + gate_count(cell)


@inner
def gate_count(cell: Any) -> Any:
    """Gates of an LSTM that have weights."""
    return (1 if cell.i >= 0 else 0) + (1 if cell.f >= 0 else 0) + (1 if cell.o >= 0 else 0)


@inner
def widths(cell: Any, shape: Any, like: Any) -> Any:
    size, seen = padded(shape.units, like), cell.window * shape.units
    deep, gates = seen + shape.features + 1, gate_count(cell) if cell.peephole else 0
    # Beyond a row's hidden states there is room to store whole vectors of them; x is put there afterwards.
    stride = padded(max(deep, size, shape.units + padded(seen - shape.units, like)), like)
    return Widths(size, gates, seen, deep, stride, block_count(cell) * shape.units, block_count(cell) * size)


@njit(**OPTIONS)
def tape_places(cell: Spec, shape: Shape, tape: Any, base: int) -> TapePlaces:
    """From place `base` of a tape on."""
    w = widths(cell, shape, tape)
    peephole = base + padded(w.deep * w.wide, tape)
    rows = peephole + w.gates * w.size
    blocks = rows + (shape.steps + 1) * shape.batch * w.stride
    states = blocks + shape.steps * shape.batch * w.blocks
    pre = states + ((shape.steps + 1) * shape.batch * w.size if cell.family == LSTM else 0)
    return TapePlaces(base, peephole, rows, blocks, states, pre, pre + _read_by_vectors(shape.batch * w.wide, tape))


@njit(**OPTIONS)
def work_places(cell: Spec, shape: Shape, work: Any, base: int) -> WorkPlaces:
    """From place `base` of a workspace on."""
    w = widths(cell, shape, work)
    dpeephole = base + padded(w.deep * w.wide, work)
    dhidden = dpeephole + w.gates * w.size
    dstate = dhidden + _read_by_vectors(shape.batch * w.seen, work)
    back = dstate + shape.batch * w.size
    delta = back + w.wide * w.stride
    y = delta + padded(shape.batch * w.wide, work)
    slope = y + shape.batch * w.size
    return WorkPlaces(base, dpeephole, dhidden, dstate, back, delta, y, slope, slope + shape.batch * w.size)


@inner
def _read_by_vectors(count: Any, like: Any) -> Any:
    """Room for so many numbers, of which the last vector may begin with any."""
    return padded(count + lanes(like) - 1, like)


class Step(NamedTuple):
    """
    Places of one time step on a tape: `seen` (B, stride), the rows with the hidden states before, and `hidden` those
    with the new ones; `pre` (B, wide), its preactivations, and `blocks` (B, apart), what is kept of them; `before` and
    `state` (B, size), the cell states before and the new ones; and of all time steps, `peephole` (gates, size).
    """

    seen: int
    hidden: int
    pre: int
    blocks: int
    before: int
    state: int
    peephole: int
    batch: int
    units: int
    size: int
    stride: int
    wide: int
    apart: int


@inner
def time_step(shape: Any, w: Any, places: Any, t: Any) -> Any:
    """Number t, from 0, of a sequence."""
    row, block, state = shape.batch * w.stride, shape.batch * w.blocks, shape.batch * w.size
    return Step(
        places.rows + t * row,
        places.rows + (t + 1) * row,
        places.pre,
        places.blocks + t * block,
        places.states + t * state,
        places.states + (t + 1) * state,
        places.peephole,
        shape.batch,
        shape.units,
        w.size,
        w.stride,
        w.wide,
        w.blocks,
    )
