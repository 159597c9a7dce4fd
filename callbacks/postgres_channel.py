"""PostgreSQL, for lines that outgrow one file: every wait has an end, on the server and on the socket.

The server's time-outs end what is slow. What is frozen or gone answers nothing at all; then the waiter leaves on its
own watch and `interrupt` shuts the socket, so that the thread is free for a fresh connection.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from typing import Any, cast

import psycopg
from psycopg.pq import ExecStatus, TransactionStatus
from sqlalchemy import URL, RootTransaction, create_engine
from sqlalchemy.pool import NullPool

from callbacks.channels import ChannelFailed, TransactionSpoiled

# All writers queue at one advisory lock. Any number will do that nothing else in the same database takes.
WRITERS_TURN = 0x5A4F5247
# One round trip: the driver's own BEGIN would be one as well, and the lock a second.
BEGIN_WRITING = f"BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_advisory_xact_lock({WRITERS_TURN})".encode()
BEGIN_READING = b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
# An administrator may have traded durability for speed; here a commit that returned is on the disk.
DURABLE = b"SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
SHORTEST_CONNECT_TIMEOUT = 2  # seconds; libpq takes no less


class PostgresChannel:
    """A connection to PostgreSQL; a writing one holds the advisory lock from begin to commit or rollback."""

    def __init__(self, url: URL, *, wait_seconds: float, read_only: bool) -> None:
        self._begin = BEGIN_READING if read_only else BEGIN_WRITING
        self._transaction: RootTransaction | None = None
        # AUTOCOMMIT leaves BEGIN to us; SQLAlchemy still sends COMMIT and ROLLBACK.
        engine = create_engine(
            url,
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            use_native_hstore=False,
            hide_parameters=True,  # they are what callers said, and stay out of the text of errors
            connect_args=connect_arguments(url, wait_seconds),
        )
        self.connection = engine.connect()
        self._driver = cast("psycopg.Connection[Any]", self.connection.connection.driver_connection)
        self._driver.execute(DURABLE)

    def begin(self) -> None:
        """Begin, and queue at the advisory lock; each statement then sees all that was committed before."""
        try:
            self._say(self._begin)
        except psycopg.Error as error:
            with suppress(psycopg.Error):
                self._driver.rollback()
            raise ChannelFailed(f"PostgreSQL could not begin: {error}") from error
        self._transaction = self.connection.begin()

    def commit(self) -> None:
        """Commit; the server answers when it is on the disk, and lets the next writer in."""
        # COMMIT of a transaction that failed is a silent ROLLBACK, should a unit have swallowed the error.
        if self._transaction is None or self._driver.pgconn.transaction_status != TransactionStatus.INTRANS:
            raise TransactionSpoiled("the transaction ended or failed before its commit")
        try:
            self._say(b"COMMIT")
        except psycopg.Error as error:
            raise ChannelFailed(f"PostgreSQL could not commit: {error}") from error
        self._transaction.commit()  # the driver sees that there is nothing left to do

    def rollback(self) -> bool:
        """Undo, and let the next writer in."""
        with suppress(Exception):
            if self._transaction is not None:
                self._transaction.rollback()
        is_idle = self._driver.pgconn.transaction_status == TransactionStatus.IDLE
        return is_idle and not self.connection.in_transaction()

    def _say(self, words: bytes) -> None:
        """Say what has no parameters and no rows worth reading straight to libpq: a tenth of the driver's work."""
        said = self._driver.pgconn.exec_(words)
        if said.status not in (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK):
            raise psycopg.errors.error_from_result(said)

    def interrupt(self) -> None:
        """Shut the socket under the driver, which then sees the connection end."""
        with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(self._driver.pgconn.socket)) as line:
            line.shutdown(socket.SHUT_RDWR)

    def is_lost(self, error: BaseException) -> bool:  # noqa: ARG002 (the connection itself knows)
        """Did the connection end?"""
        return self.connection.invalidated or self._driver.closed

    def forget(self) -> None:
        """Close our copy of the socket: with it open, the server would not notice that the parent was killed."""
        with suppress(OSError, psycopg.Error):
            os.close(self._driver.pgconn.socket)  # the driver itself leaves alone what another process opened

    def close(self) -> None:
        """Take leave of the server, or just drop the line."""
        with suppress(Exception):
            if self._driver.closed or self._driver.pgconn.transaction_status != TransactionStatus.IDLE:
                self.connection.invalidate()  # no farewell on a line that may be dead
        with suppress(Exception):
            self.connection.close()


def connect_arguments(url: URL, wait_seconds: float) -> dict[str, Any]:
    """Say how long everything may take, in libpq's words; what DATABASE_URL says itself goes first where it can."""
    milliseconds = int(wait_seconds * 1000)
    timeouts = {
        "lock_timeout": milliseconds * 8 // 10,
        "statement_timeout": milliseconds * 9 // 10,
        # A worker that freezes with the turn in hand loses it to the others.
        "idle_in_transaction_session_timeout": milliseconds,
    }
    given = url.query.get("options", "")
    options = [
        given if isinstance(given, str) else " ".join(given),
        *(f"-c {key}={ms}" for key, ms in timeouts.items()),
    ]
    return {
        "connect_timeout": max(SHORTEST_CONNECT_TIMEOUT, int(wait_seconds / 2)),
        "application_name": "zorglijn",
        "options": " ".join(options).strip(),
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 2,
        "tcp_user_timeout": milliseconds,
    }
