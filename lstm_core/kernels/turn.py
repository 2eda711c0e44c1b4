"""
How does a network train many steps without Python? One call goes from batch to batch: forward, loss, backward, update.

Names and dimensions as in `program`.
"""

from typing import Any

import numpy as np

from lstm_core.borrowed.compiler import call
from lstm_core.kernels.elementwise import inner
from lstm_core.kernels.matrix import Matrix, add_exactly, clear, copy_exactly, norm_of
from lstm_core.kernels.pointers import address, fields, moved, real
from lstm_core.kernels.program import (
    AFTER,
    BASE,
    CLIPPED,
    COLUMNS,
    COMPLETED,
    COSINE,
    DENSE,
    DIVERGED,
    ENDED,
    FIRST,
    GOES_ON,
    GRAD_NORM,
    HITS,
    LOSS,
    MEAN_LOSS,
    PLAIN,
    SOLVED,
    Data,
    Frame,
    Learned,
    NetworkPlaces,
    Plan,
    Rates,
    Report,
    through_time,
)
from lstm_core.kernels.readout import cross_entropy, hits, read, read_backward, squared_error
from lstm_core.kernels.spec import Layer
from lstm_core.kernels.updates import clip, dot, update
from lstm_core.kernels.vectors import lanes, load, store

inner(through_time)


@inner
def layer_at(layers: Any, tape: Any, layer: int) -> Any:
    """Its row in the table, its places, and its part of the tape."""
    row = moved(layers, layer * COLUMNS)
    return row, fields(Layer, row), moved(tape, row[BASE])


@inner
def start(plan: Any, layers: Any, whole_tape: Any) -> None:
    """The states before the first time step, zeros but for those from below, which nothing changes from then on."""
    for layer in range(plan.layers):
        _, at, tape = layer_at(layers, whole_tape, layer)
        clear(tape, at.rows, at.rows + plan.batch * at.stride)
        clear(tape, at.states, at.states + plan.batch * at.cells)
        if at.below:
            for k in range(plan.batch * at.cells):
                if (at.below >> (k % at.cells // at.size)) & 1:
                    tape[at.states + k] = -np.inf


@inner
def pack(plan: Any, layers: Any, learned: Any, whole_tape: Any) -> None:
    """The weights and other parameters of each layer on its tape, where two biases are one."""
    for layer in range(plan.layers):
        row, at, tape = layer_at(layers, whole_tape, layer)
        clear(tape, at.weight, at.rows)
        for k in range(row[FIRST], row[AFTER]):
            tape[learned.places[k]] += learned.weights[k]


@inner
def show(plan: Any, layer: int, hidden: Matrix, work: Any, shown: int) -> None:
    """The hidden states of a layer among what is shown above it: beside those below, or added to them."""
    rows = plan.steps * plan.batch
    if plan.wiring == DENSE:
        beside = Matrix(work, shown + plan.features + layer * plan.units, plan.width)
        copy_exactly(hidden, beside, rows, plan.units)
    elif layer == 0:
        copy_exactly(hidden, Matrix(work, shown, plan.width), rows, plan.units)
    else:
        add_exactly(hidden, Matrix(work, shown, plan.width), rows, plan.units)


@inner
def show_inputs(plan: Any, data: Any, x_at: int, work: Any, shown: int) -> None:
    """The network's own inputs, before the hidden states."""
    for t in range(plan.steps):
        x = Matrix(data.inputs, x_at + t * data.sequences * plan.features, plan.features)
        copy_exactly(x, Matrix(work, shown + t * plan.batch * plan.width, plan.width), plan.batch, plan.features)


@inner
def forward(
    code: Any,
    spec: Any,
    plan: Any,
    layers: Any,
    data: Any,
    begin: int,
    whole_tape: Any,
    work: Any,
    places: Any,
    report: Any,
    tells: bool,
) -> None:
    """All layers, each from what is shown below it; of the last one its states are told."""
    if plan.wiring == DENSE:
        show_inputs(plan, data, begin * plan.features, work, places.shown)
    x, step, row = moved(data.inputs, begin * plan.features), data.sequences * plan.features, plan.features
    for layer in range(plan.layers):
        table, at, tape = layer_at(layers, whole_tape, layer)
        look = tells and layer == plan.layers - 1
        call(code.forward, spec, table, tape, x, step, row, report.states, look)
        hidden = at.rows + plan.batch * at.stride
        if plan.wiring == PLAIN:
            x, step, row = moved(tape, hidden), plan.batch * at.stride, at.stride
        else:
            show(plan, layer, Matrix(tape, hidden, at.stride), work, places.shown)
            x, step, row = moved(work, places.shown), plan.batch * plan.width, plan.width


@inner
def backward(
    code: Any,
    spec: Any,
    plan: Any,
    layers: Any,
    learned: Any,
    whole_tape: Any,
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
        table, at, tape = layer_at(layers, whole_tape, layer)
        from_above, below = 0, 0
        if through_time(plan):
            from_above = address(work, dshown + (plan.features + layer * plan.units if plan.wiring == DENSE else 0))
            clear(work, at.dhidden, at.dstate)
            if layer:
                below = address(work, dshown)
        if layer and plan.wiring == PLAIN:
            clear(work, dbelow, dbelow + plan.steps * step)
            below = address(work, dbelow)
        clear(work, at.dstate, at.dstate + plan.batch * at.cells)
        norms = moved(report.norms, layer * 2 * plan.steps)
        call(code.backward, spec, table, tape, work, from_above, step, row, below, step, row, norms, tells)
        for k in range(table[FIRST], table[AFTER]):
            learned.gradient[k] = work[at.dweight + learned.places[k]]
        if plan.wiring == PLAIN:
            dshown, dbelow = dbelow, dshown


@inner
def learn(
    code: Any,
    spec: Any,
    plan: Any,
    layers: Any,
    learned: Any,
    data: Any,
    begin: int,
    whole_tape: Any,
    work: Any,
    places: Any,
    report: Any,
    tells: bool,
) -> float:
    """The loss of one batch and the gradient of all parameters; what the layers have to tell goes into the report."""
    forward(code, spec, plan, layers, data, begin, whole_tape, work, places, report, tells)
    _, last, tape = layer_at(layers, whole_tape, plan.layers - 1)
    skipped = plan.steps * plan.batch - plan.answers
    if plan.wiring == PLAIN:
        shown = Matrix(tape, last.rows + (plan.batch + skipped) * last.stride, last.stride)
    else:
        shown = Matrix(work, places.shown + skipped * plan.width, plan.width)
    read(plan, learned, shown, work, places)
    if plan.classes:
        loss = cross_entropy(plan, data, begin, work, places)
    else:
        loss = squared_error(plan, data, begin, work, places)
    if through_time(plan):
        clear(work, places.dshown, places.dshown + skipped * plan.width)
        dshown = Matrix(work, places.dshown + skipped * plan.width, plan.width)
    else:
        clear(work, last.dhidden, last.dstate)
        dshown = Matrix(work, last.dhidden, last.seen)
    read_backward(plan, learned, shown, work, places, dshown)
    backward(code, spec, plan, layers, learned, whole_tape, work, places, report, tells)
    # As a number of the network's precision: what overflows there has diverged.
    return float(real(whole_tape, loss))


@inner
def mean_of_recent(plan: Any, learned: Any) -> float:
    """Of the last losses, as many as there are places for them, oldest first."""
    begun = learned.begun[0]
    count, total = begun if begun < plan.recent else plan.recent, 0.0
    for step in range(begun - count, begun):
        total += learned.recent[step % plan.recent]
    return total / count


@inner
def ending(plan: Any, rates: Any, learned: Any, loss: float, grad_norm: float) -> int:
    if not np.isfinite(loss) or not np.isfinite(grad_norm):
        return DIVERGED
    if learned.begun[0] >= plan.recent and mean_of_recent(plan, learned) < rates.solved_below:
        return SOLVED
    return COMPLETED if learned.begun[0] == plan.limit else GOES_ON


@inner
def describe(
    plan: Any,
    rates: Any,
    learned: Any,
    data: Any,
    begin: int,
    blocks: Any,
    block_count: int,
    work: Any,
    at: Any,
    report: Any,
) -> None:
    """The gradient before and after it is clipped, which is done here, and the answers."""
    gradient, before, count, numbers = learned.gradient, learned.before, learned.count, report.numbers
    for k in range(block_count):
        start, end, block = blocks[3 * k], blocks[3 * k + 1], blocks[3 * k + 2]
        part = norm_of(Matrix(gradient, start, 0), 1, end - start)
        report.gates[block] = np.hypot(report.gates[block], part)
    for k in range(0, count, lanes(gradient)):
        store(load(gradient, k), before, k)
    clip(plan, rates, gradient, count, numbers[GRAD_NORM])
    numbers[CLIPPED] = np.sqrt(dot(gradient, gradient, count))
    lengths = numbers[GRAD_NORM] * numbers[CLIPPED]
    numbers[COSINE] = dot(before, gradient, count) / (lengths if lengths else np.nan)
    numbers[HITS] = hits(plan, data, begin, work, at) if plan.classes else 0


def turn(
    code: Any,
    spec: Any,
    plan_: Any,
    places_: Any,
    rates_: Any,
    layers: Any,
    blocks: Any,
    block_count: int,
    weights: Any,
    gradient: Any,
    before: Any,
    first: Any,
    second: Any,
    parameters: int,
    of_parameters: Any,
    recent: Any,
    begun: Any,
    inputs: Any,
    values: Any,
    labels: Any,
    sequences: int,
    batch: int,
    count: int,
    record: bool,
    tape: Any,
    work: Any,
    numbers: Any,
    norms: Any,
    states: Any,
    gates: Any,
) -> None:
    """
    Train on `count` batches from number `batch` on, or until the training ends. The report, zeros before, tells of the
    last one of them if one is to `record`, and of one that ends the training in any case. The update of a training step
    is made when the next one begins, so that the weights are those which a snapshot tells of.

    The first arguments point to the numbers of `Frame`, `Spec`, `Plan`, `NetworkPlaces` and `Rates`, the others are the
    fields of `Learned`, `Data` and `Report`. `layers` is a table that has for each layer its `Layer` and the columns
    after it; `blocks` (n, 3) are runs of parameters of the last layer, from and to, that belong to one of its blocks of
    rows.
    """
    addresses, plan, places, rates = (
        fields(Frame, code),
        fields(Plan, plan_),
        fields(NetworkPlaces, places_),
        fields(Rates, rates_),
    )
    learned = Learned(weights, gradient, before, first, second, parameters, of_parameters, recent, begun)
    data, report = Data(inputs, values, labels, sequences), Report(numbers, norms, states, gates)
    start(plan, layers, tape)
    for k in range(batch, batch + count):
        if begun[0]:
            update(plan, rates, learned)
        pack(plan, layers, learned, tape)
        begin, tells, ended = k * plan.batch, record and k == batch + count - 1, GOES_ON
        while True:
            loss = learn(addresses, spec, plan, layers, learned, data, begin, tape, work, places, report, tells)
            if ended:
                break
            grad_norm = np.sqrt(dot(gradient, gradient, parameters))
            recent[begun[0] % plan.recent] = loss
            begun[0] += 1
            ended = ending(plan, rates, learned, loss, grad_norm)
            if tells or not ended:
                break
            # Nobody knew that this would be the last one: the same again, with all that there is to tell.
            tells = True
        numbers[ENDED], numbers[LOSS] = ended, loss
        numbers[MEAN_LOSS], numbers[GRAD_NORM] = mean_of_recent(plan, learned), grad_norm
        if tells:
            describe(plan, rates, learned, data, begin, blocks, block_count, work, places, report)
        else:
            clip(plan, rates, gradient, parameters, grad_norm)
        if ended:
            return
