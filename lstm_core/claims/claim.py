"""What is a statement, put to the test? Networks, questions to them, and a rule that was set beforehand."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from lstm_core.claims import results
from lstm_core.claims.evidence import DECIDES, MOSTLY, NO, SEEDS, YES, Finding, Region
from lstm_core.claims.results import SeedResults
from lstm_core.experiment import Experiment
from lstm_core.language import _

# Of a visitor's own test, which is a look and no verdict.
LOOK = 5
Racers = Mapping[str, Experiment]
# Zero, but for rounding in double precision.
NOTHING = Region(high=1e-12)
ALL = ""
# As they are drawn, for Jacobians of a hundred steps.
DRAWN_RNN = Experiment(cell="rnn", length=100, hidden=64, precision="float64")
DRAWN_LSTM = Experiment(length=100, precision="float64")


@dataclass(frozen=True)
class Question:
    """
    What would have to be true, and how it is seen: a number for each seed, called `quantity`, and the region of those
    for which the sentence holds. `kind` and `role` are one of `evidence.KINDS` and `ROLES`; what is `yes_or_no` has 1
    or 0 for each seed.
    """

    sentence: str
    quantity: str
    measure: Callable[[SeedResults], float]
    holds: Region
    kind: str = MOSTLY
    role: str = DECIDES
    yes_or_no: bool = False

    @property
    def rule(self) -> str:
        return f"{self.quantity}: {self.holds}"


@dataclass(frozen=True)
class Claim:
    """
    One row: its name, what the article says, the networks that are trained (`racers`) and those that are looked at as
    they are drawn (`drawn`), for seed 0, by label; the questions, of which all that decide have to be answered with
    yes; what to take away, and why it is so.

    `charts` are rows of `CHARTS` that show it, each of all these networks, or of the one with that label; `page`, a row
    of the pages, and its `address` let one play with it. A verdict takes so many `seeds`.
    """

    name: str
    said: str
    questions: tuple[Question, ...]
    takeaway: str
    why: str
    page: str
    charts: tuple[tuple[str, str], ...]
    racers: Racers = field(default_factory=dict)
    drawn: Racers = field(default_factory=dict)
    address: Mapping[str, str] = field(default_factory=dict)
    seeds: int = SEEDS

    def findings(self, seeds: Iterable[Iterable[float]]) -> tuple[Finding, ...]:
        """For each question what came out, from the answers of at least one seed, a number for each question."""
        by_question = zip(self.questions, zip(*seeds, strict=True), strict=True)
        return tuple(Finding(values, question.holds, question.kind, self.seeds) for question, values in by_question)

    def trained(self, seed: int) -> dict[str, Experiment]:
        """The racers of a seed."""
        return _of_seed(self.racers, seed)

    def looked_at(self, seed: int) -> dict[str, Experiment]:
        """The networks of a seed that are not trained."""
        return _of_seed(self.drawn, seed)


def _of_seed(experiments: Racers, seed: int) -> dict[str, Experiment]:
    return {label: dataclasses.replace(one, seed=seed) for label, one in experiments.items()}


def solves(sentence: str, label: str, role: str = DECIDES) -> Question:
    """That the racer with this label solves its task."""
    return _flag(sentence, lambda of: results.solved(of[label]), YES, role)


def fails(sentence: str, label: str, role: str = DECIDES) -> Question:
    """That it does not."""
    return _flag(sentence, lambda of: results.solved(of[label]), NO, role)


def _flag(sentence: str, measure: Callable[[SeedResults], float], holds: Region, role: str) -> Question:
    return Question(sentence, _("1 if it solves the task, 0 if not"), measure, holds, role=role, yes_or_no=True)
