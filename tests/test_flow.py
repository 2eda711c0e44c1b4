"""Do the charts of the gradient's flow show what was measured?"""

import dataclasses
from typing import Any

import pandas as pd
import pytest
import torch

from lstm_core import Experiment, train
from lstm_core.charts import clipping, flow, states
from lstm_core.charts.catalogue import CHARTS, PAPERS
from lstm_core.charts.needs import measured
from lstm_core.charts.points import UNDERFLOW, Curve
from lstm_core.measurements import checkpoints
from lstm_core.measurements.ablations import ablations

RNN = Experiment(cell="rnn", length=20, hidden=6, batch=4, steps=30, clip_at=0.01)
LSTM = dataclasses.replace(RNN, cell="lstm")
OF_A_SERIES = {"forecasts", "residuals", "beyond", "free_running", "validation"}


# What the charts of a single layer need.
NEEDS = [need for name, chart in CHARTS.items() if name not in OF_A_SERIES for need in chart.needs]


def complete(shown: Curve) -> Curve:
    """The same, with all that charts need of it."""
    (curve,) = measured([shown], NEEDS)
    return curve


def curve(label: str, experiment: Experiment) -> Curve:
    return complete(Curve(label, experiment, list(train(experiment, 5, 10))))


CURVES = [curve("RNN", RNN), curve("LSTM", LSTM)]


def line(table: pd.DataFrame, series: str, part: str = "") -> list[float]:
    shown = table[(table.kind == "racer") & (table.series == series) & (table.part == part)]
    return list(shown.y)


def beside(table: pd.DataFrame, part: str) -> list[float]:
    """A line that is no racer's."""
    return list(table[(table.kind == "reference") & (table.part == part)].y)


def last(shown: Curve) -> checkpoints.Checkpoint:
    return shown.checkpoint(shown.steps[-1])


def test_reach_shows_the_measured_norms_between_0_and_their_bounds() -> None:
    table = flow.reach_by_time_step(CURVES).to_pandas()
    measured = line(table, "RNN", "measured")
    true_slopes, largest_slope, _ = (beside(table, name) for name in flow.BOUNDS)
    assert measured == checkpoints.reach(last(CURVES[0])).measured.tolist()
    assert measured[-1] == 1
    assert all(a <= b <= c for a, b, c in zip(measured, true_slopes, largest_slope, strict=True))
    assert len(table[table.kind == "ghost"]) == len(measured)


def test_what_single_precision_would_call_0_is_marked_and_said_once() -> None:
    faint = curve("RNN", dataclasses.replace(RNN, activation="sigmoid", length=100, gain=0.5))
    table = flow.reach_by_time_step([faint]).to_pandas()
    marked = table[(table.part == "measured") & (table.off == UNDERFLOW)]
    assert len(marked) > 5
    assert (marked.y < 2e-38).all()
    assert (marked.y > 1e-100).any()
    assert sum(note.startswith("underflow") for note in marked.note) == 1


def test_the_highway_shows_both_parts_and_the_whole() -> None:
    table = flow.highway_by_time_step(CURVES).to_pandas()
    way = checkpoints.highway(last(CURVES[1]))
    assert line(table, "LSTM", "∂c_T/∂c_t") == way.cell[:-1].tolist()
    assert line(table, "LSTM", "direct: product of f") == way.direct[:-1].tolist()
    assert line(table, "RNN", "∂h_T/∂h_t") == checkpoints.reach(last(CURVES[0])).measured[:-1].tolist()


# Charts of what is measured in a single layer that sees the last of its hidden states.
OF_ONE_LAYER = [
    "reach",
    "growth",
    "eigenvalues",
    "singular_values",
    "powers",
    "highway",
    "state_growth",
    "memory_ruler",
    "states",
    "state_change",
    "ablation",
]
# What is drawn beside measurements.
BESIDE = ("frame", "reference", "circle", "length")


def rows(name: str, curves: list[Curve]) -> pd.DataFrame:
    """The rows of a chart that say what was measured."""
    table = CHARTS[name].table(curves).to_pandas()
    if name == "states":
        return table[table.state != 0]
    return table[~table.kind.isin(BESIDE)]


@pytest.mark.parametrize("name", OF_ONE_LAYER)
def test_what_is_measured_in_a_single_layer_is_drawn(name: str) -> None:
    assert not rows(name, CURVES).empty


@pytest.mark.parametrize("name", OF_ONE_LAYER)
@pytest.mark.parametrize("cell", [{"cell": "rnn", "window": 3}, {"cell": "lstm", "layers": 2}], ids=str)
def test_a_chart_stays_empty_and_whole_where_nothing_is_measured(cell: dict[str, Any], name: str) -> None:
    """Of networks of several layers, and of those that see several of their states, before training and in it."""
    experiment = Experiment(length=20, hidden=6, batch=4, steps=3, **cell)
    trained = [complete(Curve(label, experiment, list(train(experiment, 1, 1)))) for label in ("one", "other")]
    before = [complete(dataclasses.replace(shown, snapshots=[])) for shown in trained]
    assert rows(name, trained).empty
    assert rows(name, before).empty
    axes, axes_before = (CHARTS[name].table(curves).to_pandas() for curves in (trained, before))
    pd.testing.assert_frame_equal(axes, axes_before)
    assert not axes.empty


def test_growth_has_a_point_for_each_checkpoint() -> None:
    table = flow.growth_by_training_step(CURVES).to_pandas()
    for shown in CURVES:
        assert len(line(table, shown.label, "Lyapunov exponent")) == 4


def test_the_spectrum_shows_every_eigenvalue_and_singular_value() -> None:
    plane = flow.eigenvalues(CURVES).to_pandas()
    spectrum = checkpoints.recurrent_spectrum(last(CURVES[0]))
    assert list(plane[plane.kind == "eigenvalue"].x) == spectrum.eigenvalues.real.tolist()
    assert (plane[plane.kind == "circle"][["x", "y"]].pow(2).sum(axis=1) - 1).abs().max() < 1e-12
    values = flow.singular_values(CURVES).to_pandas()
    assert line(values, "RNN", "singular value") == spectrum.singular_values.tolist()
    assert f"ρ = {spectrum.radius:.3g}" in set(values.part)


def test_powers_lie_between_those_of_radius_and_norm() -> None:
    table = flow.powers_of_weights(CURVES).to_pandas()
    norms, (above, below) = line(table, "RNN", flow.POWER), (beside(table, name) for name in flow.POWER_BOUNDS)
    assert all(c * (1 - 1e-9) <= a <= b * (1 + 1e-9) for a, b, c in zip(norms, above, below, strict=True))
    assert beside(table, flow.EXAMPLE[0])[0] == pytest.approx(10.02, abs=0.01)


def test_the_ruler_holds_every_unit() -> None:
    for gates in ("ifo", "io"):
        shown = curve("LSTM", dataclasses.replace(LSTM, gates=gates))
        table = states.memory_ruler([shown]).to_pandas()
        assert table[table.kind == "units"].y.sum() == LSTM.hidden
        assert list(table[table.kind == "length"].x) == [20]


def test_the_last_bin_of_the_ruler_ends_with_its_axis() -> None:
    """Without a forget gate all units keep for ever."""
    table = states.memory_ruler([curve("LSTM", dataclasses.replace(LSTM, gates="io"))]).to_pandas()
    (last,) = table[table.kind == "units"].x2
    assert list(table[table.kind == "frame"].x2) == [last]


def test_state_growth_compares_with_the_gate_held_open_unless_there_is_none() -> None:
    assert set(states.state_growth(CURVES).to_pandas().query("kind == 'racer'").part) == {"as set", "f held at 1"}
    free = states.state_growth([curve("LSTM", dataclasses.replace(LSTM, gates="io"))]).to_pandas()
    assert set(free.query("kind == 'racer'").part) == {"as set"}


def test_states_are_relative_to_the_racers_largest() -> None:
    table = states.states(CURVES).to_pandas()
    assert set(table.channel) == {f"{label}{unit}" for label in ("RNN h", "LSTM c") for unit in range(1, 7)}
    assert table.value.abs().max() <= 1
    truth = checkpoints.states(last(CURVES[1]))
    assert list(table[table.channel == "LSTM c2"].state) == truth[1:, 1].tolist()


def test_states_fill_their_axis_without_a_gap() -> None:
    shown = states.states(CURVES).to_pandas()
    for _, channel in shown.groupby("channel"):
        assert [*channel.x, 20] == [0, *channel.x2]


def test_changes_are_the_distance_between_neighbouring_states() -> None:
    truth = checkpoints.states(last(CURVES[0]))
    change = torch.linalg.vector_norm(truth[1:] - truth[:-1], dim=1) / torch.linalg.vector_norm(truth[1:], dim=1)
    assert line(states.state_change(CURVES).to_pandas(), "RNN") == pytest.approx(change.tolist())


def test_clipping_by_norm_is_one_factor_for_all_time_steps() -> None:
    table = clipping.clipped_through_time(CURVES).to_pandas()
    before, after = (line(table, "RNN", part) for part in ("before", "after"))
    ratios = [b / a for a, b in zip(before, after, strict=True)]
    assert ratios == pytest.approx([ratios[0]] * len(ratios), rel=1e-12)
    assert ratios[0] < 0.5
    norms = clipping.clipping(CURVES).to_pandas()
    assert max(line(norms, "RNN", "after")) <= 0.01 * (1 + 1e-5)
    assert line(clipping.direction(CURVES).to_pandas(), "RNN") == pytest.approx([1.0] * 7, abs=1e-6)


def test_an_axis_of_time_is_as_long_as_the_longest_sequence() -> None:
    longer = curve("longer", dataclasses.replace(RNN, length=25, steps=2))
    for name in ("clipped_through_time", "states", "state_change", "reach", "state_growth"):
        assert CHARTS[name].table([*CURVES, longer]).to_pandas()[["x"]].max().item() == 25 - (name == "states"), name


@pytest.mark.parametrize(
    "name", ["clipping", "direction", "clipped_through_time", "states", "ablation", "memory_ruler"]
)
def test_a_chart_of_each_racers_own_numbers_shows_no_earlier_race(name: str) -> None:
    ghost = dataclasses.replace(CURVES[0], label="before", ghost=True)
    alone, beside_it = (CHARTS[name].table(curves).to_pandas() for curves in (CURVES, [*CURVES, ghost]))
    pd.testing.assert_frame_equal(alone, beside_it)


def test_ablations_are_shown_for_every_learned_gate() -> None:
    table = states.ablations(CURVES).to_pandas().query("kind == 'racer'")
    losses = ablations(last(CURVES[1]))
    assert list(table.x) == list(losses.values())
    assert list(table.part) == ["as trained", "input gate held at 1", "forget gate held at 1", "output gate held at 1"]


def test_before_the_first_snapshot_the_first_weights_are_measured() -> None:
    empty = [complete(dataclasses.replace(shown, snapshots=[], measured={})) for shown in CURVES]
    first = [complete(shown.at(1)) for shown in CURVES]
    for table in (flow.reach_by_time_step, flow.highway_by_time_step, states.states, states.memory_ruler):
        pd.testing.assert_frame_equal(table(empty).to_pandas(), table(first).to_pandas())


def test_a_curve_without_weights_has_nothing_to_measure() -> None:
    bare = [complete(Curve(label, one, list(train(one, 5)))) for label, one in (("RNN", RNN), ("LSTM", LSTM))]
    assert not (flow.reach_by_time_step(bare).to_pandas().kind == "racer").any()
    assert not (flow.highway_by_time_step(bare).to_pandas().kind == "racer").any()
    assert not (flow.growth_by_training_step(bare).to_pandas().kind == "racer").any()


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_says_in_one_sentence_each_what_to_see_and_why_and_who_found_it(name: str) -> None:
    chart = CHARTS[name]
    assert chart.reading.endswith(".")
    assert chart.why.endswith(".")
    assert PAPERS[chart.paper].address.startswith("https://")
    assert chart.caption.count("*Why:*") == 1
