"""Do scripts that are taken away train as the reference engine does? `python -m tests.export`, a table in Markdown."""

import dataclasses
import datetime
import math
import platform
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import torch

from lstm_core.borrowed.system import settle_process
from tests.export.cases import MATRIX, experiment, numbers, oracle, part_at, printed, written

STEPS, FIRST, BY = 300, 50, 1e-6
HEAD = f"""# Does a script that is taken away train the same?

Made by `python -m tests.export` on {{day}}: {{machine}}, torch {{torch}}.

{{scripts}} scripts, run with torch alone, against the reference engine, in double precision: the largest difference of
their losses in the first {FIRST} steps, and the step at which they are more than {BY:.0e} apart, of {STEPS} or as many
as it takes to solve the task; empty if they never are. Beside it, where the reference engine parts from itself, at a
learning rate one unit in the last place larger.

| experiment | difference | script parts | engine parts | |
|---|---|---|---|---|"""


class Row(NamedTuple):
    """Of one experiment: the largest difference at first, and where the script and where the oracle itself parts."""

    name: str
    largest: float
    parts: float
    itself: float

    @property
    def agrees(self) -> bool:
        return self.parts >= self.itself and (self.largest <= BY or self.itself <= FIRST)

    def __str__(self) -> str:
        ends = " | ".join("" if math.isinf(step) else str(step) for step in (self.parts, self.itself))
        return f"| {self.name} | {self.largest:.0e} | {ends} | {'agrees' if self.agrees else '**parts early**'} |"


def compared(name: str, folder: Path) -> Row:
    of = experiment(name, steps=STEPS)
    (text,) = printed([written(of, folder)])
    ours, theirs = numbers(text), oracle(of)
    again = oracle(dataclasses.replace(of, lr=math.nextafter(of.lr, math.inf)))
    largest = max(abs(one - other) for one, other in zip(ours[:FIRST], theirs, strict=False))
    return Row(name, largest, part_at(ours, theirs, BY), part_at(theirs, again, BY))


def main() -> int:
    """The exit status is 1 where a script parts sooner than the oracle from itself."""
    settle_process()
    day = datetime.datetime.now(datetime.UTC).date()
    print(HEAD.format(day=day, machine=platform.machine(), torch=torch.__version__, scripts=len(MATRIX)))
    early = 0
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor() as pool:
        for row in pool.map(compared, MATRIX, (Path(folder, str(number)) for number in range(len(MATRIX)))):
            print(row, flush=True)
            early += not row.agrees
    return int(early > 0)


if __name__ == "__main__":
    sys.exit(main())
