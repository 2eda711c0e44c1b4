"""What does a crowd see? So many visitors open a page, and each moves a slider every few seconds."""

import asyncio
import random
import statistics
import time
from collections.abc import Sequence
from typing import NamedTuple

import psutil

from tests.load.visitor import Visitor

CHANGE_EVERY = 5.0
ARRIVING = 5.0
LENGTHS = range(20, 201, 5)


class Seen(NamedTuple):
    """Of a whole crowd: seconds to each first chart, and from each change to the first trained point after it; frames a
    second of each visitor while a race was under way; errors; memory at most, in MB."""

    first_charts: list[float]
    reactions: list[float]
    rates: list[float]
    errors: list[str]
    memory: float


def percentile(values: Sequence[float], percent: int) -> float:
    """The smallest value that is not below so many percent of them."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, -(-percent * len(ordered) // 100) - 1)]


def _rate(visitor: Visitor) -> float:
    """Frames a second; what stands still or is about to be replaced is not counted."""
    gaps = [
        later[0] - earlier[0]
        for earlier, later in zip(visitor.progress, visitor.progress[1:], strict=False)
        if later[1] > earlier[1]
    ]
    return 1 / statistics.mean(gaps) if gaps else 0.0


async def _visit(address: str, seconds: float, seed: int) -> tuple[Visitor, list[float]]:
    """With a seed of its own, so that nobody finds what another one has trained."""
    chance, visitor, reactions = random.Random(seed), Visitor(address, f"seed={seed}"), []
    await asyncio.sleep(chance.uniform(0, ARRIVING))
    await visitor.open()
    await visitor.until(lambda: bool(visitor.charts))
    leaves = time.monotonic() + seconds
    await asyncio.sleep(chance.uniform(0, CHANGE_EVERY))
    while time.monotonic() < leaves:
        moved = await visitor.slide("Length T, in time steps", chance.choice(LENGTHS))
        try:
            await visitor.until(lambda moved=moved: bool(visitor.trained(moved)))  # type: ignore[misc]
            reactions.append(visitor.trained(moved)[0] - moved)
        except TimeoutError:
            visitor.errors.append("nothing trained for half a minute")
        await asyncio.sleep(max(0.0, moved + CHANGE_EVERY - time.monotonic()))
    await visitor.close()
    return visitor, reactions


async def _watch(process: psutil.Process, highest: list[float]) -> None:
    while True:
        highest[0] = max(highest[0], process.memory_info().rss / 1e6)
        await asyncio.sleep(0.5)


async def crowd(address: str, pid: int, sessions: int, seconds: float, seed: int = 0) -> Seen:
    """Let a crowd come to the server at `address`, whose process is `pid`."""
    highest = [0.0]
    watch = asyncio.create_task(_watch(psutil.Process(pid), highest))
    visits = [_visit(address, seconds, 1000 * seed + k) for k in range(sessions)]
    seen = await asyncio.gather(*visits)
    watch.cancel()
    visitors = [visitor for visitor, _ in seen]
    return Seen(
        [visitor.charts[0] - visitor.opened for visitor in visitors],
        [reaction for _, reactions in seen for reaction in reactions],
        [_rate(visitor) for visitor in visitors],
        [error for visitor in visitors for error in visitor.errors],
        highest[0],
    )
