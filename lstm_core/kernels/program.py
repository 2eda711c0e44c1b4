"""
What trains by turns, and where does it lie? In whole numbers and memory, by name.

A layer's part of the tape is laid out as `Layer` says, the layers one after the other; in the workspace they have one
room, and behind it is what the network has of its own, in `NetworkPlaces`. Dimensions: T time, B batch, D input, H
hidden, L layers, O outputs of the readout, W numbers that the readout sees, M answers: B, or T B where there is one at
every step.
"""

from typing import Any, NamedTuple

from lstm_core.kernels.spec import Layer

PLAIN, RESIDUAL, DENSE = range(3)
SGD, RMSPROP, ADAM = range(3)
NO_CLIPPING, BY_NORM, BY_VALUE = range(3)
GOES_ON, SOLVED, DIVERGED, COMPLETED = range(4)


class Plan(NamedTuple):
    """
    What trains, in whole numbers. A single layer wired residually is wired plainly. `scored` is the first of the M
    answers that accuracy counts, `limit` the last training step, `recent` the number of losses whose mean tells whether
    the task is solved.
    """

    layers: int
    wiring: int
    steps: int
    batch: int
    features: int
    units: int
    width: int
    outputs: int
    every_step: int
    classes: int
    answers: int
    scored: int
    optimizer: int
    clip: int
    limit: int
    recent: int


class Rates(NamedTuple):
    """What trains, in numbers: learning rate, momentum of SGD, largest gradient, the mean loss of a solved task."""

    lr: float
    momentum: float
    clip_at: float
    solved_below: float


class Frame(NamedTuple):
    """Where the machine code of `sequence.forward` and `sequence.backward` is."""

    forward: int
    backward: int


class Learned(NamedTuple):
    """
    Parameters and what belongs to them, all in torch's order, the readout's first, and zeros after them up to `count`
    numbers, which are whole vectors: `weights` and `gradient`, with room for the gradient `before` it is clipped; the
    optimizer's moments; `places`, where each parameter of a layer stands in what is packed on its tape. The last
    losses, `recent`; `begun`, the number of training steps so far.
    """

    weights: Any
    gradient: Any
    before: Any
    first: Any
    second: Any
    count: Any
    places: Any
    recent: Any
    begun: Any


class Data(NamedTuple):
    """
    Batches side by side, so many `sequences` in all: `inputs` (T, sequences, D), and as targets either `values`
    (M / B, sequences, O) or `labels` (M / B, sequences), the other being nowhere.
    """

    inputs: Any
    values: Any
    labels: Any
    sequences: Any


class Report(NamedTuple):
    """
    What a snapshot tells, float64: `numbers`, one for each of the names below; `norms` (L, 2 T), of dL/dh_t and then of
    dL/dc_t; of the last layer `states`, as `sequence.forward` leaves them, and `gates`, its gradient's norm by
    block.
    """

    numbers: Any
    norms: Any
    states: Any
    gates: Any


ENDED, LOSS, MEAN_LOSS, HITS, GRAD_NORM, CLIPPED, COSINE, NUMBERS = range(8)

# The rows of a table of layers: a `Layer`, where its tape begins, its first parameter and the first one after it.
BASE, FIRST, AFTER, COLUMNS = range(len(Layer._fields), len(Layer._fields) + 4)


class NetworkPlaces(NamedTuple):
    """
    In the workspace: what is `shown` above layers (T, B, W) and its gradient, of two layers by turns where they are
    wired plainly; answers and their gradient (M, O); the readout's matrix transposed, (W, O).
    """

    shown: int
    dshown: int
    dbelow: int
    answer: int
    danswer: int
    readout: int
    end: int


def aligned(place: int) -> int:
    """The next one that is a multiple of 128 bytes, whatever the precision."""
    return -(-place // 16) * 16


def through_time(plan: Any) -> Any:
    """Whether a gradient comes to hidden states before the last one from elsewhere than from the next time step."""
    return plan.layers > 1 or plan.every_step != 0 or plan.wiring == DENSE


def network_places(plan: Plan, base: int) -> NetworkPlaces:
    """From place `base` of the workspace on; what it does not need has no room."""
    whole, deep = plan.steps * plan.batch * plan.width, plan.layers > 1
    gradients = whole if through_time(plan) else 0
    below = whole if deep and plan.wiring == PLAIN else 0
    answers = plan.answers * plan.outputs
    sizes = (whole if plan.wiring != PLAIN else 0, gradients, below, answers, answers, plan.width * plan.outputs)
    places = [aligned(base)]
    for size in sizes:
        places.append(aligned(places[-1] + size))
    return NetworkPlaces(*places)
