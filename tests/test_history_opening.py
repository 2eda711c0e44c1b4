"""Is a history opened wherever one may be read, brought up to date, and is what is none refused as it was?"""

import dataclasses
import os
import re
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import sqlalchemy as sa

from lstm_core.history import database, opening, place, schema, server, sqlite_file
from lstm_core.history.rows import packed
from tests.histories import locked, made_up

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
NOBODY = 65534
FOREIGN = [
    "CREATE TABLE runs (run_uuid TEXT, name TEXT)",
    "CREATE TABLE songs (title TEXT)",
    "CREATE TABLE schema_version (version INTEGER); INSERT INTO schema_version VALUES (3)",
    "CREATE TABLE schema_version (version TEXT); INSERT INTO schema_version VALUES ('a');"
    "CREATE TABLE runs (key, computed_by, experiment)",
    "CREATE TABLE schema_version (number INTEGER); CREATE TABLE runs (key, computed_by, experiment)",
]


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
            curves = {"key": row["key"], "by": "fused", "points": 2, "numbers": packed(record.curves)}
            connection.execute(sa.text("INSERT INTO curves VALUES (:key, :by, :points, :numbers)"), curves)
    engine.dispose()
    for _ in range(2):
        kept = opening.open_history(url)
        assert list(database.records(kept)) == stored
        database.store(kept, [dataclasses.replace(stored[0], weights=b"numbers")])
        assert database.with_weights(kept) == {stored[0].experiment.key}
        choices: list[dict[str, Any]] = [{"coupled": True}, {"lr": 0.01}, {"forget_bias": 1.0}]
        for wanted in choices:
            assert database.runs(kept, **wanted).column("key").to_pylist() == [stored[0].experiment.key]
        kept.dispose()


def test_a_history_that_knows_no_series_gets_the_two_columns(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/history.sqlite"
    kept = opening.open_history(url)
    database.store(kept, [made_up(0), made_up(1)])
    with kept.begin() as connection:
        for name in (*schema.OF_SERIES, *schema.OF_STREAM, *schema.OF_VIEW, *schema.OF_CELL):
            connection.execute(sa.text(f"ALTER TABLE runs DROP COLUMN {name}"))
        connection.execute(sa.text("DROP TABLE leases"))
        before = next(version for version, step in schema.MIGRATIONS.items() if step is schema._add_series)
        connection.execute(sa.text(f"UPDATE schema_version SET version = {before}"))
    kept.dispose()
    kept = opening.open_history(url)
    assert database.runs(kept, series="mackey_glass", horizon=1, layer_norm=False, zoneout_c=0.0).num_rows == 2
    database.store(kept, [made_up(2, task="forecast", series="sines", horizon=3)])
    assert database.runs(kept, series="sines").column("horizon").to_pylist() == [3]
    assert len(list(database.records(kept))) == 3
    kept.dispose()


def test_a_history_of_a_later_schema_is_refused_in_one_line(kept: opening.History, url: str) -> None:
    with kept.begin() as connection:
        connection.execute(sa.text(f"UPDATE schema_version SET version = {schema.SCHEMA + 1}"))
    with pytest.raises(opening.NewerError, match=f"version {schema.SCHEMA + 1}, this program knows {schema.SCHEMA}"):
        opening.open_history(url)


def test_a_schema_that_has_never_been_is_refused(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "history.sqlite")
    connection.executescript(f"{FIRST_SCHEMA} UPDATE schema_version SET version = 0;")
    connection.close()
    with pytest.raises(
        opening.UnavailableError, match=r"^history: its schema is version 0, which there has never been$"
    ):
        opening.open_history(f"sqlite:///{tmp_path}/history.sqlite")


def _is_a_file(folder: Path) -> str:
    (folder / "file").write_text("not a folder")
    return f"sqlite:///{folder}/file/history.sqlite"


def _is_no_database(folder: Path) -> str:
    (folder / "history.sqlite").write_bytes(b"this is a text, and a long one at that" * 100)
    return f"sqlite:///{folder}/history.sqlite"


@pytest.mark.parametrize(
    "where",
    [
        _is_a_file,
        _is_no_database,
        lambda folder: "what is this",
        lambda folder: "mysql://root@localhost/history",
        lambda folder: "postgresql://someone:secret@127.0.0.1:1/nowhere",
    ],
)
def test_where_it_cannot_be_kept_one_line_says_so(where: Any, tmp_path: Path) -> None:
    with pytest.raises(opening.UnavailableError, match=r"^history[^\n]*: [^\n]+$") as refused:
        opening.open_history(where(tmp_path))
    assert "secret" not in str(refused.value)


def test_a_user_who_has_no_folder_gets_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.delenv(opening.PLACE, raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))
    with pytest.raises(opening.UnavailableError, match=r"^history: .*Not a directory"):
        opening.open_history()


def test_it_lies_where_the_user_wants_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(opening.PLACE, raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    opening.open_history().dispose()
    assert (tmp_path / "gradient-highway" / "history.sqlite").exists()
    monkeypatch.setenv(opening.PLACE, f"sqlite:///{tmp_path}/elsewhere.sqlite")
    opening.open_history().dispose()
    assert (tmp_path / "elsewhere.sqlite").exists()


def test_who_only_looks_makes_nothing_and_counts_runs(url: str) -> None:
    assert opening.look(url).runs is None
    assert opening.look(url).runs is None
    kept = opening.open_history(url)
    assert opening.look(url).runs == 0
    database.store(kept, [made_up(seed) for seed in range(3)])
    assert opening.look(url) == (url, 3)
    kept.dispose()


def test_readers_and_a_writer_do_not_wait_for_each_other(tmp_path: Path) -> None:
    kept = opening.open_history(f"sqlite:///{tmp_path}/history.sqlite")
    other = sqlite3.connect(tmp_path / "history.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert database.runs(kept).num_rows == 0
    other.execute("ROLLBACK")
    assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    other.close()
    kept.dispose()


def test_a_new_field_needs_a_new_schema_and_a_migration() -> None:
    """Databases of version 8 have these columns; whoever adds a field writes a migration, and changes this list."""
    fields = (
        "task length cell activation output_activation gates coupled peephole weights biases init gain forget_bias "
        "hidden batch steps optimizer lr momentum clip clip_at seed precision engine layers wiring window sequences "
        "series horizon stream log difference fold folds forget_activation stabilised layer_norm zoneout_h zoneout_c"
    )
    assert (schema.SCHEMA, sorted(schema.FIELDS)) == (8, sorted(fields.split()))


@contextmanager
def as_nobody() -> Iterator[None]:
    """Without the rights of root, which may write anywhere."""
    user = os.geteuid()
    os.seteuid(user or NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)


@pytest.mark.parametrize("closed", [True, False], ids=["closed", "open elsewhere"])
def test_who_may_only_read_it_reads_it_and_is_told_so_when_he_stores(closed: bool) -> None:
    with TemporaryDirectory() as place:
        folder = Path(place)
        url = f"sqlite:///{folder}/history.sqlite"
        owner = opening.open_history(url)
        database.store(owner, [made_up(0)])
        if closed:
            owner.dispose()
        for file in folder.iterdir():
            file.chmod(0o444)
        folder.chmod(0o555)
        with as_nobody():
            kept = opening.open_history(url)
            assert list(database.records(kept)) == [made_up(0)]
            with pytest.raises(opening.UnavailableError, match="readonly"):
                database.store(kept, [made_up(1)])
            kept.dispose()
        folder.chmod(0o755)
        owner.dispose()


def test_a_history_that_another_program_writes_for_long_is_opened_and_read_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/history.sqlite"
    opening.open_history(url).dispose()
    other = sqlite3.connect(tmp_path / "history.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    started = time.perf_counter()
    kept = opening.open_history(url)
    assert database.runs(kept).num_rows == 0
    assert time.perf_counter() - started < sqlite_file.READING_SECONDS
    other.close()
    kept.dispose()


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("table", ["runs", "curves", "schema_version"])
def test_a_table_that_is_locked_on_a_server_is_told_in_one_line_within_seconds(url: str, table: str) -> None:
    kept = opening.open_history(url)
    database.store(kept, [made_up(0)])

    def reads() -> bool:
        again = opening.open_history(url)
        again.dispose()
        return list(database.records(kept)) == [made_up(0)]

    started = time.perf_counter()
    with locked(url, table), pytest.raises(opening.UnavailableError, match=r"^history at [^\n]+: [^\n]* lock timeout$"):
        reads()
    assert server.READING_SECONDS <= time.perf_counter() - started < server.READING_SECONDS + 3
    assert reads()
    kept.dispose()


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_who_writes_on_a_server_waits_longer_for_a_lock_than_who_reads(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "READING_SECONDS", 0.01)
    kept = opening.open_history(url)
    with locked(url, "runs") as other:
        threading.Timer(0.5, other.rollback).start()
        assert database.store(kept, [made_up(0)]) == 1
    kept.dispose()


@pytest.mark.parametrize("tables", FOREIGN)
def test_another_programs_file_is_refused_and_stays_as_it_was(tables: str, tmp_path: Path) -> None:
    file = tmp_path / "tracker.db"
    other = sqlite3.connect(file)
    other.executescript(tables)
    other.close()
    before = file.read_bytes()
    with pytest.raises(opening.UnavailableError, match=r"^history at"):
        opening.open_history(f"sqlite:///{file}")
    assert (file.read_bytes(), [one.name for one in tmp_path.iterdir()]) == (before, ["tracker.db"])


def test_others_tables_in_the_database_of_a_server_do_not_matter_unless_they_have_our_names(url: str) -> None:
    if url.startswith("sqlite"):
        pytest.skip("a file is one program's")
    engine = sa.create_engine(url)
    for table, refused in (("songs", False), ("curves", True)):
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP TABLE IF EXISTS runs, curves, weights, schema_version")
            connection.exec_driver_sql(f"CREATE TABLE {table} (title TEXT)")
        with pytest.raises(opening.UnavailableError, match="another program") if refused else nullcontext():
            opening.open_history(url).dispose()
    engine.dispose()


@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_that_is_removed_while_it_is_open_is_said_at_the_next_store(replaced: bool, tmp_path: Path) -> None:
    file = tmp_path / "history.sqlite"
    kept = opening.open_history(f"sqlite:///{file}")
    database.store(kept, [made_up(0)])
    file.rename(tmp_path / "elsewhere.sqlite")
    if replaced:
        file.touch()
    with pytest.raises(opening.UnavailableError, match="its file has been removed"):
        database.store(kept, [made_up(1)])
    assert not opening.readable(kept)
    kept.dispose()


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://u:se cr@t@127.0.0.1:1/x",
        "postgresql://u:se@cr:t/pw@127.0.0.1/x",
        "postgresql://u:secret/x",
        "postgresql://u/secret:t@127.0.0.1/x",
        "postgresql://127.0.0.1:1/x?user=u&password=sec&ret=1",
        "sqlite://u:se@cr@t",
        "u:secret",
        {"url": "postgresql://u:secret@127.0.0.1:1/x"},
    ],
    ids=str,
)
def test_no_part_of_a_password_is_shown(address: Any) -> None:
    with pytest.raises(opening.UnavailableError, match=r"^history: its address [^\n]+$") as refused:
        opening.open_history(address)
    assert not re.search("se|cr|ret|@t|:t|pw", str(refused.value).replace(place.UNREADABLE, ""))
    assert refused.value.__cause__ is None


def test_options_that_sqlite_would_leave_out_with_a_warning_are_refused(tmp_path: Path) -> None:
    with pytest.raises(opening.UnavailableError, match=r"^history: SQLite takes what is behind the \? as in "):
        opening.open_history(f"sqlite:///{tmp_path}/history.sqlite?mode=ro")
