"""What do tests keep in a history? Runs that were trained, or made up."""

import dataclasses
from typing import Any

from lstm_core import Experiment
from lstm_core.history.records import Curves, Record, record_of, versions
from lstm_core.race.runs import Run

SMALL = Experiment(task="recall", length=4, hidden=4, batch=2, steps=5)


def trained(experiment: Experiment) -> Record:
    run = Run(experiment)
    while not run.ended:
        run.advance()
    return record_of(run)


def made_up(seed: int, **changes: Any) -> Record:
    experiment = dataclasses.replace(SMALL, seed=seed, **changes)
    curves = Curves((1, 5), (2.0, 1.5), (0.5, 0.25))
    return Record(experiment, "fused", "completed", 5, 1.5, 0.1, 1_700_000_000 + seed, versions(), curves=curves)
