"""How many visitors does the dashboard hold? `python -m tests.load`, a table in Markdown."""

import argparse
import asyncio
import datetime
import os
import platform
import statistics
from collections.abc import Sequence

import psutil

from tests.load.scenario import Seen, crowd, percentile
from tests.serving import serve


def _row(sessions: int, seen: Seen, threads: str) -> str:
    reactions = seen.reactions or [float("inf")]
    cells = [
        f"{sessions}",
        f"{len(seen.errors)}",
        f"{percentile(seen.first_charts, 95):.2f}",
        f"{statistics.median(reactions):.2f}",
        f"{percentile(reactions, 95):.2f}",
        f"{min(seen.rates):.1f}",
        f"{statistics.median(seen.rates):.1f}",
        f"{seen.memory:.0f}",
        threads,
    ]
    return f"| {' | '.join(cells)} |"


def _crowds(sizes: Sequence[int], seconds: float) -> None:
    print("# How many visitors does one small server hold?\n")
    print(f"Made by `python -m tests.load` on {datetime.datetime.now(tz=datetime.UTC).date()}: {platform.machine()},")
    print(
        f"{os.cpu_count()} cores, the visitors on the same ones. Each opens the first page, within 5 s of the others,"
    )
    print(f"and moves the length slider every 5 s for {seconds:g} s. A server of its own for each row.\n")
    print(
        "| sessions | errors | first chart, p95 s | change to trained point, median s | p95 s | frames/s, least |",
        end="",
    )
    print(" median | memory, MB | threads before, after |")
    print("|---|---|---|---|---|---|---|---|---|")
    for sessions in sizes:
        with serve() as server:
            process = psutil.Process(server.process.pid)
            # The first visitor of all finds a cold server, and is not counted.
            asyncio.run(crowd(server.address, server.process.pid, 1, 10))
            before = process.num_threads()
            seen = asyncio.run(crowd(server.address, server.process.pid, sessions, seconds))
            asyncio.run(asyncio.sleep(20))
            print(_row(sessions, seen, f"{before}, {process.num_threads()}"), flush=True)
            for error in sorted(set(seen.errors)):
                print(error)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("--sessions", type=int, nargs="+", default=[1, 8, 16, 32, 64])
    parser.add_argument("--seconds", type=float, default=60)
    arguments = parser.parse_args()
    _crowds(arguments.sessions, arguments.seconds)


if __name__ == "__main__":
    main()
