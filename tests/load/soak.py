"""
Does a server stay as small as it was, while visitors come and go? `python -m tests.load.soak > benchmarks/soak.md`; the
curve of its memory beside it.
"""

import argparse
import asyncio
import itertools
import os
import random
import time
from pathlib import Path
from typing import NamedTuple

import altair as alt
import psutil
import pyarrow as pa

from lstm_core.borrowed.system import processor
from tests.load.__main__ import compiled_beforehand, today
from tests.load.scenario import HABITS, Visit
from tests.serving import serve

STAYS = 20.0, 100.0
SAMPLE_SECONDS = 10.0
# The first visitors of each page make a server as large as it gets.
SETTLED_SECONDS = 600.0


class Sample(NamedTuple):
    """What the server's process has, so many seconds after its start; memory in MB."""

    seconds: float
    memory: float
    threads: int
    files: int


async def _come_and_go(address: str, numbers: "itertools.count[int]", until: float, errors: list[str]) -> None:
    """One place in the crowd: whoever leaves it is followed by another, on another page."""
    while time.monotonic() < until:
        number = next(numbers)
        visit = Visit(address, list(HABITS)[number % len(HABITS)], number)
        await visit.go(random.Random(number).uniform(*STAYS))
        errors += visit.visitor.errors


async def _watched(process: psutil.Process, until: float, samples: list[Sample]) -> None:
    started = time.monotonic()
    while time.monotonic() < until:
        now = time.monotonic() - started
        samples.append(Sample(now, process.memory_info().rss / 1e6, process.num_threads(), process.num_fds()))
        await asyncio.sleep(SAMPLE_SECONDS)


async def _soaked(address: str, pid: int, sessions: int, seconds: float) -> tuple[list[Sample], list[str], int]:
    until, numbers = time.monotonic() + seconds, itertools.count()
    samples, errors = list[Sample](), list[str]()
    visits = (_come_and_go(address, numbers, until, errors) for _ in range(sessions))
    await asyncio.gather(_watched(psutil.Process(pid), until, samples), *visits)
    return samples, errors, next(numbers)


def _picture(samples: list[Sample], file: Path) -> None:
    table = pa.table({"minutes": [one.seconds / 60 for one in samples], "MB": [one.memory for one in samples]})
    y = alt.Y("MB:Q", title="memory, MB", scale=alt.Scale(zero=True))
    chart = alt.Chart(table).mark_line(strokeWidth=1.2).encode(x=alt.X("minutes:Q", title="minutes"), y=y)
    chart.properties(width=560, height=180).save(file)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.load.soak", description=__doc__)
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--picture", type=Path, default=Path("benchmarks/soak.svg"))
    asked = parser.parse_args()
    compiled_beforehand()
    with serve() as server:
        samples, errors, visitors = asyncio.run(
            _soaked(server.address, server.process.pid, asked.sessions, 60 * asked.minutes)
        )
    _picture(samples, asked.picture)
    early = next((one for one in samples if one.seconds >= SETTLED_SECONDS), samples[len(samples) // 2])
    last, highest = samples[-1], max(one.memory for one in samples)
    print("# Does a server stay as small as it was?\n")
    print(
        f"Made by `python -m tests.load.soak` on {today()}: {processor()}, {os.cpu_count()} cores, the visitors on the"
    )
    print(f"same ones. {asked.sessions} at a time, {visitors:,} in all, who come to all pages, do what visitors do in")
    print(f"[crowd.md](crowd.md), and leave, for {asked.minutes:g} minutes. Errors: {len(errors)}.\n")
    print(f"![Memory by time]({asked.picture.name})\n")
    print("| after | memory, MB | threads | open files |\n|---|---|---|---|")
    for one in (samples[0], early, last):
        print(f"| {one.seconds / 60:.0f} min | {one.memory:.0f} | {one.threads} | {one.files} |")
    print(f"\nAt most {highest:.0f} MB.")
    for error in sorted(set(errors)):
        print(f"\n```\n{error}\n```")


if __name__ == "__main__":
    main()
