"""Does the report count what is there, and say how sure that is?"""

import math

import pytest

from lstm_core.history.database import Outcome
from lstm_core.sweep.grid import read_grid
from lstm_core.sweep.report import report, rows

GROUPS = read_grid("grid = { seeds = 5 }\nvariants = [{ name = 'V' }, { name = 'RNN', cell = 'rnn' }]")


def test_one_row_a_group_counts_what_is_there() -> None:
    solved, other = GROUPS
    endings = [Outcome("solved", 100, 0.01), Outcome("solved", 300, 0.03), Outcome("completed", 500, 0.2)]
    endings.append(Outcome("failed", 0, math.nan))
    outcomes = {experiment.key: ended for experiment, ended in zip(solved.experiments, endings, strict=False)}
    outcomes[other.experiments[0].key] = Outcome("diverged", 7, math.nan)
    rows = list(report(GROUPS, outcomes))
    assert rows[2] == "| adding | V | 2 of 3 | 21 to 94 % | 200 | 0.03 | 1 | 1 |"
    assert rows[3] == "| adding | RNN | 0 of 1 | 0 to 79 % |  | inf | 4 | 0 |"


def test_the_rows_are_told_to_other_programs_as_numbers() -> None:
    solved, other = GROUPS
    outcomes = {solved.experiments[0].key: Outcome("solved", 100, 0.01)}
    outcomes[other.experiments[0].key] = Outcome("diverged", 7, math.nan)
    first, second = (row.to_dict() for row in rows(GROUPS, outcomes))
    assert {name: first[name] for name in ("task", "variant", "runs", "solved", "missing", "failed")} == {
        "task": "adding",
        "variant": "V",
        "runs": 1,
        "solved": 1,
        "missing": 4,
        "failed": 0,
    }
    # Wilson's interval of one success in one trial begins at 1 / (1 + 1.96^2).
    assert [first[name] for name in ("low", "high")] == pytest.approx([0.2065, 1], abs=1e-4)
    assert (second["median_steps"], second["median_loss"]) == (None, "inf")


def test_a_group_without_runs_is_told_too() -> None:
    assert list(report(GROUPS, {}))[2] == "| adding | V |  |  |  |  | 5 | 0 |"
