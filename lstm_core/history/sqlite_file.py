"""How is a SQLite file used by several processes at once? Who reads waits for nobody, and needs no right to write."""

import os
import sqlite3
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa

READING_SECONDS, WRITING_SECONDS = 2, 60


def prepare(engine: sa.Engine) -> None:
    """Transactions of this engine read, unless they have the option `writing`."""
    sa.event.listen(engine, "do_connect", _connect)
    sa.event.listen(engine, "connect", _settle)
    sa.event.listen(engine, "begin", _begin)


def _connect(dialect: sa.Dialect, _: Any, arguments: list[str], options: dict[str, Any]) -> sqlite3.Connection:
    connection: sqlite3.Connection = dialect.connect(*arguments, **options)  # type: ignore[assignment]
    try:
        connection.execute("SELECT count(*) FROM sqlite_schema").close()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_READONLY or options.get("uri"):
            return connection
        # A file in WAL mode needs one more beside it, even to be read; where its folder may not be written to, nobody
        # of this user's rights changes it.
        connection.close()
        return sqlite3.connect(f"{Path(arguments[0]).absolute().as_uri()}?immutable=1", **options, uri=True)
    return connection


def _settle(connection: Any, record: sa.pool.ConnectionPoolEntry) -> None:
    """Transactions are begun by `_begin` alone; text that is damaged is that of one row, and no reason to read none."""
    connection.isolation_level = None
    connection.text_factory = partial(str, encoding="utf-8", errors="replace")
    ((_, _, file),) = connection.execute("PRAGMA database_list").fetchall()
    record.info["file"] = file, _identity(file)


def _identity(file: str) -> tuple[int, int] | None:
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _begin(connection: sa.Connection) -> None:
    """Who will write waits for its turn here: a reader that turns writer would be refused at once."""
    file, identity = connection.info["file"]
    if _identity(file) != identity:
        raise sa.exc.InvalidRequestError("its file has been removed, or replaced by another one, since it was opened")
    writing = connection.get_execution_options().get("writing")
    seconds = WRITING_SECONDS if writing else READING_SECONDS
    connection.exec_driver_sql(f"PRAGMA busy_timeout = {1000 * seconds}")
    if writing:
        # From then on, readers do not wait for a writer, nor it for them.
        connection.exec_driver_sql("PRAGMA journal_mode = WAL")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
