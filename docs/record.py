"""
Record everything anew: `python -m docs.record`. It takes hours, and names of parts run these alone.

Rules are committed before they are put to the test: the command begins only where nothing has changed since.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from lstm_core.claims import CLAIMS, PUBLISHED
from lstm_core.claims.provenance import committed

ROOT = Path(__file__).parents[1]


class Part(NamedTuple):
    """A command of Python's, after `-m`, and the file that its output becomes; None where it writes by itself."""

    command: tuple[str, ...]
    into: str | None = None


PARTS: dict[str, Part] = {
    "openings": Part(("lstm_core", "openings", "--record"), "benchmarks/openings.md"),
    "claims": Part(("lstm_core", "claims", *(claim.name for claim in CLAIMS), "--record")),
    "published": Part(("lstm_core", "claims", *(claim.name for claim in PUBLISHED), "--record")),
    "verdicts": Part(("docs.verdicts",), "docs/verdicts.md"),
    "rules": Part(("tests.verdict_rules",), "benchmarks/rules.md"),
    "forecast": Part(("tests.forecast_winners",), "benchmarks/forecast.md"),
}


def main(names: Sequence[str]) -> int:
    """The status of the first part that fails, 0 if none does."""
    unknown = set(names) - set(PARTS)
    if unknown:
        print(f"name: {min(unknown)!r} is not one of {', '.join(PARTS)}", file=sys.stderr)
        return 2
    try:
        committed()
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    for name in names or PARTS:
        part = PARTS[name]
        print(f"{name}: {' '.join(part.command)}", file=sys.stderr)
        done = subprocess.run([sys.executable, "-m", *part.command], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        if done.returncode:
            return done.returncode
        if part.into:
            (ROOT / part.into).write_text(done.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
