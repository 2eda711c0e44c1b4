"""
What does compiled code know of a layer? Numbers by name: what its cell is, how large it is, and where everything lies.

Memory is counted in numbers of the network's precision. Dimensions: T time, B batch, D input, H hidden; K numbers of a
row [h; x; 1], R preactivations of all blocks. A layer of H units is laid out with `size` of them, H rounded up to whole
vectors of 64 bytes.
"""

from typing import NamedTuple

# In a vector.
BYTES = 64


class Spec(NamedTuple):
    """
    A cell. Addresses of machine code: one time step `forward` and `backward`, values of its activations, `phi` and
    `psi`, and values with slopes. The places of its blocks of rows (-1: there is none), flags, how many of its last
    hidden states it sees, and of which blocks the values are openings of `gates`, bit by bit. `beside`: its step
    backward leaves in dh what goes past this step. `exponential` is the forget gate of an sLSTM, `stabilised` its
    states. `made` is the address of what is made of its own parameters before the first time step, 0 for none; c may
    be `complex`, its imaginary parts lying after the real ones.
    """

    forward: int
    backward: int
    phi: int
    phi_and_slope: int
    psi: int
    psi_and_slope: int
    i: int
    f: int
    g: int
    o: int
    coupled: int
    peephole: int
    window: int
    gates: int
    has_cell: int
    beside: int
    exponential: int
    stabilised: int
    made: int
    complex: int


class Shape(NamedTuple):
    """T, B, D and H of a sequence."""

    steps: int
    batch: int
    features: int
    units: int


class Layer(NamedTuple):
    """
    A layer's shape, widths and places.

    Widths: `size` of a block on the tape, `gates` with peepholes, `seen` the numbers of all hidden states that the cell
    sees, `skipped` those of them that nothing is multiplied with, for want of a W_h, `deep` K without these, `stride`
    from one row [h; x; 1] to the next, `wide` R, `apart` the numbers of all blocks on the tape, `cells` those of all
    states beside h, of which those in `below`, bit by bit, start at minus infinity.

    On the tape, which a forward pass reads and fills: `weight` (K, R), which rows [h; x; 1] are multiplied with;
    `peephole` (gates, size); `own` (n, size), the rows of the family's own parameters, one after the other, and room of
    the same size for what is `made` of them; `rows` (T + 1, B, stride), those rows and the last h; `blocks` (T, B,
    apart), gates and preactivations; `states` (T + 1, B, cells), c and others, where there are any; `pre` (B, R), the
    products of one time step.

    In the workspace, which a backward pass fills: `dweight` (K, R), `dpeephole` (gates, size) and `d_own` (n, size),
    the gradients, each as far from the first as on the tape; `dhidden` (B, seen) and `dstate` (B, cells), those of the
    states of the time step it is at. And its room: `back` (R, stride), the weights transposed, as many columns as it
    needs; `delta` (B, R), the gradient of the preactivations; values and slopes of an activation, `y` and `slope` (B,
    size).
    """

    steps: int
    batch: int
    features: int
    units: int
    size: int
    gates: int
    seen: int
    skipped: int
    deep: int
    stride: int
    wide: int
    apart: int
    cells: int
    below: int
    weight: int
    peephole: int
    own: int
    made: int
    rows: int
    blocks: int
    states: int
    pre: int
    tape_end: int
    dweight: int
    dpeephole: int
    d_own: int
    dhidden: int
    dstate: int
    back: int
    delta: int
    y: int
    slope: int
    work_end: int


class Step(NamedTuple):
    """
    Places of one time step on a tape: `seen` (B, stride), the rows with the hidden states before, and `hidden` those
    with the new ones; `pre` (B, wide), its preactivations, and `blocks` (B, apart), what is kept of them; `before` and
    `state` (B, cells), the states beside h before and the new ones; and of all time steps, `peephole` (gates, size),
    `own` and `made` (n, size).
    """

    seen: int
    hidden: int
    pre: int
    blocks: int
    before: int
    state: int
    peephole: int
    own: int
    made: int
    batch: int
    units: int
    size: int
    stride: int
    wide: int
    apart: int
    cells: int


class Room(NamedTuple):
    """The places in the workspace that a time step needs on its way back, see `Layer`."""

    dpeephole: int
    d_own: int
    dhidden: int
    dstate: int
    delta: int
    y: int
    slope: int
