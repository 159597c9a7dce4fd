"""While the database fails, callers are told soon instead of queueing for silence; in the background it is tried again.

A locked or frozen database costs whoever asks it some seconds. Threads are few: with all of them waiting, the next
callers would wait for a thread first and for the database after that, longer than the provider waits for an answer.
`ivr.switchboard` writes through it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event, Lock, Thread
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from callbacks.errors import DatabaseUnavailable

T = TypeVar("T")

PATIENCE_SECONDS = 0.25  # for a failure that is over at once; a step takes some milliseconds
BETWEEN_TRIES_SECONDS = 0.1
LONGEST_WATCH_SECONDS = 60.0  # then the next caller finds out


class Writes(Protocol):
    """A database, as far as it matters here."""

    def write(self, unit: Callable[[Connection], T]) -> T:
        """Run a unit; DatabaseUnavailable when it cannot."""


class Breaker:
    """Knows whether the last write to a database worked; safe to share between threads."""

    def __init__(self, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._patience_seconds = patience_seconds
        self._works = Event()
        self._works.set()
        self._watching = Lock()

    def write(self, database: Writes, unit: Callable[[Connection], T]) -> T:
        """Do this write, or raise DatabaseUnavailable soon while writing is known not to work."""
        if not self._works.wait(self._patience_seconds):
            raise DatabaseUnavailable("it failed a moment ago and is being tried again")
        try:
            return database.write(unit)
        except DatabaseUnavailable:
            self._works.clear()
            if self._watching.acquire(blocking=False):
                Thread(target=self._watch, args=(database,), name="zorglijn-breaker", daemon=True).start()
            raise

    def _watch(self, database: Writes) -> None:
        end = time.monotonic() + LONGEST_WATCH_SECONDS
        try:
            while time.monotonic() < end and not _takes_writes(database):
                time.sleep(BETWEEN_TRIES_SECONDS)
        finally:
            self._watching.release()
            self._works.set()


def _takes_writes(database: Writes) -> bool:
    try:
        database.write(lambda _: None)
    except DatabaseUnavailable:
        return False
    return True
