"""Does the server stay fair, tidy and alive while visitors come, go, and misbehave?"""

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import psutil
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg

from lstm_core.history.opening import open_history
from lstm_core.openings.presets import OPENINGS
from tests.load.scenario import HABITS, all_at_once, crowd
from tests.load.visitor import Visitor
from tests.serving import Server, serve

Result = TypeVar("Result")
LONG = "length=200&batch=64&hidden=64&steps=3000"
LOSS = "Line chart of the training loss of every racer by training step, with the constant predictor's loss dashed"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serve() as running:
        yield running


def in_a_loop_of_its_own(visit: Coroutine[Any, Any, Result]) -> Result:
    """In another thread: the browser tests keep a loop in this one."""
    with ThreadPoolExecutor(1) as another:
        return another.submit(asyncio.run, visit).result()


def trains(server: Server, seconds: float = 1.0) -> bool:
    """Whether the server computes: a race takes all that it gets, pages that are looked at a small part of a core."""
    return psutil.Process(server.process.pid).cpu_percent(seconds) > 25


async def opened(server: Server, query: str) -> Visitor:
    """A visitor whose race is under way."""
    visitor = Visitor(server.address, query)
    await visitor.open()
    await visitor.until(lambda: bool(visitor.trained(0)))
    return visitor


def idle_after(server: Server, seconds: float, leave: Callable[[Visitor], Awaitable[None]], seed: int) -> bool:
    """Whether a long race has ended so many seconds after its only visitor did this."""

    async def visit() -> bool:
        visitor = await opened(server, f"{LONG}&seed={seed}")
        assert trains(server)
        await leave(visitor)
        await asyncio.sleep(seconds)
        still = trains(server)
        await visitor.close()
        return not still

    return in_a_loop_of_its_own(visit())


def test_all_pages_can_be_the_first_of_a_server_at_once(server: Server) -> None:
    """What one visitor's page imports others find whole; `serve` fails where the server has told of an exception."""
    assert in_a_loop_of_its_own(all_at_once(server.address)) == []


def test_a_small_crowd_on_all_pages_sees_its_curves_grow(server: Server) -> None:
    seen = in_a_loop_of_its_own(crowd(server.address, server.process.pid, sessions=len(HABITS), seconds=8))
    assert seen.errors == []
    assert len(seen.first_charts) >= len(OPENINGS)
    assert len(seen.changes) >= len(HABITS)
    assert len(seen.rates) >= len(OPENINGS)


def test_a_closed_tab_ends_its_training(server: Server) -> None:
    assert idle_after(server, 2.5, Visitor.close, seed=1)


def test_a_dead_network_ends_its_training(server: Server) -> None:
    """The connection stays, but nothing comes any more."""

    async def die(visitor: Visitor) -> None:
        visitor.fall_silent()

    assert idle_after(server, 15, die, seed=2)


def test_nobody_ends_the_training_of_somebody_else(server: Server) -> None:
    """Not by closing a tab, and not by clearing the cache of all."""

    async def visit() -> None:
        mine, theirs = await opened(server, f"{LONG}&seed=3"), await opened(server, f"{LONG}&seed=4")
        await theirs.say(BackMsg(clear_cache=True))
        await theirs.close()
        await asyncio.sleep(4)
        since = time.monotonic()
        steps = mine.progress[-1][1]
        await mine.until(lambda: bool(mine.trained(since)) and mine.progress[-1][1] > steps)
        assert mine.errors == []
        await mine.close()

    in_a_loop_of_its_own(visit())


def finished(visitor: Visitor) -> bool:
    return any(text.startswith("finished") for text in visitor.texts)


def test_eight_visitors_with_one_link_see_what_one_alone_sees(server: Server) -> None:
    """Every number of the loss chart, bit for bit; alone on a server of its own."""

    async def curves(address: str, visitors: int) -> set[bytes]:
        all_of_them = [Visitor(address, "length=40&steps=200&seed=5") for _ in range(visitors)]
        for visitor in all_of_them:
            await visitor.open()
        for visitor in all_of_them:
            await visitor.until(lambda visitor=visitor: finished(visitor), 120)  # type: ignore[misc]
        # The charts come after the word that it is finished.
        await asyncio.sleep(2)
        for visitor in all_of_them:
            await visitor.close()
        return {visitor.tables[LOSS] for visitor in all_of_them}

    together = in_a_loop_of_its_own(curves(server.address, 8))
    with serve() as another:
        alone = in_a_loop_of_its_own(curves(another.address, 1))
    assert together == alone
    assert len(alone) == 1


def test_the_server_ends_well_in_the_middle_of_eight_races() -> None:
    """`serve` asks for exit status 0."""

    async def visit(server: Server) -> None:
        visitors = [await opened(server, f"{LONG}&seed={seed}") for seed in range(8)]
        server.process.terminate()
        await asyncio.to_thread(server.process.wait, 60)
        for visitor in visitors:
            await visitor.close()

    with serve() as running:
        in_a_loop_of_its_own(visit(running))


def test_the_server_ends_at_once_though_runs_wait_for_a_history_that_is_locked(tmp_path: Path) -> None:
    place = f"sqlite:///{tmp_path}/history.sqlite"
    open_history(place).dispose()

    async def visit(server: Server) -> None:
        visitor = Visitor(server.address, page="sweeps")
        await visitor.open()
        await visitor.until(lambda: "Run the grid" in visitor.labels)
        asked = visitor.labels.pop("Run the grid")
        await visitor.press("Load them already trained")
        await visitor.until(lambda: visitor.labels.get("Run the grid") == asked)
        await visitor.close()

    with closing(sqlite3.connect(tmp_path / "history.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with serve({"GRADIENT_HIGHWAY_HISTORY": place}) as server:
            in_a_loop_of_its_own(visit(server))
            started = time.monotonic()
            server.process.terminate()
            assert server.process.wait(60) == 0
            assert time.monotonic() - started < 3
