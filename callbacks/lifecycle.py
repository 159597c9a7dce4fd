"""The life of a callback on one screen: statuses, legal moves, dispositions, urgencies and due times. Pure.

    queued --claim--> claimed --wrap_up--> closed
      ^  |               |
      |  +---cancel------+---> cancelled
      +------release-----+      (wrapping up with no_answer also requeues)

A claim whose time is over counts as queued from that moment, also before it is put back. `service` and `queue` carry
moves out; `ivr.triage` concludes an urgency; `office_hours` counts the time; `trying_again` says when nobody answered
what comes next.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import assert_never

from callbacks.office_hours import OfficeHours


class Status(StrEnum):
    """Where a callback stands."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    CLOSED = "closed"
    CANCELLED = "cancelled"


OPEN = frozenset({Status.QUEUED, Status.CLAIMED})

LEGAL_MOVES: dict[Status, frozenset[Status]] = {
    Status.QUEUED: frozenset({Status.CLAIMED, Status.CANCELLED}),
    Status.CLAIMED: frozenset({Status.QUEUED, Status.CLOSED, Status.CANCELLED}),
    Status.CLOSED: frozenset({Status.QUEUED}),  # a call in reopens it
    Status.CANCELLED: frozenset(),
}


class Disposition(StrEnum):
    """How a callback ended."""

    INFORMATION_GIVEN = "information_given"
    APPOINTMENT_ARRANGED = "appointment_arranged"
    MEDIATION_OPENED = "mediation_opened"
    REFERRED = "referred"
    OTHER_SCHEME = "other_scheme"
    NOT_ELIGIBLE = "not_eligible"  # only ever chosen by a person
    NO_ANSWER = "no_answer"
    WRONG_NUMBER = "wrong_number"
    DUPLICATE = "duplicate"
    WITHDREW = "withdrew"
    EMERGENCY_REDIRECTED = "emergency_redirected"


class Urgency(IntEnum):
    """How soon a person phones back; a lower number is sooner. The classes are those of the triage table."""

    P0 = 0
    P1 = 1
    P2 = 2
    P3 = 3
    P4 = 4

    def raised(self) -> Urgency:
        """One class sooner, but never P0: only danger named by the caller is that."""
        return Urgency(max(self - 1, 1)) if self > Urgency.P0 else self


P1_OFFICE_HOURS = timedelta(hours=2)
CLAIM_LASTS = timedelta(minutes=30)  # where no setting says otherwise; whoever works on a callback renews it
UNDO_WITHIN = timedelta(minutes=1)


def due_at(urgency: Urgency, asked_at: datetime, office: OfficeHours) -> datetime:
    """The latest moment (UTC) at which somebody phones back, counted from `asked_at` (aware).

    P0 at once; P1 within two office hours; P2 by the end of the next working day; P3 the third, P4 the fifth.
    """
    match urgency:
        case Urgency.P0:
            return asked_at
        case Urgency.P1:
            return office.add(asked_at, P1_OFFICE_HOURS)
        case Urgency.P2:
            return office.closing_after(asked_at, working_days=1)
        case Urgency.P3:
            return office.closing_after(asked_at, working_days=3)
        case Urgency.P4:
            return office.closing_after(asked_at, working_days=5)
        case _:
            assert_never(urgency)
