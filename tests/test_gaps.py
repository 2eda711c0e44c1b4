"""Is what a series has gaps in neither invented nor counted, and does nothing know what comes later?"""

import math
import random
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
import torch

from lstm_core import Experiment, train
from lstm_core.measurements import forecast
from lstm_core.reading.column import column
from lstm_core.reading.table import opened
from lstm_core.streams import Purpose
from lstm_core.tasks import windows
from lstm_core.tasks.series import FILLED, GAPS, LEFT_OUT, Series, register
from lstm_core.tasks.view import View

LENGTH, HORIZON = 4, 2
# No value of the series below is so large: what stands in for a missing one can be told from them.
STAND_IN = 1000.0


def gappy(gaps: str, seed: int = 0) -> Series:
    rng = random.Random(seed)
    known = tuple(rng.random() > 0.05 for _ in range(600))
    values = tuple(math.sin(place / 5) + rng.random() if there else STAND_IN for place, there in enumerate(known))
    return register(Series("gappy", values, 12, known=known, gaps=gaps))


def stand_ins(series: Series, scaled: torch.Tensor) -> int:
    return int((scaled > (STAND_IN - 1 - series.mean) / series.scale).sum())


@pytest.mark.parametrize("gaps", GAPS)
@pytest.mark.parametrize("seed", range(5))
def test_what_stands_in_for_a_missing_value_is_never_forecast_nor_scored(gaps: str, seed: int) -> None:
    series = gappy(gaps, seed)
    rng = Experiment(seed=seed).stream_for(Purpose.DATA)
    for draw in (windows.drawn, windows.held_out):
        inputs, answers = draw(View(series, HORIZON), LENGTH, 500, rng)
        assert stand_ins(series, answers) == 0
        assert (stand_ins(series, inputs) == 0) == (gaps == LEFT_OUT)
    for places in (forecast.tested_places, forecast.validated_places):
        assert stand_ins(series, series.scaled[places(series, LENGTH, HORIZON)]) == 0
    assert abs(series.mean) < 2
    assert series.scale < 2


def test_a_window_is_left_out_exactly_where_it_has_a_gap() -> None:
    series = gappy(LEFT_OUT)
    whole = [
        place
        for place in range(LENGTH + HORIZON - 1, series.train_end)
        if series.known[place] and all(series.known[place - HORIZON - LENGTH + 1 : place - HORIZON + 1])
    ]
    assert windows.targets(series, 0, series.train_end, LENGTH, HORIZON).tolist() == whole


def test_without_gaps_every_place_is_there() -> None:
    series = Series("x", tuple(math.sin(place) for place in range(100)))
    assert windows.targets(series, 0, 70, LENGTH, HORIZON).tolist() == list(range(LENGTH + HORIZON - 1, 70))


@pytest.mark.parametrize("gaps", GAPS)
def test_every_measurement_of_a_series_with_gaps_is_made_at_its_places(gaps: str) -> None:
    series = gappy(gaps)
    experiment = Experiment(
        task="forecast", series=series.name, length=LENGTH, horizon=HORIZON, hidden=4, batch=8, steps=30
    )
    *_, last = train(experiment, weights_every=30)
    assert last.weights is not None
    places = forecast.tested_places(series, LENGTH, HORIZON)
    answers = forecast.from_truth(experiment, last.weights, places)
    assert forecast.errors(series, answers, places).rmse < 10
    for baseline in forecast.BASELINES.values():
        assert len(baseline(series, HORIZON, places)) == len(places)


def test_a_part_that_is_all_gaps_is_refused_in_words() -> None:
    known = tuple(place % 3 > 0 for place in range(300))
    series = Series("x", tuple(float(place % 7) for place in range(300)), known=known, gaps=LEFT_OUT)
    assert windows.too_long(View(series, 2), 5) == (
        "length: x has no 5 values without a gap in the part to train on; lower the length, or let gaps be filled"
    )
    assert windows.too_long(View(series, 2), 2) is None
    assert windows.too_long(View(Series("x", series.values, known=known, gaps=FILLED), 2), 5) is None


def test_where_only_gaps_separate_other_values_there_is_no_scaled_error() -> None:
    known = tuple(place % 10 > 0 for place in range(200))
    values = tuple(float(place // 10 % 2) for place in range(200))
    series = Series("steps", values, known=known, gaps=LEFT_OUT)
    assert math.isnan(forecast.validated_baselines(series, 1)["last value"].mase)


def _file(rng: random.Random) -> list[str]:
    """Lines of a file with lost rows, lost values, and others."""
    lines: list[str] = []
    day = date(2021, 1, 4)
    while len(lines) < 300:
        day += timedelta(days=1)
        if day.weekday() < 5 and rng.random() > 0.03:
            lines.append(f"{day},{'' if rng.random() < 0.03 else f'{rng.gauss(0, 1):.6f}'}")
    return [f"2021-01-04,{rng.random()}", *lines, f"{day + timedelta(days=7)},1.5"]


def _read(lines: list[str]) -> Series:
    found = column(opened("\n".join(["t,x", *lines]).encode()), "x", "t")
    return Series("x", found.values, times=found.times, known=found.known)


@pytest.mark.parametrize("seed", range(20))
def test_nothing_before_a_time_changes_with_what_comes_after_it(seed: int) -> None:
    """Neither what stands in for gaps, nor the scale, nor a window: bit for bit."""
    rng = random.Random(seed)
    lines = _file(rng)
    before = _read(lines)
    row = rng.randrange(250, len(lines) - 1)
    stamp = lines[row].split(",")[0]
    changed = _read([*lines[:row], f"{stamp},{rng.gauss(0, 30):.6f}", *lines[row + 1 :]])
    assert before.times is not None
    place = before.times.to_pylist().index(stamp)
    assert place >= before.train_end
    assert changed.values[:place] == before.values[:place]
    assert (changed.mean, changed.scale) == (before.mean, before.scale)
    assert torch.equal(changed.scaled[:place], before.scaled[:place])
    assert torch.equal(*(windows.targets(series, 0, place, LENGTH, 1) for series in (before, changed)))
    (inputs, answers), (others, their) = (
        windows.drawn(View(series), LENGTH, 64, Experiment().stream_for(Purpose.DATA)) for series in (before, changed)
    )
    assert torch.equal(inputs, others)
    assert torch.equal(answers, their)


def walks(number: int) -> Iterator[Series]:
    """Random walks on business days, as files have them."""
    for seed in range(number):
        rng, at, day = random.Random(seed), 100.0, date(2021, 1, 4)
        lines: list[str] = []
        while len(lines) < 250:
            if day.weekday() < 5:
                at += rng.gauss(0, 1)
                lines.append(f"{day},{at!r}")
            day += timedelta(days=1)
        found = column(opened("\n".join(["t,x", *lines]).encode()), "x", "t")
        assert (len(found.values), found.known) == (250, ())
        yield register(Series(f"walk {seed}", found.values, 5))


def likely(wins: int, of: int) -> bool:
    """Whether so many wins, or more, have a probability of at least 1 % where both are equally good."""
    return sum(math.comb(of, k) for k in range(wins, of + 1)) >= 0.01 * 2**of


@pytest.mark.parametrize("name", [name for name in forecast.BASELINES if name != forecast.LAST_VALUE])
def test_no_baseline_beats_the_last_value_on_random_walks(name: str) -> None:
    wins = 0
    for series in walks(200):
        places = forecast.tested_places(series, 1, 1)
        last = forecast.errors(series, forecast.last_value(series, 1, places), places)
        wins += forecast.errors(series, forecast.BASELINES[name](series, 1, places), places).rmse < last.rmse
    assert likely(wins, 200)
    assert not likely(140, 200)


def test_no_network_beats_the_last_value_on_random_walks() -> None:
    wins = 0
    for series in walks(20):
        experiment = Experiment(task="forecast", series=series.name, length=10, hidden=8, batch=16, steps=200, lr=0.01)
        *_, last = train(experiment, weights_every=200)
        assert last.weights is not None
        scores = forecast.scores(experiment, last.weights)
        wins += scores.model < scores.last_value
    assert likely(wins, 20)
