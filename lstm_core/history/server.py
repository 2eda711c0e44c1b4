"""How is a PostgreSQL server used so that a table that somebody has locked there holds nobody up?"""

import sqlalchemy as sa

# Of waiting for one lock. How long a statement takes is not limited: to export many runs may take minutes.
READING_SECONDS, WRITING_SECONDS = 2, 60


def prepare(engine: sa.Engine) -> None:
    """Transactions of this engine read, unless they have the option `writing`."""
    sa.event.listen(engine, "begin", _begin)


def _begin(connection: sa.Connection) -> None:
    """For this transaction alone: behind a pooler, others have the same connection after it."""
    seconds = WRITING_SECONDS if connection.get_execution_options().get("writing") else READING_SECONDS
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = {round(1000 * seconds)}")
