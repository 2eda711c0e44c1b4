"""How far is a claim's test, and what has come out so far? The page and the command line feed it with finished runs."""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from lstm_core.claims import Claim, Question
from lstm_core.claims.evidence import Finding
from lstm_core.claims.results import NoWeightsError, SeedResult, SeedResults
from lstm_core.claims.verdicts import Judgement
from lstm_core.experiment import Experiment
from lstm_core.history import database
from lstm_core.history.opening import History
from lstm_core.history.records import Record
from lstm_core.race.runs import FAILED


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


class UnderTest:
    """
    A claim under test on some seeds: the `experiments` to be trained, by key, the `records` of those that have
    finished, and the `answers` of the seeds: numbers, or what went wrong. `take` finished runs, whatever trained them,
    and answer for each seed that is `ready`.
    """

    def __init__(self, claim: Claim, seeds: Iterable[int]) -> None:
        self.claim, self.seeds = claim, tuple(seeds)
        self.experiments = {one.key: one for seed in self.seeds for one in claim.trained(seed).values()}
        self.records: dict[str, Record] = {}
        self.answers: dict[int, tuple[float, ...] | Exception] = {}

    def lacks(self, experiment: Experiment) -> bool:
        """Whether this is one of its experiments, and its run has not been taken yet."""
        return experiment.key in self.experiments and experiment.key not in self.records

    def take(self, record: Record) -> None:
        """A finished run with its weights, if it is one of its own; where two engines computed one, the better."""
        key = record.experiment.key
        before = self.records.get(key)
        better = before is None or before.ended == FAILED or (record.weights and not before.weights)
        if key in self.experiments and better:
            self.records[key] = record

    @property
    def ready(self) -> list[int]:
        """The seeds of which all runs are there, and no answer."""
        return [seed for seed in self.seeds if seed not in self.answers and None not in self._runs(seed).values()]

    def _runs(self, seed: int) -> dict[str, Record | None]:
        return {label: self.records.get(one.key) for label, one in self.claim.trained(seed).items()}

    def runs(self, seed: int) -> dict[str, Record]:
        """Those of a seed that have been taken, by label."""
        return {label: record for label, record in self._runs(seed).items() if record}

    def answer(self, seed: int) -> tuple[float, ...]:
        """The numbers of a seed that is ready; what is measured for them takes up to some seconds."""
        return numbers(self.claim, seed, self.runs(seed))

    @property
    def numbers(self) -> dict[int, tuple[float, ...]]:
        """Of the seeds that have answered with some, in their order."""
        return {seed: of for seed, of in sorted(self.answers.items()) if not isinstance(of, Exception)}

    @property
    def error(self) -> Exception | None:
        """What went wrong in answering, if anything did."""
        return next((answer for answer in self.answers.values() if isinstance(answer, Exception)), None)

    @property
    def finished(self) -> bool:
        """Whether all seeds have answered."""
        return len(self.answers) == len(self.seeds)

    @property
    def findings(self) -> tuple[Finding, ...] | None:
        """Of each question, by the seeds so far; None before the first one."""
        return self.claim.findings(self.numbers.values()) if self.numbers else None

    @property
    def judgement(self) -> Judgement:
        """What comes out, as soon as it has findings; ValueError before."""
        findings = self.findings
        if findings is None:
            raise ValueError("seeds: none has answered yet")
        return Judgement(
            self.claim,
            findings,
            tuple(self.numbers),
            tuple(sorted({record.computed_by for record in self.records.values()})),
            math.fsum(record.seconds for record in self.records.values()),
        )


def judged(
    tests: Sequence[UnderTest], kept: History, left: Iterable[Experiment], records: Iterator[Record]
) -> Iterator[Judgement]:
    """What comes out of each, one after the other; `left` are told by `records`, all other runs are `kept`."""
    waiting = {experiment.key for experiment in left}
    for test in tests:
        for record in _kept(kept, test.experiments.keys() - waiting):
            test.take(record)
        while not test.finished:
            for seed in test.ready:
                test.answers[seed] = test.answer(seed)
            if not test.finished:
                run = next(records)
                for one in tests:
                    one.take(run)
        yield test.judgement


def _kept(history: History, keys: Collection[str]) -> Iterator[Record]:
    """The runs of these experiments' keys, with their weights."""
    weights = database.weights(history, keys)
    for record in database.records(history, keys):
        yield replace(record, weights=weights.get((record.experiment.key, record.computed_by), b""))
