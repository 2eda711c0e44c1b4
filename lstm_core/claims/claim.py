"""What is a statement, put to the test? Networks, questions to them, and a rule that was set beforehand."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from lstm_core.claims import measures
from lstm_core.claims.evidence import Region
from lstm_core.claims.measures import SeedResults
from lstm_core.experiment import Experiment

SEEDS = 5
Racers = Mapping[str, Experiment]
# Zero, but for rounding in double precision.
NOTHING = Region(high=1e-12)
MOST, FEW = Region(low=0.5), Region(high=0.5)
ALL = ""
# As they are drawn, for Jacobians of a hundred steps.
DRAWN_RNN = Experiment(cell="rnn", length=100, hidden=64, precision="float64")
DRAWN_LSTM = Experiment(length=100, precision="float64")


@dataclass(frozen=True)
class Question:
    """
    What would have to be true, and how it is seen: a number for each seed, called `quantity`, and the region in which
    the mean over seeds has to lie, with its whole 95 % interval. A `share` is a mean of zeros and ones. A question that
    does not `decide` belongs to the picture and not to the verdict.
    """

    sentence: str
    quantity: str
    measure: Callable[[SeedResults], float]
    holds: Region
    share: bool = False
    decides: bool = True

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
    of the pages, and its `address` let one play with it.
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

    def trained(self, seed: int) -> dict[str, Experiment]:
        """The racers of a seed."""
        return _of_seed(self.racers, seed)

    def looked_at(self, seed: int) -> dict[str, Experiment]:
        """The networks of a seed that are not trained."""
        return _of_seed(self.drawn, seed)


def _of_seed(experiments: Racers, seed: int) -> dict[str, Experiment]:
    return {label: dataclasses.replace(one, seed=seed) for label, one in experiments.items()}


def solved(sentence: str, quantity: str, label: str, holds: Region, decides: bool = True) -> Question:
    """Of the racer with this label: how many seeds solve its task."""
    return Question(sentence, quantity, lambda of: measures.solved(of[label]), holds, share=True, decides=decides)
