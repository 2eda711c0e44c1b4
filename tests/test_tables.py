"""Do tables and charts show what the snapshots say, with nothing dropped?"""

import dataclasses
import json
import math
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from lstm_core import TASKS, Experiment, Snapshot, train
from lstm_core.charts import tables
from lstm_core.charts.catalogue import CHARTS
from lstm_core.charts.marks import FUNCTIONS, SLOPES, Picture, band_lines, evidence, heat, sample, spec
from lstm_core.charts.needs import measured
from lstm_core.charts.points import Curve, Point, looked_at, on_log_axis, smallest_normal

EXPERIMENT = Experiment(length=12, hidden=4, batch=4, steps=30)
SNAPSHOTS = list(train(EXPERIMENT))
CURVE = Curve("it", EXPERIMENT, SNAPSHOTS)


def changed(**changes: Any) -> Curve:
    """The curve with its last snapshot changed."""
    return Curve("it", EXPERIMENT, [*SNAPSHOTS[:-1], dataclasses.replace(SNAPSHOTS[-1], **changes)])


def racers(table: pa.Table, kind: str = "racer") -> pd.DataFrame:
    shown = table.to_pandas()
    return shown[shown.kind == kind]


def of_parts(snapshot: Snapshot, name: str) -> list[float]:
    return list(getattr(snapshot, name).values())


@pytest.mark.parametrize("name", CHARTS)
@pytest.mark.parametrize("network", [{}, {"cell": "rnn", "window": 3}, {"layers": 2}], ids=str)
def test_a_chart_has_the_same_columns_before_the_first_snapshot(network: dict[str, Any], name: str) -> None:
    experiment = dataclasses.replace(EXPERIMENT, steps=3, **network)
    one = Curve("it", experiment, list(train(experiment)))
    curves = [one, dataclasses.replace(one, label="other")]
    empty = [dataclasses.replace(curve, snapshots=[]) for curve in curves]
    assert CHARTS[name].table(empty).column_names == CHARTS[name].table(curves).column_names


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_is_a_constant_specification(name: str) -> None:
    """Its data are sent apart, so that growing curves never change it."""
    text = json.dumps(spec(CHARTS[name].picture))
    assert "datasets" not in text
    assert '"data"' not in text


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_stands_in_a_notebook_with_its_data(name: str) -> None:
    other = Curve("other", EXPERIMENT, SNAPSHOTS)
    drawn = CHARTS[name].of([CURVE, other]).to_dict()
    rows = [row for values in drawn["datasets"].values() for row in values]
    table = CHARTS[name].table(measured([CURVE, other], CHARTS[name].needs)).to_pandas()
    pd.testing.assert_frame_equal(pd.DataFrame(rows).astype(dict(table.dtypes)), table)


@pytest.mark.parametrize("name", CHARTS)
def test_a_ghost_is_drawn_as_if_it_had_kept_everything(name: str) -> None:
    experiment = dataclasses.replace(EXPERIMENT, steps=5, layers=1 if CHARTS[name].needs else 2)
    racer = Curve("it", experiment, list(train(experiment, weights_every=1)))
    ghost = dataclasses.replace(racer, label="before", ghost=True)
    now, whole, bare = measured([racer, ghost, ghost.drawn], CHARTS[name].needs)
    assert repr(CHARTS[name].table([now, bare]).to_pylist()) == repr(CHARTS[name].table([now, whole]).to_pylist())
    assert all(snapshot.weights is None for snapshot in ghost.drawn.snapshots)


@pytest.mark.parametrize(
    ("table", "values"),
    [
        (tables.loss_by_step, [s.mean_loss for s in SNAPSHOTS]),
        (tables.grad_norm_by_step, [s.grad_norm for s in SNAPSHOTS]),
        (tables.largest_state_by_step, [s.max_cell for s in SNAPSHOTS]),
        (tables.mean_gate_activation_by_step, [v for s in SNAPSHOTS for v in of_parts(s, "openness")]),
        (tables.block_grad_norms_by_step, [v for s in SNAPSHOTS for v in of_parts(s, "gate_grad_norms")]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_table_by_step_holds_the_snapshots_values(table: Any, values: list[float]) -> None:
    shown = racers(table([CURVE]))
    inside = shown[shown.off == ""]
    assert len(shown) == len(values)
    assert inside.y.tolist() == [value for value, off in zip(values, shown.off, strict=True) if not off]


def test_gradient_through_time_shows_both_states_of_the_last_snapshot() -> None:
    shown = racers(tables.gradient_through_time([CURVE]))
    assert shown.x.tolist() == [*range(12), *range(12)]
    norms = (SNAPSHOTS[-1].hidden_grad_norms, SNAPSHOTS[-1].cell_grad_norms or ())
    assert shown.y.tolist() == [norm / of[-1] for of in norms for norm in reversed(of)]
    assert shown.part.tolist() == ["hidden state"] * 12 + ["cell state"] * 12


def test_underflow_and_overflow_are_marked_not_dropped() -> None:
    values = [0.0, 1e-300, 1e-3, 10.0, math.inf, math.nan]
    placed = on_log_axis([Point(x, y, "it") for x, y in enumerate(values)], smallest=1e-38)
    assert [point.off for point in placed] == ["underflow", "underflow", "", "", "overflow", "overflow"]
    assert [point.y for point in placed] == [1e-38, 1e-38, 1e-3, 10.0, 100.0, 100.0]


def test_a_gradient_of_nothing_but_zeros_still_has_its_points() -> None:
    shown = racers(tables.gradient_through_time([changed(hidden_grad_norms=(0.0,) * 12, cell_grad_norms=None)]))
    assert shown.off.tolist() == ["underflow"] * 12
    assert shown.note.tolist() == ["underflow"] + [""] * 11


def test_the_loss_chart_has_the_constant_predictor_and_the_plateaus() -> None:
    shown = tables.loss_by_step([CURVE, dataclasses.replace(CURVE, label="other")]).to_pandas()
    lines = shown[shown.kind == "reference"][["x", "y", "part"]]
    assert lines.to_numpy().tolist() == [
        [0, 1 / 6, "constant predictor"],
        [30, 1 / 6, "constant predictor"],
        [0, 1 / 12, "one of two remembered"],
        [30, 1 / 12, "one of two remembered"],
    ]


WITHOUT_FRAME = {"eigenvalues", "memory_ruler", "states", "ablation"}


@pytest.mark.parametrize("name", sorted(CHARTS.keys() - WITHOUT_FRAME))
def test_every_chart_knows_all_racers_in_their_order_so_that_colours_stay(name: str) -> None:
    bare = Experiment(length=12, gates="", steps=30)
    curves = [Curve("first", bare, []), CURVE, Curve("third", bare, list(train(bare)))]
    shown = CHARTS[name].table([*curves, dataclasses.replace(CURVE, label="before", ghost=True)]).to_pandas()
    assert list(dict.fromkeys(shown[shown.kind == "frame"].series)) == ["first", "it", "third"]


def test_a_diverged_curve_ends_on_the_edge_with_a_word() -> None:
    shown = racers(tables.loss_by_step([changed(loss=math.nan, mean_loss=math.nan, ended="diverged")]))
    assert shown.iloc[-1][["y", "off", "note"]].tolist() == [1.3 / 6, "overflow", "exploded at step 30"]


def test_a_solved_curve_ends_with_its_step() -> None:
    assert racers(tables.loss_by_step([changed(ended="solved")])).note.iloc[-1] == "solved at step 30"


def test_a_curve_that_took_all_its_steps_ends_without_a_word() -> None:
    assert SNAPSHOTS[-1].ended == "completed"
    assert set(racers(tables.loss_by_step([CURVE])).note) == {""}


def test_a_ghost_is_drawn_as_such_and_says_nothing() -> None:
    ghost = dataclasses.replace(changed(ended="solved"), ghost=True)
    shown = tables.loss_by_step([CURVE, ghost]).to_pandas()
    assert (shown.kind == "ghost").sum() == len(SNAPSHOTS)
    assert set(shown[shown.kind == "ghost"].note) == {""}


def test_the_heat_map_covers_all_steps_both_ways() -> None:
    shown = tables.heat(CURVE).to_pandas().iloc[1:]
    assert (shown.x.min(), shown.x2.max()) == (0, 12)
    assert (shown.y.min(), shown.y2.max()) == (0, 30)
    assert shown.norm.tolist() == [norm for snapshot in SNAPSHOTS for norm in snapshot.hidden_grad_norms]


def test_the_heat_map_stays_small_for_long_trainings_and_long_sequences() -> None:
    experiment = Experiment(length=2000, steps=3000)
    steps = range(1, 3001, 15)
    long = [dataclasses.replace(SNAPSHOTS[0], step=step, hidden_grad_norms=(1.0,) * 2000) for step in steps]
    assert len(tables.heat(Curve("it", experiment, long))) <= 1 + tables.HEAT_ROWS * tables.HEAT_COLUMNS


@pytest.mark.parametrize(
    ("norm", "shown"), [(0.0, -99.0), (1e-3, -3.0), (math.inf, 99.0), (math.nan, 99.0), (5e-324, -99.0)]
)
def test_the_logarithm_of_a_norm_is_always_a_number(norm: float, shown: float) -> None:
    assert tables.log10_for_colour(norm) == pytest.approx(shown)


@pytest.mark.parametrize("task", TASKS)
def test_the_sample_shows_every_channel_of_every_task(task: str) -> None:
    shown = tables.sample(Experiment(task=task, length=20)).to_pandas()
    row = TASKS[task]
    assert set(shown[shown.part == "input"].channel) == set(row.inputs)
    assert set(shown[shown.part == "answer"].channel) == {f"→ {name}" for name in row.outputs}
    assert shown.x2.max() == 20 + row.extra_steps


def test_the_sample_of_adding_adds_up() -> None:
    shown = tables.sample(Experiment(length=20)).to_pandas()
    marks = shown[(shown.channel == "mark") & (shown.value == 1)].x
    values = shown[(shown.channel == "value") & shown.x.isin(marks)].value
    (answer,) = shown[(shown.part == "answer") & (shown.value != 0)].value
    assert values.sum() == pytest.approx(answer, rel=1e-6)


def test_the_difference_of_equal_curves_is_said_to_be_none() -> None:
    shown = racers(tables.loss_difference([CURVE, CURVE]), "other")
    assert set(shown.off) == {"underflow"}
    assert shown.note.iloc[0] == "exactly equal"


def test_a_difference_in_the_last_digit_is_not_said_to_be_none() -> None:
    last = SNAPSHOTS[-1]
    shown = racers(tables.loss_difference([CURVE, changed(loss=math.nextafter(last.loss, 1))]), "other")
    assert shown.off.iloc[-1] == ""


@pytest.mark.parametrize(("length", "span"), [(12, 50), (50, 50), (51, 200), (200, 200), (300, 300)])
def test_the_axis_back_in_time_is_as_long_as_the_longest_sequence_asks_for(length: int, span: int) -> None:
    """Of earlier races too, which are drawn as far as they reach."""
    norms = tuple(float(t + 1) for t in range(length))
    last = dataclasses.replace(SNAPSHOTS[-1], hidden_grad_norms=norms, cell_grad_norms=None)
    ghost = Curve("before", Experiment(length=length, steps=30), [last], ghost=True)
    shown = tables.gradient_through_time([CURVE, ghost]).to_pandas()
    assert shown.x.max() == span
    behind = shown[shown.kind == "ghost"]
    assert behind.x.max() >= length - 1 - length / 200
    assert behind.y.tolist() == pytest.approx([(length - x) / length for x in behind.x])


def test_a_ghost_in_single_precision_leaves_double_precision_its_range() -> None:
    fine = Curve("it", dataclasses.replace(EXPERIMENT, precision="float64"), SNAPSHOTS)
    assert smallest_normal([fine, dataclasses.replace(CURVE, ghost=True)]) < 1e-300


def test_the_heat_map_shows_an_explosion_within_its_first_band() -> None:
    long = dataclasses.replace(EXPERIMENT, steps=500)
    exploded = dataclasses.replace(SNAPSHOTS[1], hidden_grad_norms=(math.inf,) * 12)
    shown = tables.heat(Curve("it", long, [SNAPSHOTS[0], exploded])).to_pandas().iloc[1:]
    assert set(shown.value) == {99.0}
    assert set(shown.y2) == {17}


@pytest.mark.parametrize("picture", [FUNCTIONS, SLOPES, band_lines("y"), evidence, heat, sample])
def test_the_other_pictures_are_constant_too(picture: Picture) -> None:
    assert "datasets" not in spec(picture)


@pytest.mark.parametrize("picture", [FUNCTIONS, SLOPES, band_lines("y"), evidence, heat, sample])
def test_the_other_pictures_are_valid(picture: Picture) -> None:
    picture().to_dict()


def test_the_picture_of_an_activation_has_its_kink_at_0() -> None:
    shown = tables.activation_curves(["relu"], slope=False).to_pandas()
    assert shown.x.abs().min() < 1e-9
    assert (shown.x.min(), shown.x.max()) == (-4, 4)


def test_the_place_that_is_looked_at_is_added_and_nothing_else_changes() -> None:
    table = CHARTS["loss"].table([CURVE])
    looked = looked_at(table, 7).to_pylist()
    assert [row["x"] for row in looked if row["kind"] == "shown"] == [7]
    assert [str(row) for row in looked if row["kind"] != "shown"] == [str(row) for row in table.to_pylist()]
