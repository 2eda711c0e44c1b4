"""Which runs are under way, and who trains them? Sweeps that share a history take what none of them has begun."""

import os
import secrets
import socket
import time

import sqlalchemy as sa

from lstm_core.history.opening import History, transaction
from lstm_core.history.schema import INSERTS, LEASES

LEASE_SECONDS, RENEWED_SECONDS = 60.0, 15.0


class Leases:
    """
    The leases of one sweep, each on the key of an experiment. Whoever dies renews them no more; on the same machine
    that is seen at once.
    """

    def __init__(self, history: History) -> None:
        self._history, self._host = history, socket.gethostname()
        self._holder = f"{self._host} {os.getpid()} {secrets.token_hex(4)}"
        self._renewed = time.monotonic()

    def take(self, key: str) -> bool:
        """Whether this sweep has it now; False where another one does."""
        now = time.time()
        row = {"key": key, "holder": self._holder, "until": now + LEASE_SECONDS}
        with transaction(self._history, writing=True) as connection:
            free = self._over(connection, now) | (LEASES.c.holder == self._holder)
            insert = INSERTS[connection.dialect.name](LEASES).values(row)
            taken = insert.on_conflict_do_update(index_elements=["key"], set_=row, where=free).returning(LEASES.c.key)
            return bool(connection.execute(taken).all())

    def elsewhere(self) -> set[str]:
        """The keys that other sweeps have."""
        with transaction(self._history) as connection:
            others = ~self._over(connection, time.time()) & (LEASES.c.holder != self._holder)
            return set(connection.execute(sa.select(LEASES.c.key).where(others)).scalars())

    def renew(self) -> None:
        """Say that this sweep still trains, from time to time."""
        if time.monotonic() > self._renewed + RENEWED_SECONDS:
            self._renewed = time.monotonic()
            with transaction(self._history, writing=True) as connection:
                mine = LEASES.update().where(LEASES.c.holder == self._holder)
                connection.execute(mine.values(until=time.time() + LEASE_SECONDS))

    def release(self) -> None:
        """Leave all to others."""
        with transaction(self._history, writing=True) as connection:
            connection.execute(LEASES.delete().where(LEASES.c.holder == self._holder))

    def _over(self, connection: sa.Connection, now: float) -> sa.ColumnElement[bool]:
        holders = connection.execute(sa.select(LEASES.c.holder).distinct()).scalars()
        return (LEASES.c.until < now) | LEASES.c.holder.in_([one for one in holders if self._has_died(one)])

    def _has_died(self, holder: str) -> bool:
        host, number, _ = holder.split()
        # On Windows, to ask would be to kill.
        if host != self._host or os.name == "nt":
            return False
        try:
            os.kill(int(number), 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            pass
        return False
