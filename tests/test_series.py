"""Are the series what they are said to be, split by time, scaled by what may be known, and gone with their owner?"""

import gc
import math
import statistics
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
import torch
from scipy.integrate import solve_ivp

from lstm_core import Experiment
from lstm_core.tasks import series
from lstm_core.tasks.public import SERIES, mackey_glass
from lstm_core.tasks.series import Series, known, register

ROWS = pytest.mark.parametrize("name", SERIES)


def by_method_of_steps(until: int) -> list[float]:
    """Mackey-Glass at 0, 1, 2, ...: over 17 at a time the past is known, and scipy integrates what is left."""
    pieces: list[Callable[[float], float]] = []

    def past(t: float) -> float:
        return 1.2 if t <= 0 else float(pieces[min(int(t // 17), len(pieces) - 1)](t))

    def slope(t: float, x: float) -> float:
        return 0.2 * past(t - 17) / (1 + past(t - 17) ** 10) - 0.1 * x

    x = 1.2
    for start in range(0, until, 17):
        done = solve_ivp(slope, (start, start + 17), [x], rtol=1e-10, atol=1e-12, dense_output=True, max_step=0.5)
        pieces.append(lambda t, solution=done.sol: solution(t)[0])  # type: ignore[misc]
        x = done.y[0, -1]
    return [1.2, *(past(float(t)) for t in range(1, until))]


def test_mackey_glass_is_its_differential_equation() -> None:
    assert mackey_glass(120, skipped=0) == pytest.approx(by_method_of_steps(120), abs=1e-8)


def test_mackey_glass_converges_with_the_fourth_power_of_its_step() -> None:
    fine, middle, coarse = (np.array(mackey_glass(40, per_step=n, skipped=0)) for n in (32, 8, 4))
    ratio = np.abs(coarse - fine).max() / np.abs(middle - fine).max()
    assert 2**3 < ratio < 2**5


def test_without_a_delay_that_matters_mackey_glass_rests_where_gain_and_loss_are_equal() -> None:
    """.2 x/(1 + x^10) = .1 x at x = 1, which is stable for a short delay."""
    assert mackey_glass(3, tau=1)[-1] == pytest.approx(1, abs=1e-9)


@ROWS
def test_a_row_has_a_source_and_a_licence_and_as_many_values_as_a_season_needs(name: str) -> None:
    row, one = SERIES[name], known(name)
    assert row.label
    assert row.source
    assert row.licence
    assert 2 * row.period < len(one.values)
    assert all(map(math.isfinite, one.values))


@ROWS
def test_a_row_is_the_same_each_time(name: str) -> None:
    assert SERIES[name].read()[:2] == (known(name).values, known(name).known)


@pytest.mark.parametrize(
    ("name", "count", "first", "last"),
    [
        ("seattle_daily", 1461, 12.8, 5.6),
        ("san_francisco_hourly", 8760, 47.8, 48.3),
        ("us_employment", 120, 135450, 143093),
    ],
)
def test_a_real_series_is_what_stands_in_its_file(name: str, count: int, first: float, last: float) -> None:
    """One hour of the year 2010 is not there, that in which the clocks were set to summer time."""
    values = known(name).values
    assert (len(values), values[0], values[-1]) == (count, first, last)


def test_the_missing_hour_is_marked_and_as_the_one_before() -> None:
    hour = 24 * (31 + 28 + 13) + 3
    series = known("san_francisco_hourly")
    assert series.values[hour - 1 : hour + 2] == (50.8, 50.8, 49.9)
    assert [place for place, there in enumerate(series.known) if not there] == [hour]


def test_nobody_gets_the_names_or_times_of_a_series_with_the_same_values() -> None:
    values = tuple(math.sin(place) for place in range(50))
    times = [pa.array([f"{year + place}" for place in range(50)]) for year in (1900, 1950)]
    own = [Series("x", values), Series("y", values), *(Series("x", values, times=these) for these in times)]
    assert len({series.name for series in own}) == 4


def test_the_sines_are_two_sines_and_noise_of_a_tenth() -> None:
    values = np.array(known("sines").values)
    t = np.arange(len(values))
    rest = values - np.sin(2 * np.pi * t / 25) - 0.5 * np.sin(2 * np.pi * t / 60)
    assert rest.std() == pytest.approx(0.1, rel=0.05)
    assert np.abs(np.corrcoef(rest[1:], rest[:-1])[0, 1]) < 0.05


@ROWS
def test_scaling_knows_the_part_to_train_on_alone(name: str) -> None:
    one = known(name)
    there = torch.tensor(one.known or [True] * len(one.values))[: one.train_end]
    part = [value for value, known in zip(one.values, there, strict=False) if known]
    assert one.mean == pytest.approx(statistics.fmean(part))
    assert one.scale == pytest.approx(statistics.pstdev(part))
    scaled = one.scaled[: one.train_end][there]
    assert scaled.mean().item() == pytest.approx(0, abs=1e-9)
    assert scaled.std(correction=0).item() == pytest.approx(1)


@pytest.mark.parametrize(("count", "parts"), [(20, (14, 3, 3)), (100, (70, 15, 15)), (1461, (1022, 219, 220))])
def test_the_parts_follow_each_other_in_time(count: int, parts: tuple[int, int, int]) -> None:
    one = Series("x", tuple(float(i) for i in range(count)))
    assert (one.train_end, one.validation_end - one.train_end, count - one.validation_end) == parts


def test_a_series_of_ones_own_is_known_by_what_is_in_it() -> None:
    values = tuple(map(float, range(50)))
    one, same, other = Series("x", values), Series("x", values), Series("x", values, period=7)
    assert one.name == same.name != other.name
    assert Series("x", (*values[:-1], 0.0)).name != one.name


def test_two_visitors_with_the_same_file_hold_one_series_and_the_last_one_takes_it_away() -> None:
    values = tuple(map(float, range(51)))
    mine = register(Series("x", values))
    yours = register(Series("x", values))
    name = mine.name
    assert mine is yours is known(name)
    del mine
    assert known(name) is yours
    del yours
    gc.collect()
    with pytest.raises(ValueError, match=rf"^series: '{name}' is not here; it is of a file"):
        known(name)


def test_an_experiment_on_a_series_that_is_gone_is_refused() -> None:
    one = register(Series("x", tuple(math.sin(i) for i in range(60))))
    text = Experiment(task="forecast", series=one.name, length=10).to_json()
    assert Experiment.from_json(text).series == one.name
    del one
    gc.collect()
    with pytest.raises(ValueError, match=r"^series: .* is not here"):
        Experiment.from_json(text)


@pytest.mark.parametrize("name", ["csv:", "csv:0123", "CSV:0123456789abcdef", "", "../etc", None, 3, ["sines"]])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"^series: "):
        series.check_known(name)


@pytest.mark.parametrize(
    ("length", "horizon", "advice"),
    [(60, 20, "lower the length to at most 50, or the horizon"), (1, 70, "so lower the horizon")],
)
def test_a_series_shorter_than_window_and_horizon_says_what_to_lower(length: int, horizon: int, advice: str) -> None:
    one = register(Series("short", tuple(math.sin(i) for i in range(100))))
    with pytest.raises(
        ValueError, match=f"^length: {length} .* need {length + horizon} values.*short has 70.*{advice}"
    ):
        Experiment(task="forecast", series=one.name, length=length, horizon=horizon)
    Experiment(task="forecast", series=one.name, length=50, horizon=20)


@pytest.mark.parametrize(
    ("values", "period", "message"),
    [
        ([1.0, 2.0] * 9, 0, "column 'x': 18 values are fewer than 20"),
        ([3.0] * 30, 0, "column 'x': its first 21 values, which are to be learned, do not change"),
        ([3.0] * 21 + [4.0] * 9, 0, "its first 21 values"),
        ([1e-200, 2e-200] * 20, 0, "do not change"),
        ([1.0, 2.0] * 20, 40, "period: 40 is not a whole number from 0 to 39"),
        ([1.0, 2.0] * 20 + [math.inf], 0, r"column 'x': inf, value 41, is not a number up to 1e\+100"),
        ([1.0, 2.0] * 20 + [math.nan], 0, r"column 'x': nan, value 41, is not a number up to 1e\+100"),
    ],
)
def test_what_cannot_be_forecast_is_refused(values: list[float], period: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Series("x", tuple(values), period)
