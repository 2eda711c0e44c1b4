"""How is a history opened, for many processes that read and write at once, and what if it cannot be?"""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa

from lstm_core.borrowed.system import can_be_written
from lstm_core.history import server, sqlite_file
from lstm_core.history.place import place_at
from lstm_core.history.records import printable
from lstm_core.history.schema import INSERTS, METADATA, MIGRATIONS, RUNS, SCHEMA, VERSION
from lstm_core.installation import NAME

PLACE = "GRADIENT_HIGHWAY_HISTORY"
_log = logging.getLogger(__name__)
CONNECT_SECONDS = 5
# Any number: whoever opens the same database takes the same lock.
OPENING_LOCK = 0x6772616468776179

History = sa.Engine


class UnavailableError(Exception):
    """The history cannot be opened, read or written; the text says why, in one line."""


class NewerError(UnavailableError):
    """A later version of the program has written this history."""


def open_history(url: str | None = None) -> History:
    """
    The history at a SQLAlchemy URL of SQLite or PostgreSQL; by default at the one that the environment variable
    `GRADIENT_HIGHWAY_HISTORY` tells, or else in a file in the user's data folder. It is made, or brought up to the
    present schema, where need be; otherwise to read it is enough.

    Raises `UnavailableError` where that is not possible, as with another program's database, which stays as it was, and
    `NewerError` for one of a later schema.
    """
    place = _place(url)
    if place == _own_file():
        _make_folder(place)
    history = _engine(place)
    _log.info("history at %s", _told(history))
    try:
        with transaction(history) as connection:
            version = _version_in(connection)
        if version != SCHEMA:
            with transaction(history, writing=True) as connection:
                _update_schema(connection)
    except UnavailableError:
        history.dispose()
        raise
    return history


class Look(NamedTuple):
    """Where a history lies, without a password, and how many runs it has; None where there is none yet."""

    address: str
    runs: int | None


def look(url: str | None = None) -> Look:
    """
    What `open_history` would open, as it is; nothing is made or changed. `UnavailableError` as there, which it is, too,
    that there is none and none can be made.
    """
    place = _place(url)
    history = _engine(place)
    try:
        if place.get_backend_name() == "sqlite" and not place.query and not _is_there(Path(str(place.database))):
            if not can_be_written(Path(str(place.database)).parent):
                raise UnavailableError(f"history at {_told(history)}: there is none, and none can be made")
            return Look(_told(history), None)
        with transaction(history) as connection:
            there = _version_in(connection) is not None
            runs = connection.execute(sa.select(sa.func.count()).select_from(RUNS)).scalar_one() if there else None
        return Look(_told(history), runs)
    finally:
        history.dispose()


def _is_there(file: Path) -> bool:
    """Or may be: where this user may not look, the database itself says so."""
    try:
        file.stat()
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return True


def _place(url: str | None) -> sa.URL:
    url = url or os.environ.get(PLACE)
    try:
        return place_at(url) if url else _own_file()
    except ValueError as error:
        raise UnavailableError(f"history: {_first_line(error)}") from None


def _engine(place: sa.URL) -> sa.Engine:
    name = place.get_backend_name()
    if name not in INSERTS:
        raise UnavailableError(f"history: {name} is neither sqlite nor postgresql")
    waiting = {} if name == "sqlite" else {"connect_timeout": CONNECT_SECONDS}
    try:
        engine = sa.create_engine(place, pool_pre_ping=True, connect_args=waiting)
    except (sa.exc.SQLAlchemyError, ImportError) as error:
        raise UnavailableError(f"history: {_first_line(error)}") from None
    (sqlite_file if name == "sqlite" else server).prepare(engine)
    return engine


def _own_file() -> sa.URL:
    root = Path(os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share"))
    return sa.URL.create("sqlite", database=str(root / NAME / "history.sqlite"))


def _make_folder(place: sa.URL) -> None:
    try:
        Path(str(place.database)).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnavailableError(f"history: {_first_line(error)}") from None


def _first_line(error: BaseException) -> str:
    """What the database itself said."""
    message = str(getattr(error, "orig", None) or error) or type(error).__name__
    return printable(message.strip().splitlines()[0])


@contextmanager
def transaction(history: History, writing: bool = False) -> Iterator[sa.Connection]:
    try:
        with history.connect().execution_options(writing=writing) as connection, connection.begin():
            yield connection
    # The second: SQLite's own words on what is wrong with a schema may be bytes of it.
    except (sa.exc.SQLAlchemyError, UnicodeDecodeError) as error:
        raise UnavailableError(f"history at {_told(history)}: {_first_line(error)}") from error


def _told(history: History) -> str:
    return history.url.render_as_string(hide_password=True)


def readable(history: History) -> bool:
    """Whether it can still be read."""
    try:
        with transaction(history) as connection:
            connection.execute(sa.select(VERSION.c.version))
    except UnavailableError:
        return False
    return True


def _version_in(connection: sa.Connection) -> int | None:
    """
    Of the schema; None where there is nothing yet. Raises `UnavailableError` for what is another program's, and
    `NewerError`.
    """
    inspector, own = sa.inspect(connection), set(METADATA.tables)
    there = set(inspector.get_table_names())
    # Others' tables may lie beside ours in the database of a server, but not in a file.
    if not (there if connection.dialect.name == "sqlite" else there & own):
        return None
    if {VERSION.name, RUNS.name} <= there:
        columns = {column["name"] for column in inspector.get_columns(RUNS.name)}
        versions = connection.execute(sa.select(VERSION.c.version)).scalars().all()
        # SQLite keeps anything in a column.
        if {"key", "computed_by", "experiment"} <= columns and [isinstance(one, int) for one in versions] == [True]:
            return _known(versions[0])
    raise UnavailableError(f"history at {_told(connection.engine)}: another program's database, which stays as it is")


def _known(version: int) -> int:
    if version > SCHEMA:
        raise NewerError(f"history: its schema is version {version}, this program knows {SCHEMA}; update the program")
    if version not in (*MIGRATIONS, SCHEMA):
        raise UnavailableError(f"history: its schema is version {version}, which there has never been")
    return version


def _update_schema(connection: sa.Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(OPENING_LOCK)))
    version = _version_in(connection)
    if version is None:
        METADATA.create_all(connection)
        connection.execute(VERSION.insert().values(version=SCHEMA))
        return
    for known in range(version, SCHEMA):
        MIGRATIONS[known](connection)
    connection.execute(VERSION.update().values(version=SCHEMA))
