"""
How does a network train many steps without Python? One call goes from batch to batch: forward, loss, backward, update.

Names and dimensions as in `program`.
"""

from typing import Any

import numpy as np
from numba import njit

from lstm_core.borrowed.compiler import call
from lstm_core.kernels.matrix import Matrix, add_exactly, clear, copy_exactly, norm
from lstm_core.kernels.program import (
    AFTER,
    BASE,
    CLIPPED,
    COMPLETED,
    COSINE,
    DENSE,
    DHIDDEN,
    DIVERGED,
    DSTATE,
    DWEIGHT,
    ENDED,
    FEATURES,
    FIRST,
    GOES_ON,
    GRAD_NORM,
    HITS,
    LOSS,
    MEAN_LOSS,
    PART,
    PLAIN,
    ROWS,
    SIZE,
    SOLVED,
    STATES,
    STRIDE,
    WEIGHT,
    Code,
    Data,
    Learned,
    NetworkPlaces,
    Plan,
    Rates,
    Report,
    through_time,
)
from lstm_core.kernels.readout import cross_entropy, hits, read, read_backward, squared_error
from lstm_core.kernels.spec import LSTM, Shape, Spec
from lstm_core.kernels.updates import clip, dot, update
from lstm_core.kernels.vectors import lanes, load, store


@njit(**PART)
def start(cell: Any, plan: Any, layers: Any, tape: Any) -> None:
    """Zero states before the first time step, which nothing changes from then on."""
    for layer in range(plan.layers):
        at = layers[layer]
        clear(tape, at[ROWS], at[ROWS] + plan.batch * at[STRIDE])
        if cell.family == LSTM:
            clear(tape, at[STATES], at[STATES] + plan.batch * at[SIZE])


@njit(**PART)
def pack(plan: Any, layers: Any, learned: Any, tape: Any) -> None:
    """The weights and peepholes of each layer on its tape, where two biases are one."""
    for layer in range(plan.layers):
        at = layers[layer]
        clear(tape, at[WEIGHT], at[ROWS])
        for k in range(at[FIRST], at[AFTER]):
            tape[at[WEIGHT] + learned.places[k]] += learned.weights[k]


@njit(**PART)
def show(plan: Any, layer: int, at: Any, tape: Any, work: Any, shown: int) -> None:
    """The hidden states of a layer among what is shown above it: beside those below, or added to them."""
    hidden, rows = Matrix(tape, at[ROWS] + plan.batch * at[STRIDE], at[STRIDE]), plan.steps * plan.batch
    if plan.wiring == DENSE:
        beside = Matrix(work, shown + plan.features + layer * plan.units, plan.width)
        copy_exactly(hidden, beside, rows, plan.units)
    elif layer == 0:
        copy_exactly(hidden, Matrix(work, shown, plan.width), rows, plan.units)
    else:
        add_exactly(hidden, Matrix(work, shown, plan.width), rows, plan.units)


@njit(**PART)
def show_inputs(plan: Any, data: Any, x_at: int, work: Any, shown: int) -> None:
    """The network's own inputs, before the hidden states."""
    for t in range(plan.steps):
        x = Matrix(data.inputs, x_at + t * data.sequences * plan.features, plan.features)
        copy_exactly(x, Matrix(work, shown + t * plan.batch * plan.width, plan.width), plan.batch, plan.features)


@njit(**PART)
def forward(
    code: Any,
    cell: Any,
    plan: Any,
    layers: Any,
    data: Any,
    x_at: int,
    tape: Any,
    work: Any,
    places: Any,
    report: Any,
    tells: bool,
) -> None:
    """All layers, each from what is shown below it; of the last one its states are told."""
    if plan.wiring == DENSE:
        show_inputs(plan, data, x_at, work, places.shown)
    x, at_x, step, row = data.inputs, x_at, data.sequences * plan.features, plan.features
    for layer in range(plan.layers):
        at = layers[layer]
        shape = Shape(plan.steps, plan.batch, at[FEATURES], plan.units)
        seen = report.states if tells and layer == plan.layers - 1 else report.states[:0]
        call(code.forward, cell, shape, tape, at[BASE], x, at_x, step, row, seen)
        if plan.wiring == PLAIN:
            x, at_x, step, row = tape, at[ROWS] + plan.batch * at[STRIDE], plan.batch * at[STRIDE], at[STRIDE]
        else:
            show(plan, layer, at, tape, work, places.shown)
            x, at_x, step, row = work, places.shown, plan.batch * plan.width, plan.width


@njit(**PART)
def backward(
    code: Any,
    cell: Any,
    plan: Any,
    layers: Any,
    learned: Any,
    tape: Any,
    work: Any,
    places: Any,
    report: Any,
    tells: bool,
) -> None:
    """
    All layers, the last one first, from the gradient of what is shown above them, or, where that is one layer's last
    hidden state alone, from there; the gradients of their parameters.
    """
    step, row, dshown, dbelow = plan.batch * plan.width, plan.width, places.dshown, places.dbelow
    for layer in range(plan.layers - 1, -1, -1):
        at = layers[layer]
        shape, from_above, below = Shape(plan.steps, plan.batch, at[FEATURES], plan.units), -1, -1
        if through_time(plan):
            from_above = dshown + (plan.features + layer * plan.units if plan.wiring == DENSE else 0)
            clear(work, at[DHIDDEN], at[DSTATE])
            if layer:
                below = dshown
        if layer and plan.wiring == PLAIN:
            clear(work, dbelow, dbelow + plan.steps * step)
            below = dbelow
        clear(work, at[DSTATE], at[DSTATE] + plan.batch * at[SIZE])
        norms = report.norms[layer] if tells else report.norms[layer][:0]
        call(
            code.backward,
            cell,
            shape,
            tape,
            at[BASE],
            work,
            0,
            work,
            from_above,
            step,
            row,
            work,
            below,
            step,
            row,
            norms,
        )
        for k in range(at[FIRST], at[AFTER]):
            learned.gradient[k] = work[at[DWEIGHT] + learned.places[k]]
        if plan.wiring == PLAIN:
            dshown, dbelow = dbelow, dshown


@njit(**PART)
def learn(
    code: Any,
    cell: Any,
    plan: Any,
    layers: Any,
    learned: Any,
    data: Any,
    begin: int,
    tape: Any,
    work: Any,
    places: Any,
    report: Any,
    tells: bool,
) -> float:
    """The loss of one batch and the gradient of all parameters; what the layers have to tell goes into the report."""
    forward(code, cell, plan, layers, data, begin * plan.features, tape, work, places, report, tells)
    last, skipped = layers[plan.layers - 1], plan.steps * plan.batch - plan.answers
    if plan.wiring == PLAIN:
        source, stride, first = tape, last[STRIDE], last[ROWS] + (plan.batch + skipped) * last[STRIDE]
    else:
        source, stride, first = work, plan.width, places.shown + skipped * plan.width
    read(plan, learned, source, first, stride, work, places)
    if plan.classes:
        loss = cross_entropy(plan, data, begin, work, places)
    else:
        loss = squared_error(plan, data, begin, work, places)
    if through_time(plan):
        clear(work, places.dshown, places.dshown + skipped * plan.width)
        to, apart = places.dshown + skipped * plan.width, plan.width
    else:
        to, apart = last[DHIDDEN], plan.units * cell.window
        clear(work, to, last[DSTATE])
    read_backward(plan, learned, source, first, stride, work, places, to, apart)
    backward(code, cell, plan, layers, learned, tape, work, places, report, tells)
    # As a number of the network's precision: what overflows there has diverged.
    return float(np.float64(tape.dtype.type(loss)))


@njit(**PART)
def mean_of_recent(learned: Any) -> float:
    """Of the last losses, as many as there are places for them, oldest first."""
    recent, begun = learned.recent, learned.begun[0]
    count, total = min(begun, recent.size), 0.0
    for step in range(begun - count, begun):
        total += recent[step % recent.size]
    return total / count


@njit(**PART)
def ending(plan: Any, rates: Any, learned: Any, loss: float, grad_norm: float) -> int:
    if not np.isfinite(loss) or not np.isfinite(grad_norm):
        return DIVERGED
    if learned.begun[0] >= learned.recent.size and mean_of_recent(learned) < rates.solved_below:
        return SOLVED
    return COMPLETED if learned.begun[0] == plan.limit else GOES_ON


@njit(**PART)
def describe(
    plan: Any, rates: Any, learned: Any, data: Any, begin: int, blocks: Any, work: Any, at: Any, report: Any
) -> None:
    """The gradient before and after it is clipped, which is done here, and the answers."""
    gradient, before, numbers = learned.gradient, learned.before, report.numbers
    for k in range(blocks.shape[0]):
        part = norm(Matrix(gradient, blocks[k, 0], 0), 1, blocks[k, 1] - blocks[k, 0])
        report.gates[blocks[k, 2]] = np.hypot(report.gates[blocks[k, 2]], part)
    for k in range(0, gradient.size, lanes(gradient)):
        store(load(gradient, k), before, k)
    clip(plan, rates, gradient, numbers[GRAD_NORM])
    numbers[CLIPPED] = np.sqrt(dot(gradient, gradient))
    lengths = numbers[GRAD_NORM] * numbers[CLIPPED]
    numbers[COSINE] = dot(before, gradient) / (lengths if lengths else np.nan)
    numbers[HITS] = hits(plan, data, begin, work, at) if plan.classes else 0


def turn(
    fixed: Any,
    layers: Any,
    blocks: Any,
    of_learned: Any,
    of_data: Any,
    batch: int,
    count: int,
    record: int,
    tape: Any,
    work: Any,
    of_report: Any,
) -> None:
    """
    Train on `count` batches from number `batch` on, or until the training ends. The report, zeros before, tells of the
    last one of them if one is to `record`, and of one that ends the training in any case. The update of a training step
    is made when the next one begins, so that the weights are those which a snapshot tells of.

    `fixed` are `Code`, `Spec`, `Plan`, `NetworkPlaces` and `Rates`, `of_learned` and its like a `Learned`, `Data` and
    `Report`, all as plain tuples: to find the type of a named one takes numba a microsecond a number at every call.
    `layers` is the table of `layer_table`, with the first parameter of each layer and the first one after it; `blocks`
    (n, 3) are runs of parameters of the last layer, from and to, that belong to one of its blocks of rows.
    """
    code, cell, plan = Code(*fixed[0]), Spec(*fixed[1]), Plan(*fixed[2])
    places, rates = NetworkPlaces(*fixed[3]), Rates(*fixed[4])
    learned, data, report = Learned(*of_learned), Data(*of_data), Report(*of_report)
    start(cell, plan, layers, tape)
    for k in range(batch, batch + count):
        if learned.begun[0]:
            update(plan, rates, learned)
        pack(plan, layers, learned, tape)
        begin, tells, ended = k * plan.batch, record != 0 and k == batch + count - 1, GOES_ON
        while True:
            loss = learn(code, cell, plan, layers, learned, data, begin, tape, work, places, report, tells)
            if ended:
                break
            grad_norm = np.sqrt(dot(learned.gradient, learned.gradient))
            learned.recent[learned.begun[0] % learned.recent.size] = loss
            learned.begun[0] += 1
            ended = ending(plan, rates, learned, loss, grad_norm)
            if tells or not ended:
                break
            # Nobody knew that this would be the last one: the same again, with all that there is to tell.
            tells = True
        report.numbers[ENDED], report.numbers[LOSS] = ended, loss
        report.numbers[MEAN_LOSS], report.numbers[GRAD_NORM] = mean_of_recent(learned), grad_norm
        if tells:
            describe(plan, rates, learned, data, begin, blocks, work, places, report)
        else:
            clip(plan, rates, learned.gradient, grad_norm)
        if ended:
            return
