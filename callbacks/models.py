"""What is stored: calls, their steps, callbacks, and the people who work them.

The tables only; no room but `service`, `queue` and `staff` reads and writes them.

A step is append-only and carries the call's whole position, so that the newest step of a call is where the call is, and
`(call_id, number)` being unique is what makes every step happen once. Names of constraints are fixed, so that a
migration can find them on every database.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, ForeignKey, Index, MetaData, String, Text, TypeDecorator, false, text
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Moment(TypeDecorator[datetime]):
    """A point in time: aware in Python, UTC in the database, which need not know of zones (SQLite does not)."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """To the database; a naive moment is a mistake of ours (ValueError)."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone cannot be stored")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """From the database."""
        return None if value is None else value.replace(tzinfo=UTC)


_OPEN = text("status IN ('queued', 'claimed')")
_CLAIMED = text("status = 'claimed'")
_LIVE = text("ended_at IS NULL")
_UNSENT = text("sent_at IS NULL")
_FIRST_OPEN = text("linked_to IS NULL AND status IN ('queued', 'claimed')")


class Base(DeclarativeBase):
    """All tables of the line."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {datetime: Moment(), dict[str, Any]: JSON(), list[str]: JSON()}  # noqa: RUF012


class Call(Base):
    """One phone call. `ending` says how it ended: finished, hung_up, or swept where nobody told us."""

    __tablename__ = "calls"

    id: Mapped[int] = mapped_column(primary_key=True)
    sid: Mapped[str] = mapped_column(String(34), unique=True)
    caller_number: Mapped[str | None] = mapped_column(String(16), index=True)  # E.164; only where we may dial it
    started_at: Mapped[datetime] = mapped_column()
    ended_at: Mapped[datetime | None] = mapped_column(index=True)
    ending: Mapped[str | None] = mapped_column(String(20))
    last_node: Mapped[str | None] = mapped_column(String(60))


class Step(Base):
    """One visit to a node: what was heard there, what was said next (`says`, at `position`). Number 0 is the ring."""

    __tablename__ = "steps"

    call_id: Mapped[int] = mapped_column(ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column()
    node: Mapped[str | None] = mapped_column(String(60))  # where it was heard; None at the ring
    heard: Mapped[str | None] = mapped_column(String(12))  # match, no_match, no_input, command, red_flag
    value: Mapped[str | None] = mapped_column(Text)
    mode: Mapped[str | None] = mapped_column(String(8))  # digits, speech, silence
    digits: Mapped[str | None] = mapped_column(String(40))
    utterance: Mapped[str | None] = mapped_column(Text)
    confidence: Mapped[float | None] = mapped_column()
    position: Mapped[str] = mapped_column(Text)
    says: Mapped[str] = mapped_column(Text)


class Callback(Base):
    """A promise to phone back. One call asks for at most one; `linked_to` is an earlier open one of the same number."""

    __tablename__ = "callbacks"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(32), unique=True)
    reference: Mapped[str] = mapped_column(String(12), unique=True)
    call_id: Mapped[int | None] = mapped_column(ForeignKey("calls.id", ondelete="SET NULL"), unique=True)
    linked_to: Mapped[int | None] = mapped_column(ForeignKey("callbacks.id", ondelete="SET NULL"), index=True)
    status: Mapped[str] = mapped_column(String(12))
    urgency: Mapped[int] = mapped_column()
    outcome: Mapped[str] = mapped_column(String(40))
    language: Mapped[str | None] = mapped_column(String(8))
    phone: Mapped[str | None] = mapped_column(String(16), index=True)
    answers: Mapped[dict[str, Any]] = mapped_column()
    flags: Mapped[list[str]] = mapped_column()
    requested_at: Mapped[datetime] = mapped_column()
    due_at: Mapped[datetime] = mapped_column()
    safe_message: Mapped[bool | None] = mapped_column()  # None: not asked or not answered, which counts as no
    repeats: Mapped[int] = mapped_column(default=0, server_default="0")  # later calls of the same number
    is_confirmed: Mapped[bool] = mapped_column(default=False, server_default=false())  # the caller confirmed the number
    # What the team filters by, taken from the answers when they are stored.
    need: Mapped[str | None] = mapped_column(String(20))
    who: Mapped[str | None] = mapped_column(String(20))
    was_refused: Mapped[bool | None] = mapped_column()
    region: Mapped[str | None] = mapped_column(String(20))
    part_of_day: Mapped[str | None] = mapped_column(String(20))
    callback_language: Mapped[str | None] = mapped_column(String(100))
    # Who works on it, and how far that is. `not_before`: no agent is given it earlier.
    claimed_by: Mapped[int | None] = mapped_column(ForeignKey("agents.id"), index=True)
    claim_ends_at: Mapped[datetime | None] = mapped_column()
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    not_before: Mapped[datetime | None] = mapped_column()
    needs_coordinator: Mapped[bool] = mapped_column(default=False, server_default=false())
    disposition: Mapped[str | None] = mapped_column(String(30))
    closed_at: Mapped[datetime | None] = mapped_column()

    __table_args__ = (
        # The queue in its order, what becomes overdue and whose claims run out: closed ones cost nothing here. There is
        # no index by status: SQLite would prefer it, and sort the whole queue for every page.
        Index("ix_callbacks_open", "urgency", "requested_at", "id", sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_callbacks_due", "due_at", sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_callbacks_claims", "claim_ends_at", sqlite_where=_CLAIMED, postgresql_where=_CLAIMED),
        # At most one open callback of a number is not linked: two calls at the same moment cannot both be the first.
        Index("uq_callbacks_first_open", "phone", unique=True, sqlite_where=_FIRST_OPEN, postgresql_where=_FIRST_OPEN),
    )


class Tally(Base):
    """How many callbacks are open of each urgency and hour in which they are due (UTC, "2026-11-24 16").

    Triggers on `callbacks` keep it (migration 0003), so that counting a long queue costs no more than a short one, and
    nobody who writes a callback can forget it.
    """

    __tablename__ = "tallies"

    urgency: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    due_hour: Mapped[str] = mapped_column(String(13), primary_key=True)
    open: Mapped[int] = mapped_column()


class Event(Base):
    """What happened to a callback: a claim, a note, a wrap-up, a change of urgency; `agent_id` is None for the line."""

    __tablename__ = "events"

    id: Mapped[int] = mapped_column(primary_key=True)
    callback_id: Mapped[int] = mapped_column(ForeignKey("callbacks.id", ondelete="CASCADE"), index=True)
    agent_id: Mapped[int | None] = mapped_column(ForeignKey("agents.id"))
    at: Mapped[datetime] = mapped_column()
    what: Mapped[str] = mapped_column(String(30))
    details: Mapped[dict[str, Any]] = mapped_column()


class OutgoingCall(Base):
    """An agent calling a caller back through the line: stored before the provider is asked, so that none is made twice.

    `state` is one of `calling.State`; `provider_sid` is None until the provider has told it. `overridden` are the
    warnings that the agent saw and put aside.
    """

    __tablename__ = "outgoing_calls"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(32), unique=True)  # in the addresses that the provider asks
    callback_id: Mapped[int] = mapped_column(ForeignKey("callbacks.id", ondelete="CASCADE"), index=True)
    agent_id: Mapped[int] = mapped_column(ForeignKey("agents.id"), index=True)
    provider_sid: Mapped[str | None] = mapped_column(String(34), unique=True)
    state: Mapped[str] = mapped_column(String(20))
    overridden: Mapped[list[str]] = mapped_column()
    asked_at: Mapped[datetime] = mapped_column()
    changed_at: Mapped[datetime] = mapped_column()
    connected_at: Mapped[datetime | None] = mapped_column()
    ended_at: Mapped[datetime | None] = mapped_column()
    error: Mapped[str | None] = mapped_column(String(40))  # why the provider did not make it, as a code

    __table_args__ = (
        # One call at a time: of a callback, so that nobody is phoned twice; of an agent, who has one phone.
        Index("uq_outgoing_calls_callback", "callback_id", unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE),
        Index("uq_outgoing_calls_agent", "agent_id", unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE),
    )


class Notice(Base):
    """Something the team is told by e-mail, once: a request of this `kind` (see `notices`), sent when `sent_at` is set.

    The row is the truth: whoever sends takes it until `leased_until`, and somebody else may when that has passed.
    """

    __tablename__ = "notices"

    id: Mapped[int] = mapped_column(primary_key=True)
    callback_id: Mapped[int] = mapped_column(ForeignKey("callbacks.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(20))
    created_at: Mapped[datetime] = mapped_column()
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    leased_until: Mapped[datetime | None] = mapped_column()
    sent_at: Mapped[datetime | None] = mapped_column()

    __table_args__ = (
        Index("uq_notices_callback_id_kind", "callback_id", "kind", unique=True),
        Index("ix_notices_unsent", "id", sqlite_where=_UNSENT, postgresql_where=_UNSENT),
    )


class Agent(Base):
    """A member of the team. Never deleted, because the events and the access log name them; disabled instead."""

    __tablename__ = "agents"

    id: Mapped[int] = mapped_column(primary_key=True)
    login: Mapped[str] = mapped_column(String(100), unique=True)  # lower case
    name: Mapped[str] = mapped_column(String(100))
    role: Mapped[str] = mapped_column(String(20))  # agent, coordinator
    password_hash: Mapped[str | None] = mapped_column(String(200))  # argon2id; None until the first password is set
    totp_secret: Mapped[str | None] = mapped_column(String(64))
    totp_step: Mapped[int] = mapped_column(default=0, server_default="0")  # the last code used: each works once
    recovery_codes: Mapped[list[str]] = mapped_column()  # hashes; a used one is taken out
    languages: Mapped[list[str]] = mapped_column()
    phone: Mapped[str | None] = mapped_column(String(16))  # where the line rings this agent, E.164
    locale: Mapped[str] = mapped_column(String(8), default="nl", server_default="nl")
    created_at: Mapped[datetime] = mapped_column()
    disabled_at: Mapped[datetime | None] = mapped_column()


class Session(Base):
    """A sign-in, on the server, so that it can be seen and revoked; `id` is the hash of what the browser holds."""

    __tablename__ = "sessions"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    agent_id: Mapped[int] = mapped_column(ForeignKey("agents.id"), index=True)
    created_at: Mapped[datetime] = mapped_column()
    seen_at: Mapped[datetime] = mapped_column()
    has_second_factor: Mapped[bool] = mapped_column(default=False, server_default=false())
    browser: Mapped[str] = mapped_column(String(100))
    revoked_at: Mapped[datetime | None] = mapped_column()


class Throttle(Base):
    """How often something was tried within a window: shared by all processes. `key` holds a hash, never an address."""

    __tablename__ = "throttles"

    key: Mapped[str] = mapped_column(String(100), primary_key=True)
    window_started_at: Mapped[datetime] = mapped_column()
    tries: Mapped[int] = mapped_column()


class Access(Base):
    """The access log: who looked at which callback when, never what it holds."""

    __tablename__ = "accesses"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    agent_id: Mapped[int | None] = mapped_column(ForeignKey("agents.id"))
    action: Mapped[str] = mapped_column(String(30))
    callback_id: Mapped[int | None] = mapped_column(index=True)
    count: Mapped[int | None] = mapped_column()  # how many records a list or an export showed
