"""Do finished runs reach a history, whatever happens to it, without holding up who has them?"""

import logging
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from functools import partial
from pathlib import Path

import pytest

from lstm_core.history import database, opening, server, sqlite_file, writer
from lstm_core.history.writer import Writer
from tests import histories
from tests.histories import made_up


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    for place in (sqlite_file, server):
        monkeypatch.setattr(place, "WRITING_SECONDS", 0.02)
    monkeypatch.setattr(writer, "RETRY_SECONDS", 0.02)
    monkeypatch.setattr(writer, "LAST_SECONDS", 0.1)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Of a history with nothing in it."""
    place = tmp_path / "history.sqlite"
    opening.open_history(f"sqlite:///{place}").dispose()
    return place


@pytest.fixture
def locked(file: Path) -> Iterator[sqlite3.Connection]:
    """Whoever writes the same history, and does not come to an end."""
    other = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    yield other
    other.close()


@pytest.fixture
def one(file: Path) -> Iterator[Writer]:
    yield (made := Writer(partial(opening.open_history, f"sqlite:///{file}")))
    made.close()


def kept(file: Path) -> int:
    with sqlite3.connect(file) as connection:
        rows: int = connection.execute("SELECT count(*) FROM runs").fetchone()[0]
    return rows


def given(future: Future[int] | None) -> Future[int]:
    assert future
    return future


def test_what_is_given_is_stored_and_no_thread_stays(one: Writer, file: Path) -> None:
    assert given(one.keep([made_up(0), made_up(1)])).result(10) == 2
    assert given(one.keep([made_up(1), made_up(2)])).result(10) == 1
    one.close()
    assert kept(file) == 3
    assert "history" not in [thread.name for thread in threading.enumerate()]


def test_a_history_that_is_locked_elsewhere_holds_nobody_up(
    one: Writer, file: Path, locked: sqlite3.Connection
) -> None:
    stored = given(one.keep([made_up(0)]))
    while one.problem is None:
        time.sleep(0.01)
    assert "locked" in one.problem
    assert not stored.done()
    locked.execute("ROLLBACK")
    assert stored.result(10) == 1
    assert kept(file) == 1
    assert not one.problem


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_what_cannot_be_written_to_a_server_because_of_a_lock_waits_and_is_written_after_it(url: str) -> None:
    opening.open_history(url).dispose()
    one = Writer(partial(opening.open_history, url))
    with histories.locked(url, "runs"):
        stored = given(one.keep([made_up(0)]))
        while one.problem is None:
            time.sleep(0.01)
        assert "lock timeout" in one.problem
        assert not stored.done()
    assert stored.result(10) == 1
    one.close()


def test_a_history_that_was_absent_is_made_when_it_can_be(tmp_path: Path) -> None:
    one = Writer(partial(opening.open_history, f"sqlite:///{tmp_path}/mount/history.sqlite"))
    stored = given(one.keep([made_up(0)]))
    while one.problem is None:
        time.sleep(0.01)
    (tmp_path / "mount").mkdir()
    assert stored.result(10) == 1


def test_a_file_that_was_removed_is_said_and_another_one_made(
    one: Writer, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    given(one.keep([made_up(0)])).result(10)
    for name in ("history.sqlite", "history.sqlite-wal", "history.sqlite-shm"):
        (file.parent / name).unlink(missing_ok=True)
    given(one.keep([made_up(1)])).result(10)
    assert "its file has been removed" in caplog.text
    assert kept(file) == 1


def test_no_more_wait_than_there_is_room_for(
    one: Writer, locked: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "MOST_WAITING", 3)
    assert [bool(one.keep([made_up(seed), made_up(seed + 1)])) for seed in (0, 2, 4)] == [True, True, False]


def test_a_run_that_cannot_be_stored_for_long_is_given_up_with_a_word(
    one: Writer, locked: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "TRIED_SECONDS", 0.1)
    stored = given(one.keep([made_up(0)]))
    with pytest.raises(opening.UnavailableError, match="locked"):
        stored.result(10)


def test_at_the_end_it_is_told_in_one_line_how_many_are_lost(
    one: Writer, locked: sqlite3.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    one.keep([made_up(0), made_up(1)])
    caplog.set_level(logging.WARNING)
    started = time.perf_counter()
    one.close()
    assert time.perf_counter() - started < 1
    assert [line for line in caplog.messages if line.startswith("2 finished runs are lost: ")]
    assert one.keep([made_up(2)]) is None


def test_at_the_end_what_waits_is_still_written(
    one: Writer, file: Path, locked: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "LAST_SECONDS", 10)
    one.keep([made_up(0)])
    threading.Timer(0.1, lambda: locked.execute("ROLLBACK")).start()
    one.close()
    assert kept(file) == 1
    assert list(database.outcomes(opening.open_history(f"sqlite:///{file}"))) == [made_up(0).experiment.key]
