"""Finishing with a callback: say how it ended, and take that back within a minute.

`trying_again` says what follows when nobody answered. What a wrap-up changed is in its event, before and after, so that
an undo restores exactly that and nothing that somebody else did since.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Connection, Row, select

from callbacks.errors import IllegalMove, MessageNotAllowed, Missing, NotYours, TooLateToUndo, UnusableMoment
from callbacks.happenings import events, record
from callbacks.lifecycle import UNDO_WITHIN, Disposition, Status, Urgency
from callbacks.office_hours import OfficeHours
from callbacks.queue_rows import claimed_row, find_row, move, name_of
from callbacks.service import callbacks
from callbacks.staff import Member
from callbacks.trying_again import FURTHEST, NextTry, after_no_answer, at_chosen_moment

_MOMENTS = ("claim_ends_at", "due_at", "not_before", "closed_at")
_STATE = ("status", "claimed_by", "attempts", "needs_coordinator", "disposition", *_MOMENTS)
# Nothing that anybody decided: an undo may follow, and leaves it as it is.
_HARMLESS = frozenset({"noted", "asked_again", "called"})


class Happened(Protocol):
    """Something that happened to a callback: a row of `events`, or as `story` tells it."""

    @property
    def what(self) -> str:
        """The code of it."""

    @property
    def at(self) -> datetime:
        """When (aware)."""

    @property
    def details(self) -> Mapping[str, Any]:
        """What belongs to it."""


def wrap_up(  # noqa: PLR0913, PLR0917  each of them is asked for in the form
    connection: Connection,
    public_id: str,
    member: Member,
    disposition: Disposition,
    note: str,
    now: datetime,
    office: OfficeHours,
    *,
    referral: str | None = None,
    left_message: bool = False,
    again_at: datetime | None = None,
) -> None:
    """Say how a claimed callback ended; `no_answer` puts it back for another attempt, or closes it after the last.

    `again_at` (aware) is a moment that the agent chose for that attempt, within 14 days: UnusableMoment, a ValueError,
    for another, and where somebody answered. MessageNotAllowed where a message was left that the caller did not allow.
    NoSuchCallback; NotYours where a colleague has it; IllegalMove where nobody has; Missing where `referred` does not
    name to whom. A note may be empty. Whatever is refused changes nothing.
    """
    wanted = Status.QUEUED if disposition is Disposition.NO_ANSWER else Status.CLOSED
    row = claimed_row(connection, public_id, member, now, wanted)
    if disposition is Disposition.REFERRED and not (referral or "").strip():
        raise Missing("referral")
    if left_message and row.safe_message is not True:
        raise MessageNotAllowed(was_asked=row.safe_message is not None)
    if again_at is not None:
        _check_moment(again_at, disposition, now)
    values = _after(connection, row, disposition, now, office, again_at)
    move(connection, row, values)
    before = {name: getattr(row, name) for name in _STATE}
    details: dict[str, Any] = {"disposition": disposition.value, "note": note.strip(), "before": _plain(before)}
    if referral and referral.strip():
        details["referral"] = referral.strip()
    if left_message:
        details["left_message"] = True
    record(connection, row.id, member.id, now, "wrapped_up", **details, after=_plain(before | values))


def undo(connection: Connection, public_id: str, member: Member, now: datetime) -> None:
    """Take the last wrap-up back: the callback is claimed as it was before.

    NoSuchCallback; TooLateToUndo after a minute; NotYours where a colleague wrapped it up; IllegalMove where something
    else has been done with it since. If the same number has asked anew meanwhile, this one becomes linked to that.
    """
    row = find_row(connection, public_id)
    done, is_last = _last_wrap_up(connection, row.id)
    if done is None or now - done.at > UNDO_WITHIN:
        raise TooLateToUndo("the minute is over")
    if done.agent_id != member.id and not member.is_coordinator:
        raise NotYours(name_of(connection, done.agent_id))
    if not is_last or row.status != done.details["after"]["status"]:
        raise IllegalMove(row.status, Status.CLAIMED)
    before = _read(done.details["before"])
    if _asked_again_since(connection, done):  # what was made sooner for somebody who phoned stays so
        before["due_at"] = min(before["due_at"], row.due_at)
    move(connection, row, before | {"linked_to": _link(connection, row)})
    record(connection, row.id, member.id, now, "undone", disposition=done.details["disposition"])


def undo_until(connection: Connection, entry_id: int, status: Status, member: Member, now: datetime) -> datetime | None:
    """Until when this member can take back how this callback was wrapped up; None where they cannot, or not any more.

    `entry_id` and `status` are those of the callback, as it is at this moment.
    """
    done, is_last = _last_wrap_up(connection, entry_id)
    if done is None or not is_last or now - done.at > UNDO_WITHIN or status != done.details["after"]["status"]:
        return None
    return done.at + UNDO_WITHIN if member.is_coordinator or done.agent_id == member.id else None


def next_try(
    urgency: Urgency, wish: str | None, happened: Iterable[Happened], now: datetime, office: OfficeHours
) -> NextTry:
    """What the rules say will follow if nobody answers now (aware); `happened` is the callback's story, oldest first.

    `wish` is the part of the day that the caller named. Pure: an agent reads it before choosing.
    """
    return after_no_answer(urgency, [*_attempts(happened), now], wish, office)


def _check_moment(at: datetime, disposition: Disposition, now: datetime) -> None:
    if disposition is not Disposition.NO_ANSWER:
        raise UnusableMoment("answered")
    if at <= now:
        raise UnusableMoment("past")
    if at - now > FURTHEST:
        raise UnusableMoment("far")


def _after(
    connection: Connection,
    row: Row[Any],
    disposition: Disposition,
    now: datetime,
    office: OfficeHours,
    again_at: datetime | None,
) -> dict[str, Any]:
    """What a wrap-up changes."""
    closed = {
        "status": Status.CLOSED.value,
        "disposition": disposition.value,
        "closed_at": now,
        "claimed_by": None,
        "claim_ends_at": None,
        "not_before": None,
    }
    if disposition is not Disposition.NO_ANSWER:
        return closed
    happened = connection.execute(select(events).where(events.c.callback_id == row.id).order_by(events.c.id))
    again = next_try(Urgency(row.urgency), row.part_of_day, happened, now, office)
    due = max(row.due_at, again.due_at or row.due_at)  # trying makes nothing due sooner, but a chosen moment may
    if again_at is not None:
        again = at_chosen_moment(again, again_at, office)
        due = again.due_at or due
    counted = {"attempts": row.attempts + 1}
    if again.closes:
        return closed | counted
    return counted | {
        "status": Status.QUEUED.value,
        "claimed_by": None,
        "claim_ends_at": None,
        "not_before": again.not_before,
        "due_at": due,
        "needs_coordinator": row.needs_coordinator or again.needs_coordinator,
    }


def _attempts(happened: Iterable[Happened]) -> list[datetime]:
    """When nobody answered, oldest first: since it was opened, and without what was undone."""
    tried: list[datetime] = []
    for event in happened:
        match event.what:
            case "wrapped_up" if event.details["disposition"] == Disposition.NO_ANSWER:
                tried.append(event.at)
            case "undone" if event.details["disposition"] == Disposition.NO_ANSWER:
                tried.pop()
            case "reopened":
                tried.clear()
            case _:
                pass
    return tried


def _last_wrap_up(connection: Connection, callback_id: int) -> tuple[Row[Any] | None, bool]:
    """The last thing somebody decided, if that was a wrap-up, or the wrap-up before it; and whether it was the last."""
    query = select(events).where(events.c.callback_id == callback_id).order_by(events.c.id.desc())
    decided = [event for event in connection.execute(query) if event.what not in _HARMLESS]
    last = next((event for event in decided if event.what in ("wrapped_up", "undone")), None)
    if last is None or last.what == "undone":
        return None, False
    return last, decided[0].id == last.id


def _asked_again_since(connection: Connection, done: Row[Any]) -> bool:
    """Whether this number has phoned again after the wrap-up `done`."""
    later = (events.c.callback_id == done.callback_id, events.c.id > done.id, events.c.what == "asked_again")
    return connection.execute(select(events.c.id).where(*later).limit(1)).first() is not None


def _link(connection: Connection, row: Row[Any]) -> int | None:
    """To what this callback is linked once it is open again: of one number only one open callback is not linked."""
    if row.linked_to is not None or row.phone is None:
        linked: int | None = row.linked_to
        return linked
    first = (
        callbacks.c.phone == row.phone,
        callbacks.c.linked_to.is_(None),
        callbacks.c.status.in_([Status.QUEUED.value, Status.CLAIMED.value]),
        callbacks.c.id != row.id,
    )
    return connection.execute(select(callbacks.c.id).where(*first)).scalar()


def _plain(state: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON can hold it."""
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in state.items()}


def _read(state: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: datetime.fromisoformat(value) if name in _MOMENTS and value is not None else value
        for name, value in state.items()
    }
