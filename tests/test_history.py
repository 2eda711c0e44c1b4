"""Is a finished run kept once and whole, and is what cannot be kept refused with a word?"""

import dataclasses
import multiprocessing
from collections.abc import Iterator
from typing import Any

import pytest

from lstm_core.history import database, opening
from lstm_core.history.records import Curves, Record, failed, record_of
from lstm_core.race.runs import Run
from lstm_core.tasks.series import Series, register
from tests.histories import SMALL, made_up, trained


def test_a_run_comes_back_as_it_was(kept: opening.History) -> None:
    record = trained(SMALL)
    assert database.store(kept, [record]) == 1
    assert list(database.records(kept)) == [record]
    assert list(database.records(kept, [SMALL.key])) == [record]
    assert list(database.records(kept, ["elsewhere"])) == []
    assert database.curves(kept, [SMALL.key]) == {(SMALL.key, record.computed_by): record.curves}
    assert database.outcomes(kept) == {SMALL.key: (record.ended, record.last_step, record.final_mean_loss)}


def test_a_run_that_diverged_keeps_what_is_not_a_number(kept: opening.History) -> None:
    record = trained(dataclasses.replace(SMALL, cell="rnn", activation="identity", gain=9.0, lr=100.0, length=500))
    assert record.ended == "diverged"
    database.store(kept, [record])
    assert repr(list(database.records(kept))) == repr([record])


def test_the_same_run_twice_is_one_row_and_no_error(kept: opening.History) -> None:
    assert database.store(kept, [made_up(0), made_up(0)]) == 1
    assert database.store(kept, [made_up(0)]) == 0
    assert database.runs(kept).num_rows == 1


def test_a_run_is_told_apart_by_its_engine(kept: opening.History) -> None:
    engines = ["fused", "reference", "reference+fused"]
    database.store(kept, [dataclasses.replace(made_up(0), computed_by=engine) for engine in engines])
    assert sorted(database.runs(kept).column("computed_by").to_pylist()) == engines


def test_a_failed_run_gives_way_and_a_finished_one_does_not(kept: opening.History) -> None:
    database.store(kept, [failed(SMALL, "out of memory")])
    assert database.outcomes(kept)[SMALL.key].ended == "failed"
    assert database.runs(kept).column("reason").to_pylist() == ["out of memory"]
    database.store(kept, [trained(SMALL)])
    database.store(kept, [failed(SMALL, "out of memory")])
    assert database.outcomes(kept)[SMALL.key].ended == "completed"
    assert [len(record.curves.steps) for record in database.records(kept) if record.ended != "failed"] == [5]


def test_weights_come_back_and_join_a_run_that_was_stored_without(kept: opening.History) -> None:
    record = made_up(0)
    weighed = dataclasses.replace(record, weights=b"numbers")
    identity = (record.experiment.key, record.computed_by)
    assert database.store(kept, [record]) == 1
    assert database.weights(kept, [record.experiment.key]) == {}
    assert database.store(kept, [weighed, weighed]) == 0
    assert database.weights(kept, [record.experiment.key]) == {identity: b"numbers"}
    assert database.with_weights(kept) == {record.experiment.key}
    assert database.weights(kept, ["elsewhere"]) == {}
    assert list(database.records(kept)) == [record]


def test_all_of_a_batch_is_kept_or_nothing(kept: opening.History) -> None:
    def breaking() -> Iterator[Record]:
        yield made_up(0)
        raise ValueError("the second one is bad")

    with pytest.raises(ValueError, match="second"):
        database.store(kept, breaking())
    assert database.runs(kept).num_rows == 0
    assert database.curves(kept, [made_up(0).experiment.key]) == {}


def _write(url: str, seeds: range) -> None:
    kept = opening.open_history(url)
    for seed in seeds:
        database.store(kept, [made_up(seed)])
    kept.dispose()


def test_processes_that_write_at_once_lose_nothing(url: str) -> None:
    """They make the database together, and half of their runs are the same."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    writers = [context.Process(target=_write, args=(url, range(first, first + 30))) for first in (0, 15, 30)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    kept = opening.open_history(url)
    assert sorted(record.experiment.seed for record in database.records(kept)) == list(range(60))
    kept.dispose()


def test_a_run_on_a_visitors_own_series_is_not_kept() -> None:
    own = register(Series("own", tuple(float(i % 7) for i in range(60))))
    with pytest.raises(
        ValueError, match=r"^series: 'csv:[0-9a-f]{16}' is of a visitor's file, of which nothing is kept"
    ):
        made_up(0, series=own.name)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("computed_by", "hand"),
        ("ended", "gladly"),
        ("last_step", 6),
        ("last_step", -1),
        ("seconds", float("nan")),
        ("stored", -1),
        ("versions", "[]"),
        ("versions", "[" * 900),
        ("reason", "why not"),
    ],
)
def test_a_record_is_checked(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"^{name}: "):
        dataclasses.replace(made_up(0), **{name: value})


@pytest.mark.parametrize("steps", [(1,), (2, 1), (0, 1), (1, 1)])
def test_curves_are_checked(steps: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"^curve_steps: "):
        Curves(steps, (0.0, 0.0), (0.0, 0.0))


def test_a_reason_is_one_printable_line() -> None:
    run = Run(SMALL)
    run.error = "RuntimeError: first\nsecond\x00\ud800" + "x" * 5000
    reason = record_of(run).reason
    assert reason is not None
    assert reason.startswith("RuntimeError: first second xxx")
