"""The embedded default: a SQLite file, shared by the web workers, the sweep and the command line.

A commit is one flush with the write-ahead log and five with a rollback journal, so the log is used wherever the
library (`sqlite_library`) has no reset race. Elsewhere TRUNCATE: DELETE with only synchronous=FULL does not flush the
directory, and a power cut may bring the journal back and undo the last commit; PERSIST leaves old rows readable in it.
Why and what it costs: docs/decisions/2026-11-21-write-ahead-log.md.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import URL, Engine, RootTransaction, create_engine
from sqlalchemy.pool import NullPool

from callbacks.channels import ChannelFailed, TransactionSpoiled
from callbacks.sqlite_library import sqlite3

# Of the time a waiter has, SQLite may sleep on a lock of a process that does not queue at our lock file (the sqlite3
# shell, a backup); the rest is for the work itself.
BUSY_SHARE = 0.8

# SQLite copies the log into the file whenever it has a thousand pages, but begins it anew only when nobody reads it.
# One above this many bytes, which readers who relieve each other keep growing, is emptied by force: then newcomers
# read the file itself, and the writers wait for the last reader of the log.
LARGEST_LOG = 16 * 1024 * 1024
LOOK_AT_LOG_EVERY = 128  # commits
WAIT_FOR_READERS = 100  # milliseconds; callers wait meanwhile, so that a slow export is left alone until the next look


class SqliteChannel:
    """A connection to a SQLite file; a writing one holds the lock file from begin to commit or rollback.

    The lock file makes writers queue. SQLite's own way is to sleep and try again, up to 0.1 s a time, so that whoever
    comes often wins and another may wait for seconds.
    """

    def __init__(self, url: URL, *, wait_seconds: float, read_only: bool, migrating: bool) -> None:
        self._path = str(url.database)
        self._read_only = read_only
        self._migrating = migrating
        self._busy_seconds = wait_seconds * BUSY_SHARE
        self._begin = "BEGIN" if read_only else "BEGIN IMMEDIATE"
        self._lock = -1
        self._commits = 0
        self._transaction: RootTransaction | None = None
        self._driver = self._connect()
        self._file = self._identity()
        if not read_only:
            self._lock = open_lock_file(self._path)
        self.connection = _engine(self._driver).connect()

    def _connect(self) -> sqlite3.Connection:
        # mode=rw: a file that is not there is an error, never a new and empty database that swallows calls.
        driver = sqlite3.connect(
            f"file:{quote(self._path)}?mode=rw",
            uri=True,
            isolation_level=None,
            timeout=self._busy_seconds,
            check_same_thread=False,  # only for interrupt() and for closing after a fork
        )
        try:
            for pragma in self._pragmas():
                driver.execute(f"PRAGMA {pragma}").fetchall()
        except sqlite3.Error:
            driver.close()
            raise
        return driver

    def _pragmas(self) -> tuple[str, ...]:
        journal = "WAL" if wal_is_safe(sqlite3.sqlite_version_info) else "TRUNCATE"
        return (
            f"journal_mode={journal}",
            f"journal_size_limit={LARGEST_LOG}",
            "synchronous=FULL",
            # A migration copies a table; with foreign keys on, dropping the old one deletes what refers to it.
            f"foreign_keys={'OFF' if self._migrating else 'ON'}",
            "secure_delete=ON",  # what is purged is overwritten
            "temp_store=MEMORY",  # no copies of answers in temporary files
            f"query_only={'ON' if self._read_only else 'OFF'}",
        )

    def begin(self) -> None:
        """Queue at the lock file, then begin; IMMEDIATE, so that what was read still holds when it is written."""
        try:
            self._take_turn()
            if self._identity() != self._file:
                raise FileNotFoundError("another file has taken the database's place")
            self._driver.execute(self._begin)
        except (sqlite3.Error, OSError) as error:
            self._give_turn()
            raise ChannelFailed(f"SQLite could not begin: {error}") from error
        self._transaction = self.connection.begin()

    def commit(self) -> None:
        """Flush journal and file to the disk, then let the next writer in."""
        # SQLite undoes the transaction on some errors (disk full, interrupted): who swallows one goes on in none.
        if self._transaction is None or not self._driver.in_transaction:
            raise TransactionSpoiled("the transaction ended before its commit")
        self._transaction.commit()
        self._mind_the_log()
        self._give_turn()

    def rollback(self) -> bool:
        """Undo, and let the next writer in."""
        with suppress(Exception):
            if self._transaction is not None:
                self._transaction.rollback()
        self._give_turn()
        return not self._driver.in_transaction and not self.connection.in_transaction()

    def interrupt(self) -> None:
        """Break off the running statement, if there is one."""
        with suppress(sqlite3.Error):
            self._driver.interrupt()

    def is_lost(self, error: BaseException) -> bool:
        """Was it interrupted for one waiter's sake, so that others may still have theirs, or the file exchanged?"""
        cause = error.__cause__ if error.__cause__ is not None else error
        return (
            isinstance(cause, FileNotFoundError) or getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT
        )

    def forget(self) -> None:
        """Close our copy of the lock file: a forked one would keep the parent's lock when the parent is killed."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def close(self) -> None:
        """Close the file; the last connection's journal goes with it."""
        for closing in (self.connection.close, self._driver.close, self.forget):
            with suppress(Exception):
                closing()

    def _identity(self) -> tuple[int, int]:
        """Which file bears the name: a deleted one can be written for ever, and nobody would find the calls again."""
        found = os.stat(self._path)  # noqa: PTH116  a microsecond, for every transaction
        return found.st_dev, found.st_ino

    def _mind_the_log(self) -> None:
        self._commits += 1
        if self._commits % LOOK_AT_LOG_EVERY:
            return
        with suppress(OSError, sqlite3.Error):  # the commit stands, whatever becomes of the log
            if Path(f"{self._path}-wal").stat().st_size > LARGEST_LOG:
                self._driver.execute(f"PRAGMA busy_timeout={WAIT_FOR_READERS}")
                try:
                    self._driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
                finally:
                    self._driver.execute(f"PRAGMA busy_timeout={int(self._busy_seconds * 1000)}")

    def _take_turn(self) -> None:
        if self._lock >= 0:
            fcntl.flock(self._lock, fcntl.LOCK_EX)

    def _give_turn(self) -> None:
        if self._lock >= 0:
            fcntl.flock(self._lock, fcntl.LOCK_UN)


def _engine(driver: sqlite3.Connection) -> Engine:
    # Parameters are what callers said: they stay out of the text of errors.
    return create_engine("sqlite://", module=sqlite3, creator=lambda: driver, poolclass=NullPool, hide_parameters=True)


def open_lock_file(path: str) -> int:
    """Open the file `<database>-lock`, at which all who write to this database queue."""
    return os.open(f"{path}-lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def wal_is_safe(version: tuple[int, ...]) -> bool:
    """Is it a SQLite in which resetting the write-ahead log loses no commits (3.51.3, 3.50.7, 3.44.6 and later)?"""
    return version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)
