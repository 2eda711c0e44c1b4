"""Is a finished run kept once, whole, and found again; and is what cannot be kept refused with a word?"""

import dataclasses
import multiprocessing
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from lstm_core import Experiment
from lstm_core.history import database, schema
from lstm_core.history.records import Curves, Record, failed, record_of, versions
from lstm_core.race.runs import Run
from lstm_core.tasks.series import Series, register
from tests.postgres import missing, postgres

SMALL = Experiment(task="recall", length=4, hidden=4, batch=2, steps=5)
FIRST_SCHEMA = """
    CREATE TABLE schema_version (version INTEGER NOT NULL PRIMARY KEY);
    INSERT INTO schema_version VALUES (1);
    CREATE TABLE runs (
        key VARCHAR(16) NOT NULL, computed_by VARCHAR(16) NOT NULL, experiment TEXT NOT NULL,
        ended VARCHAR(16) NOT NULL, last_step BIGINT NOT NULL, final_mean_loss DOUBLE PRECISION,
        seconds DOUBLE PRECISION NOT NULL, stored BIGINT NOT NULL, versions TEXT NOT NULL, reason TEXT,
        PRIMARY KEY (key, computed_by)
    );
    CREATE TABLE curves (
        key VARCHAR(16) NOT NULL, computed_by VARCHAR(16) NOT NULL, points INTEGER NOT NULL, numbers BYTEA NOT NULL,
        PRIMARY KEY (key, computed_by)
    );
"""


def trained(experiment: Experiment) -> Record:
    run = Run(experiment)
    while not run.ended:
        run.advance()
    return record_of(run)


def made_up(seed: int, **changes: Any) -> Record:
    experiment = dataclasses.replace(SMALL, seed=seed, **changes)
    curves = Curves((1, 5), (2.0, 1.5), (0.5, 0.25))
    return Record(experiment, "fused", "completed", 5, 1.5, 0.1, 1_700_000_000 + seed, versions(), curves=curves)


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    with postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of a database with nothing in it."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/history.sqlite"
    if reason := missing():
        pytest.skip(reason)
    server: str = request.getfixturevalue("server")
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        name = f"h{abs(hash(str(tmp_path)))}"
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return f"{server}{name}"


@pytest.fixture
def kept(url: str) -> Iterator[schema.History]:
    """An open history with nothing in it."""
    opened = schema.open_history(url)
    yield opened
    opened.dispose()


def test_a_run_comes_back_as_it_was(kept: schema.History) -> None:
    record = trained(SMALL)
    assert database.store(kept, [record]) == 1
    assert list(database.records(kept)) == [record]
    assert list(database.records(kept, [SMALL.key])) == [record]
    assert list(database.records(kept, ["elsewhere"])) == []
    assert database.curves(kept, [SMALL.key]) == {(SMALL.key, record.computed_by): record.curves}
    assert database.outcomes(kept) == {SMALL.key: (record.ended, record.last_step, record.final_mean_loss)}


def test_a_run_that_diverged_keeps_what_is_not_a_number(kept: schema.History) -> None:
    record = trained(dataclasses.replace(SMALL, cell="rnn", activation="identity", gain=9.0, lr=100.0, length=500))
    assert record.ended == "diverged"
    database.store(kept, [record])
    assert repr(list(database.records(kept))) == repr([record])


def test_the_same_run_twice_is_one_row_and_no_error(kept: schema.History) -> None:
    assert database.store(kept, [made_up(0), made_up(0)]) == 1
    assert database.store(kept, [made_up(0)]) == 0
    assert database.runs(kept).num_rows == 1


def test_a_run_is_told_apart_by_its_engine(kept: schema.History) -> None:
    database.store(kept, [made_up(0), dataclasses.replace(made_up(0), computed_by="reference")])
    assert database.runs(kept).column("computed_by").to_pylist() == ["fused", "reference"]


def test_a_failed_run_gives_way_and_a_finished_one_does_not(kept: schema.History) -> None:
    database.store(kept, [failed(SMALL, "out of memory")])
    assert database.outcomes(kept)[SMALL.key].ended == "failed"
    assert database.runs(kept).column("reason").to_pylist() == ["out of memory"]
    database.store(kept, [trained(SMALL)])
    database.store(kept, [failed(SMALL, "out of memory")])
    assert database.outcomes(kept)[SMALL.key].ended == "completed"
    assert [len(record.curves.steps) for record in database.records(kept) if record.ended != "failed"] == [5]


def test_weights_come_back_and_join_a_run_that_was_stored_without(kept: schema.History) -> None:
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


def test_all_of_a_batch_is_kept_or_nothing(kept: schema.History) -> None:
    def breaking() -> Iterator[Record]:
        yield made_up(0)
        raise ValueError("the second one is bad")

    with pytest.raises(ValueError, match="second"):
        database.store(kept, breaking())
    assert database.runs(kept).num_rows == 0
    assert database.curves(kept, [made_up(0).experiment.key]) == {}


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
def test_runs_are_chosen_by_any_field(wanted: dict[str, Any], kept: schema.History) -> None:
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


def test_a_column_that_there_is_not_is_refused(kept: schema.History) -> None:
    with pytest.raises(ValueError, match=r"^column: 'colour' is not one of key, computed_by, "):
        database.runs(kept, colour="red")


def test_no_runs_have_the_same_columns_as_some(kept: schema.History) -> None:
    empty = database.runs(kept).schema
    database.store(kept, [made_up(0), failed(dataclasses.replace(SMALL, seed=1), "a reason")])
    assert database.runs(kept).schema == empty
    assert {*schema.FIELDS} - {*schema.RENAMED} < {*empty.names}


def test_ten_thousand_runs_are_listed_in_well_under_a_second(tmp_path: Path) -> None:
    kept = schema.open_history(f"sqlite:///{tmp_path}/history.sqlite")
    database.store(kept, (made_up(seed, lr=(1 + seed % 4) / 100) for seed in range(10_000)))
    choices: list[tuple[dict[str, Any], int]] = [({}, 10_000), ({"lr": 0.02}, 2500), ({"seed": 7}, 1)]
    for wanted, rows in choices:
        started = time.perf_counter()
        assert database.runs(kept, **wanted).num_rows == rows
        assert time.perf_counter() - started < 1
    kept.dispose()


def _write(url: str, seeds: range) -> None:
    kept = schema.open_history(url)
    for seed in seeds:
        database.store(kept, [made_up(seed)])
    kept.dispose()


def test_processes_that_write_at_once_lose_nothing(url: str) -> None:
    """They make the database together, and half of their runs are the same."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    writers = [context.Process(target=_write, args=(url, range(first, first + 100))) for first in (0, 50, 100)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    kept = schema.open_history(url)
    assert sorted(record.experiment.seed for record in database.records(kept)) == list(range(200))
    kept.dispose()


def test_a_history_of_the_first_schema_is_brought_up_to_date(url: str) -> None:
    stored = [made_up(0, coupled=True), made_up(1, forget_bias="chrono", lr=0.02)]
    names = ("computed_by", "ended", "last_step", "final_mean_loss", "seconds", "stored", "versions", "reason")
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        for statement in FIRST_SCHEMA.split(";")[:-1]:
            connection.exec_driver_sql(statement)
        for record in stored:
            row = {"key": record.experiment.key, "experiment": record.experiment.to_json()}
            row |= {name: getattr(record, name) for name in names}
            places = ", ".join(f":{name}" for name in row)
            connection.execute(sa.text(f"INSERT INTO runs ({', '.join(row)}) VALUES ({places})"), row)
            packed = {"key": row["key"], "by": "fused", "points": 2, "numbers": database._packed(record.curves)}
            connection.execute(sa.text("INSERT INTO curves VALUES (:key, :by, :points, :numbers)"), packed)
    engine.dispose()
    for _ in range(2):
        kept = schema.open_history(url)
        assert list(database.records(kept)) == stored
        database.store(kept, [dataclasses.replace(stored[0], weights=b"numbers")])
        assert database.with_weights(kept) == {stored[0].experiment.key}
        choices: list[dict[str, Any]] = [{"coupled": True}, {"lr": 0.01}, {"forget_bias": 1.0}]
        for wanted in choices:
            assert database.runs(kept, **wanted).column("key").to_pylist() == [stored[0].experiment.key]
        kept.dispose()


def test_a_history_that_knows_no_series_gets_the_two_columns(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/history.sqlite"
    kept = schema.open_history(url)
    database.store(kept, [made_up(0), made_up(1)])
    with kept.begin() as connection:
        for name in (*schema.OF_SERIES, *schema.OF_STREAM):
            connection.execute(sa.text(f"ALTER TABLE runs DROP COLUMN {name}"))
        before = next(version for version, step in schema.MIGRATIONS.items() if step is schema._add_series)
        connection.execute(sa.text(f"UPDATE schema_version SET version = {before}"))
    kept.dispose()
    kept = schema.open_history(url)
    assert database.runs(kept, series="mackey_glass", horizon=1).num_rows == 2
    database.store(kept, [made_up(2, task="forecast", series="sines", horizon=3)])
    assert database.runs(kept, series="sines").column("horizon").to_pylist() == [3]
    assert len(list(database.records(kept))) == 3
    kept.dispose()


def test_a_run_on_a_visitors_own_series_is_not_kept() -> None:
    own = register(Series("own", tuple(float(i % 7) for i in range(60))))
    with pytest.raises(
        ValueError, match=r"^series: 'csv:[0-9a-f]{16}' is of a visitor's file, of which nothing is kept"
    ):
        made_up(0, series=own.name)


def test_a_history_of_a_later_schema_is_refused_in_one_line(kept: schema.History, url: str) -> None:
    with kept.begin() as connection:
        connection.execute(sa.text(f"UPDATE schema_version SET version = {schema.SCHEMA + 1}"))
    with pytest.raises(schema.NewerError, match=f"version {schema.SCHEMA + 1}, this program knows {schema.SCHEMA}"):
        schema.open_history(url)


def _is_a_file(folder: Path) -> str:
    (folder / "file").write_text("not a folder")
    return f"sqlite:///{folder}/file/history.sqlite"


def _may_only_be_read(folder: Path) -> str:
    schema.open_history(f"sqlite:///{folder}/history.sqlite").dispose()
    return f"sqlite:///file:{folder}/history.sqlite?mode=ro&uri=true"


def _is_no_database(folder: Path) -> str:
    (folder / "history.sqlite").write_bytes(b"this is a text, and a long one at that" * 100)
    return f"sqlite:///{folder}/history.sqlite"


@pytest.mark.parametrize(
    "place",
    [
        _is_a_file,
        _may_only_be_read,
        _is_no_database,
        lambda folder: "what is this",
        lambda folder: "mysql://root@localhost/history",
        lambda folder: "postgresql://someone:secret@127.0.0.1:1/nowhere",
    ],
)
def test_where_it_cannot_be_kept_one_line_says_so(place: Any, tmp_path: Path) -> None:
    with pytest.raises(schema.UnavailableError, match=r"^history[^\n]*: [^\n]+$") as refused:
        schema.open_history(place(tmp_path))
    assert "secret" not in str(refused.value)


def test_a_user_who_has_no_folder_gets_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.delenv(schema.PLACE, raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))
    with pytest.raises(schema.UnavailableError, match=r"^history: .*Not a directory"):
        schema.open_history()


def test_it_lies_where_the_user_wants_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(schema.PLACE, raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    schema.open_history().dispose()
    assert (tmp_path / "gradient-highway" / "history.sqlite").exists()
    monkeypatch.setenv(schema.PLACE, f"sqlite:///{tmp_path}/elsewhere.sqlite")
    schema.open_history().dispose()
    assert (tmp_path / "elsewhere.sqlite").exists()


def test_readers_and_a_writer_do_not_wait_for_each_other(tmp_path: Path) -> None:
    kept = schema.open_history(f"sqlite:///{tmp_path}/history.sqlite")
    other = sqlite3.connect(tmp_path / "history.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert database.runs(kept).num_rows == 0
    other.execute("ROLLBACK")
    assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    other.close()
    kept.dispose()


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


def test_a_new_field_needs_a_new_schema_and_a_migration() -> None:
    """Databases of version 5 have these columns; whoever adds a field writes a migration, and changes this list."""
    fields = (
        "task length cell activation output_activation gates coupled peephole weights biases init gain forget_bias "
        "hidden batch steps optimizer lr momentum clip clip_at seed precision engine layers wiring window sequences "
        "series horizon stream"
    )
    assert (schema.SCHEMA, sorted(schema.FIELDS)) == (5, sorted(fields.split()))
