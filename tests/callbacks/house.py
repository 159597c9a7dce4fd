"""A small office with its queue: Anna, Bram and the coordinator Chris, callers, and a clock that a test sets."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import count

from sqlalchemy import Connection, select

from callbacks import call_log, queue, service, staff
from callbacks.db import Database
from callbacks.lifecycle import Disposition, Urgency
from callbacks.office_hours import OfficeHours, Opening
from callbacks.queue_views import Entry, Filters
from callbacks.service import Request
from callbacks.staff import Member, Newcomer, Role

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)  # a Tuesday, ten in the morning in Eindhoven
OFFICE = OfficeHours({day: Opening(time(9), time(17)) for day in range(5)})
ASKED = Request("likely_intake", 3, "+31612345678", "nl", {"need": "doctor"}, [])
LASTS = timedelta(minutes=30)
ALL = Filters(status="all")

_SIDS = count(1)


class House:
    """The use cases of the queue, each in a transaction of its own, at the moment `now`."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.now = NOW
        self.anna = self.join("anna", "Anna")
        self.bram = self.join("bram", "Bram", languages=("nl", "ar"))
        self.chris = self.join("chris", "Chris", role=Role.COORDINATOR)

    def join(
        self, login: str, name: str, *, languages: tuple[str, ...] = ("nl", "en"), role: Role = Role.AGENT
    ) -> Member:
        newcomer = Newcomer(login, name, role, languages)
        return self.database.write(lambda connection: staff.add(connection, newcomer, "-", NOW))

    def wait(self, **time_passed: float) -> None:
        self.now += timedelta(**time_passed)

    def calls(self, asked: Request = ASKED, **changed: object) -> str:
        """Somebody calls and asks to be called back: the public id of the callback."""
        sid, known = f"CA{next(_SIDS):032x}", replace(asked, **changed)  # type: ignore[arg-type]  # any field of a request

        def unit(connection: Connection) -> str:
            call = call_log.open_call(connection, sid, known.phone, self.now)
            service.request(connection, call.id, known, self.now, OFFICE)
            query = select(service.callbacks.c.public_id).where(service.callbacks.c.call_id == call.id)
            return str(connection.execute(query).scalar_one())

        return self.database.write(unit)

    def claims(self, member: Member, public_id: str) -> str:
        self.database.write(lambda c: queue.claim(c, public_id, member, self.now, LASTS))
        return public_id

    def takes_next(self, member: Member) -> str | None:
        return self.database.write(lambda c: queue.take_next(c, member, self.now, OFFICE, LASTS))

    def releases(self, member: Member, public_id: str) -> None:
        self.database.write(lambda c: queue.release(c, public_id, member, self.now))

    def wraps_up(
        self,
        member: Member,
        public_id: str,
        how: Disposition,
        note: str = "",
        referral: str | None = None,
        *,
        left_message: bool = False,
        again_at: datetime | None = None,
    ) -> None:
        more = {"referral": referral, "left_message": left_message, "again_at": again_at}
        self.database.write(lambda c: queue.wrap_up(c, public_id, member, how, note, self.now, OFFICE, **more))  # type: ignore[arg-type]  # as they are named here

    def finds_nobody(self, member: Member, public_id: str) -> Entry:
        """Claim it, call, nobody answers."""
        self.claims(member, public_id)
        self.wraps_up(member, public_id, Disposition.NO_ANSWER)
        return self.entry(public_id)

    def undoes(self, member: Member, public_id: str) -> None:
        self.database.write(lambda c: queue.undo(c, public_id, member, self.now))

    def cancels(self, member: Member, public_id: str, reason: str = "asked at the door") -> None:
        self.database.write(lambda c: queue.cancel(c, public_id, member, reason, self.now))

    def retriages(
        self, member: Member, public_id: str, urgency: Urgency, need: str | None = "doctor", reason: str = "worse"
    ) -> None:
        self.database.write(
            lambda c: queue.retriage(c, public_id, member, self.now, OFFICE, urgency=urgency, need=need, reason=reason)
        )

    def notes(self, member: Member, public_id: str, note: str) -> None:
        self.database.write(lambda c: queue.add_note(c, public_id, member, note, self.now))

    def adds(self, member: Member, asked: queue.ByHand) -> str:
        return self.database.write(lambda c: queue.add_by_hand(c, member, asked, self.now, OFFICE))

    def sweeps(self) -> int:
        return self.database.write(lambda c: queue.expire_claims(c, self.now))

    def entry(self, public_id: str) -> Entry:
        return self.database.read(lambda c: queue.find(c, public_id, self.now))

    def story(self, public_id: str) -> queue.Story:
        return self.database.read(lambda c: queue.story(c, public_id, self.now))

    def happened(self, public_id: str) -> list[tuple[str, str | None]]:
        """What happened to a callback, and who did it."""
        return [(event.what, event.by) for event in self.story(public_id).events]

    def lists(self, filters: Filters = ALL, member: Member | None = None, limit: int = 50) -> list[Entry]:
        """Everything that fits, page after page."""
        found: list[Entry] = []
        after: str | None = None
        while True:
            page = self.page(filters, member, after, limit)
            found += page.entries
            after = page.next
            if after is None:
                return found

    def page(
        self, filters: Filters = ALL, member: Member | None = None, after: str | None = None, limit: int = 50
    ) -> queue.Page:
        who = member or self.anna
        return self.database.read(lambda c: queue.list_page(c, filters, who, self.now, after=after, limit=limit))

    def counts(self, member: Member | None = None) -> queue.Counts:
        who = member or self.anna
        return self.database.read(lambda c: queue.counts(c, who, self.now))
