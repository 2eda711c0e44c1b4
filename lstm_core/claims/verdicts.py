"""What is the verdict on a claim, and which one is recorded? Those in `verdicts.json`."""

import datetime
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lstm_core.claims import Claim, Question
from lstm_core.claims.evidence import Finding, together

RECORDED = Path(__file__).with_name("verdicts.json")


@dataclass(frozen=True)
class Judgement:
    """A claim, a finding for each of its questions, what they were found with, and the seconds of training."""

    claim: Claim
    findings: tuple[Finding, ...]
    seeds: tuple[int, ...]
    engines: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def verdict(self) -> str:
        """Of all questions that decide together."""
        decisive = zip(self.claim.questions, self.findings, strict=True)
        return together([finding.verdict for question, finding in decisive if question.decides])

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, with today's date; numbers that JSON does not know are None."""
        return {
            "claim": self.claim.name,
            "said": self.claim.said,
            "verdict": self.verdict,
            "date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
            "seeds": list(self.seeds),
            "engine": " and ".join(self.engines) or None,
            "seconds": round(self.seconds, 1),
            "answers": [
                _answer(question, finding)
                for question, finding in zip(self.claim.questions, self.findings, strict=True)
            ],
        }


def _answer(question: Question, finding: Finding) -> dict[str, Any]:
    numbers = {"mean": finding.mean, "low": finding.low, "high": finding.high}
    return {
        "sentence": question.sentence,
        "rule": question.rule,
        "decides": question.decides,
        "verdict": finding.verdict,
        "values": [_plain(value) for value in finding.values],
        **{name: _plain(value) for name, value in numbers.items()},
        "seeds_needed": finding.seeds_needed,
    }


def _plain(value: float) -> float | None:
    return float(f"{value:.6g}") if math.isfinite(value) else None


@cache
def recorded() -> dict[str, dict[str, Any]]:
    """What `record` has written, by the names of the claims."""
    return {row["claim"]: row for row in json.loads(RECORDED.read_text())} if RECORDED.exists() else {}


def findings(claim: Claim) -> tuple[Finding, ...]:
    """Those that are recorded of a claim, one for each of its questions."""
    answers = recorded()[claim.name]["answers"]
    return tuple(Finding(**{name: answer[name] for name in Finding._fields}) for answer in answers)


def record(judgements: Iterable[Judgement], names: Sequence[str]) -> None:
    """Write these over what was recorded of them; the rows stand in the order of `names`."""
    rows = recorded() | {one.claim.name: one.to_dict() for one in judgements}
    lines = ",\n".join(json.dumps(rows[name], ensure_ascii=False) for name in names if name in rows)
    RECORDED.write_text(f"[\n{lines}\n]\n")
    recorded.cache_clear()
