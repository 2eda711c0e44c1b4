"""Are runs that differ in their seeds alone counted together, and ranked by what they did?"""

import dataclasses
import math

import pytest

from lstm_core import Experiment
from lstm_core.history.database import Outcome, runs, store
from lstm_core.history.opening import History, open_history
from lstm_core.history.records import Curves, Record
from lstm_core.measurements.intervals import wilson
from lstm_core.sweep.scores import Score, differing, ranked, score

BASE = Experiment(length=10, hidden=4, steps=500)


def record(ended: str, last_step: int, loss: float, **changes: object) -> Record:
    experiment = dataclasses.replace(BASE, **changes)  # type: ignore[arg-type]
    reason = "it broke" if ended == "failed" else None
    return Record(experiment, "fused", ended, last_step, loss, 1.0, 1_700_000_000, "{}", reason, Curves())


@pytest.fixture
def history(tmp_path: object) -> History:
    return open_history(f"sqlite:///{tmp_path}/h.sqlite")


def test_a_score_counts_those_that_have_not_failed() -> None:
    endings = [Outcome("solved", 100, 0.01), Outcome("solved", 300, 0.03), Outcome("completed", 500, math.nan)]
    one = score([*endings, Outcome("failed", 0, math.nan)])
    assert one == Score(3, 2, *wilson(2, 3), median_steps=200.0, median_loss=0.03)


def test_failures_alone_have_no_score() -> None:
    assert score([Outcome("failed", 0, math.nan)]) is None


def test_runs_that_differ_in_their_seeds_alone_are_one_setting(history: History) -> None:
    store(
        history,
        [record("solved", 100 + seed, 0.01, seed=seed, cell=cell) for seed in range(4) for cell in ("rnn", "gru")],
    )
    settings = ranked(runs(history))
    assert sorted(setting.label for setting in settings) == ["cell gru", "cell rnn"]
    assert all(setting.score and setting.score.runs == 4 and len(setting.keys) == 4 for setting in settings)


def test_those_come_first_that_solve_most_often_then_soonest_then_with_the_least_loss(history: History) -> None:
    often = [record("solved", 400, 0.01, seed=seed, lr=0.1) for seed in range(2)]
    soon = [record("solved", 100, 0.01, seed=0, lr=0.2), record("completed", 500, 0.2, seed=1, lr=0.2)]
    never = [record("completed", 500, loss, lr=lr) for loss, lr in ((0.3, 0.3), (0.2, 0.4), (math.nan, 0.5))]
    store(history, [record("failed", 0, math.nan, lr=0.6), *never, *soon, *often])
    settings = ranked(runs(history))
    assert [setting.fields["lr"] for setting in settings] == [0.1, 0.2, 0.4, 0.3, 0.5, 0.6]
    assert settings[-1].score is None
    assert settings[-1].failed == 1


def test_a_run_that_two_engines_have_computed_counts_once(history: History) -> None:
    one = record("solved", 100, 0.01)
    store(history, [one, dataclasses.replace(one, computed_by="reference")])
    (setting,) = ranked(runs(history))
    assert setting.score is not None
    assert setting.score.runs == 1
    assert setting.label == "all the same"


def test_only_fields_with_several_values_tell_settings_apart(history: History) -> None:
    store(history, [record("solved", 1, 0.0, seed=seed, gates=gates) for seed in (0, 1) for gates in ("", "ifo")])
    assert differing(runs(history)) == {"gates": ["", "ifo"]}
    assert {setting.label for setting in ranked(runs(history))} == {"gates none", "gates ifo"}


def test_what_is_switched_off_goes_unsaid_where_anything_else_is_said(history: History) -> None:
    switched = [{}, {"coupled": True}, {"coupled": True, "peephole": True}]
    store(history, [record("solved", 1, 0.0, gates="ifo", **fields) for fields in switched])
    labels = {setting.label for setting in ranked(runs(history))}
    assert labels == {"not coupled, not peephole", "coupled", "coupled, peephole"}
