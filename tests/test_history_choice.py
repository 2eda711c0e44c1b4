"""Are the runs of a history found again by whatever they differ in?"""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from lstm_core.history import database, opening, schema
from lstm_core.history.records import Record, failed
from tests.histories import SMALL, made_up


@pytest.mark.parametrize(
    "wanted",
    [
        {"task": "recall"},
        {"seed": [1, 2, 7]},
        {"coupled": True},
        {"output_activation": None},
        {"output_activation": "tanh"},
        {"forget_bias": 1.0},
        {"forget_bias": "chrono"},
        {"lr": 0.02},
        {"steps": 5},
        {"engine": ("auto", "fused")},
        {"ended": "completed", "cell": "lstm"},
    ],
    ids=str,
)
def test_runs_are_chosen_by_any_field(wanted: dict[str, Any], kept: opening.History) -> None:
    changes: list[dict[str, Any]] = [
        {},
        {"coupled": True},
        {"output_activation": "tanh"},
        {"forget_bias": "chrono"},
        {"lr": 0.02},
    ]
    stored = [made_up(seed, **change) for seed, change in enumerate(changes)]
    database.store(kept, stored)

    def fits(record: Record) -> bool:
        values = vars(record) | vars(record.experiment)
        options = [value if isinstance(value, list | tuple) else [value] for value in wanted.values()]
        return all(values[name] in option for name, option in zip(wanted, options, strict=True))

    keys = database.runs(kept, **wanted).column("key").to_pylist()
    assert keys == [record.experiment.key for record in reversed(stored) if fits(record)]


def test_a_column_that_there_is_not_is_refused(kept: opening.History) -> None:
    with pytest.raises(ValueError, match=r"^column: 'colour' is not one of key, computed_by, "):
        database.runs(kept, colour="red")


def test_no_runs_have_the_same_columns_as_some(kept: opening.History) -> None:
    empty = database.runs(kept).schema
    database.store(kept, [made_up(0), failed(dataclasses.replace(SMALL, seed=1), "a reason")])
    assert database.runs(kept).schema == empty
    assert {*schema.FIELDS} - {*schema.RENAMED} < {*empty.names}


def test_of_many_runs_those_are_listed_that_are_wanted(tmp_path: Path) -> None:
    kept = opening.open_history(f"sqlite:///{tmp_path}/history.sqlite")
    database.store(kept, (made_up(seed, lr=(1 + seed % 4) / 100) for seed in range(2000)))
    choices: list[tuple[dict[str, Any], int]] = [({}, 2000), ({"lr": 0.02}, 500), ({"seed": 7}, 1)]
    for wanted, rows in choices:
        assert database.runs(kept, **wanted).num_rows == rows
    kept.dispose()
