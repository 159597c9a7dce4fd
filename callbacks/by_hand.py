"""A request that came without a call: somebody stood at the door, or wrote."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from callbacks import service
from callbacks.happenings import record
from callbacks.lifecycle import Status, Urgency, due_at
from callbacks.office_hours import OfficeHours
from callbacks.staff import Member

OUTCOME = "by_hand"  # stands where a call has the triage's conclusion
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


@dataclass(frozen=True)
class ByHand:
    """What an agent writes down about somebody at the door; `phone` in E.164, ValueError for what is none.

    The words are those of the caller's answers: `need`, `who`, `part_of_day`, `region`, languages as codes.
    """

    need: str | None = None
    who: str | None = None
    language: str | None = None
    phone: str | None = None
    urgency: Urgency = Urgency.P2
    was_refused: bool | None = None
    safe_message: bool | None = None
    part_of_day: str | None = None
    region: str | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if self.phone is not None and not _E164.fullmatch(self.phone):
            raise ValueError("a phone number is written with its country, such as +31612345678")


def add_by_hand(
    connection: Connection,
    member: Member,
    asked: ByHand,
    now: datetime,
    office: OfficeHours,
    *,
    public_id: str | None = None,
) -> str:
    """Queue a request that an agent writes down; its public id, which is `public_id` where one is given.

    An open request of the same number is treated as for a second call: this one links to it, and both become sooner.
    Whatever has this public id already stays as it is: a form that was sent twice adds one request.
    """
    public_id = public_id or secrets.token_urlsafe(16)
    known = select(service.callbacks.c.id).where(service.callbacks.c.public_id == public_id)
    if connection.execute(known).first() is not None:
        return public_id
    earlier = service.open_or_reopened(connection, asked.phone, now)
    urgency = asked.urgency
    if earlier is not None:
        urgency = urgency.raised()
        service.raise_earlier(connection, earlier, now, office)
    answers = {
        "need": asked.need,
        "who": asked.who,
        "refused": _answer(asked.was_refused),
        "safe_message": _answer(asked.safe_message),
        "part_of_day": asked.part_of_day,
        "region": asked.region,
        "callback_language": asked.language,
    }
    values: dict[str, Any] = {
        "public_id": public_id,
        "reference": service.free_reference(connection),
        "linked_to": earlier.id if earlier else None,
        "status": Status.QUEUED.value,
        "urgency": int(urgency),
        "outcome": OUTCOME,
        "language": asked.language,
        "phone": asked.phone,
        "answers": {name: answer for name, answer in answers.items() if answer is not None},
        "flags": [],
        "requested_at": now,
        "due_at": due_at(urgency, now, office),
        "safe_message": asked.safe_message,
        "is_confirmed": asked.phone is not None,
        "need": asked.need,
        "who": asked.who,
        "was_refused": asked.was_refused,
        "region": asked.region,
        "part_of_day": asked.part_of_day,
        "callback_language": asked.language,
    }
    added = connection.execute(
        insert(service.callbacks).values(**values).returning(service.callbacks.c.id)
    ).scalar_one()
    record(connection, added, member.id, now, "added", note=asked.note.strip())
    return public_id


def _answer(told: bool | None) -> str | None:  # noqa: FBT001  as it is stored
    return None if told is None else "yes" if told else "no"
