"""An office whose agents have phones, and the use cases of calling back at the moment `now`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from sqlalchemy import Connection, select, update

from callbacks import calling, staff
from callbacks.call_states import State
from callbacks.calling import CallWarning, Outgoing, Progress
from callbacks.calling_views import outgoing_calls
from callbacks.lifecycle import Disposition
from callbacks.service import callbacks
from callbacks.staff import Member, Role
from tests.callbacks.house import LASTS, OFFICE, House

PHONES = {"anna": "+31611111111", "bram": "+31622222222", "chris": "+31633333333"}
LINE = "+31401234567"


class CallHouse(House):
    """The office, with a phone on every desk."""

    def join(
        self, login: str, name: str, *, languages: tuple[str, ...] = ("nl", "en"), role: Role = Role.AGENT
    ) -> Member:
        member = super().join(login, name, languages=languages, role=role)
        self.gives(member, PHONES.get(login))
        return self.database.read(lambda c: staff.by_id(c, member.id))

    def gives(self, member: Member, phone: str | None) -> Member:
        """This agent is rung there from now on."""
        self.database.write(lambda c: self._change(c, member.id, phone=phone))
        return self.database.read(lambda c: staff.by_id(c, member.id))

    def asks_for(self, asked: str, **values: object) -> str:
        """The request says so."""
        change = update(callbacks).where(callbacks.c.public_id == asked).values(**values)
        self.database.write(lambda c: c.execute(change).rowcount)
        return asked

    def intends(self, member: Member, asked: str, overridden: Iterable[CallWarning] = ()) -> str:
        """An agent presses Call back."""
        unit = partial(calling.intend, lasts=LASTS)
        return self.database.write(lambda c: unit(c, asked, member, self.now, OFFICE, frozenset(overridden)))

    def hears(
        self,
        call: str,
        *news: State,
        provider_sid: str | None = None,
        error: str | None = None,
        seconds: int | None = None,
    ) -> bool:
        """The provider tells; whether the last of it changed anything."""
        told = partial(calling.advance, provider_sid=provider_sid, error=error, seconds=seconds, lasts=LASTS)
        outgoing = self.call(call)
        units = [partial(self._hear, told, outgoing.id, state) for state in news]
        return [self.database.write(unit) for unit in units][-1]

    def _hear(self, told: Callable[..., bool], outgoing_id: int, state: State, connection: Connection) -> bool:
        return told(connection, outgoing_id, state, self.now)

    def call(self, call: str) -> Outgoing:
        return self.database.read(lambda c: calling.find(c, call))

    def progress(self, asked: str) -> Progress:
        """The last call of this request."""
        latest = self.database.read(lambda c: calling.latest_of(c, self.entry(asked).id))
        assert latest is not None
        return latest

    def live(self, asked: str) -> Progress | None:
        entry = self.entry(asked)
        return self.database.read(lambda c: calling.live_of(c, entry.id))

    def rows(self) -> list[Any]:
        """Every call to a caller, as it is stored."""
        query = select(outgoing_calls).order_by(outgoing_calls.c.id)
        return self.database.read(lambda c: list(c.execute(query)))

    def told(self, asked: str, what: str) -> list[dict[str, Any]]:
        """The details of the events of this kind."""
        return [dict(event.details) for event in self.story(asked).events if event.what == what]

    def takes_away(self, asked: str) -> None:
        """The coordinator closes the request while somebody works on it."""
        self.wraps_up(self.chris, asked, Disposition.WITHDREW)

    @staticmethod
    def _change(connection: Connection, agent_id: int, **values: object) -> None:
        connection.execute(update(staff.agents).where(staff.agents.c.id == agent_id).values(**values))
