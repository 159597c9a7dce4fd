"""The clerks behind the database door: threads that run units of work, and commit many of them at once.

A durable commit costs several disk flushes, whatever it holds, so the writing clerk takes every unit that waits, runs
them in one transaction and flushes once for all. `callbacks.db` hands units in and keeps the time;
`callbacks.channels` knows what differs between SQLite and PostgreSQL. A clerk never decides how long somebody waits:
that is the waiter's own watch, because a driver that hangs keeps no time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from threading import Lock, Thread, current_thread
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection

from callbacks.channels import Channel, NoConnection, is_outage
from callbacks.errors import DatabaseUnavailable

T = TypeVar("T")

# More units in one commit hardly gain: at 32 the flush is a few microseconds a unit. A unit that fails makes its
# whole batch run again one by one, so the batch stays bounded.
LARGEST_BATCH = 32


class SomebodyLeft(Exception):
    """A waiter gave up while the batch ran: it is taken back, so that what is not promised is not done."""


class Job(Generic[T]):
    """One unit of work, the waiter that wants its result, and the lock the waiter sleeps on."""

    __slots__ = ("_done", "error", "given_up", "result", "unit")

    def __init__(self, unit: Callable[[Connection], T]) -> None:
        self.unit = unit
        self.result: Any = None
        self.error: BaseException | None = None
        self.given_up = False
        # A bare lock wakes its waiter faster than an Event or a Future, which are built of several.
        self._done = Lock()
        self._done.acquire()

    def wake(self) -> None:
        """Tell the waiter that the result or the error is there."""
        self._done.release()

    def outcome(self, wait_seconds: float) -> T:
        """Wait for the result at most `wait_seconds`; raises the unit's own error, or DatabaseUnavailable."""
        is_done = False
        try:
            is_done = self._done.acquire(timeout=wait_seconds)
        finally:  # also when this thread is interrupted
            self.given_up = not is_done
        if not is_done and not self._done.acquire(blocking=False):  # it may have finished in this very moment
            raise DatabaseUnavailable(f"no answer within {wait_seconds:g} s")
        if self.error is not None:
            raise self.error
        result: T = self.result
        return result


Inbox = SimpleQueue[Job[Any] | None]


class Clerk:
    """A thread with one long-lived connection that runs jobs from an inbox, as many to a commit as it may."""

    def __init__(self, name: str, inbox: Inbox, open_channel: Callable[[], Channel], largest_batch: int) -> None:
        self.busy = False
        self._inbox = inbox
        self._open_channel = open_channel
        self._largest_batch = largest_batch
        self._channel: Channel | None = None
        self._current: Sequence[Job[Any]] = ()
        self._guard = Lock()
        self._worth_another_try = False
        self._leaving = False
        # A daemon, so that a hung database never keeps a process from ending; `Database.close` is the orderly way.
        self._thread = Thread(target=self._serve, name=name, daemon=True)
        self._thread.start()

    def join(self, seconds: float) -> bool:
        """Wait until the clerk has left, and say whether it has; it leaves when it takes None from its inbox."""
        if self._thread is not current_thread():  # a unit that forks cannot wait for its own end
            self._thread.join(seconds)
        return not self._thread.is_alive()

    def break_off(self, job: Job[Any]) -> None:
        """Interrupt the connection if it is still busy with a job nobody waits for."""
        with self._guard:
            if self._channel is not None and job in self._current:
                self._channel.interrupt()

    def forget(self) -> None:
        """In a forked child, where this clerk's thread does not exist: leave the parent its connection and its lock."""
        if self._channel is not None:
            self._channel.forget()

    def _serve(self) -> None:
        while not self._leaving:
            job = self._inbox.get()
            if job is None:
                break
            self.busy = True
            self._settle([job], may_grow=True)
            self.busy = False
            del job  # or the last caller's words would stay in memory until the next one
        self._hang_up()

    def _settle(self, jobs: list[Job[Any]], *, may_grow: bool) -> None:
        """Run the jobs to their end, together if possible, and wake their waiters; never raises."""
        try:
            self._run_on_live_connection(jobs, may_grow=may_grow)
        except BaseException as error:  # noqa: BLE001 (a clerk must survive whatever a unit raises)
            self._settle_failure(jobs, error)
        else:
            for job in jobs:
                job.wake()
        finally:
            with self._guard:
                self._current = ()

    def _settle_failure(self, jobs: list[Job[Any]], error: BaseException) -> None:
        if is_outage(error):
            self._hang_up()
            if isinstance(error, NoConnection):
                self._take_more(jobs)  # who waits behind them would only wait for the same silence
            for job in jobs:
                job.error = DatabaseUnavailable(f"{type(error).__name__}: the database could not do this")
                job.error.__cause__ = error
                job.wake()
        elif len(jobs) == 1:
            jobs[0].error = error
            jobs[0].wake()
        else:
            for job in jobs:
                if not job.given_up:
                    self._settle([job], may_grow=False)

    def _run_on_live_connection(self, jobs: list[Job[Any]], *, may_grow: bool) -> None:
        """Run the jobs; once more when the connection turns out to have been lost before the commit was asked for."""
        try:
            self._run(jobs, may_grow=may_grow)
        except BaseException:
            if not self._worth_another_try or all(job.given_up for job in jobs):
                raise
            self._hang_up()
            self._run(jobs, may_grow=False)

    def _run(self, jobs: list[Job[Any]], *, may_grow: bool) -> None:
        """One transaction: begin, every unit, commit. Returns after the commit is durable."""
        self._worth_another_try = False
        channel = self._channel or self._pick_up()
        with self._guard:
            self._current = jobs
        committing = False
        try:
            channel.begin()
            self._run_units(channel.connection, jobs, may_grow=may_grow)
            committing = True
            channel.commit()
        except BaseException as error:
            # A connection lost during the commit leaves open whether it happened: that is never tried again blindly.
            self._worth_another_try = not committing and channel.is_lost(error)
            if not channel.rollback():
                self._hang_up()
            raise

    def _run_units(self, connection: Connection, jobs: list[Job[Any]], *, may_grow: bool) -> None:
        # Only now, with the writers' turn in hand, look who else waits: those who came meanwhile share the flush.
        if may_grow:
            self._take_more(jobs)
        jobs[:] = [job for job in jobs if not job.given_up]
        for job in jobs:
            job.result = job.unit(connection)
        if any(job.given_up for job in jobs):
            raise SomebodyLeft

    def _take_more(self, jobs: list[Job[Any]]) -> None:
        while len(jobs) < self._largest_batch:
            try:
                job = self._inbox.get_nowait()
            except Empty:
                return
            if job is None:
                self._leaving = True
                return
            jobs.append(job)

    def _pick_up(self) -> Channel:
        try:
            self._channel = self._open_channel()
        except Exception as error:
            raise NoConnection(str(error)) from error
        return self._channel

    def _hang_up(self) -> None:
        with self._guard:
            channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()
