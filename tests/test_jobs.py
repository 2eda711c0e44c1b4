"""Do the threads of races do what is asked of them, once, and before they train?"""

import dataclasses
import threading
import time
from typing import Any

import pytest

from lstm_core import Experiment
from lstm_core.race import race, runs, turns
from lstm_core.race.jobs import Job
from lstm_core.race.race import Race
from tests.trainings import Snapshots, between, wait_for

LONG = Experiment(length=10, hidden=4, batch=4, steps=10_000, lr=1e-8)


def test_a_job_is_done_by_a_race_thread_once_for_all_who_ask() -> None:
    results: dict[Any, Any] = {}
    by: list[str] = []

    def noted() -> int:
        by.append(threading.current_thread().name)
        time.sleep(0.05)
        return 7

    one, other = Race({}), Race({})
    for asking in (one, other):
        asking.ask([Job(results, "it", noted)])
    assert one.moving
    wait_for(lambda: not one.moving and not other.moving)
    assert results == {"it": 7}
    assert by == ["races"]


def test_a_job_that_fails_leaves_its_exception_and_the_thread_goes_on() -> None:
    results: dict[Any, Any] = {}
    asking = Race({})
    asking.ask([Job(results, "bad", lambda: 1 // 0), Job(results, "good", lambda: 1)])
    wait_for(lambda: not asking.moving)
    assert isinstance(results["bad"], ZeroDivisionError)
    assert results["good"] == 1


def test_what_is_asked_for_no_longer_is_not_done() -> None:
    results: dict[Any, Any] = {}
    gate = threading.Event()
    asking = Race({})
    blocked = [Job(results, f"slow {k}", lambda: gate.wait(60)) for k in range(turns.THREADS)]
    asking.ask([*blocked, Job(results, "old", lambda: 1)])
    wait_for(lambda: len(turns.TURNS._under_way) == turns.THREADS)
    asking.ask([*blocked, Job(results, "new", lambda: 2)])
    gate.set()
    wait_for(lambda: not asking.moving)
    assert results["new"] == 2
    assert "old" not in results


def test_a_job_comes_before_the_next_turn_of_its_race(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(race, "MOST_AHEAD", 10_000)
    order: list[str] = []

    def noted(experiment: Experiment, snapshots: Snapshots) -> Snapshots:
        for snapshot in snapshots:
            order.append("turn")
            yield snapshot

    between(monkeypatch, noted)
    contest = Race({"it": LONG}, anew=True)
    contest.start()
    wait_for(lambda: len(order) > 5)
    asked = len(order)
    contest.ask([Job({}, "it", lambda: order.append("job"))])
    wait_for(lambda: "job" in order)
    contest.pause()
    # At most one turn may have been under way on each thread.
    assert order.index("job") <= asked + turns.THREADS


def test_a_race_that_has_not_begun_has_nothing_done_for_it() -> None:
    """So that a slider that is dragged does not have each of its places measured."""
    results: dict[Any, Any] = {}
    late, other = Race({"it": dataclasses.replace(LONG, seed=4)}), Race({})
    late.start(after=60)
    late.ask([Job(results, "late", lambda: 1)])
    other.ask([Job(results, "other", lambda: 2)])
    wait_for(lambda: not other.moving)
    time.sleep(0.05)
    late.stop()
    assert results == {"other": 2}


def test_a_paused_race_has_its_jobs_done() -> None:
    contest = Race({"it": dataclasses.replace(LONG, seed=3)})
    results: dict[Any, Any] = {}
    contest.ask([Job(results, "it", lambda: 1)])
    wait_for(lambda: not contest.moving)
    assert results == {"it": 1}
    assert contest.racers[0].run.snapshots == []
    runs._kept.clear()
