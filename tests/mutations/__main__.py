"""Would the tests notice? `python -m tests.mutations > benchmarks/mutations.md`: small faults, one at a time."""

import argparse
import datetime
import os
import platform
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

import torch

from tests.mutations.faults import Mutation, faults

ROOT = Path(__file__).parents[2]
EACH = 8
LEFT_OUT = (".git", ".venv", ".*_cache", "__pycache__")
# Ends at once: a fault may keep Python from it.
PYTEST = "import os, pytest, sys; status = pytest.main(sys.argv[1:]); sys.stdout.flush(); os._exit(status)"
MOST_SECONDS_A_TEST, MOST_SECONDS = 300, 1800


class Group(NamedTuple):
    """Files to make faults in, but for those that are words and pictures only, and tests that see them, quick first."""

    files: tuple[str, ...]
    tests: tuple[str, ...]
    but: tuple[str, ...] = ()


GROUPS = {
    "race": Group(("lstm_core/race/*.py",), ("limits", "jobs", "race", "grid", "process", "new_cell", "sweeps_page")),
    "charts": Group(
        ("lstm_core/charts/*.py",),
        (
            *("bands", "export", "equations", "needs", "tables", "lines", "seeds", "colours", "flow", "depth_charts"),
            *("outlook", "standings", "window"),
        ),
        but=("catalogue.py", "marks.py", "pictures.py", "axes.py"),
    ),
    "measurements": Group(
        ("lstm_core/measurements/*.py",),
        (
            *("intervals", "saved", "checkpoints", "gradients", "window", "forecast", "measures", "flow", "outlook"),
            *("depth_charts", "facts", "bootstrap", "rivals", "standings"),
        ),
    ),
    "kernels": Group(
        ("lstm_core/kernels/*.py", "lstm_core/pointwise/*.py"),
        (
            *("store", "compilation", "change", "preparing", "kernels", "vectors", "blas", "sequence", "turns"),
            *("layer_trainer", "fused", "engine", "window", "process", "fused_autograd", "contract"),
        ),
    ),
    "pages": Group(
        ("pages/*.py", "dashboard.py", "lstm_core/ui/*.py"),
        ("outcome", "address", "stage", "measuring", "forecast_page", "claims_page", "sweeps_page", "pages"),
    ),
}
# Survivors that are no gap: file, before and after, and why nobody could tell.
REASONS: dict[tuple[str, str, str], str] = {}


def drawn(name: str, seed: int) -> list[Mutation]:
    """Some of a group: of as many kinds of nodes as there are, no two in one line."""
    group = GROUPS[name]
    paths = [path for path in sorted(chain.from_iterable(map(ROOT.glob, group.files))) if path.name not in group.but]
    found = [mutation for path in paths for mutation in faults(path, str(path.relative_to(ROOT)))]
    random.Random(f"{seed} {name}").shuffle(found)
    turns, ranked = Counter[str](), list[tuple[int, Mutation]]()
    for mutation in {(mutation.file, mutation.line): mutation for mutation in found}.values():
        turns[mutation.kind] += 1
        ranked.append((turns[mutation.kind], mutation))
    return [mutation for _, mutation in sorted(ranked, key=itemgetter(0))[:EACH]]


def _tests(groups: Iterable[str]) -> list[str]:
    """Files of tests that see these groups."""
    return list(dict.fromkeys(f"tests/test_{name}.py" for group in groups for name in GROUPS[group].tests))


def _first_failure(folder: Path, tests: Sequence[str], mutation: Mutation | None = None) -> str | None:
    """
    The test that fails in a copy of the sources, or does not end; None if all pass. The copy always lies in the same
    place, where compiled kernels are found again unless their sources differ.
    """
    copy = folder / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder / "sources", copy)
    if mutation:
        mutation.apply(copy)
    command = [sys.executable, "-c", PYTEST, "-v", "-x", "--tb=no", "-p", "no:cacheprovider", *tests]
    for option in ("addopts=", f"faulthandler_timeout={MOST_SECONDS_A_TEST}", "faulthandler_exit_on_timeout=true"):
        command += ["-o", option]
    environment = os.environ | {"NUMBA_CACHE_DIR": str(folder / "kernels"), "PYTHONDONTWRITEBYTECODE": "1"}
    with (folder / "output").open("w") as output:
        process = subprocess.Popen(command, cwd=copy, env=environment, stdout=output, stderr=output, process_group=0)
        with suppress(subprocess.TimeoutExpired):
            process.wait(MOST_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    lines = (folder / "output").read_text()
    named = re.findall(r"^(?:ERROR )?tests/(test_\w+\.py(?:::\w+)?)", lines, re.MULTILINE)
    return None if process.wait() == 0 else ["all, from the start", *named][-1]


def _outcome(folder: Path, group: str, mutation: Mutation) -> str:
    """Which test notices, or why none does; those that name the module are asked first."""
    tests, module = _tests([group]), re.compile(rf"\b{Path(mutation.file).stem}\b")
    first = [test for test in tests if module.search((ROOT / test).read_text())]
    for asked in (first, [test for test in tests if test not in first]):
        if asked and (failed := _first_failure(folder, asked, mutation)):
            return failed.removeprefix("test_").replace(".py::test_", ": ").replace("_", " ")
    return f"**survived** {REASONS.get((mutation.file, mutation.before, mutation.after), '')}"


def _report(outcomes: Mapping[Mutation, str], seed: int, seconds: float) -> Iterator[str]:
    caught, today = sum("**" not in outcome for outcome in outcomes.values()), datetime.datetime.now(tz=datetime.UTC)
    yield "# Would the tests notice?\n"
    yield f"Made by `python -m tests.mutations` on {today.date()}: {platform.machine()}, {os.cpu_count()} cores,"
    yield f"torch {torch.__version__}, in {seconds / 60:.0f} minutes. Small faults, drawn with seed {seed}, one at a"
    yield f"time in a copy of the sources: the tests have caught {caught} of {len(outcomes)}.\n"
    yield "| fault | caught by |\n|---|---|"
    for mutation, outcome in outcomes.items():
        yield "| {} | {} |".format(str(mutation).replace("|", "\\|"), outcome)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--list", action="store_true", help="only say which faults are drawn")
    parser.add_argument("--only", type=int, nargs="+", metavar="K", help="these numbers of the list, and no others")
    asked = parser.parse_args()
    every = [(group, mutation) for group in GROUPS for mutation in drawn(group, asked.seed)]
    chosen = {number: every[number - 1] for number in asked.only or range(1, 1 + len(every))}
    if asked.list:
        print(*(f"{number} {mutation}" for number, (_, mutation) in chosen.items()), sep="\n")
        return
    started, outcomes = time.perf_counter(), dict[Mutation, str]()
    say = partial(print, file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory() as name:
        shutil.copytree(ROOT, Path(name, "sources"), ignore=shutil.ignore_patterns(*LEFT_OUT))
        if not asked.only:
            if failed := _first_failure(Path(name), _tests(GROUPS)):
                raise SystemExit(f"{failed} fails without any fault")
            say(f"All tests pass without a fault, {time.perf_counter() - started:.0f} s")
        for number, (group, mutation) in chosen.items():
            say(f"{number} {mutation}", end=" ")
            outcomes[mutation] = _outcome(Path(name), group, mutation)
            say(f"{outcomes[mutation]}, {time.perf_counter() - started:.0f} s")
    print(*_report(outcomes, asked.seed, time.perf_counter() - started), sep="\n")


if __name__ == "__main__":
    main()
