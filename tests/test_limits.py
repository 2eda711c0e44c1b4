"""Is a race refused only where it asks for too much, and told what to lower?"""

import dataclasses

import pytest

from lstm_core import Experiment
from lstm_core.openings.presets import OPENINGS
from lstm_core.race import limits

LARGE = Experiment(length=200, hidden=128, batch=128, steps=3000)


@pytest.mark.parametrize("page", OPENINGS)
def test_opening_races_are_far_below_the_limits(page: str) -> None:
    racers = OPENINGS[page].experiments().values()
    assert limits.too_much(racers) is None
    assert sum(map(limits.multiplications, racers)) < limits.MOST_MULTIPLICATIONS / 5


def test_what_needs_too_much_memory_is_refused_until_it_is_smaller() -> None:
    refusal = limits.too_much([LARGE])
    assert refusal is not None
    assert "memory" in refusal
    assert "Lower the length" in refusal
    assert limits.too_much([dataclasses.replace(LARGE, hidden=32, batch=32)]) is None


def test_what_needs_too_much_time_is_refused_until_there_are_fewer_racers() -> None:
    racers = [Experiment(length=200, hidden=64, batch=64, steps=2000, seed=seed) for seed in range(6)]
    refusal = limits.too_much(racers)
    assert refusal is not None
    assert "race fewer" in refusal
    assert limits.too_much(racers[:1]) is None


@pytest.mark.parametrize("changes", [{"steps": 600}, {"length": 100}, {"batch": 64}])
def test_work_doubles_with_steps_length_and_batch(changes: dict[str, int]) -> None:
    once = Experiment(steps=300, length=50, batch=32)
    twice = dataclasses.replace(once, **changes)  # type: ignore[arg-type]
    assert limits.multiplications(twice) == 2 * limits.multiplications(once)


def test_what_python_takes_from_step_to_step_is_work_as_well() -> None:
    """Of a cell without kernels, whatever its size."""
    for cell, python in (("indrnn", limits.UNCOMPILED), ("lru", 0)):
        once, twice = (limits.multiplications(Experiment(cell=cell, length=50, steps=300, batch=b)) for b in (8, 16))
        assert 2 * once - twice == python * 50 * 300


def test_a_window_is_the_work_of_the_states_in_it() -> None:
    one, three = (limits.multiplications(Experiment(cell="rnn", hidden=10, window=window)) for window in (1, 3))
    assert three / one == pytest.approx((3 * 10 + 2 + 1) / (10 + 2 + 1))
