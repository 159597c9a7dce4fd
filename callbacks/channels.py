"""A channel is one long-lived connection and the only way in and out of its transactions.

`callbacks.writer` holds one channel a thread and knows no engine by name; `sqlite_channel` and `postgres_channel` are
the two there are. Both keep the same promise: one writer at a time, over all processes, so that what a unit has read
still holds when it writes. SQLite has nothing else; on PostgreSQL it prevents lost updates, and deadlocks between two
batches.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from sqlalchemy import URL, Connection, make_url
from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, OperationalError

READ_ONLY_SQL_TRANSACTION = "25006"  # what PostgreSQL says when a standby is asked to write


class Channel(Protocol):
    """One connection to write with, or to read with."""

    connection: Connection

    def begin(self) -> None:
        """Wait for the writers' turn (a reading channel does not) and begin a transaction."""

    def commit(self) -> None:
        """Make the transaction durable and give the turn away; raises TransactionSpoiled when there is none left."""

    def rollback(self) -> bool:
        """Undo the transaction and give the turn away; never raises, False when the channel is not fit for another."""

    def interrupt(self) -> None:
        """Make the statement that hangs fail; the one method that another thread calls."""

    def is_lost(self, error: BaseException) -> bool:
        """Did the connection break, so that a fresh one might do what failed with `error`?"""

    def forget(self) -> None:
        """In a forked child: drop what would keep a lock of the parent alive after its death."""

    def close(self) -> None:
        """Let go of the connection, however broken; never raises."""


class ChannelFailed(Exception):
    """The driver or the file system refused to begin a transaction; the cause says why."""


class NoConnection(ChannelFailed):
    """Not even a fresh connection could be had; the cause says why."""


class TransactionSpoiled(RuntimeError):
    """A unit ended its transaction itself, or went on after an error that had undone it."""


def parse_url(text: str) -> URL:
    """Read a DATABASE_URL, a SQLite file made absolute; ValueError names what is not supported."""
    url = make_url("postgresql" + text.removeprefix("postgres") if text.startswith("postgres://") else text)
    match url.drivername:
        case "postgresql" | "postgresql+psycopg":
            return url.set(drivername="postgresql+psycopg")
        case "sqlite" | "sqlite+pysqlite":
            return url.set(drivername="sqlite", database=str(_plain_file(url)))
        case other:
            raise ValueError(f"DATABASE_URL: {other!r} is not supported; use sqlite:///FILE or postgresql://...")


def _plain_file(url: URL) -> Path:
    if not url.database or url.database == ":memory:" or url.database.startswith("file:") or url.query:
        raise ValueError(
            "DATABASE_URL: SQLite needs a plain file, such as sqlite:///var/zorglijn.sqlite3, without parameters; "
            "a database in memory loses every call and is not shared between processes"
        )
    return Path(url.database).absolute()


def open_channel(url: URL, *, wait_seconds: float, read_only: bool = False, migrating: bool = False) -> Channel:
    """Connect, to write, only to read or to migrate; raises what the driver raises when it cannot."""
    if url.get_backend_name() == "sqlite":
        from callbacks.sqlite_channel import SqliteChannel

        return SqliteChannel(url, wait_seconds=wait_seconds, read_only=read_only, migrating=migrating)
    from callbacks.postgres_channel import PostgresChannel  # psycopg takes 0.15 s and is not needed for SQLite

    return PostgresChannel(url, wait_seconds=wait_seconds, read_only=read_only)


def is_outage(error: BaseException) -> bool:
    """Is it the database that failed, rather than a unit that was refused?"""
    if not isinstance(error, DBAPIError):
        return isinstance(error, ChannelFailed)
    return (
        isinstance(error, OperationalError | InterfaceError)
        or error.connection_invalidated
        # SQLite reports a damaged or foreign file as a bare DatabaseError.
        or type(error) is DatabaseError
        or getattr(error.orig, "sqlstate", None) == READ_ONLY_SQL_TRANSACTION
    )
