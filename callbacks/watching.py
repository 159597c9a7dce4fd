"""Tells the team by e-mail of what cannot wait: looks every twenty seconds, for as long as a web worker lives.

Every worker looks: what two of them find is taken by one, because `outbox` leases it. The e-mail itself (`letters`,
`mailing`) is handed in between two transactions, never inside one, so that a slow mail server holds up no caller.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Thread

from sqlalchemy import Connection

from callbacks import outbox
from callbacks.clock import Clock, utc_now
from callbacks.db import Database
from callbacks.errors import DatabaseUnavailable, MailFailed, MailRefused
from callbacks.letters import letter
from callbacks.mailing import Mailer
from callbacks.notices import BEFORE_DUE
from callbacks.office_hours import OfficeHours
from callbacks.outbox import Due

log = logging.getLogger("zorglijn.notices")

EVERY_SECONDS = 20.0
TRIES_TO_MARK = 5  # of what went out already; they end before the lease does
BETWEEN_TRIES_SECONDS = 10.0


@dataclass(frozen=True)
class Watcher:
    """What a round of looking needs; `before_due` is in opening hours."""

    database: Database
    mailer: Mailer
    office: OfficeHours
    base_url: str
    before_due: timedelta = BEFORE_DUE
    clock: Clock = utc_now
    pause: Callable[[float], None] = time.sleep

    def round(self) -> int:
        """Look once, and send one e-mail about all that is new: how many notices went out."""
        now = self.clock()
        if not self.database.read(lambda c: outbox.is_work(c, now, self.office, self.before_due)):
            return 0
        taken = self.database.write(lambda c: self._take(c, now))
        return self._send(taken, now) if taken else 0

    def _take(self, connection: Connection, now: datetime) -> tuple[Due, ...]:
        outbox.note_due(connection, now, self.office, self.before_due)
        return outbox.take(connection, now)

    def _send(self, taken: tuple[Due, ...], now: datetime) -> int:
        ids = [due.id for due in taken]
        message = self.mailer.message(letter(taken, self.base_url, self.office.zone, now), now, taken)
        try:
            refused = self.mailer.send(message)
        except MailFailed as error:
            self._put_back(ids, error)
            return 0
        if refused:
            log.warning("mailboxes_refused", extra={"count": refused})
        self._mark(ids)
        log.info("notices_sent", extra={"count": len(ids)})
        return len(ids)

    def _put_back(self, ids: list[int], error: MailFailed) -> None:
        is_permanent = isinstance(error, MailRefused)
        level = logging.ERROR if is_permanent else logging.WARNING
        log.log(level, "notices_not_sent", extra={"count": len(ids), "error": error.reason})
        moment = self.clock()
        given_up = self.database.write(lambda c: outbox.failed(c, ids, moment, is_permanent=is_permanent))
        if given_up:
            log.error("notices_given_up", extra={"count": given_up})

    def _mark(self, ids: list[int]) -> None:
        """What went out is marked even when the database is away for a moment, or it would go out again."""
        for left in reversed(range(TRIES_TO_MARK)):
            moment = self.clock()
            try:
                self.database.write(lambda c: outbox.sent(c, ids, moment))  # noqa: B023  it has run when write returns
            except DatabaseUnavailable:
                if not left:
                    raise
                self.pause(BETWEEN_TRIES_SECONDS)
            else:
                return


def start(watcher: Watcher, every_seconds: float = EVERY_SECONDS) -> Thread:
    """Look in the background from now on; the thread keeps nobody from ending the process."""
    thread = Thread(target=_watch_for_ever, args=(watcher, every_seconds), name="notices", daemon=True)
    thread.start()
    return thread


def _watch_for_ever(watcher: Watcher, every_seconds: float) -> None:
    while True:
        time.sleep(every_seconds * random.uniform(0.5, 1.0))  # noqa: S311  so that workers take turns; no secret
        watch_once(watcher)


def watch_once(watcher: Watcher) -> int:
    """One round; what it could not do is left for the next one. How many notices went out."""
    try:
        return watcher.round()
    except DatabaseUnavailable as error:
        log.warning("watch_failed", extra={"error": type(error).__name__})
    except Exception as error:  # the next round may do better, and there must be one
        log.exception("watch_failed", extra={"error": type(error).__name__})
    return 0
