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
from lstm_core.language import _
from lstm_core.measurements import checkpoints
from lstm_core.measurements.ablations import ablations as losses_without_gates
from lstm_core.measurements.ablations import without_forgetting

SHOWN_UNITS, STATE_COLUMNS = 12, 100
LONGEST_MEMORY = 12
# A state that is 0 has changed by as much.
SMALLEST = 1e-100


def _has_optional_gates(curve: Curve) -> bool:
    return adds(curve) and "gates" in curve.experiment.recurrent_cell.row.options


def _can_hold_open(curve: Curve) -> bool:
    cell = curve.experiment.recurrent_cell
    return _has_optional_gates(curve) and "f" in cell.gates and not cell.coupled


def _trained(curve: Curve) -> bool:
    return _has_optional_gates(curve) and bool(curve.snapshots)


STATES = Need(checkpoints.states, single, last)
CELL_STATES = Need(checkpoints.states, adds, last)
HELD_OPEN = Need(without_forgetting, _can_hold_open, last)
TIME_CONSTANTS = Need(checkpoints.time_constants, adds, last)
LOSSES_WITHOUT = Need(losses_without_gates, _trained, last)


@chart(
    "state_growth",
    _("Largest cell state along the sequence"),
    lines(BY_TIME, _("max |c_t|"), zero=True, parts=_("gates")),
    _("Without the forget gate (held at 1) the state climbs; with it, it levels off."),
    _("each step can add 1, nothing is removed."),
    "gers",
    _("Line chart of the largest cell state by time step, as set and with the forget gate held at 1."),
    needs=(CELL_STATES, HELD_OPEN),
    of_one_step=True,
)
def state_growth(curves: Sequence[Curve]) -> pa.Table:
    """max |c_t| of the LSTM by time step, as set and with its forget gate held at 1."""
    names, points = (_("as set"), _("f held at 1")), list[Point]()
    for name, need in zip(names, (CELL_STATES, HELD_OPEN), strict=True):
        for curve, _step, states in need.found(curves):
            points += line(curve.label, range(len(states)), states.abs().amax(1), part=name)
    return of_points([*axis_ends(curves, 0, longest(curves)), *(p for p in points if math.isfinite(p.y))])


@chart(
    "memory_ruler",
    _("Memory ruler"),
    pictures.ruler,
    _("Units right of the dashed line remember longer than the sequence."),
    _("a forget gate f remembers for about 1/(1 - f) steps."),
    "tallec",
    _("Histogram of the time constants of the LSTM's units, with the length of the sequence."),
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
    for curve, _step, constants in TIME_CONSTANTS.found(curves):
        bins = constants.log2().clamp(max=LONGEST_MEMORY - 1).floor().long()
        own = "units", curve.label, slot[curve.label]
        rows += [(2.0**k, 2.0 ** (k + 1), n, *own) for k, n in enumerate(bins.bincount().tolist()) if n]
    return of_rows(rows, ["x", "x2", "y", "kind", "series", "slot"])


@chart(
    "states",
    _("Transform or add: the states"),
    pictures.states,
    _("At a mark the RNN's rows flare and fade; the LSTM's step and stay."),
    _("an RNN recomputes its state, an LSTM adds to it."),
    "hochreiter",
    _("Heat map of the first units' hidden state of the RNN and cell state of the LSTM by time step."),
    needs=(STATES,),
    of_one_step=True,
)
def states(curves: Sequence[Curve]) -> pa.Table:
    """The first units of each racer's state, one `channel` a unit, by time step (x to x2), relative to the largest."""
    rows = []
    for curve, _step, values in STATES.found(curves):
        letter = curve.experiment.recurrent_cell.row.memory
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
    _("Transform or add: the change per step"),
    lines(BY_TIME, "‖s_t - s_(t-1)‖ / ‖s_t‖", zero=True),
    _("The RNN's state changes at every step. The LSTM's changes little, and what it added stays."),
    _("what a step overwrites, later steps cannot read."),
    "hochreiter",
    _("Line chart of the relative change of each racer's state by time step."),
    needs=(STATES,),
    of_one_step=True,
)
def state_change(curves: Sequence[Curve]) -> pa.Table:
    """||s_t - s_(t-1)|| / ||s_t|| of each racer: 1 and more where a state is rewritten, small where it is added to."""
    points: list[Point] = []
    for curve, _step, values in STATES.found(curves):
        change = (values[1:] - values[:-1]).norm(dim=1) / values[1:].norm(dim=1).clamp_min(SMALLEST)
        points += [point for point in line(curve.label, range(1, len(values)), change) if math.isfinite(point.y)]
    return of_points([*axis_ends(curves, 1, longest(curves)), *points])


@chart(
    "ablation",
    _("Forcing a gate open after training"),
    pictures.ablations,
    _("Far right of *as trained*: the network relies on that gate. A network trained without it may do better."),
    _("training adapts the other weights."),
    "greff",
    _("Dots on a log axis: loss of each LSTM as trained and with each learned gate held at 1."),
    needs=(LOSSES_WITHOUT,),
    of_one_step=True,
)
def ablations(curves: Sequence[Curve]) -> pa.Table:
    """Loss of every LSTM on held-out sequences, as trained and with each learned gate at 1; `x`, `series`, `part`."""
    experiment = curves[0].experiment
    constant = experiment.problem.constant_loss(experiment.length)
    slot = slots([curve.label for curve in curves if not curve.ghost])
    rows = [(constant, label, _("constant predictor"), "reference", slot[label]) for label in slot]
    for curve, _step, losses in LOSSES_WITHOUT.found(curves):
        blocks = curve.experiment.recurrent_cell.row.blocks
        for gate, loss in losses.items():
            if math.isfinite(loss):
                part = _("{gate} held at 1").format(gate=blocks[gate]) if gate else _("as trained")
                rows.append((loss, curve.label, part, "racer", slot[curve.label]))
    return of_rows(rows, ["x", "series", "part", "kind", "slot"])
