"""The embedded default: a SQLite file, shared by the web workers, the sweep and the command line.

Journal, measured on two cores and ext4 with SQLite 3.40 (one INSERT and one UPDATE a commit, every one durable): DELETE with
synchronous=EXTRA 890 a second, TRUNCATE 1,500, PERSIST 1,530, WAL 4,650. DELETE with only FULL does not flush the directory:
a power cut may bring the journal back and undo the last commit. PERSIST leaves old rows readable in the journal. So TRUNCATE,
and WAL where the library has no reset race (SQLite's wal documentation, "the WAL-reset bug").
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from contextlib import suppress
from urllib.parse import quote

from sqlalchemy import URL, RootTransaction, create_engine
from sqlalchemy.pool import NullPool

from callbacks.channels import ChannelFailed, TransactionSpoiled

# Of the time a waiter has, SQLite may sleep on a lock of a process that does not queue at our lock file (the sqlite3 shell, a
# backup); the rest is for the work itself.
BUSY_SHARE = 0.8


class SqliteChannel:
    """A connection to a SQLite file; a writing one holds the lock file from begin to commit or rollback.

    The lock file makes writers queue. SQLite's own way is to sleep and try again, up to 0.1 s a time, so that whoever
    comes often wins and another may wait for seconds.
    """

    def __init__(self, url: URL, *, wait_seconds: float, read_only: bool, migrating: bool) -> None:
        self._path = str(url.database)
        self._read_only = read_only
        self._migrating = migrating
        self._wait_seconds = wait_seconds
        self._begin = "BEGIN" if read_only else "BEGIN IMMEDIATE"
        self._lock = -1 if read_only else open_lock_file(self._path)
        self._transaction: RootTransaction | None = None
        self._driver = self._connect()
        self.connection = create_engine("sqlite://", creator=lambda: self._driver, poolclass=NullPool).connect()

    def _connect(self) -> sqlite3.Connection:
        # mode=rw: a file that is not there is an error, never a new and empty database that swallows calls.
        driver = sqlite3.connect(
            f"file:{quote(self._path)}?mode=rw",
            uri=True,
            isolation_level=None,
            timeout=self._wait_seconds * BUSY_SHARE,
            check_same_thread=False,  # only for interrupt() and for closing after a fork
        )
        journal = "WAL" if wal_is_safe(sqlite3.sqlite_version_info) else "TRUNCATE"
        for pragma in (
            f"journal_mode={journal}",
            "synchronous=FULL",
            # SQLite changes a table by copying it; with foreign keys on, dropping the old one would delete what refers to it.
            f"foreign_keys={'OFF' if self._migrating else 'ON'}",
            "secure_delete=ON",  # what is purged is overwritten
            "temp_store=MEMORY",  # no copies of answers in temporary files
            f"query_only={'ON' if self._read_only else 'OFF'}",
        ):
            driver.execute(f"PRAGMA {pragma}").fetchall()
        return driver

    def begin(self) -> None:
        try:
            self._take_turn()
            self._driver.execute(self._begin)
        except (sqlite3.Error, OSError) as error:
            self._give_turn()
            raise ChannelFailed(f"SQLite could not begin: {error}") from error
        self._transaction = self.connection.begin()

    def commit(self) -> None:
        # SQLite undoes the whole transaction on some errors (disk full, interrupted); a unit that swallows one goes on in none.
        if self._transaction is None or not self._driver.in_transaction:
            raise TransactionSpoiled("the transaction ended before its commit")
        self._transaction.commit()
        self._give_turn()

    def rollback(self) -> bool:
        try:
            if self._transaction is not None:
                self._transaction.rollback()
            return not self._driver.in_transaction
        except Exception:  # noqa: BLE001 (the channel is given up, whatever it was)
            return False
        finally:
            self._give_turn()

    def interrupt(self) -> None:
        with suppress(sqlite3.Error):
            self._driver.interrupt()

    def is_lost(self, error: BaseException) -> bool:
        cause = error.__cause__ if error.__cause__ is not None else error
        return getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT

    def close(self) -> None:
        with suppress(Exception):
            self.connection.close()
        with suppress(Exception):
            self._driver.close()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _take_turn(self) -> None:
        if self._lock >= 0:
            fcntl.flock(self._lock, fcntl.LOCK_EX)

    def _give_turn(self) -> None:
        if self._lock >= 0:
            fcntl.flock(self._lock, fcntl.LOCK_UN)


def open_lock_file(path: str) -> int:
    """Open the file `<database>-lock`, at which all who write to this database queue."""
    return os.open(f"{path}-lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def wal_is_safe(version: tuple[int, ...]) -> bool:
    """Is this SQLite one in which a reset of the write-ahead log cannot lose commits (3.51.3, 3.50.7, 3.44.6 and later)?"""
    return version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)
