"""What is the verdict on a claim, and which one is recorded? Those in `verdicts.json`."""

import datetime
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lstm_core.borrowed.system import processor
from lstm_core.claims import ROWS, Claim, Question
from lstm_core.claims.evidence import MOSTLY, Finding, together
from lstm_core.claims.provenance import Commit, blas, fingerprint
from lstm_core.history.records import versions
from lstm_core.measurements.intervals import holm

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
    def answers(self) -> list[str]:
        """The verdict on each question."""
        return answers(self.claim, self.findings)

    @property
    def verdict(self) -> str:
        """Of all questions together."""
        return verdict(self.claim, self.answers)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, with now and here; what is no number is None."""
        judged = zip(self.claim.questions, self.findings, self.answers, strict=True)
        return {
            "claim": self.claim.name,
            "said": self.claim.said,
            "verdict": self.verdict,
            "rules": fingerprint(self.claim),
            **_here(),
            "seeds": list(self.seeds),
            "engine": " and ".join(self.engines) or None,
            "seconds": round(self.seconds, 1),
            "answers": [_answer(*one) for one in judged],
        }


def answers(claim: Claim, findings: Sequence[Finding]) -> list[str]:
    """
    The verdict on each question of a claim. Those that are matters of statistics are corrected together with such
    questions of all other claims, by what is recorded of these, where there is a record.
    """
    own = [one.p_value for one in findings if one.kind == MOSTLY]
    adjusted = iter(holm([*own, *_of_others(claim)]))
    return [one.verdict(next(adjusted) if one.kind == MOSTLY else math.nan) for one in findings]


def _of_others(claim: Claim) -> list[float]:
    """The p-values of the other claims' questions, 1 where none is recorded."""
    others = [row for row in ROWS.values() if row.name != claim.name]
    return [p for other in others for p in _p_values(other)]


def _p_values(claim: Claim) -> list[float]:
    asked = [question for question in claim.questions if question.kind == MOSTLY]
    known = {answer["sentence"]: answer for answer in recorded().get(claim.name, {}).get("answers", ())}
    return [known[one.sentence]["p_value"] if one.sentence in known else 1.0 for one in asked]


def verdict(claim: Claim, answers: Sequence[str]) -> str:
    """On a claim, from those on its questions."""
    return together(zip((question.role for question in claim.questions), answers, strict=True))


def _here() -> dict[str, str]:
    """The time, the processor, and the versions of all that decides a number."""
    now = datetime.datetime.now(tz=datetime.UTC).isoformat(timespec="seconds")
    return {"date": now, "processor": processor(), "blas": blas(), "versions": versions()}


def _answer(question: Question, finding: Finding, answer: str) -> dict[str, Any]:
    median, share = finding.interval, finding.share
    return {
        "sentence": question.sentence,
        "rule": question.rule,
        "kind": question.kind,
        "role": question.role,
        "verdict": answer,
        "holding": finding.holding,
        "share": [_plain(end) for end in share],
        "p_value": _plain(finding.p_value),
        "median": _plain(finding.median),
        "interval": [_plain(end) for end in median],
        "values": [_plain(value) for value in finding.values],
    }


def _plain(value: float) -> float | str | None:
    """As JSON knows it: what is not finite by name, and None for what is no number."""
    if math.isnan(value):
        return None
    return float(f"{value:.6g}") if math.isfinite(value) else str(value)


def _number(plain: float | str | None) -> float:
    """The way back."""
    return math.nan if plain is None else float(plain)


@cache
def recorded() -> dict[str, dict[str, Any]]:
    """What `record` has written, by the names of the claims."""
    return {row["claim"]: row for row in json.loads(RECORDED.read_text())} if RECORDED.exists() else {}


def findings(claim: Claim) -> tuple[Finding, ...]:
    """Those that are recorded of a claim, one for each of its questions."""
    by_question = (map(_number, answer["values"]) for answer in recorded()[claim.name]["answers"])
    return claim.findings(zip(*by_question, strict=True))


def record(judgements: Iterable[Judgement], rules: Commit) -> None:
    """
    Write these over what was recorded of them, and settle all rows anew: each is corrected for all others. `rules` is
    the commit in which their rules stand.
    """
    set_by = {"commit": rules.name, "committed": rules.made}
    _write(recorded() | {one.claim.name: {**one.to_dict(), **set_by} for one in judgements})
    for name, row in recorded().items():
        if name in ROWS and row["rules"] == fingerprint(ROWS[name]):
            said = answers(ROWS[name], findings(ROWS[name]))
            row["verdict"] = verdict(ROWS[name], said)
            for answer, one in zip(row["answers"], said, strict=True):
                answer["verdict"] = one
    _write(recorded())


def check_recorded(claims: Iterable[Claim]) -> None:
    """ValueError where nothing is recorded of one of them, or by other rules."""
    for claim in claims:
        if recorded().get(claim.name, {}).get("rules") != fingerprint(claim):
            raise ValueError(f"beside: nothing is recorded of {claim.name} by the rules of today")


def record_beside(judgements: Iterable[Judgement]) -> None:
    """Write these beside what is recorded of them: the same rules, by other seeds or on another processor."""
    rows = recorded()
    for one in judgements:
        held = [finding.holding for finding in one.findings]
        rows[one.claim.name].setdefault("beside", []).append(
            {"verdict": one.verdict, **_here(), "seeds": list(one.seeds), "holding": held, "answers": one.answers}
        )
    _write(rows)


def _write(rows: dict[str, dict[str, Any]]) -> None:
    """In the order of `ROWS`."""
    lines = ",\n".join(json.dumps(rows[name], ensure_ascii=False) for name in ROWS if name in rows)
    RECORDED.write_text(f"[\n{lines}\n]\n")
    recorded.cache_clear()
