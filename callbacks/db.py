"""The door to the database: every read and write of the line goes through it; none waits longer than a caller can.

A unit of work is a function that takes a Connection. `Database` hands it to a clerk (`callbacks.writer`) and keeps
the time: a database that is locked, frozen, down or full becomes DatabaseUnavailable, within `wait_seconds`, whatever
the driver does. `callbacks.migrations` makes the tables, `callbacks.service` holds the units.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import TypeVar
from weakref import WeakSet

from sqlalchemy import URL, Connection
from sqlalchemy.exc import DBAPIError

from callbacks.channels import Channel, open_channel, parse_url
from callbacks.errors import DatabaseUnavailable
from callbacks.writer import LARGEST_BATCH, Clerk, Inbox, Job

T = TypeVar("T")

READING_CLERKS = 4
READY_WITHIN_SECONDS = 2.0
LONGEST_WAIT_TO_FORK = 2.0  # seconds, for units that are being done
# Another process may be migrating the same database: that takes as long as it takes, but not for ever.
MIGRATION_WAIT_SECONDS = 60.0


class Database:
    """A database shared by threads and processes; connects when first used, and anew in every forked process."""

    def __init__(self, url: str, *, wait_seconds: float = 4.0) -> None:
        """Take a DATABASE_URL; ValueError when it names something that cannot keep a promise."""
        self._url = parse_url(url)
        self._wait_seconds = wait_seconds
        self._writing = Counter("writer", partial(open_channel, self._url, wait_seconds=wait_seconds), LARGEST_BATCH)
        reader = partial(open_channel, self._url, wait_seconds=wait_seconds, read_only=True)
        self._reading = Counter("reader", reader, most_clerks=READING_CLERKS)
        _LIVE.add(self)

    def write(self, unit: Callable[[Connection], T]) -> T:
        """Run `unit` in a transaction and return what it returned, once that is on the disk.

        Units of several threads share one commit. When one of them raises, all are undone and each is run again
        alone: so a unit touches nothing but its connection, returns plain values, may run twice, never commits or
        rolls back, and wraps what it expects to fail and goes on after (an IntegrityError) in
        `connection.begin_nested()`. No other unit writes meanwhile, in any process.

        Its own exception comes back unchanged. DatabaseUnavailable after at most `wait_seconds`: then a unit that had
        not started never runs, and one that had is undone, unless its commit was already on the way.
        """
        return self._writing.ask(unit, self._wait_seconds)

    def read(self, unit: Callable[[Connection], T]) -> T:
        """Run `unit` on a consistent, read-only view and return its result; DatabaseUnavailable as for `write`."""
        return self._reading.ask(unit, self._wait_seconds)

    def is_ready(self) -> bool:
        """Can the database be reached within two seconds, and has it all migrations?"""
        from callbacks.migrations import is_current

        try:
            return self._reading.ask(is_current, min(READY_WITHIN_SECONDS, self._wait_seconds))
        except (DatabaseUnavailable, DBAPIError):
            return False

    def migrate(self) -> None:
        """Bring the tables up to date, making the SQLite file and its directory first; two processes may do it at once.

        All or nothing, in one transaction. DatabaseUnavailable when the database cannot be reached or stays occupied.
        """
        from callbacks.migrations import bring_up_to_date

        _make_file(self._url)
        migrator = partial(open_channel, self._url, wait_seconds=MIGRATION_WAIT_SECONDS, migrating=True)
        migrating = Counter("migrator", migrator)
        try:
            migrating.ask(bring_up_to_date, MIGRATION_WAIT_SECONDS)
        finally:
            migrating.close(monotonic() + self._wait_seconds)

    def close(self) -> None:
        """Finish what was handed in, then let go of every connection. The next unit would open them again."""
        until = monotonic() + self._wait_seconds
        for counter in self.counters:
            counter.close(until)

    @property
    def counters(self) -> tuple[Counter, Counter]:
        """Where units are handed in: those that write, and those that read."""
        return self._writing, self._reading


class Counter:
    """Where units are handed in: one inbox, and the clerks behind it, called when there is work."""

    def __init__(
        self, name: str, open_channel: Callable[[], Channel], largest_batch: int = 1, most_clerks: int = 1
    ) -> None:
        self._name = f"zorglijn-{name}"
        self._open_channel = open_channel
        self._largest_batch = largest_batch
        self._most_clerks = most_clerks
        self._hiring = Lock()
        self._inbox = Inbox()
        self._clerks: list[Clerk] = []
        self._late: list[Clerk] = []  # sent home, but something they wait for holds them up

    def ask(self, unit: Callable[[Connection], T], wait_seconds: float) -> T:
        """Have the unit run and wait for it, at most `wait_seconds`."""
        job = Job(unit)
        self._inbox.put(job)
        if len(self._clerks) < self._most_clerks and all(clerk.busy for clerk in self._clerks):
            self._call_clerk()
        try:
            return job.outcome(wait_seconds)
        finally:
            if job.given_up:
                for clerk in self._clerks:
                    clerk.break_off(job)

    def close(self, until: float) -> None:
        """Send every clerk home after its last job; `until` is a reading of the monotonic clock."""
        with self._hiring:
            clerks, inbox = self._clerks, self._inbox
            self._clerks, self._inbox = [], Inbox()
        for _ in clerks:
            inbox.put(None)
        self._late = [clerk for clerk in clerks if not clerk.join(max(0.0, until - monotonic()))]

    def hold(self) -> None:
        """Before a fork: call no clerk until `go_on`; units that are handed in wait."""
        self._hiring.acquire()

    def go_on(self) -> None:
        """After a fork, in the parent."""
        self._hiring.release()

    def forget(self) -> None:
        """In a forked child: leave the parent's connections alone, not even close them, and begin with none."""
        inherited = [*self._clerks, *self._late]
        _INHERITED.append((inherited, self._inbox))
        for clerk in inherited:
            clerk.forget()
        self._hiring, self._inbox, self._clerks, self._late = Lock(), Inbox(), [], []

    def _call_clerk(self) -> None:
        with self._hiring:
            if len(self._clerks) < self._most_clerks:
                self._clerks.append(Clerk(self._name, self._inbox, self._open_channel, self._largest_batch))


_LIVE: WeakSet[Database] = WeakSet()
# Closing a connection that a parent still uses would end the parent's session or drop its file locks.
_INHERITED: list[object] = []
_HELD: list[Counter] = []  # while a process forks


def _make_file(url: URL) -> None:
    if url.get_backend_name() == "sqlite":
        path = Path(str(url.database))
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # What callers tell is nobody else's business on this machine.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


def _pause() -> None:
    """SQLite remembers which locks its process has, and a child would take them for its own: none may be open."""
    for counter in _counters():
        counter.close(monotonic() + LONGEST_WAIT_TO_FORK)
        counter.hold()
        _HELD.append(counter)


def _go_on() -> None:
    while _HELD:
        _HELD.pop().go_on()


def _forget_inherited() -> None:
    _HELD.clear()
    for counter in _counters():
        counter.forget()


def _counters() -> list[Counter]:
    return [counter for database in list(_LIVE) for counter in database.counters]


def _close_all() -> None:
    for database in list(_LIVE):
        database.close()


os.register_at_fork(before=_pause, after_in_parent=_go_on, after_in_child=_forget_inherited)
atexit.register(_close_all)
