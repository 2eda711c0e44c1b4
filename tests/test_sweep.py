"""Is every experiment of a sweep trained once, and does one that fails stay alone with it?"""

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from lstm_core import Experiment, train
from lstm_core.__main__ import main
from lstm_core.history.database import Outcome, outcomes, records, store, weights, with_weights
from lstm_core.history.opening import History, open_history
from lstm_core.history.records import Record, failed
from lstm_core.sweep import sweep
from lstm_core.sweep.pools import Pool
from tests.trainings import failing_from_now

SMALL = Experiment(task="recall", length=4, hidden=4, batch=2, steps=5)
EXPERIMENTS = [dataclasses.replace(SMALL, seed=seed) for seed in range(6)]
GRID = "base = { task = 'recall', length = 4, hidden = 4, batch = 2, steps = 5 }\ngrid = { seeds = 3 }"


class Here(Executor):
    """An executor without workers, that breaks when it is given what kills a worker."""

    def __init__(self, killers: list[Experiment], given: list[Experiment]) -> None:
        self.killers, self.given = killers, given

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **_: Any) -> Future[Any]:
        experiment = arguments[0]
        future: Future[Any] = Future()
        self.given.append(experiment)
        if experiment in self.killers:
            future.set_exception(BrokenExecutor("a worker died"))
        else:
            try:
                future.set_result(function(*arguments))
            except Exception as error:  # noqa: BLE001 - as an executor does
                future.set_exception(error)
        return future


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    opened = open_history(f"sqlite:///{tmp_path}/history.sqlite")
    yield opened
    opened.dispose()


def trained(swept: Iterable[sweep.Swept]) -> list[Record]:
    return [record for record, here in swept if here]


def pool(killers: list[Experiment], given: list[Experiment]) -> Pool:
    @contextmanager
    def opened() -> Iterator[Executor]:
        yield Here(killers, given)

    return opened


def test_it_runs_on_any_executor(history: History) -> None:
    done = trained(sweep.sweep(EXPERIMENTS, history, partial(ThreadPoolExecutor, 2), 4))
    assert {record.experiment for record in done} == set(EXPERIMENTS)
    assert sorted(records(history), key=repr) == sorted(done, key=repr)


def test_a_record_is_stored_before_it_is_told(history: History) -> None:
    for number, _ in enumerate(sweep.sweep(EXPERIMENTS, history, pool([], []), 2), start=1):
        assert len(outcomes(history)) == number


def test_weights_are_kept_where_they_are_asked_for(history: History) -> None:
    one, other = EXPERIMENTS[:2]
    list(sweep.sweep([one], history, pool([], []), 2))
    assert with_weights(history) == set()
    list(sweep.sweep([one, other], history, pool([], []), 2, weights=True))
    assert with_weights(history) == {one.key, other.key}
    last = list(train(one, weights_every=1))[-1].weights
    assert last is not None
    assert set(weights(history, [one.key]).values()) == {last.numpy().tobytes()}


def test_a_run_without_weights_is_left_to_do_where_they_are_needed() -> None:
    known = {one.key: Outcome("solved", 5, 0.1) for one in EXPERIMENTS[:3]} | {
        EXPERIMENTS[3].key: Outcome("failed", 0, 0.1)
    }
    assert sweep.plan(EXPERIMENTS, known, weighed=[EXPERIMENTS[0].key]) == (EXPERIMENTS[1:3] + EXPERIMENTS[4:], 1, 1)


def test_what_is_known_is_not_left_to_do() -> None:
    known = {EXPERIMENTS[0].key: Outcome("solved", 5, 0.1), EXPERIMENTS[1].key: Outcome("failed", 0, 0.1)}
    assert sweep.plan([*EXPERIMENTS, *EXPERIMENTS], known) == (EXPERIMENTS[2:], 1, 1)
    assert sweep.plan(EXPERIMENTS, known, retry_failed=True) == (EXPERIMENTS[1:], 1, 0)


def test_no_more_than_its_share_is_with_the_pool(history: History) -> None:
    given: list[Experiment] = []
    next(sweep.sweep(EXPERIMENTS, history, pool([], given), 2))
    assert given == EXPERIMENTS[:2]


def test_a_run_that_raises_has_failed_and_the_others_go_on(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    failing_from_now(monkeypatch, MemoryError("no room\nfor it"), lambda experiment: experiment == EXPERIMENTS[2])
    done = {record.experiment: record for record, _ in sweep.sweep(EXPERIMENTS, history, pool([], []), 2)}
    assert done[EXPERIMENTS[2]].reason == "MemoryError: no room for it"
    assert [done[experiment].ended for experiment in EXPERIMENTS].count("failed") == 1
    assert outcomes(history)[EXPERIMENTS[2].key].ended == "failed"


def test_a_run_that_kills_its_worker_has_failed_after_two_times_alone(history: History) -> None:
    given: list[Experiment] = []
    done = trained(sweep.sweep(EXPERIMENTS, history, pool([EXPERIMENTS[1]], given), 3))
    assert {record.experiment for record in done} == set(EXPERIMENTS)
    assert len(done) == len(EXPERIMENTS)
    assert [record.experiment for record in done if record.ended == "failed"] == [EXPERIMENTS[1]]
    assert given.count(EXPERIMENTS[1]) == 3
    assert "died 2 times" in str(next(record.reason for record in done if record.reason))


def test_a_pool_that_breaks_once_costs_nothing(history: History) -> None:
    killers = [EXPERIMENTS[1]]

    @contextmanager
    def opened() -> Iterator[Executor]:
        yield Here(list(killers), [])
        killers.clear()

    done = trained(sweep.sweep(EXPERIMENTS, history, opened, 3))
    assert {record.ended for record in done} == {"completed"}
    assert {record.experiment for record in done} == set(EXPERIMENTS)


def test_a_pool_that_gives_up_ends_it_and_what_was_stored_stays(history: History) -> None:
    class GivingUp(Here):
        def submit(self, function: Callable[..., Any], /, *arguments: Any, **_: Any) -> Future[Any]:
            future = super().submit(function, *arguments)
            if len(self.given) < 3:
                return future
            given_up: Future[Any] = Future()
            given_up.cancel()
            given_up.set_running_or_notify_cancel()
            return given_up

    @contextmanager
    def opened() -> Iterator[Executor]:
        yield GivingUp([], [])

    with pytest.raises(ConnectionError, match="given up its runs"):
        list(sweep.sweep(EXPERIMENTS, history, opened, 1))
    assert len(outcomes(history)) == 2


def test_a_worker_that_has_not_the_package_is_no_reason_for_a_run_to_fail(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(experiment: Experiment, weights: bool) -> Record:
        raise ModuleNotFoundError("No module named 'lstm_core'")

    monkeypatch.setattr(sweep, "train_one", missing)
    with pytest.raises(ConnectionError, match="a worker cannot train: No module named 'lstm_core'"):
        list(sweep.sweep(EXPERIMENTS, history, pool([], []), 1))
    assert outcomes(history) == {}


def test_a_second_sweep_trains_what_the_first_has_not_begun_and_is_told_of_the_others(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "LOOK_SECONDS", 0.01)
    given: list[Experiment] = []
    first, second = (sweep.sweep(EXPERIMENTS, history, pool([], given), 2, weights=True) for _ in range(2))
    begun, others = [next(first)], [next(second) for _ in range(4)]
    begun += first
    others += second
    here = [{run.record.experiment for run in swept if run.here} for swept in (begun, others)]
    assert [len(those) for those in here] == [2, 4]
    assert [{run.record.experiment for run in swept} for swept in (begun, others)] == [set(EXPERIMENTS)] * 2
    assert all(run.record.weights for run in (*begun, *others))
    assert sorted(one.seed for one in given) == [one.seed for one in EXPERIMENTS]


def command(*arguments: str) -> "subprocess.CompletedProcess[str]":
    line = [sys.executable, "-m", "lstm_core", *arguments]
    return subprocess.run(line, capture_output=True, text=True, check=False, timeout=120)


def test_the_command_trains_each_run_once(tmp_path: Path) -> None:
    (tmp_path / "grid.toml").write_text(GRID)
    options = [str(tmp_path / "grid.toml"), "--history", f"sqlite:///{tmp_path}/history.sqlite"]
    first, again = (command("sweep", *options, "--workers", "1") for _ in range(2))
    counts = [json.loads(done.stdout) for done in (first, again)]
    assert [(one["ran"], one["found"], one["failed"], one["left"]) for one in counts] == [(3, 0, 0, 0), (0, 3, 0, 0)]
    assert (first.returncode, first.stderr, again.returncode, again.stderr) == (0, "", 0, "")
    assert "| recall |  | 0 of 3 |" in command("report", *options).stdout


def test_a_failed_run_is_repeated_on_demand_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "grid.toml").write_text(GRID)
    url = f"sqlite:///{tmp_path}/history.sqlite"
    opened = open_history(url)
    done = [record.experiment for record, _ in sweep.sweep(EXPERIMENTS[:2], opened, pool([], []), 1)]
    store(opened, [failed(EXPERIMENTS[2], "it had a bad day")])
    assert len(done) == 2
    options = ["sweep", str(tmp_path / "grid.toml"), "--history", url, "--workers", "1"]
    assert main(options) == 0
    assert json.loads(capsys.readouterr().out)["failed"] == 1
    assert main([*options, "--retry-failed"]) == 0
    counts = json.loads(capsys.readouterr().out)
    assert (counts["ran"], counts["found"], counts["failed"]) == (1, 2, 0)
    assert {outcome.ended for outcome in outcomes(opened).values()} == {"completed"}
    opened.dispose()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "nothing to cross"),
        ("[base]\ncolour = 'red'", "field: 'colour' is not one of"),
        ("[grid]\nlength = [-5]", "length: -5 is not"),
        ("not TOML", "line 1"),
        (None, "No such file"),
        (b"\xff", "utf-8"),
    ],
)
@pytest.mark.parametrize("name", ["sweep", "report"])
def test_a_bad_grid_gets_one_line_and_status_2(
    name: str, content: str | bytes | None, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    grid = tmp_path / "grid.toml"
    if content is not None:
        grid.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(SystemExit, match="2"):
        main([name, str(grid), "--history", f"sqlite:///{tmp_path}/history.sqlite"])
    written = capsys.readouterr()
    assert (written.out, written.err.count("\n")) == ("", 1)
    assert message in written.err
    assert "grid.toml" in written.err
    assert os.listdir(tmp_path) == ([] if content is None else ["grid.toml"])


def test_no_workers_get_one_line_and_status_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["sweep", "grid.toml", "--workers", "0"])
    assert "workers: 0 is not a whole number of at least 1" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["sweep", "report"])
def test_a_history_out_of_reach_gets_one_line_and_status_1(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "grid.toml").write_text(GRID)
    with pytest.raises(SystemExit, match="1"):
        main([name, str(tmp_path / "grid.toml"), "--history", f"sqlite:///{tmp_path}/grid.toml/history.sqlite"])
    written = capsys.readouterr()
    assert (written.out, written.err.count("\n")) == ("", 1)
    assert "unable to open database file" in written.err
