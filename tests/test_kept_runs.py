"""What is kept of runs, for whom and for how long, and what is let go of?"""

import dataclasses
import gc
import threading

import pytest

from lstm_core import Experiment, train
from lstm_core.fair_lock import aside
from lstm_core.race import race, runs, turns
from lstm_core.race.race import Race
from lstm_core.race.runs import Run
from tests.trainings import LONG, SHORT, Snapshots, begun_from_now, between, failing_from_now, wait_for

pytestmark = pytest.mark.usefixtures("nobody_trained_anything_before")


def test_equal_experiments_are_trained_once_for_all_who_look(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, races = begun_from_now(monkeypatch), [Race({str(k): SHORT}) for k in range(8)]
    for contest in races:
        contest.start()
    wait_for(lambda: all(contest.finished for contest in races))
    assert begun == [SHORT]
    assert all(contest.racers[0].snapshots == list(train(SHORT)) for contest in races)


def test_what_was_trained_before_is_there_at_once_unless_it_is_wanted_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = begun_from_now(monkeypatch)
    for _ in range(2):
        contest = Race({"it": SHORT})
        contest.start()
        wait_for(lambda contest=contest: contest.finished)  # type: ignore[misc]
    assert Race({"it": SHORT}).racers[0].run is contest.racers[0].run
    assert begun == [SHORT]
    again = Race({"it": SHORT}, anew=True)
    again.start()
    wait_for(lambda: again.finished)
    assert begun == [SHORT, SHORT]


def test_only_so_many_runs_are_kept_that_nobody_looks_at() -> None:
    for seed in range(runs.MOST_KEPT + 5):
        Race({"it": dataclasses.replace(SHORT, seed=seed)})
    gc.collect()
    assert len(runs._known) == len(runs._kept) == runs.MOST_KEPT


def test_so_many_runs_are_kept_that_nobody_looks_at_as_there_is_memory_for(monkeypatch: pytest.MonkeyPatch) -> None:
    contest = Race({"it": SHORT}, weights=True)
    contest.start()
    wait_for(lambda: contest.finished)
    size = contest.racers[0].run.nbytes
    assert size > sum(
        snapshot.weights.nbytes for snapshot in contest.racers[0].snapshots if snapshot.weights is not None
    )
    monkeypatch.setattr(runs, "MOST_BYTES_KEPT", size + 3 * runs.EMPTY_BYTES)
    for seed in range(5):
        Race({"it": dataclasses.replace(SHORT, seed=seed + 1)})
        gc.collect()
        assert (contest.racers[0].run in runs._kept.values()) == (seed < 3)
    assert len(runs._kept) == 5
    monkeypatch.setattr(runs, "MOST_BYTES_KEPT", 0)
    Race({"it": SHORT})
    gc.collect()
    assert len(runs._known) - 1 == len(runs._kept) == 1


def test_a_run_that_failed_is_not_what_the_next_one_gets(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as unlucky:
        failing_from_now(unlucky, RuntimeError("out of luck"))
        first = Race({"it": SHORT})
        first.start()
        wait_for(lambda: first.finished)
    second = Race({"it": SHORT})
    second.start()
    wait_for(lambda: second.finished)
    assert [contest.racers[0].ended for contest in (first, second)] == ["failed", "completed"]


def test_a_run_that_rested_goes_on_with_the_very_same_numbers() -> None:
    run = Run(SHORT)
    for _ in range(10):
        run.advance()
    run.rest()
    while not run.ended:
        run.advance()
    assert run.snapshots == list(train(SHORT))
    assert len(run.durations) == len(run.snapshots)


def test_a_race_that_was_left_keeps_neither_weights_nor_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(race, "LAST_SECONDS", 0.1)
    contest = Race({"it": LONG})
    contest.start()
    wait_for(lambda: contest.racers[0].steps > 0)
    contest.expire()
    wait_for(lambda: contest.racers[0].run._training is None)
    contest.renew()
    steps = contest.racers[0].steps
    wait_for(lambda: contest.racers[0].steps > steps)
    contest.pause()


@pytest.mark.skipif(turns.THREADS < 2, reason="one core")
def test_a_race_that_is_left_in_the_middle_of_a_turn_lets_go_at_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other threads have taken it off their list by then."""
    inside, released = threading.Event(), threading.Event()

    def held_up(experiment: Experiment, snapshots: Snapshots) -> Snapshots:
        yield next(snapshots)
        if experiment == LONG:
            inside.set()
            aside(released.wait)
        yield from snapshots

    between(monkeypatch, held_up)
    monkeypatch.setattr(race, "LAST_SECONDS", 0.0)
    left, other = Race({"it": LONG}), Race({"it": SHORT})
    left.start()
    inside.wait()
    left.expire()
    other.start()
    wait_for(lambda: other.finished)
    released.set()
    wait_for(lambda: left.racers[0].run._training is None, 10)


def shown(contest: Race) -> Race:
    """It has begun, and shows something."""
    contest.start()
    wait_for(lambda: contest.racers[0].steps > 0)
    return contest


def test_a_race_that_was_stopped_shows_what_it_did_and_keeps_nothing_to_train_on() -> None:
    contest = shown(Race({"it": LONG}))
    contest.stop()
    seen = contest.racers[0].snapshots
    wait_for(lambda: contest.racers[0].run._training is None, 10)
    assert contest.racers[0].snapshots == seen != []


def test_a_race_that_was_stopped_and_goes_on_has_bitwise_the_same_numbers() -> None:
    long = dataclasses.replace(SHORT, steps=400)
    contest = shown(Race({"it": long}))
    contest.stop()
    wait_for(lambda: contest.racers[0].run._training is None, 10)
    again = Race({"it": long})
    assert 0 < len(again.racers[0].run.snapshots) < 200
    again.start()
    wait_for(lambda: again.finished)
    assert again.racers[0].snapshots == list(train(long, 2))


def test_who_has_paused_a_race_goes_on_from_there_though_somebody_else_has_stopped_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun = begun_from_now(monkeypatch)
    paused, stopped = (shown(Race({"it": LONG})) for _ in range(2))
    paused.pause()
    steps = paused.racers[0].steps
    wait_for(lambda: stopped.racers[0].steps > steps)
    stopped.pause()
    wait_for(lambda: not turns.TURNS._under_way)
    stopped.stop()
    seen = len(stopped.racers[0].run.snapshots)
    paused.start()
    wait_for(lambda: len(paused.racers[0].snapshots) > seen)
    paused.stop()
    assert begun == [LONG]


def test_a_racer_of_the_next_race_too_goes_on_when_the_first_one_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = begun_from_now(monkeypatch)
    first = shown(Race({"it": LONG}))
    following = Race({"it": LONG})
    following.start(after=0.2)
    first.stop()
    steps = len(first.racers[0].run.snapshots)
    wait_for(lambda: len(following.racers[0].snapshots) > steps + 2)
    following.stop()
    assert begun == [LONG]


def test_a_run_that_has_ended_keeps_nothing_to_train_on() -> None:
    contest = shown(Race({"it": SHORT}))
    wait_for(lambda: contest.finished)
    assert contest.racers[0].run._training is None


@pytest.mark.skipif(turns.THREADS < 2, reason="one core")
def test_a_race_that_is_stopped_in_the_middle_of_a_turn_lets_go_at_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    inside, released = threading.Event(), threading.Event()

    def held_up(experiment: Experiment, snapshots: Snapshots) -> Snapshots:
        yield next(snapshots)
        inside.set()
        aside(released.wait)
        yield from snapshots

    between(monkeypatch, held_up)
    contest = Race({"it": LONG})
    contest.start()
    inside.wait()
    contest.stop()
    assert contest.racers[0].run._training is not None
    released.set()
    wait_for(lambda: contest.racers[0].run._training is None, 10)


def test_weights_are_kept_all_the_way_where_they_are_asked_for_and_else_of_both_ends() -> None:
    contest, plain = Race({"it": SHORT}, weights=True), Race({"it": dataclasses.replace(SHORT, seed=1)})
    for one in (contest, plain):
        one.start()
        wait_for(lambda one=one: one.finished)  # type: ignore[misc]
    with_them = [[one.weights is not None for one in race.racers[0].snapshots] for race in (contest, plain)]
    assert all(kept[0] and kept[-1] for kept in with_them)
    assert sum(with_them[0]) > sum(with_them[1]) == 2
