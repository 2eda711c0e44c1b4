"""What do the results of all seeds say of each statement? Verdicts, and those that are recorded in `verdicts.json`."""

import datetime
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from lstm_core.claims import Claim, Question
from lstm_core.claims.evidence import Finding, finding, together
from lstm_core.claims.measures import NoWeightsError, SeedResult, SeedResults
from lstm_core.experiment import Experiment
from lstm_core.history import database
from lstm_core.history.records import Record
from lstm_core.history.schema import History
from lstm_core.race.runs import FAILED

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


def ask(question: Question, of: SeedResults) -> float:
    """The number of one seed; nan where a network that diverged has no weights to look at."""
    try:
        return question.measure(of)
    except NoWeightsError:
        return math.nan


def numbers(claim: Claim, seed: int, racers: Mapping[str, Record]) -> tuple[float, ...]:
    """The answers of one seed, from the records of its racers, with their weights, by label."""
    drawn = {label: SeedResult(one) for label, one in claim.looked_at(seed).items()}
    of = {**drawn, **{label: SeedResult.of(record) for label, record in racers.items()}}
    return tuple(ask(question, of) for question in claim.questions)


def judge(claim: Claim, by_seed: Mapping[int, Sequence[float]], records: Iterable[Record]) -> Judgement:
    """The verdict on a claim, from the answers of at least two seeds; `records` are those of its racers."""
    records = list(records)
    by_question = zip(*by_seed.values(), strict=True)
    return Judgement(
        claim,
        tuple(finding(values, one.holds, one.share) for one, values in zip(claim.questions, by_question, strict=True)),
        tuple(by_seed),
        tuple(sorted({record.computed_by for record in records})),
        math.fsum(record.seconds for record in records),
    )


def experiments(claims: Iterable[Claim], seeds: Iterable[int]) -> list[Experiment]:
    """All that these claims have to be trained, each once."""
    runs = (one for claim in claims for seed in seeds for one in claim.trained(seed).values())
    return list(dict.fromkeys(runs))


def judged(
    claims: Iterable[Claim], seeds: Sequence[int], kept: History, left: Iterable[Experiment], records: Iterator[Record]
) -> Iterator[Judgement]:
    """The verdicts, each as soon as its runs are `kept`; `left` are those that `records` has yet to tell."""
    waiting = {experiment.key for experiment in left}
    for claim in claims:
        wanted = {experiment.key for experiment in experiments([claim], seeds)}
        while wanted & waiting:
            waiting.discard(next(records).experiment.key)
        known = _known(kept, wanted)
        by_seed = {
            seed: numbers(claim, seed, {label: known[one.key] for label, one in claim.trained(seed).items()})
            for seed in seeds
        }
        yield judge(claim, by_seed, known.values())


def _known(kept: History, keys: set[str]) -> dict[str, Record]:
    """These runs with their weights, by key; where two engines computed one, the one that did not fail."""
    weights = database.weights(kept, keys)
    records: dict[str, Record] = {}
    for record in database.records(kept, keys):
        key = record.experiment.key
        numbers = weights.get((key, record.computed_by), b"")
        if key not in records or records[key].ended == FAILED or (numbers and not records[key].weights):
            records[key] = replace(record, weights=numbers)
    return records


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
