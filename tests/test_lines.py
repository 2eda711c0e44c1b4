"""Do lines look as they should: which are broken, what stands on them, where do their axes end, who is like whom?"""

import dataclasses
import io
import math
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import vl_convert
from numpy.typing import NDArray
from PIL import Image

from lstm_core import Experiment, train
from lstm_core.borrowed.arrow import of_rows
from lstm_core.charts import tables
from lstm_core.charts.alike import alike
from lstm_core.charts.axes import QUIET
from lstm_core.charts.catalogue import CHARTS
from lstm_core.charts.marks import Picture, evidence, heat, lines, spec
from lstm_core.charts.points import (
    HIGHEST_LOSS,
    SYMBOL,
    SYMBOLS_ALONG,
    TRIANGLE,
    TRIANGLES_ALONG,
    Curve,
    Point,
    axis_ends,
    below,
    of_points,
    on_log_axis,
)

EXPERIMENT = Experiment(length=12, hidden=4, batch=4, steps=30)
SNAPSHOTS = list(train(EXPERIMENT))
ONE, OTHER = Curve("one", EXPERIMENT, SNAPSHOTS), Curve("other", EXPERIMENT, SNAPSHOTS)
FRAME = axis_ends([ONE, OTHER], 0, 100)


def table(points: list[Point]) -> pd.DataFrame:
    return of_points([*FRAME, *points]).to_pandas()


def levels(values: list[float], label: str = "one") -> list[Point]:
    """A line at the steps 0, 1, 2 .. with these values, of which those above 1 are off the axis."""
    return below([Point(float(x), y, label) for x, y in enumerate(values)], 1.0)


def diverged(step: int) -> Curve:
    ended = dataclasses.replace(SNAPSHOTS[step - 1], ended="diverged", mean_loss=math.nan)
    return Curve("wild", dataclasses.replace(EXPERIMENT, steps=1200), [*SNAPSHOTS[: step - 1], ended])


def test_the_first_racer_is_drawn_last_and_so_on_top() -> None:
    shown = tables.loss_by_step([ONE, OTHER]).to_pandas()
    assert list(dict.fromkeys(shown[shown.kind == "racer"].series)) == ["other", "one"]


def test_a_line_is_broken_between_points_off_the_axis_and_nowhere_else() -> None:
    shown = table(levels([0.1, 5, 5, 5, 0.1, 5, 0.1]))
    assert shown[shown.kind == "racer"].segment.tolist() == [0, 0, 1, 2, 2, 2, 2]


def test_a_row_of_triangles_is_thinned_and_begins_where_the_line_leaves() -> None:
    shown = table(levels([0.1] * 10 + [5.0] * 91))
    marked = shown[shown["mark"] == TRIANGLE]
    assert marked.x.min() == 10
    assert set(marked.y) == {1.0}
    assert 0.9 * 90 / 100 * TRIANGLES_ALONG / 1.2 <= len(marked) <= 90 / 100 * TRIANGLES_ALONG + 1


def test_each_racer_has_its_symbols_at_places_of_its_own() -> None:
    flat = [0.5] * 101
    shown = table([*levels(flat), *levels(flat, "other")])
    places = {name: set(shown[(shown.series == name) & (shown["mark"] == SYMBOL)].x) for name in ("one", "other")}
    assert {len(xs) for xs in places.values()} == {SYMBOLS_ALONG}
    assert not places["one"] & places["other"]


@pytest.mark.parametrize("values", [[0.5], [0.5, 0.4], [5, 0.5]])
def test_a_short_line_has_its_symbol_on_its_last_point(values: list[float]) -> None:
    shown = table(levels(values, "other"))
    assert shown[shown["mark"] == SYMBOL].x.tolist() == [len(values) - 1]


def test_what_is_no_racer_has_no_slot() -> None:
    """Bounds, references and a difference are grey."""
    shown = tables.loss_by_step([ONE, OTHER]).to_pandas()
    assert set(shown[shown.kind == "reference"].slot) == {-1}
    assert set(tables.loss_difference([ONE, OTHER]).to_pandas().query("kind == 'other'").slot) == {-1}


def test_the_axis_of_training_steps_ends_where_all_have_ended_and_before_that_at_all_steps() -> None:
    running = Curve("running", dataclasses.replace(EXPERIMENT, steps=500), SNAPSHOTS[:3])
    assert tables.loss_by_step([diverged(2), running]).to_pandas().x.max() == 1200
    assert tables.loss_by_step([diverged(2), diverged(3)]).to_pandas().x.max() == 3


def test_an_earlier_race_is_drawn_as_far_as_the_axis_goes() -> None:
    ghost = dataclasses.replace(ONE, ghost=True)
    shown = tables.loss_by_step([diverged(2), ghost]).to_pandas()
    assert shown[shown.kind == "ghost"].x.tolist() == [1, 2]


def test_the_loss_axis_ends_a_little_above_the_constant_predictor() -> None:
    shown = tables.loss_by_step([ONE]).to_pandas()
    assert set(shown[shown.kind == "frame"].y) == {shown.y.max()} == {HIGHEST_LOSS / 6}


@pytest.mark.parametrize("name", ["accuracy", "gate_activation"])
def test_a_share_has_an_axis_from_0_to_1(name: str) -> None:
    assert scales(name) == {(0, 1)}


def test_the_gradient_back_in_time_has_the_same_axis_for_every_network() -> None:
    assert scales("gradient_through_time") == {(1e-40, 1e10)}


def scales(name: str) -> set[tuple[float, float]]:
    encodings = [layer["encoding"]["y"] for layer in spec(CHARTS[name].picture)["layer"] if "y" in layer["encoding"]]
    return {tuple(encoding["scale"]["domain"]) for encoding in encodings}


def test_what_is_off_the_axis_back_in_time_is_marked() -> None:
    norms = (*[0.0] * 5, *[1e20] * 5, 1.0, 1.0)
    last = dataclasses.replace(SNAPSHOTS[-1], hidden_grad_norms=norms, cell_grad_norms=None)
    shown = tables.gradient_through_time([Curve("it", EXPERIMENT, [last])]).to_pandas().query("kind == 'racer'")
    assert shown.off.tolist() == ["", "", *["overflow"] * 5, *["underflow"] * 5]
    assert set(shown[shown.off == "overflow"].y) == {1e10}
    assert set(shown[shown.off == "underflow"].y) == {1e-40}


def test_a_gradient_that_is_nothing_at_the_last_step_is_nothing_before() -> None:
    last = dataclasses.replace(SNAPSHOTS[-1], hidden_grad_norms=(0.0,) * 12, cell_grad_norms=(math.nan,) * 12)
    shown = tables.gradient_through_time([Curve("it", EXPERIMENT, [last])]).to_pandas().query("kind == 'racer'")
    assert shown.off.tolist() == [*["underflow"] * 12, *["overflow"] * 12]


def labels(values: list[float]) -> list[str]:
    """What is written at the ticks of a log axis over these values."""
    points = on_log_axis([Point(x, y, "one") for x, y in enumerate(values)], 1e-300)
    picture = lines("x", "", log=True)().properties(data=of_points([*axis_ends([ONE], 0, 3), *points]), width=300)
    svg: str = vl_convert.vegalite_to_svg(picture.to_dict())
    axis = svg.split('aria-label="Y-axis')[1].split("mark-group role-axis")[0]
    return [text for part in axis.split("<text")[1:] if (text := part.split("</text>")[0].split(">")[-1])[:1].isdigit()]


@pytest.mark.parametrize(
    ("values", "written"),
    [
        ([1e-2, 50.0], ["0.01", "0.1", "1", "10", "100"]),
        ([3.0, 4.0], ["1", "10"]),
        ([1e-30, 1e10], ["10⁻³⁰", "10⁻²⁵", "10⁻²⁰", "10⁻¹⁵", "10⁻¹⁰", "10⁻⁵", "1", "10⁵", "10¹⁰"]),
        ([1e-6, 2e-5], ["10⁻⁶", "10⁻⁵", "10⁻⁴"]),
        ([1e-200, 1e-100], ["10⁻²⁰⁰", "10⁻¹⁸⁰", "10⁻¹⁶⁰", "10⁻¹⁴⁰", "10⁻¹²⁰", "10⁻¹⁰⁰"]),
        ([1e3, 1e4], ["10³", "10⁴"]),
    ],
    ids=str,
)
def test_a_log_axis_has_labels_at_powers_of_ten_alone_and_two_at_least(values: list[float], written: list[str]) -> None:
    assert labels(values) == written


def colours(specification: dict[str, Any]) -> list[dict[str, Any]]:
    layers = [specification, *specification.get("layer", ())]
    found = [layer.get("encoding", {}).get(name) for layer in layers for name in ("color", "fill", "shape")]
    return [channel for channel in found if channel]


@pytest.mark.parametrize("name", CHARTS)
def test_on_a_page_a_colour_is_a_racers_slot_or_grey_or_a_quantity(name: str) -> None:
    for channel in colours(spec(CHARTS[name].picture)):
        if channel.get("field") == "slot":
            assert channel["scale"]["domain"] == [0, 1, 2, 3, 4, 5]
            assert channel["legend"] is None
        else:
            assert channel.get("value") == QUIET or channel.get("type") == "quantitative" or channel["field"] == "part"


@pytest.mark.parametrize("name", [name for name in CHARTS if name not in ("states", "ablation")])
def test_in_a_notebook_there_is_a_legend_of_the_racers(name: str) -> None:
    named = [
        channel
        for channel in colours(CHARTS[name].picture().to_dict(validate=False))
        if channel.get("field") == "series"
    ]
    assert any(channel["legend"] is not None for channel in named)


@pytest.mark.parametrize("name", CHARTS)
def test_nothing_is_written_on_a_curve(name: str) -> None:
    marks = [layer["mark"]["type"] for layer in spec(CHARTS[name].picture).get("layer", ())]
    assert "text" not in marks or name in ("memory_ruler", "step_length")


def test_racers_with_equal_curves_are_said_to_be_equal() -> None:
    shifted = [dataclasses.replace(s, mean_loss=s.mean_loss * (1 + 1e-12)) for s in SNAPSHOTS]
    off = [*SNAPSHOTS[:-1], dataclasses.replace(SNAPSHOTS[-1], mean_loss=SNAPSHOTS[-1].mean_loss * (1 + 1e-6))]
    third, fourth = Curve("third", EXPERIMENT, shifted), Curve("fourth", EXPERIMENT, off)
    ghost = dataclasses.replace(ONE, label="before", ghost=True)
    assert alike([ONE, fourth, third, ghost, OTHER]) == [["one", "third", "other"]]


def test_as_far_as_both_have_come_counts_unless_one_has_ended() -> None:
    late = Curve("late", EXPERIMENT, SNAPSHOTS[:10])
    ended = Curve("ended", EXPERIMENT, [*SNAPSHOTS[:9], dataclasses.replace(SNAPSHOTS[9], ended="solved")])
    assert alike([ONE, late]) == [["one", "late"]]
    assert alike([ONE, ended]) == []
    assert alike([ONE, Curve("begun", EXPERIMENT, SNAPSHOTS[:1]), Curve("not", EXPERIMENT, [])]) == []


def test_a_loss_that_is_no_number_is_like_another_such_and_like_no_number() -> None:
    """At the step at which one has ended and the other not yet."""
    wild, calm = diverged(3), Curve("calm", EXPERIMENT, SNAPSHOTS[:3])
    assert alike([calm, wild, dataclasses.replace(wild, label="as wild")]) == [["wild", "as wild"]]


def drawn(picture: Picture, table: pa.Table) -> NDArray[np.int64]:
    """The pixels, row by row, of an odd width and scale, as screens have them."""
    given = {**spec(picture), "data": {"values": table.to_pylist()}, "width": 301}
    given["config"] = {"axis": {"disable": True}, "legend": {"disable": True}, "view": {"stroke": None}}
    image = Image.open(io.BytesIO(vl_convert.vegalite_to_png(given, scale=1.23)))
    return np.asarray(image.convert("RGB"), dtype=np.int64)


def test_a_heat_map_has_no_seams() -> None:
    last = dataclasses.replace(SNAPSHOTS[-1], hidden_grad_norms=(1e-5,) * 12)
    even = Curve("it", EXPERIMENT, [dataclasses.replace(last, step=step) for step in range(1, 31)])
    inside = drawn(heat, tables.heat(even))[120:300, 60:280].reshape(-1, 3)
    assert np.abs(inside - inside[0]).max() <= 6


@pytest.mark.parametrize("width", [0.0, 2e-6])
def test_the_region_of_a_claim_is_seen_however_narrow_it_is(width: float) -> None:
    rows = [(0.0, 1.0, "frame"), (0.5, 0.5 + width, "region")]
    pixels = drawn(evidence, of_rows(rows, ["x", "x2", "kind"]))
    assert (pixels[30:-30].max(axis=2) < 225).any(axis=1).sum() > 0.9 * len(pixels[30:-30])
    assert (pixels[len(pixels) // 2].max(axis=1) < 225).sum() >= 2


def test_the_map_of_a_training_ends_at_the_step_that_is_asked_for() -> None:
    assert tables.heat(diverged(2), 2).to_pandas().y2.max() == 2
