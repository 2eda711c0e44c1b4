"""Do bands hold the middle half of the runs, at every step?"""

import math

import pandas as pd
import pytest

from lstm_core.charts.bands import SMALLEST, bands
from lstm_core.history.records import Curves


def curve(*losses: float) -> Curves:
    """A point for each step."""
    return Curves(tuple(range(1, len(losses) + 1)), losses, tuple(10 * loss for loss in losses))


def shown(table: object) -> pd.DataFrame:
    rows = table.to_pandas()  # type: ignore[attr-defined]
    return rows[rows.kind == "band"]


def test_the_line_is_the_median_and_the_band_ends_at_the_quartiles() -> None:
    (table,) = bands([[curve(value) for value in (1.0, 2.0, 3.0, 4.0, 5.0)]], "mean_loss")
    assert shown(table)[["x", "y", "low", "high"]].to_numpy().tolist() == [[1, 3, 2, 4]]


def test_a_run_that_has_ended_keeps_its_last_value() -> None:
    (table,) = bands([[curve(4.0, 3.0), curve(4.0, 3.0, 2.0, 1.0)]], "mean_loss")
    assert shown(table).y.tolist() == [4.0, 3.0, 2.5, 2.0]


def test_one_seed_has_a_band_without_width() -> None:
    (table,) = bands([[curve(2.0, 1.0)]], "grad_norm")
    assert shown(table)[["y", "low", "high"]].to_numpy().tolist() == [[20, 20, 20], [10, 10, 10]]


def test_what_is_no_number_ends_the_band_and_0_stands_on_the_edge() -> None:
    (table,) = bands([[curve(0.0, math.nan, 1.0), curve(0.0, 1.0, 1.0)]], "mean_loss")
    assert shown(table).x.tolist() == [1, 3]
    assert shown(table).y.tolist() == [SMALLEST, 1.0]


def test_all_tables_have_the_same_axes() -> None:
    one, other = bands([[curve(1.0)], [curve(100.0, 0.01)]], "mean_loss")
    frames = [table.to_pandas().query("kind == 'frame'")[["x", "y"]].to_numpy().tolist() for table in (one, other)]
    assert frames[0] == frames[1] == [[0, 0.01], [2, 100.0]]


@pytest.mark.parametrize("nothing", [[], [Curves()]])
def test_a_setting_without_curves_has_an_empty_band(nothing: list[Curves]) -> None:
    (table,) = bands([nothing], "mean_loss")
    assert shown(table).empty
