"""Is a series that is read as changes, by logarithm, beside others or fold by fold turned back, and never ahead?"""

import dataclasses
import gc
import math
import random
import statistics
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import torch
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from torch import Tensor

from lstm_core import Experiment, train
from lstm_core.measurements import forecast
from lstm_core.measurements.checkpoints import Checkpoint
from lstm_core.measurements.saved import load, to_safetensors
from lstm_core.network import Network
from lstm_core.reading.column import column
from lstm_core.reading.table import opened
from lstm_core.streams import Purpose
from lstm_core.tasks import windows
from lstm_core.tasks.series import LEFT_OUT, Beside, Series, known, register
from lstm_core.tasks.view import View

WAYS = [
    {"log": log, "difference": difference} for log in (False, True) for difference in (False, True) if log or difference
]
ALL_WAYS: list[dict[str, Any]] = [{}, *WAYS]
WAVE = tuple(3 + math.sin(i / 3) + 0.3 * math.cos(i * i) for i in range(200))
OTHER = tuple(math.cos(i / 5) * i for i in range(200))
SMALL = Experiment(task="forecast", length=6, hidden=4, batch=8, steps=5, precision="float64")


def weights_of(experiment: Experiment) -> Tensor:
    *_, last = train(experiment, experiment.steps, experiment.steps)
    assert last.weights is not None
    return last.weights


def by_hand(
    experiment: Experiment, weights: Tensor, values: Sequence[float], others: Sequence[Sequence[float]], end: int
) -> float:
    """What follows `horizon` steps after these values, by lists; scaled by the first `end` values of the whole file."""
    learned, network = known(experiment.series).values[:end], Network(experiment).load(weights)
    level = math.log if experiment.log else float
    levels, first = list(map(level, values)), list(map(level, learned))
    read, ahead = list(levels), 0.0
    if experiment.difference:
        h = experiment.horizon
        read = [0.0, *(b - a for a, b in pairwise(levels))]
        ahead, spread = mean_and_scale([b - a for a, b in zip(first, first[h:], strict=False)])
        first = [b - a for a, b in pairwise(first)]
    mean, scale = mean_and_scale(first)
    columns = [[(value - mean) / scale for value in read]]
    for beside, other in zip(known(experiment.series).beside, others, strict=True):
        its_mean, its_scale = mean_and_scale(beside.values[:end])
        columns.append([(value - its_mean) / its_scale for value in other])
    window = torch.tensor(columns, dtype=torch.float64).T[-experiment.length :, None]
    given = float(forecast.answer(network, window)[0])
    level_ahead = levels[-1] + ahead + spread * given if experiment.difference else mean + scale * given
    return math.exp(level_ahead) if experiment.log else level_ahead


def mean_and_scale(values: Sequence[float]) -> tuple[float, float]:
    return statistics.fmean(values), statistics.pstdev(values)


@pytest.mark.parametrize("beside", [(), (Beside("y", OTHER),)], ids=["alone", "beside another"])
@pytest.mark.parametrize("way", ALL_WAYS, ids=str)
@pytest.mark.parametrize("horizon", [1, 3])
def test_a_forecast_is_what_the_textbook_turns_back(
    way: dict[str, Any], horizon: int, beside: tuple[Beside, ...]
) -> None:
    """From true values, from its own, and in a downloaded model, in which the other column stays as it was."""
    series = register(Series("x", WAVE, beside=beside))
    experiment = dataclasses.replace(SMALL, series=series.name, horizon=horizon, **way)
    weights, end = weights_of(experiment), series.validation_end
    places = torch.tensor([end, 180, 199])
    others = [one.values for one in beside]
    for place, value in zip(places.tolist(), forecast.from_truth(experiment, weights, places).tolist(), strict=True):
        upto = place - horizon + 1
        expected = by_hand(experiment, weights, WAVE[:upto], [o[:upto] for o in others], series.train_end)
        assert value == pytest.approx(expected, rel=1e-9)
    values, columns = list(WAVE[:end]), [list(o[:end]) for o in others]
    for _ in range(6):
        upto = len(values) - horizon + 1
        values.append(by_hand(experiment, weights, values[:upto], [c[:upto] for c in columns], series.train_end))
        columns = [[*column, column[-1]] for column in columns]
    assert forecast.free_running(experiment, weights)[:6].tolist() == pytest.approx(values[-6:], rel=1e-9)


@pytest.mark.parametrize("way", ALL_WAYS, ids=str)
def test_a_downloaded_model_goes_on_as_the_page_does_without_its_series(way: dict[str, Any], tmp_path: Path) -> None:
    series = register(Series("a secret name", WAVE, beside=(Beside("another secret", OTHER),)))
    experiment = dataclasses.replace(SMALL, series=series.name, horizon=2, fold=2, folds=2, **way)
    weights = weights_of(experiment)
    (tmp_path / "it").write_bytes(to_safetensors(experiment, weights))
    assert b"secret" not in (tmp_path / "it").read_bytes()
    expected = forecast.free_running(experiment, weights)[:6].tolist()
    end = series.fold(2, 2).validation_end
    del series
    gc.collect()
    forecaster = load(tmp_path / "it")
    assert forecaster(WAVE[:end], 6, beside=[OTHER[:end]]) == pytest.approx(expected, rel=1e-9)
    assert forecaster.needed == 7 + experiment.difference
    with pytest.raises(ValueError, match=r"^values: nan at place 0 is not a number that it can scale$"):
        forecaster([math.nan, *WAVE[1:end]], beside=[OTHER[:end]])
    with pytest.raises(ValueError, match=r"^beside: 1 columns of 100 values each are needed$"):
        forecaster(WAVE[:100])


def test_beyond_the_end_is_what_a_downloaded_model_says(tmp_path: Path) -> None:
    series = register(Series("x", WAVE, beside=(Beside("y", OTHER),)))
    experiment = dataclasses.replace(SMALL, series=series.name, log=True, difference=True)
    weights = weights_of(experiment)
    (tmp_path / "it").write_bytes(to_safetensors(experiment, weights))
    found = forecast.beyond(Checkpoint(experiment, 1, "reference", weights))
    expected = load(tmp_path / "it")(WAVE, len(found.forecasts), beside=[OTHER])
    assert found.forecasts.tolist() == pytest.approx(expected, rel=1e-9)


positive = st.floats(0.125, 1000, width=32)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(positive, min_size=30, max_size=60),
    st.booleans(),
    st.booleans(),
    st.integers(1, 5),
)
def test_what_is_turned_into_answers_and_back_is_as_it_was(
    values: list[float], log: bool, difference: bool, horizon: int
) -> None:
    try:
        view = View(Series("x", tuple(values)), horizon, log, difference)
        view.check()
    except ValueError:
        # All of them, or all changes, are the same.
        reject()
    places = torch.arange(horizon, len(values))
    back = view.restored(view.answers(places), places)
    torch.testing.assert_close(back, torch.tensor(values, dtype=torch.float64)[places], rtol=1e-9, atol=1e-9)
    last = view.restored(view.unchanged(places), places)
    torch.testing.assert_close(last, forecast.last_value(view.series, horizon, places), rtol=1e-9, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.integers(140, 199), st.sampled_from(["x", "y"]), positive, st.sampled_from(ALL_WAYS), st.integers(1, 4))
def test_a_value_that_changes_changes_nothing_before_it(
    place: int, column: str, value: float, way: dict[str, Any], horizon: int
) -> None:
    """Bit for bit: what is read, by what it is scaled, and what is to be answered, of the series and beside it."""

    def seen(x: tuple[float, ...], y: tuple[float, ...]) -> View:
        return View(Series("x", x, beside=(Beside("y", y),)), horizon, **way)

    def changed(values: tuple[float, ...]) -> tuple[float, ...]:
        return (*values[:place], value, *values[place + 1 :])

    before = seen(WAVE, OTHER)
    after = seen(changed(WAVE), OTHER) if column == "x" else seen(WAVE, changed(OTHER))
    assert torch.equal(before.inputs[:place], after.inputs[:place])
    assert before.scaling == after.scaling
    places = torch.arange(10, place)
    assert torch.equal(before.answers(places), after.answers(places))
    rng, its = (Experiment().stream_for(Purpose.DATA) for _ in range(2))
    for mine, others in zip(windows.drawn(before, 5, 50, rng), windows.drawn(after, 5, 50, its), strict=True):
        assert torch.equal(mine, others)


def read_from(lines: list[str]) -> Series:
    found = column(opened("\n".join(["t,x,y", *lines]).encode()), "x", "t", beside=["y"])
    return Series("x", found.values, 0, found.times, found.known, beside=(Beside("y", found.beside[0]),))


@pytest.mark.parametrize("seed", range(8))
def test_a_cell_of_a_file_changes_nothing_that_is_read_before_its_time(seed: int) -> None:
    """With rows and cells that are missing, and one cell that comes, goes or is another: bit for bit."""
    chance = random.Random(seed)

    def cell() -> str:
        return "" if chance.random() < 0.1 else f"{chance.gauss(5, 1):.4f}"

    days = [day for day in range(1, 300) if day in (1, 299) or chance.random() > 0.05]
    lines = [
        f"{1600 + day},{cell() or 5},{cell() or 6}" if day == 1 else f"{1600 + day},{cell()},{cell()}" for day in days
    ]
    row = chance.randrange(260, len(lines) - 5)
    time, x, y = lines[row].split(",")
    changed = [f"{time},{x},{cell()}", f"{time},{cell()},{y}"][seed % 2]
    before, after = read_from(lines), read_from([*lines[:row], changed, *lines[row + 1 :]])
    assert before.times is not None
    place = before.times.to_pylist().index(time)
    assert place > before.train_end == after.train_end
    for way in ALL_WAYS:
        one, other = (View(series, 2, **way) for series in (before, after))
        assert one.scaling == other.scaling
        assert torch.equal(one.inputs[:place], other.inputs[:place])
        assert torch.equal(*(windows.targets(series, 0, place, 6, 2) for series in (before, after)))


@pytest.mark.parametrize("way", ALL_WAYS, ids=str)
def test_what_lies_behind_the_part_to_train_on_changes_no_weight(way: dict[str, Any]) -> None:
    series = [Series("x", WAVE, beside=(Beside("y", OTHER),))]
    end = series[0].train_end
    later = (*WAVE[:end], *(value + 50 for value in WAVE[end:]))
    series.append(Series("x", later, beside=(Beside("y", (*OTHER[:end], *reversed(OTHER[end:]))),)))
    one, other = (weights_of(dataclasses.replace(SMALL, series=register(it).name, **way)) for it in series)
    assert torch.equal(one, other)


def test_a_window_of_changes_needs_the_value_before_it() -> None:
    view = View(Series("x", WAVE), 3, difference=True)
    assert windows.too_long(view, 136) is None
    assert "lower the length to at most 136" in str(windows.too_long(view, 137))


def test_where_gaps_are_left_out_no_change_is_one_from_a_gap() -> None:
    there = tuple(place % 9 != 4 for place in range(200))
    view = View(Series("x", WAVE, known=there, gaps=LEFT_OUT), 2, difference=True)
    places = windows.targets(view.series, 0, 200, view.seen(3), 2).tolist()
    assert places == [p for p in range(5, 200) if there[p] and all(there[p - 5 : p - 1])]


def test_a_series_without_a_logarithm_is_refused_by_its_value_and_its_time() -> None:
    times = pa.array([f"day {place}" for place in range(200)])
    own = register(Series("x", (*WAVE[:150], 0.0, *WAVE[151:]), times=times))
    said = r"^log: column 'x': 0, value 151 \(day 150\), is not above 0 and has no logarithm$"
    with pytest.raises(ValueError, match=said):
        Experiment(task="forecast", series=own.name, length=10, log=True)
    Experiment(task="forecast", series=own.name, length=10, difference=True)


@pytest.mark.parametrize(
    ("values", "horizon", "said"),
    [
        ([5 + 0.1 * i for i in range(100)], 1, "its changes, in its first 70 values, are all the same"),
        ([float(i % 7) for i in range(100)], 7, "its changes over 7 steps, in its first 70 values, are all the same"),
    ],
)
def test_where_all_changes_are_the_same_none_can_be_learned(values: list[float], horizon: int, said: str) -> None:
    own = register(Series("x", tuple(values)))
    with pytest.raises(ValueError, match=f"^difference: column 'x': {said}$"):
        Experiment(task="forecast", series=own.name, length=10, horizon=horizon, difference=True)


def test_changes_let_a_network_follow_a_trend_that_leaves_what_it_has_seen() -> None:
    """A ramp with noise: by its values it is out of reach, by its changes nothing is simpler."""
    values = tuple(i + math.cos(i * i) for i in range(300))
    own, errors = register(Series("ramp", values)), {}
    for difference in (False, True):
        experiment = dataclasses.replace(SMALL, series=own.name, steps=150, precision="float32", difference=difference)
        errors[difference] = forecast.scores(experiment, weights_of(experiment)).model
    assert 3 * errors[True] < errors[False]


def test_folds_are_tested_one_after_the_other_and_know_all_before() -> None:
    series = Series("x", WAVE, beside=(Beside("y", OTHER),))
    tested: list[int] = []
    for number in range(1, 5):
        fold = series.fold(number, 4)
        tested += range(fold.validation_end, len(fold.values))
        assert fold.values == WAVE[: len(fold.values)]
        assert fold.beside[0].values == OTHER[: len(fold.values)]
        assert fold.validation_end - fold.train_end == series.validation_end - series.train_end
    assert tested == list(range(series.validation_end, 200))
    assert (series.fold(1, 4).train_end, series.fold(1, 4).validation_end) == (series.train_end, series.validation_end)
    assert series.fold(1, 1) is series


def test_a_fold_is_trained_and_tested_on_what_was_there() -> None:
    series = register(Series("x", WAVE))
    experiment = dataclasses.replace(SMALL, series=series.name, fold=2, folds=3)
    assert forecast.tested_by(experiment).tolist() == list(range(180, 190))
    later = register(Series("x", (*WAVE[:190], *(value + 9 for value in WAVE[190:]))))
    elsewhere = dataclasses.replace(experiment, series=later.name)
    weights = weights_of(experiment)
    assert torch.equal(weights, weights_of(elsewhere))
    assert forecast.scores(experiment, weights) == forecast.scores(elsewhere, weights)
    assert not torch.equal(weights, weights_of(dataclasses.replace(experiment, fold=1)))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"fold": 4, "folds": 3}, "^fold: 4 is not a whole number from 1 to 3, the number of folds$"),
        ({"folds": 31}, "^folds: 31 are more than the 30 values of the test part of x$"),
    ],
)
def test_folds_that_cannot_be_are_refused(wrong: dict[str, Any], said: str) -> None:
    own = register(Series("x", WAVE))
    with pytest.raises(ValueError, match=said):
        Experiment(task="forecast", series=own.name, length=10, **wrong)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ((1.0,) * 200, "^column 'y': its first 140 values, which are to be learned, do not change$"),
        ((*OTHER[:199], math.nan), "^column 'y': nan, value 200, is not a number"),
    ],
)
def test_a_column_beside_that_says_nothing_is_refused(values: tuple[float, ...], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Series("x", WAVE, beside=(Beside("y", values),))


def test_who_stands_beside_is_part_of_the_name_and_their_number_can_be_read_there() -> None:
    alone, two = Series("x", WAVE), Series("x", WAVE, beside=(Beside("y", OTHER), Beside("z", WAVE)))
    assert two.name.endswith("+2")
    assert "+" not in alone.name
    assert len({alone.name[:20], two.name[:20], Series("x", WAVE, beside=(Beside("y", OTHER),)).name[:20]}) == 3
    name = register(two).name
    assert len(Experiment(task="forecast", series=name, length=10).problem.inputs) == 3
