"""Do trainings pass the baton on around their kernels, and only then?"""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from lstm_core import fair_lock


def free() -> bool:
    """Whether another thread could have the baton now."""
    return fair_lock._baton._holder is None


def test_whoever_has_it_has_it_alone_but_for_the_kernels() -> None:
    seen = []
    with fair_lock.held(fair_lock.TRAINING):
        seen.append(free())
        fair_lock.aside(lambda: seen.append(free()))
        seen.append(free())
    assert [*seen, free()] == [False, True, False, True]


def test_a_kernel_runs_without_it_too() -> None:
    ran: list[int] = []
    fair_lock.aside(ran.append, 1)
    assert ran == [1]


def test_it_comes_back_when_a_kernel_fails_and_is_let_go_when_a_training_does() -> None:
    after_the_kernel = []

    def fail() -> None:
        raise ZeroDivisionError

    def training() -> None:
        with fair_lock.held(fair_lock.TRAINING):
            try:
                fair_lock.aside(fail)
            finally:
                after_the_kernel.append(free())

    with pytest.raises(ZeroDivisionError):
        training()
    assert [*after_the_kernel, free()] == [False, True]


def test_kernels_of_two_threads_run_at_the_same_time() -> None:
    meeting = threading.Barrier(2, timeout=60)

    def training() -> None:
        with fair_lock.held(fair_lock.TRAINING):
            fair_lock.aside(meeting.wait)

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(training) for _ in range(2)]:
            done.result()


def test_what_is_seen_for_the_first_time_goes_before_what_is_seen_again() -> None:
    order: list[str] = []

    def wait_for_it(kind: str) -> None:
        with fair_lock.held(kind):
            order.append(kind)
            # As long as a page takes, so that each has used up some of its share.
            threading.Event().wait(0.01)

    queue = [fair_lock.PAGE] * 4 + [fair_lock.OPENING] * 4
    with ThreadPoolExecutor(len(queue)) as pool:
        with fair_lock.held(fair_lock.TRAINING):
            waiting = []
            for place, kind in enumerate(queue, start=1):
                waiting.append(pool.submit(wait_for_it, kind))
                while sum(map(len, fair_lock._baton._waiting.values())) < place:
                    threading.Event().wait(0.001)
        for done in waiting:
            done.result()
    # One page may come between, because both kinds begin with nothing used.
    assert sorted(order[:5]) == [*[fair_lock.OPENING] * 4, fair_lock.PAGE]
