"""How much may one visitor ask for? What a race takes of time and memory, and what to lower where that is too much."""

from collections.abc import Iterable

from lstm_core.experiment import Experiment
from lstm_core.kernels.layout import layer_of
from lstm_core.kernels.spec import Shape
from lstm_core.language import _
from lstm_core.wiring import WIRINGS

# About a minute of one core, and what two cores can have at a time beside forty visitors' pages.
MOST_MULTIPLICATIONS = 4e12
MOST_TAPE = 24e6


def features(experiment: Experiment) -> int:
    """D, the inputs of each time step."""
    return len(experiment.problem.inputs)


def _rows(experiment: Experiment) -> int:
    """Blocks of H rows that are multiplied with [h; x; 1]; one whose halves are kept apart counts twice."""
    return len(experiment.recurrent_cell.rows) + len(experiment.recurrent_cell.row.apart)


def _inputs(experiment: Experiment) -> list[int]:
    """D of each layer."""
    return list(WIRINGS[experiment.wiring].widths(features(experiment), experiment.hidden, experiment.layers)[:-1])


def multiplications(experiment: Experiment) -> float:
    """Of the whole training, in matrix products: one forward and two backward at every time step."""
    # [h; x; 1], h being the last few hidden states that the cell sees, if any.
    seen = experiment.recurrent_cell.seen(experiment.hidden)
    columns = sum(seen + width + 1 for width in _inputs(experiment))
    step = 3 * _rows(experiment) * experiment.hidden * columns
    return float(step * experiment.batch * experiment.time_steps * experiment.steps)


def tape_bytes(experiment: Experiment) -> int:
    """What a forward pass keeps for the backward pass, by `kernels.layout`, in all layers."""
    each, (steps, batch, units) = (
        experiment.dtype.itemsize,
        (experiment.time_steps, experiment.batch, experiment.hidden),
    )
    shapes = (Shape(steps, batch, width, units) for width in _inputs(experiment))
    return sum(layer_of(experiment.recurrent_cell, shape, each).tape_end for shape in shapes) * each


def too_much(experiments: Iterable[Experiment]) -> str | None:
    """Why a race of these would take too much, and what to lower; None if it does not."""
    racers = list(experiments)
    deep = any(racer.layers > 1 for racer in racers)
    tape = max(map(tape_bytes, racers)) / MOST_TAPE
    if tape > 1:
        if deep:
            said = _(
                "One training step of this race needs {times:.1f} times the memory available here. "
                "Lower the length, the layers, the batch size or the hidden size."
            )
        else:
            said = _(
                "One training step of this race needs {times:.1f} times the memory available here. "
                "Lower the length, the batch size or the hidden size."
            )
        return said.format(times=tape)
    work = sum(map(multiplications, racers)) / MOST_MULTIPLICATIONS
    if work > 1:
        if deep:
            said = _(
                "This race would take {times:.1f} times the computing time available here. "
                "Lower the training steps, the layers, the hidden size, the batch size or the length, or race fewer."
            )
        else:
            said = _(
                "This race would take {times:.1f} times the computing time available here. "
                "Lower the training steps, the hidden size, the batch size or the length, or race fewer."
            )
        return said.format(times=work)
    return None
