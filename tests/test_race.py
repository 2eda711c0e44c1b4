"""Do races train in the background, fairly, and without touching each other's results?"""

import dataclasses
import threading
import time

import pytest

from lstm_core import Experiment, train
from lstm_core.fair_lock import aside
from lstm_core.race import race, turns
from lstm_core.race.race import Race
from lstm_core.race.runs import Run
from tests.trainings import LONG, SHORT, Snapshots, begun_from_now, between, failing_from_now, wait_for

pytestmark = pytest.mark.usefixtures("nobody_trained_anything_before")


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


def test_a_race_goes_before_those_behind_unless_it_is_one_of_them() -> None:
    assert [Race({"it": SHORT}).behind, Race({"it": SHORT}, behind=True).behind] == [False, True]
