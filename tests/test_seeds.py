"""Is the thick line the median over the seeds, and is everything else there once?"""

import dataclasses
import math
import random

import pandas as pd
import pyarrow as pa
import pytest

from lstm_core import Experiment, train
from lstm_core.charts.catalogue import CHARTS
from lstm_core.charts.needs import measured
from lstm_core.charts.points import COLUMNS, OVERFLOW, UNDERFLOW, Curve, Point, axis_ends, between, of_points
from lstm_core.charts.seeds import over_seeds

EXPERIMENT = Experiment(length=12, hidden=4, batch=4, steps=30)
GHOST = Curve("before", EXPERIMENT, list(train(EXPERIMENT, 5)), ghost=True)
TRAINED = [
    [
        Curve(label, one, list(train(one, 5, 15)))
        for label, cell in (("RNN", "rnn"), ("LSTM", "lstm"))
        for one in [dataclasses.replace(EXPERIMENT, cell=cell, seed=seed)]
    ]
    for seed in range(3)
]
FLOOR, CEILING = 0.01, 1.0


def at_random(chance: random.Random) -> pa.Table:
    """Two racers with two parts each, that end sooner or later, now and then off the axis."""
    points = []
    for label in ("RNN", "LSTM"):
        steps = range(1, chance.randint(2, 12))
        values = [math.inf, math.nan, 0.0, *(chance.random() for _ in range(5))]
        points += [Point(x, chance.choice(values), label, part) for x in steps for part in "ab"]
    frame = [Point(x, math.nan, label, kind="frame") for label in ("RNN", "LSTM") for x in (0, 12)]
    return of_points([*frame, *between(points, FLOOR, CEILING)])


def obvious(tables: list[pa.Table], label: str, part: str) -> list[tuple[float, float, str]]:
    """The median line, point by point."""
    runs = []
    for table in tables:
        rows = table.to_pandas()
        runs.append(rows[(rows.kind == "racer") & (rows.series == label) & (rows.part == part)])
    line = []
    for x in sorted({x for run in runs for x in run.x}):
        last = [run[run.x <= x].iloc[-1] for run in runs if (run.x <= x).any()]
        ranked = sorted(math.inf if row.off == OVERFLOW else row.y for row in last)
        middle = (ranked[(len(ranked) - 1) // 2] + ranked[len(ranked) // 2]) / 2
        off = OVERFLOW if middle == math.inf else UNDERFLOW if middle <= FLOOR else ""
        line.append((x, min(middle, CEILING), off))
    return line


@pytest.mark.parametrize("seed", range(12))
def test_the_thick_line_is_the_median_of_what_each_seed_had_last(seed: int) -> None:
    chance = random.Random(seed)
    tables = [at_random(chance) for _ in range(1 + seed % 5)]
    shown = over_seeds(tables).to_pandas()
    for label in ("RNN", "LSTM"):
        for part in "ab":
            line = shown[(shown.kind == "racer") & (shown.series == label) & (shown.part == part)]
            assert list(line[["x", "y", "off"]].itertuples(index=False, name=None)) == obvious(tables, label, part)


def tables_of(name: str) -> list[pa.Table]:
    return [CHARTS[name].table([*measured(curves, CHARTS[name].needs), GHOST]) for curves in TRAINED]


def thin(shown: pd.DataFrame) -> pd.DataFrame:
    return shown[shown.kind == "seed"]


def test_the_lines_of_the_seeds_are_those_of_their_tables_and_none_runs_into_the_next() -> None:
    tables = tables_of("loss")
    shown = thin(over_seeds(tables).to_pandas())
    for label in ("RNN", "LSTM"):
        own = shown[shown.series == label]
        each = [t.to_pandas().query(f"kind == 'racer' and series == '{label}'") for t in tables]
        assert own.y.tolist() == [y for run in each for y in run.y]
        pieces = [own[own.segment == segment].x for segment in own.segment.unique()]
        assert len(pieces) >= len(tables)
        assert all(piece.is_monotonic_increasing for piece in pieces)


def test_what_is_no_racers_is_there_once() -> None:
    one, *_ = tables = tables_of("loss")
    both = [table.to_pandas().query("kind in ('frame', 'reference', 'ghost')") for table in (one, over_seeds(tables))]
    pd.testing.assert_frame_equal(*(rows.reset_index(drop=True) for rows in both), check_categorical=False)


def test_the_axis_is_that_of_the_seed_that_went_farthest() -> None:
    ends = [axis_ends([GHOST, Curve("it", EXPERIMENT, [])], 0, last) for last in (5, 20, 10)]
    tables = [of_points([*frame, Point(1, 1, "it")]) for frame in ends]
    assert over_seeds(tables).to_pandas().x.max() == 20


def test_the_symbols_stand_on_the_thick_line_alone() -> None:
    shown = over_seeds(tables_of("loss")).to_pandas()
    assert set(thin(shown)["mark"]) == {""}
    assert (shown[shown.kind == "racer"]["mark"] != "").any()


@pytest.mark.parametrize("name", ["loss", "gradient_through_time", "gate_activation", "difference", "reach", "growth"])
def test_seeds_have_the_columns_of_a_chart_of_one(name: str) -> None:
    assert over_seeds(tables_of(name)).schema == tables_of(name)[0].schema
    assert over_seeds(tables_of(name)).column_names == COLUMNS


def test_what_is_no_racers_has_its_median_in_grey() -> None:
    shown = over_seeds(tables_of("difference")).to_pandas()
    assert set(shown.kind) == {"frame", "other", "seed"}
    assert set(thin(shown).slot) == {-1}
