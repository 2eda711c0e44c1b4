"""How many visitors does the dashboard hold? `python -m tests.load`, a table in Markdown."""

import argparse
import asyncio
import datetime
import os
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence

import psutil

from lstm_core.borrowed.system import processor
from lstm_core.kernels.compilation import PRECISIONS
from lstm_core.kernels.pieces import build
from lstm_core.openings.presets import OPENINGS
from tests.load.scenario import HABITS, Seen, all_at_once, crowd, percentile
from tests.load.visitor import Visitor
from tests.serving import serve

IDLE_PERCENT = 40
FRESH = 20

Leaving = Callable[[Visitor], Awaitable[None]]


def compiled_beforehand() -> None:
    """A server that compiles its kernels would be measured with its compiler."""
    for precision in PRECISIONS:
        build(precision).done.result()


def today() -> datetime.date:
    return datetime.datetime.now(tz=datetime.UTC).date()


def _row(sessions: int, seen: Seen, end: float, threads: str) -> str:
    def late(waits: Sequence[float]) -> list[str]:
        return [f"{statistics.median(waits):.2f}", f"{percentile(waits, 95):.2f}"] if waits else ["", ""]

    cells = [
        f"{sessions}",
        f"{len(seen.errors)}",
        f"{percentile(seen.first_charts, 95):.2f}",
        *late(seen.changes),
        *late(seen.reactions),
        *late(seen.frames),
        f"{min(seen.rates):.1f}",
        f"{seen.memory:.0f}",
        f"{end:.0f}",
        threads,
    ]
    return f"| {' | '.join(cells)} |"


def _crowds(sizes: Sequence[int], seconds: float) -> None:
    print("# How many visitors does one small server hold?\n")
    print(f"Made by `python -m tests.load` on {today()}: {processor()},")
    print(f"{os.cpu_count()} cores, the visitors on the same ones. Spread over all pages, each opens one within 5 s of")
    print("the others, and every 5 s moves a slider, puts a statement to the test, runs a grid, or races on a file of")
    print(f"their own, one time in four unfolds what lies below, for {seconds:g} s. A server of its own for each row,")
    print("warm. A change waits for the page drawn anew, a reaction for the first trained point; a frame, from when it")
    print("is due.\n")
    heads = ["sessions", "errors", "first chart, p95 s", "change, median s", "p95 s", "reaction, median s", "p95 s"]
    heads += [
        "frame, median s",
        "p95 s",
        "frames/s, least",
        "memory at most, MB",
        "at the end",
        "threads before, after",
    ]
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for sessions in sizes:
        with serve() as server:
            process = psutil.Process(server.process.pid)
            # The first visitor of all finds a cold server, and is not counted.
            asyncio.run(crowd(server.address, server.process.pid, 1, 10))
            before = process.num_threads()
            seen = asyncio.run(crowd(server.address, server.process.pid, sessions, seconds, seed=1))
            end = process.memory_info().rss / 1e6
            asyncio.run(asyncio.sleep(20))
            print(_row(sessions, seen, end, f"{before}, {process.num_threads()}"), flush=True)
            for error in sorted(set(seen.errors)):
                print(f"\n```\n{error}\n```", flush=True)


def _first_visits() -> None:
    print("\n## Are all pages whole when they are the first?\n")
    errors = 0
    for _ in range(FRESH):
        with serve() as server:
            errors += len(asyncio.run(all_at_once(server.address)))
    print(f"- {FRESH} fresh servers, all pages opened in the same moment: {errors} errors.", flush=True)


async def _race(address: str, seed: int) -> Visitor:
    """A visitor whose long race is under way."""
    visitor = Visitor(address, f"length=200&batch=64&hidden=64&steps=3000&seed={seed}")
    await visitor.open()
    await visitor.until(lambda: bool(visitor.trained(0)))
    return visitor


async def _until_idle(process: psutil.Process) -> float:
    """Seconds until the process computes no more, and does not begin again at once."""
    started = last = time.monotonic()
    while time.monotonic() < last + 1:
        if process.cpu_percent(0.2) > IDLE_PERCENT:
            last = time.monotonic()
        await asyncio.sleep(0)
    return last - started


async def _comers(address: str, number: int, first: int) -> None:
    """Visitors of all pages in turn, four at a time, each until something can be seen."""
    places = asyncio.Semaphore(4)

    async def come(seed: int) -> None:
        async with places:
            page = list(HABITS)[seed % len(HABITS)]
            visitor = Visitor(address, f"seed={seed}", page)
            await visitor.open()
            await visitor.until(lambda: bool(visitor.trained(0) if page in OPENINGS else visitor.runs))
            await visitor.close()

    await asyncio.gather(*(come(first + k) for k in range(number)))


async def _leaving(address: str, process: psutil.Process, leave: Leaving, seed: int) -> float:
    visitor = await _race(address, seed)
    await asyncio.sleep(1)
    await leave(visitor)
    return await _until_idle(process)


async def _elsewhere(visitor: Visitor) -> None:
    """Look at another page, whose own race is over in a moment."""
    await visitor.turn_to("activations", "others=&length=10&steps=100")


async def _silence(visitor: Visitor) -> None:
    visitor.fall_silent()


def _comings_and_goings() -> None:
    print("\n## What is left behind, and what ends when\n")
    with serve() as server:
        process = psutil.Process(server.process.pid)
        # Streamlit keeps up to 128 sessions for two minutes, for those whose network comes back.
        asyncio.run(_comers(server.address, 130, 10_000))
        asyncio.run(_until_idle(process))
        before, threads = process.memory_info().rss / 1e6, process.num_threads()
        asyncio.run(_comers(server.address, 300, 20_000))
        asyncio.run(_until_idle(process))
        after = process.memory_info().rss / 1e6
        print(
            f"- 300 sessions that came and went, after 130 others: {before:.0f} MB before, {after:.0f} MB after; ",
            end="",
        )
        print(f"threads {threads} and {process.num_threads()}.", flush=True)
        ways = {
            "a tab is closed": Visitor.close,
            "another page is opened": _elsewhere,
            "a visitor falls silent": _silence,
        }
        for seed, (name, leave) in enumerate(ways.items()):
            seconds = asyncio.run(_leaving(server.address, process, leave, seed))
            print(f"- Training ends {seconds:.1f} s after {name}.", flush=True)

        async def eight() -> float:
            visitors = [await _race(server.address, 100 + seed) for seed in range(8)]
            ended = time.monotonic()
            server.process.terminate()
            await asyncio.to_thread(server.process.wait)
            seconds = time.monotonic() - ended
            for visitor in visitors:
                await visitor.close()
            return seconds

        seconds = asyncio.run(eight())
        print(f"- In the middle of 8 races, SIGTERM: exit status {server.process.returncode} after {seconds:.2f} s.")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("--sessions", type=int, nargs="+", default=[1, 8, 16, 32, 64])
    parser.add_argument("--seconds", type=float, default=60)
    arguments = parser.parse_args()
    compiled_beforehand()
    _crowds(arguments.sessions, arguments.seconds)
    _first_visits()
    _comings_and_goings()


if __name__ == "__main__":
    main()
