"""What does a crowd see? Visitors spread over all pages, each of whom does something every few seconds."""

import asyncio
import random
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

import psutil

from lstm_core.openings.presets import OPENINGS
from lstm_core.ui.page import PAGES
from lstm_core.ui.upload import OWN_LABEL
from tests.load.visitor import Visitor

CHANGE_EVERY = 5.0
ARRIVING = 5.0
# One in so many changes unfolds what lies below the race.
UNFOLDS = 4
LENGTHS = range(20, 201, 5)
AGAIN = {"Run it again", "Start over"}
OWN_ROWS = 10_000
GRID = "[base]\nlength = 20\nsteps = 100\n[grid]\nseed = [{seed}, {after}]\n"

# What a visitor of a page does next; the time at which it was done.
Change = Callable[[Visitor, random.Random], Awaitable[float]]


class Seen(NamedTuple):
    """
    Of a whole crowd, in seconds: to each first chart; from each change to the first trained point after it, on pages
    with a race, and to the page drawn anew, on all; from a frame that is due to the frame. Frames a second of each
    visitor while a race was under way; errors; memory at most, in MB.
    """

    first_charts: list[float]
    reactions: list[float]
    changes: list[float]
    frames: list[float]
    rates: list[float]
    errors: list[str]
    memory: float


def percentile(values: Sequence[float], percent: int) -> float:
    """The smallest value that is not below so many percent of them."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, -(-percent * len(ordered) // 100) - 1)]


def _slides(label: str, values: Sequence[float]) -> Change:
    async def change(visitor: Visitor, chance: random.Random) -> float:
        return await visitor.slide(label, chance.choice(values))

    return change


async def _forecasts(visitor: Visitor, chance: random.Random) -> float:
    """With a file of one's own, of about 100 kB, another one in two changes of five."""
    if chance.random() < 0.4:
        await visitor.choose("Series", OWN_LABEL)
        rows = "\n".join(f"{chance.gauss(0, 1):.6f}" for _ in range(OWN_ROWS))
        return await visitor.upload("CSV or Parquet file", "own.csv", f"value\n{rows}\n".encode())
    return await visitor.slide("Horizon h", chance.randint(1, 20))


async def _tests_a_claim(visitor: Visitor, _: random.Random) -> float:
    await visitor.until(lambda: bool(visitor.labels.keys() & AGAIN))
    return await visitor.press(next(iter(visitor.labels.keys() & AGAIN)))


async def _runs_a_grid(visitor: Visitor, chance: random.Random) -> float:
    seed = chance.randrange(2**31)
    await visitor.choose("Grid", GRID.format(seed=seed, after=seed + 1))
    return await visitor.press("Run the grid")


_LENGTH = _slides("Length T, in time steps", LENGTHS)
_GAIN = _slides("Scale of the first W_h", [k / 20 for k in range(10, 41)])
HABITS: dict[str, Change] = {
    "dashboard": _LENGTH,
    "activations": _GAIN,
    "gradient_flow": _GAIN,
    "gates": _slides("Forget bias b", [k / 10 for k in range(-20, 61)]),
    "concatenation": _LENGTH,
    "depth": _slides("Layers", range(1, 5)),
    "highways": _LENGTH,
    "forecast": _forecasts,
    "claims": _tests_a_claim,
    "sweeps": _runs_a_grid,
}


def _rate(visitor: Visitor) -> float | None:
    """Frames a second; what stands still or is about to be replaced is not counted."""
    gaps = [
        later[0] - earlier[0]
        for earlier, later in zip(visitor.progress, visitor.progress[1:], strict=False)
        if later[1] > earlier[1]
    ]
    return 1 / statistics.mean(gaps) if gaps else None


class Visit:
    """Of one person, with a seed of his own, so that nobody finds what another one has trained."""

    def __init__(self, address: str, page: str, seed: int) -> None:
        self._page, self._chance = page, random.Random(seed)
        self.visitor = Visitor(address, f"seed={seed}", page)
        self.reactions: list[float] = []
        self.changes: list[float] = []

    async def go(self, seconds: float) -> None:
        chance, visitor = self._chance, self.visitor
        await asyncio.sleep(chance.uniform(0, ARRIVING))
        await visitor.open()
        try:
            await visitor.until(lambda: bool(visitor.charts if self._races else visitor.runs))
            leaves = time.monotonic() + seconds
            await asyncio.sleep(chance.uniform(0, CHANGE_EVERY))
            while time.monotonic() < leaves:
                moved = await self._change()
                await visitor.until(lambda moved=moved: visitor.runs[-1] > moved)  # type: ignore[misc]
                self.changes.append(visitor.runs[-1] - moved)
                await asyncio.sleep(max(0.0, moved + CHANGE_EVERY - time.monotonic()))
        except TimeoutError:
            visitor.errors.append(f"{PAGES[self._page].label}: nothing happened for half a minute")
        await visitor.close()

    @property
    def _races(self) -> bool:
        return self._page in OPENINGS

    async def _change(self) -> float:
        visitor, chance = self.visitor, self._chance
        if visitor.tabs and chance.randrange(UNFOLDS) == 0:
            return await visitor.unfold(chance.choice(visitor.tabs))
        moved = await HABITS[self._page](visitor, chance)
        if self._races:
            await visitor.until(lambda: bool(visitor.trained(moved)))
            self.reactions.append(visitor.trained(moved)[0] - moved)
        return moved


async def all_at_once(address: str) -> list[str]:
    """A visitor opens each page in the same moment, until it is drawn; what went wrong."""
    visitors = [Visitor(address, page=page) for page in PAGES]
    await asyncio.gather(*(visitor.open() for visitor in visitors))
    for visitor in visitors:
        await visitor.until(lambda visitor=visitor: bool(visitor.runs), 60)  # type: ignore[misc]
        await visitor.close()
    return [error for visitor in visitors for error in visitor.errors]


async def _watch(process: psutil.Process, highest: list[float]) -> None:
    while True:
        highest[0] = max(highest[0], process.memory_info().rss / 1e6)
        await asyncio.sleep(0.5)


async def crowd(
    address: str, pid: int, sessions: int, seconds: float, seed: int = 0, pages: Sequence[str] = tuple(HABITS)
) -> Seen:
    """Let a crowd come to these pages of the server at `address`, whose process is `pid`."""
    highest = [0.0]
    watch = asyncio.create_task(_watch(psutil.Process(pid), highest))
    visits = [Visit(address, pages[k % len(pages)], 1000 * seed + k) for k in range(sessions)]
    await asyncio.gather(*(visit.go(seconds) for visit in visits))
    watch.cancel()
    visitors = [visit.visitor for visit in visits]
    return Seen(
        [visitor.charts[0] - visitor.opened for visitor in visitors if visitor.charts],
        [reaction for visit in visits for reaction in visit.reactions],
        [change for visit in visits for change in visit.changes],
        [wait for visitor in visitors for _, wait in visitor.frames],
        [rate for visitor in visitors if (rate := _rate(visitor))],
        [error for visitor in visitors for error in visitor.errors],
        highest[0],
    )
