"""Do races train in the background, fairly, and without touching each other's results?"""

import dataclasses
import gc
import threading
import time
from collections.abc import Iterator

import pytest

from lstm_core import Experiment, train
from lstm_core.fair_lock import aside
from lstm_core.race import race, runs, turns
from lstm_core.race.race import Race
from lstm_core.race.runs import Run
from tests.trainings import Snapshots, begun_from_now, between, failing_from_now, wait_for

SHORT = Experiment(length=10, hidden=4, batch=4, steps=25)
# Some seconds of one core.
LONG = dataclasses.replace(SHORT, length=100, hidden=16, batch=16, steps=10_000, lr=1e-8)


@pytest.fixture(autouse=True)
def _nobody_trained_anything_before() -> Iterator[None]:
    yield
    runs._kept.clear()
    runs._known.clear()


def test_an_experiment_gives_bitwise_the_same_snapshots_alone_and_beside_seven_others() -> None:
    alone = list(train(SHORT))
    others = {str(seed): dataclasses.replace(SHORT, seed=seed, cell="gru") for seed in range(1, 8)}
    crowd = Race({"it": SHORT, **others})
    elsewhere = Race({"it": SHORT})
    crowd.start()
    elsewhere.start()
    wait_for(lambda: crowd.finished and elsewhere.finished)
    assert crowd.racers[0].snapshots == alone == elsewhere.racers[0].snapshots


def test_racers_keep_step_with_each_other() -> None:
    contest = Race({"small": LONG, "large": dataclasses.replace(LONG, hidden=64)})
    contest.start()
    wait_for(lambda: contest.racers[1].steps >= 3 * 500)
    contest.pause()
    one, other = contest.racers
    assert abs(len(one.snapshots) - len(other.snapshots)) <= race.MOST_AHEAD


def test_a_race_behind_the_others_waits_until_none_of_them_wants_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[int] = []

    def noted(experiment: Experiment, snapshots: Snapshots) -> Snapshots:
        for snapshot in snapshots:
            order.append(experiment.seed)
            yield snapshot

    between(monkeypatch, noted)
    behind = Race({"late": dataclasses.replace(LONG, steps=1000, seed=1)}, behind=True)
    others = [Race({"early": dataclasses.replace(LONG, steps=1000, seed=seed)}) for seed in range(2, 2 + turns.THREADS)]
    for one in [*others, behind]:
        one.start()
    wait_for(lambda: all(one.finished for one in [*others, behind]))
    before = order[: order.index(1)]
    # One that is training has no turn to give away, so that a thread is free as soon as the first of them has ended.
    assert any(before.count(seed) == order.count(seed) for seed in range(2, 2 + turns.THREADS))
    assert turns.crowd() == 0


@pytest.mark.skipif(turns.THREADS < 2, reason="one core")
def test_racers_train_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    meeting = threading.Barrier(2, timeout=60)

    def sociable(experiment: Experiment, snapshots: Snapshots) -> Snapshots:
        for snapshot in snapshots:
            aside(meeting.wait)
            yield snapshot

    between(monkeypatch, sociable)
    contest = Race({"one": SHORT, "other": dataclasses.replace(SHORT, seed=1)})
    contest.start()
    wait_for(lambda: contest.finished)
    assert [racer.ended for racer in contest.racers] == ["completed", "completed"]


@pytest.mark.skipif(turns.THREADS < 2, reason="one core")
def test_a_thread_without_work_finds_it_when_there_is_some_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """One racer is slow at first, so that the thread of the other has to wait; later both train at the same time."""
    meeting = threading.Barrier(2, timeout=60)

    def slow_then_sociable(experiment: Experiment, snapshots: Snapshots) -> Snapshots:
        for snapshot in snapshots:
            if snapshot.step == 2 and experiment == SHORT:
                aside(time.sleep, 0.5)
            if snapshot.step > 2 + race.MOST_AHEAD:
                aside(meeting.wait)
            yield snapshot

    between(monkeypatch, slow_then_sociable)
    contest = Race({"one": SHORT, "other": dataclasses.replace(SHORT, seed=1)})
    contest.start()
    wait_for(lambda: contest.finished)
    assert [racer.ended for racer in contest.racers] == ["completed", "completed"]


def test_racers_on_the_reference_engine_go_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    going: list[int] = []
    most: list[int] = []

    def counted(experiment: Experiment, snapshots: Snapshots) -> Snapshots:
        yield next(snapshots)
        while True:
            going.append(1)
            most.append(len(going))
            snapshot = next(snapshots)
            going.pop()
            yield snapshot

    between(monkeypatch, counted)
    short = dataclasses.replace(SHORT, engine="reference")
    contest = Race({str(seed): dataclasses.replace(short, seed=seed) for seed in range(3)})
    contest.start()
    wait_for(lambda: contest.finished)
    assert set(most) == {1}


def test_a_paused_race_goes_on_where_it_was() -> None:
    contest = Race({"it": SHORT})
    contest.start()
    contest.pause()
    time.sleep(0.1)
    standing = contest.racers[0].steps
    time.sleep(0.1)
    assert contest.racers[0].steps == standing
    contest.start()
    wait_for(lambda: contest.finished)
    assert contest.racers[0].snapshots == list(train(SHORT))


def test_two_races_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each could keep all threads busy, and the first one is there before the other."""
    taken: list[int] = []

    def noted(experiment: Experiment, snapshots: Snapshots) -> Snapshots:
        for snapshot in snapshots:
            taken.append(experiment.seed % 2)
            yield snapshot

    between(monkeypatch, noted)
    racers = [dataclasses.replace(LONG, steps=2000, seed=seed) for seed in range(4 * turns.THREADS)]
    one, other = (Race({str(racer.seed): racer for racer in racers[first::2]}) for first in (0, 1))
    one.start()
    other.start()
    wait_for(lambda: len(taken) >= 200)
    one.pause()
    other.pause()
    assert 60 <= sum(taken[:200]) <= 140


def test_a_race_that_nobody_looks_at_stands_still_until_somebody_does(monkeypatch: pytest.MonkeyPatch) -> None:
    contest = Race({"it": LONG})
    contest.start()
    wait_for(lambda: contest.racers[0].steps > 0)
    with monkeypatch.context() as nobody:
        nobody.setattr(race, "LEASE_SECONDS", 0)
        contest.renew()
    assert contest.running
    assert not contest.wants_turn
    time.sleep(1)
    standing = contest.racers[0].steps
    time.sleep(0.2)
    assert contest.racers[0].steps == standing
    contest.renew()
    wait_for(lambda: contest.racers[0].steps > standing)
    contest.pause()


def test_a_racer_that_fails_leaves_the_rest_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    failing_from_now(monkeypatch, RuntimeError("out of luck"), lambda experiment: experiment.cell == "gru")
    contest = Race({"bad": dataclasses.replace(SHORT, cell="gru"), "good": SHORT})
    contest.start()
    wait_for(lambda: contest.finished)
    bad, good = contest.racers
    assert (bad.ended, bad.error) == ("failed", "RuntimeError: out of luck")
    assert good.ended == "completed"


def test_a_long_training_is_recorded_evenly_and_not_too_often() -> None:
    run = Run(dataclasses.replace(SHORT, steps=1_000))
    for _ in range(4):
        run.advance()
    assert [snapshot.step for snapshot in run.snapshots] == [1, 5, 10, 15]


def test_progress_goes_from_nothing_to_all() -> None:
    contest = Race({"it": SHORT, "other": dataclasses.replace(SHORT, seed=1)})
    assert (contest.progress, contest.seconds_left, contest.finished) == (0, 0, False)
    contest.start()
    wait_for(lambda: contest.finished)
    assert (contest.progress, contest.seconds_left) == (1, 0)


def test_racers_that_have_different_numbers_of_steps_all_come_to_their_ends() -> None:
    """By turns of a single thread, which is where none of them could wait for another."""
    contest = Race({"short": dataclasses.replace(SHORT, steps=200), "long": dataclasses.replace(SHORT, steps=1000)})
    for racer in contest.racers:
        racer.follow()
    while not contest.finished:
        turn = contest.waiting(())
        assert turn is not None
        turn()


def test_a_race_needs_as_long_as_the_racer_that_needs_longest() -> None:
    contest = Race({"short": dataclasses.replace(LONG, steps=2000), "long": dataclasses.replace(LONG, seed=1)})
    contest.start()

    def moves() -> bool:
        contest.renew()
        assert [racer.error for racer in contest.racers] == [None, None]
        return all(len(racer.snapshots) > 1 for racer in contest.racers)

    wait_for(moves)
    contest.pause()
    assert contest.seconds_left >= max(racer.seconds_left for racer in contest.racers) > 0


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


def test_a_pause_holds_for_whoever_paused_and_for_nobody_else() -> None:
    paused, other = Race({"it": LONG}), Race({"it": LONG})
    paused.start()
    other.start()
    wait_for(lambda: paused.racers[0].steps > 0)
    paused.pause()
    standing = paused.racers[0].steps
    wait_for(lambda: other.racers[0].steps > standing)
    assert paused.racers[0].steps == standing
    other.pause()


def test_a_step_is_one_snapshot_of_each_racer() -> None:
    contest = Race({"one": SHORT, "other": dataclasses.replace(SHORT, seed=1)})
    for number in (1, 2, 3):
        contest.step()
        wait_for(lambda: not contest.moving)
        assert [len(racer.snapshots) for racer in contest.racers] == [number, number]
    assert not contest.running
    contest.start()
    wait_for(lambda: contest.finished)
    assert contest.racers[0].snapshots == list(train(SHORT))


def test_of_races_that_replace_each_other_quickly_only_the_last_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = begun_from_now(monkeypatch)
    for seed in range(10):
        contest = Race({"it": dataclasses.replace(SHORT, seed=seed)})
        contest.start(after=0.3)
        if seed < 9:
            contest.pause()
    wait_for(lambda: contest.finished)
    assert [experiment.seed for experiment in begun] == [9]


def test_whoever_comes_when_the_house_is_full_is_told_a_number_and_comes_in_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(turns, "MOST_RACING", 1)
    inside = Race({"it": LONG})
    inside.start()
    queue = [Race({"it": dataclasses.replace(SHORT, seed=seed)}) for seed in (1, 2)]
    for contest in queue:
        contest.start()
    assert [inside.place, *(contest.place for contest in queue)] == [0, 1, 2]
    time.sleep(0.2)
    assert [contest.racers[0].steps for contest in queue] == [0, 0]
    inside.pause()
    wait_for(lambda: all(contest.finished for contest in queue))


def test_a_full_queue_takes_nobody_until_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "MOST_WAITING", 1)
    inside, outside = Race({"it": LONG}), Race({"it": SHORT})
    inside.start()
    outside.start()
    assert outside.place == 1
    inside.pause()
    wait_for(lambda: not inside.place and not turns.crowd())
    outside.renew()
    wait_for(lambda: outside.finished)


def test_a_race_that_is_left_stops_soon_and_one_that_is_still_looked_at_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(race, "LAST_SECONDS", 0.2)
    left, kept = Race({"it": LONG}), Race({"it": dataclasses.replace(LONG, seed=1)})
    for contest in (left, kept):
        contest.start()
        contest.expire()
    kept.renew()
    wait_for(lambda: not left.wants_turn, race.LEASE_SECONDS / 2)
    assert kept.wants_turn
    kept.pause()


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


def test_weights_are_kept_where_they_are_asked_for_and_nowhere_else() -> None:
    """Here the last snapshot's: between two that are kept lie several."""
    contest, plain = Race({"it": SHORT}, weights=True), Race({"it": dataclasses.replace(SHORT, seed=1)})
    for one in (contest, plain):
        one.start()
        wait_for(lambda one=one: one.finished)  # type: ignore[misc]
    assert [one.racers[0].snapshots[-1].weights is not None for one in (contest, plain)] == [True, False]


def test_a_race_goes_before_those_behind_unless_it_is_one_of_them() -> None:
    assert [Race({"it": SHORT}).behind, Race({"it": SHORT}, behind=True).behind] == [False, True]
