"""Does every run have one sweep that trains it, and another one if that dies?"""

import os
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from lstm_core.history import leases
from lstm_core.history.leases import LEASE_SECONDS, Leases
from lstm_core.history.opening import History, transaction
from lstm_core.history.schema import LEASES


def given(kept: History, holder: str, seconds: float) -> None:
    """Somebody has the run "a" for so long."""
    with transaction(kept, writing=True) as connection:
        connection.execute(LEASES.delete())
        connection.execute(LEASES.insert().values(key="a", holder=holder, until=time.time() + seconds))


def test_what_one_has_taken_another_one_gets_when_it_is_released(kept: History) -> None:
    one, other = Leases(kept), Leases(kept)
    assert (one.take("a"), one.take("a"), other.take("a"), other.take("b")) == (True, True, False, True)
    assert (one.elsewhere(), other.elsewhere()) == ({"b"}, {"a"})
    one.release()
    assert other.take("a")


def test_many_who_ask_at_once_get_it_once(kept: History) -> None:
    with ThreadPoolExecutor(4) as threads:
        taken = list(threads.map(lambda number: Leases(kept).take(str(number // 4)), range(16)))
    assert [sum(taken[first : first + 4]) for first in range(0, 16, 4)] == [1, 1, 1, 1]


def test_a_sweep_that_has_died_on_this_machine_has_nothing_any_more(kept: History) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as dead:
        dead.wait()
    given(kept, f"{socket.gethostname()} {dead.pid} x", LEASE_SECONDS)
    assert Leases(kept).elsewhere() == set()
    assert Leases(kept).take("a")


@pytest.mark.parametrize(("seconds", "free"), [(-1.0, True), (LEASE_SECONDS, False)])
def test_a_sweep_on_another_machine_keeps_what_it_renews(kept: History, seconds: float, free: bool) -> None:
    given(kept, f"another {os.getpid()} x", seconds)
    assert Leases(kept).elsewhere() == (set() if free else {"a"})
    assert Leases(kept).take("a") is free


def test_leases_are_renewed_from_time_to_time(kept: History, monkeypatch: pytest.MonkeyPatch) -> None:
    one = Leases(kept)
    one.take("a")
    monkeypatch.setattr(leases, "LEASE_SECONDS", 1e6)
    one.renew()
    until = LEASES.select().with_only_columns(LEASES.c.until)
    with transaction(kept) as connection:
        assert connection.execute(until).scalar_one() < time.time() + LEASE_SECONDS
    monkeypatch.setattr(leases, "RENEWED_SECONDS", -1)
    one.renew()
    with transaction(kept) as connection:
        assert connection.execute(until).scalar_one() > time.time() + LEASE_SECONDS
