"""What do tests keep in a history, and who keeps them from it? Runs that were trained, or made up; a lock."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

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


@contextmanager
def locked(url: str, table: str) -> Iterator[sa.Connection]:
    """Somebody on a server of PostgreSQL who lets nobody else read or write this table."""
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield connection
    engine.dispose()
