"""The desk at which all pages of the console work: the database, the clock, the office, and one way to do a thing.

`app` puts it together; a page takes it as an argument. A unit of work runs in the thread that writes, outside the web
request: what it needs of the request is read before and handed on as plain values (`Work`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import Connection

from callbacks.db import Database
from callbacks.directory import Referral
from callbacks.lifecycle import CLAIM_LASTS
from callbacks.notices import BEFORE_DUE
from callbacks.office_hours import OfficeHours
from callbacks.ringing import Ringer
from callbacks.staff import Member

T = TypeVar("T")


@dataclass(frozen=True)
class Desk:
    """What the pages need.

    `text_of` gives the words of a prompt in a language, for reading a call back; `dialled` a number as somebody writes
    it in E.164, None where we do not dial it; `claim_lasts` is how long a request stays with whoever claimed it;
    `directory` to whom the team refers; `organisation` and `days_kept` (after closing) are what an agent may say of us;
    `ringer` rings an agent's phone from `line_number` (E.164); where that is None nobody is called through the line;
    `before_due` is how early (in opening hours) the team is told that time runs out.
    """

    database: Database
    clock: Callable[[], datetime]
    office: OfficeHours
    text_of: Callable[[str, str | None], str]
    dialled: Callable[[str], str | None]
    claim_lasts: timedelta = CLAIM_LASTS
    directory: tuple[Referral, ...] = ()
    organisation: str = ""
    days_kept: int = 0
    before_due: timedelta = BEFORE_DUE
    ringer: Ringer = field(kw_only=True)
    line_number: str | None = None

    def do(self, unit: Callable[[Connection, datetime], T]) -> T:
        """One use case, and its row in the access log, in one transaction at one moment."""
        now = self.clock()
        return self.database.write(lambda connection: unit(connection, now))

    def look(self, unit: Callable[[Connection, datetime], T]) -> T:
        """Only read, at one moment and beside the thread that writes: for what is not shown, and so not logged."""
        now = self.clock()
        return self.database.read(lambda connection: unit(connection, now))


@dataclass(frozen=True)
class Work:
    """One button pressed: everything that its use case needs, for it runs outside the request."""

    connection: Connection
    public_id: str
    member: Member
    form: Mapping[str, str]
    now: datetime
    office: OfficeHours
    claim_lasts: timedelta = CLAIM_LASTS
