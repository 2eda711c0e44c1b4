"""Do races train in the background, fairly, and without touching each other's results?"""

import dataclasses
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from lstm_core import Experiment, race, train
from lstm_core.baton import aside
from lstm_core.race import Race, Racer
from lstm_core.training import Snapshot

SHORT = Experiment(length=10, hidden=4, batch=4, steps=25)
LONG = dataclasses.replace(SHORT, steps=10_000, lr=1e-8)


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "did not happen in time"
        time.sleep(0.005)


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


@pytest.mark.skipif(race.THREADS < 2, reason="one core")
def test_racers_train_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    meeting = threading.Barrier(2, timeout=60)

    def sociable(experiment: Experiment, record_every: int) -> Iterator[Snapshot]:
        for snapshot in train(experiment, record_every):
            aside(meeting.wait)
            yield snapshot

    monkeypatch.setattr(race, "train", sociable)
    contest = Race({"one": SHORT, "other": dataclasses.replace(SHORT, seed=1)})
    contest.start()
    wait_for(lambda: contest.finished)
    assert [racer.ended for racer in contest.racers] == ["completed", "completed"]


def test_racers_on_the_reference_engine_go_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    going: list[int] = []
    most: list[int] = []

    def counted(experiment: Experiment, record_every: int) -> Iterator[Snapshot]:
        snapshots = train(experiment, record_every)
        yield next(snapshots)
        while True:
            going.append(1)
            most.append(len(going))
            snapshot = next(snapshots)
            going.pop()
            yield snapshot

    monkeypatch.setattr(race, "train", counted)
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


def test_two_races_take_turns() -> None:
    one, other = Race({"it": LONG}), Race({"it": LONG})
    one.start()
    other.start()
    wait_for(lambda: min(one.racers[0].steps, other.racers[0].steps) > 0)
    one.pause()
    other.pause()


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
    def broken(experiment: Experiment, record_every: int) -> Iterator[Snapshot]:
        if experiment.cell == "gru":
            raise RuntimeError("out of luck")
        yield from train(experiment, record_every)

    monkeypatch.setattr(race, "train", broken)
    contest = Race({"bad": dataclasses.replace(SHORT, cell="gru"), "good": SHORT})
    contest.start()
    wait_for(lambda: contest.finished)
    bad, good = contest.racers
    assert (bad.ended, bad.error) == ("failed", "RuntimeError: out of luck")
    assert good.ended == "completed"


def test_a_long_training_is_recorded_evenly_and_not_too_often() -> None:
    racer = Racer("it", dataclasses.replace(SHORT, steps=1_000))
    for _ in range(4):
        racer.advance()
    assert [snapshot.step for snapshot in racer.snapshots] == [1, 5, 10, 15]


def test_progress_goes_from_nothing_to_all() -> None:
    contest = Race({"it": SHORT, "other": dataclasses.replace(SHORT, seed=1)})
    assert (contest.progress, contest.seconds_left, contest.finished) == (0, 0, False)
    contest.start()
    wait_for(lambda: contest.finished)
    assert (contest.progress, contest.seconds_left) == (1, 0)
