"""Where does a recorded verdict come from? The commit that set its rule, the processor, and the versions."""

import hashlib
import json
import subprocess
from pathlib import Path
from typing import NamedTuple

from threadpoolctl import threadpool_info

from lstm_core.claims.claim import Claim
from lstm_core.claims.evidence import FIRST_LEVEL, FIRST_SEED, SECOND_LEVEL

ROOT = Path(__file__).parents[2]


class Commit(NamedTuple):
    """Its name, and when it was made, in ISO 8601."""

    name: str
    made: str


def committed() -> Commit:
    """
    The latest commit, with which all rules have been committed. ValueError where there is none, or where the sources
    have changed since: rules come before results.
    """
    changed = _git("status", "--porcelain", "--", "lstm_core")
    # What is recorded changes with every record.
    if any(line and not line.endswith(".json") for line in changed.splitlines()):
        raise ValueError(
            "record: lstm_core has changes that are not committed; rules are committed before they are used"
        )
    name, made = _git("log", "-1", "--format=%H%n%cI").split()
    return Commit(name, made)


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        raise ValueError(f"record: {ROOT} is not a checkout of git, which knows when rules were set") from None
    return done.stdout


def fingerprint(claim: Claim) -> str:
    """Of what was set before a claim was put to the test: its questions, their rules, its networks, and the plan."""
    questions = [(one.sentence, one.rule, one.kind, one.role) for one in claim.questions]
    networks = {label: one.to_json() for label, one in {**claim.racers, **claim.drawn}.items()}
    plan = (claim.seeds, FIRST_SEED, FIRST_LEVEL, SECOND_LEVEL)
    return hashlib.sha256(json.dumps([claim.said, questions, networks, plan]).encode()).hexdigest()[:16]


def blas() -> str:
    """For which kind of processor the matrix products are written that are used here."""
    kinds = {str(library.get("architecture")) for library in threadpool_info() if library["internal_api"] == "openblas"}
    return " and ".join(sorted(kinds)) or "unknown"
