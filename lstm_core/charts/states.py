"""What do the charts of states and gates draw? What was measured of each curve's weights, as tables of `points`."""

import math
from collections.abc import Sequence

import pyarrow as pa

from lstm_core.borrowed.arrow import of_rows
from lstm_core.charts import pictures
from lstm_core.charts.chart import BY_TIME, chart
from lstm_core.charts.colours import slots
from lstm_core.charts.marks import lines
from lstm_core.charts.needs import Need, adds, last, single
from lstm_core.charts.points import Curve, Point, axis_ends, line, longest, of_points
from lstm_core.measurements import checkpoints

SHOWN_UNITS, STATE_COLUMNS = 12, 100
LONGEST_MEMORY = 12
# A state that is 0 has changed by as much.
SMALLEST = 1e-100


def _can_hold_open(curve: Curve) -> bool:
    cell = curve.experiment.recurrent_cell
    return adds(curve) and "f" in cell.gates and not cell.coupled


def _trained(curve: Curve) -> bool:
    return adds(curve) and bool(curve.snapshots)


STATES = Need(checkpoints.states, single, last)
CELL_STATES = Need(checkpoints.states, adds, last)
HELD_OPEN = Need(checkpoints.without_forgetting, _can_hold_open, last)
TIME_CONSTANTS = Need(checkpoints.time_constants, adds, last)
LOSSES_WITHOUT = Need(checkpoints.ablations, _trained, last)


@chart(
    "state_growth",
    "The largest |c_t|",
    lines(BY_TIME, "max |c_t|", zero=True, parts="gates"),
    "With the forget gate held at 1 the state climbs along the sequence; with the gate it levels off.",
    "up to 1 is added at every step; the highway at full width has no way of forgetting.",
    "gers",
    "Line chart of the largest cell state by time step, as set and with the forget gate held at 1.",
    needs=(CELL_STATES, HELD_OPEN),
    of_one_step=True,
)
def state_growth(curves: Sequence[Curve]) -> pa.Table:
    """max |c_t| of the LSTM by time step, as set and with its forget gate held at 1."""
    names, points = ("as set", "f held at 1"), list[Point]()
    for name, need in zip(names, (CELL_STATES, HELD_OPEN), strict=True):
        for curve, _, states in need.found(curves):
            points += line(curve.label, range(len(states)), states.abs().amax(1), part=name)
    return of_points([*axis_ends(curves, 0, longest(curves)), *(p for p in points if math.isfinite(p.y))])


@chart(
    "memory_ruler",
    "Memory ruler",
    pictures.ruler,
    "Units right of the dashed line keep longer than the sequence; the last bin holds all that keep for ever.",
    "a forget gate at f keeps 1/e of the state for about 1/(1 - f) steps; chrono spreads the units over all.",
    "tallec",
    "Histogram of the time constants of the LSTM's units, with the length of the sequence.",
    needs=(TIME_CONSTANTS,),
    of_one_step=True,
)
def memory_ruler(curves: Sequence[Curve]) -> pa.Table:
    """
    How many units of the LSTM forget within `x` to `x2` steps, powers of 2, longer ones in the last bin; the sequence's
    length as `kind` "length".
    """
    last = 2.0**LONGEST_MEMORY
    rows: list[tuple[float, float, float, str, str, int]]
    rows = [(1, last, 0, "frame", "", -1), (longest(curves), last, 0, "length", "", -1)]
    slot = slots([curve.label for curve in curves if not curve.ghost])
    for curve, _, constants in TIME_CONSTANTS.found(curves):
        bins = constants.log2().clamp(max=LONGEST_MEMORY - 1).floor().long()
        own = "units", curve.label, slot[curve.label]
        rows += [(2.0**k, 2.0 ** (k + 1), n, *own) for k, n in enumerate(bins.bincount().tolist()) if n]
    return of_rows(rows, ["x", "x2", "y", "kind", "series", "slot"])


@chart(
    "states",
    "Transform or add: the states",
    pictures.states,
    "Where a mark comes, the RNN's rows flare up and fall back; the cell's rows take a step and keep it.",
    "an RNN computes its state anew from W_h h, an LSTM adds to the state that is there.",
    "hochreiter",
    "Heat map of the first units' hidden state of the RNN and cell state of the LSTM by time step.",
    needs=(STATES,),
    of_one_step=True,
)
def states(curves: Sequence[Curve]) -> pa.Table:
    """The first units of each racer's state, one `channel` a unit, by time step (x to x2), relative to the largest."""
    rows = []
    for curve, _, values in STATES.found(curves):
        letter = curve.experiment.recurrent_cell.row.states[-1]
        largest = float(values.abs().max()) or 1.0
        stride = math.ceil((len(values) - 1) / STATE_COLUMNS)
        for unit in range(min(SHOWN_UNITS, values.shape[1])):
            for t in range(1, len(values), stride):
                value = float(values[t, unit])
                rows.append((t - 1, t - 1 + stride, f"{curve.label} {letter}{unit + 1}", value / largest, value))
    rows = rows or [(0, longest(curves), curve.label, 0.0, 0.0) for curve in curves if not curve.ghost]
    return of_rows(rows, ["x", "x2", "channel", "value", "state"])


@chart(
    "state_change",
    "Transform or add: the change per step",
    lines(BY_TIME, "‖s_t - s_(t-1)‖ / ‖s_t‖", zero=True),
    "The RNN moves at every step, and back again after a mark; the LSTM moves little, and what it added stays.",
    "what a step changes is what the next steps can no longer read.",
    "hochreiter",
    "Line chart of the relative change of each racer's state by time step.",
    needs=(STATES,),
    of_one_step=True,
)
def state_change(curves: Sequence[Curve]) -> pa.Table:
    """||s_t - s_(t-1)|| / ||s_t|| of each racer: 1 and more where a state is rewritten, small where it is added to."""
    points: list[Point] = []
    for curve, _, values in STATES.found(curves):
        change = (values[1:] - values[:-1]).norm(dim=1) / values[1:].norm(dim=1).clamp_min(SMALLEST)
        points += [point for point in line(curve.label, range(1, len(values)), change) if math.isfinite(point.y)]
    return of_points([*axis_ends(curves, 1, longest(curves)), *points])


@chart(
    "ablation",
    "Lesion or retrain",
    pictures.ablations,
    "The farther right of *as trained*, the more the cell leans on that gate; compare a racer that never had it.",
    "the other weights were trained beside it, and a racer that never had it found a way of its own, or did not.",
    "greff",
    "Dots on a log axis: loss of each LSTM as trained and with each learned gate held at 1.",
    needs=(LOSSES_WITHOUT,),
    of_one_step=True,
)
def ablations(curves: Sequence[Curve]) -> pa.Table:
    """Loss of every LSTM on held-out sequences, as trained and with each learned gate at 1; `x`, `series`, `part`."""
    experiment = curves[0].experiment
    constant = experiment.problem.constant_loss(experiment.length)
    slot = slots([curve.label for curve in curves if not curve.ghost])
    rows = [(constant, label, "constant predictor", "reference", slot[label]) for label in slot]
    for curve, _, losses in LOSSES_WITHOUT.found(curves):
        blocks = curve.experiment.recurrent_cell.row.blocks
        for gate, loss in losses.items():
            if math.isfinite(loss):
                part = f"{blocks[gate]} held at 1" if gate else "as trained"
                rows.append((loss, curve.label, part, "racer", slot[curve.label]))
    return of_rows(rows, ["x", "series", "part", "kind", "slot"])
