"""The panel "Call back" on a request's page: whether this agent can call now, what speaks against it, how a call goes.

`calling` knows what is so; here it becomes sentences that say what to do. Nothing in it is about the caller: so looking
how a call goes, every two seconds, is no new look at the request. `calling_page` shows it, and presses its button.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from flask_babel import LazyString, gettext, lazy_gettext
from sqlalchemy import Connection

from callbacks import calling
from callbacks.calling import CallWarning, Progress, State
from callbacks.lifecycle import OPEN, Status
from callbacks.queue import Entry
from callbacks.staff import Member

if TYPE_CHECKING:
    from callbacks.desk import Desk
    from callbacks.request_view import Look

LIVE_SECONDS, IDLE_SECONDS = 2, 15  # between looks at a panel with a call that goes on, and at one without

WARNINGS: Mapping[CallWarning, LazyString] = {
    CallWarning.OFFICE_CLOSED: lazy_gettext("The office is closed now."),
    CallWarning.OTHER_PART_OF_DAY: lazy_gettext("The caller asked to be called at another time of the day."),
    CallWarning.TOO_SOON: lazy_gettext("It is too soon after the last attempt."),
    CallWarning.NOT_CONFIRMED: lazy_gettext("The caller has not said that the number is right."),
}
# What the agent who calls reads, and does.
COURSE: Mapping[State, LazyString] = {
    State.ASKED: lazy_gettext("In a moment your phone will ring."),
    State.UNCERTAIN: lazy_gettext("It is not clear whether your phone will ring. We are finding out: please wait."),
    State.RINGING_AGENT: lazy_gettext("Your phone is ringing. Pick up and press 1."),
    State.AGENT_ANSWERED: lazy_gettext("You picked up. Press 1 on your phone to call the caller."),
    State.RINGING_CALLER: lazy_gettext("The caller's phone is ringing."),
    State.CONNECTED: lazy_gettext("You are connected with the caller."),
    State.ENDED: lazy_gettext("You spoke with each other. Wrap up how it went."),
    State.AGENT_NO_ANSWER: lazy_gettext("You did not pick up, so nobody was called. Call again when you can."),
    State.AGENT_DECLINED: lazy_gettext("You did not press 1, so nobody was called. Call again when you can."),
    State.CALLER_NO_ANSWER: lazy_gettext('The caller did not answer. Wrap up with "No answer", or call again later.'),
    State.CALLER_BUSY: lazy_gettext("The caller's phone was busy. Call again in some minutes."),
    State.FAILED: lazy_gettext("The call could not be made. Try again; if it fails again, dial by hand: Show number."),
    State.NOT_PLACED: lazy_gettext("The call was not made. Nobody was called: you can try again."),
    State.STOPPED: lazy_gettext("The request was not yours any more, so nobody was called."),
}
# What everybody else reads.
ENDS: Mapping[State, LazyString] = {
    State.ENDED: lazy_gettext("they spoke"),
    State.AGENT_NO_ANSWER: lazy_gettext("the agent did not pick up"),
    State.AGENT_DECLINED: lazy_gettext("the agent did not press 1"),
    State.CALLER_NO_ANSWER: lazy_gettext("the caller did not answer"),
    State.CALLER_BUSY: lazy_gettext("the caller's phone was busy"),
    State.FAILED: lazy_gettext("the call could not be made"),
    State.NOT_PLACED: lazy_gettext("the call was not made"),
    State.STOPPED: lazy_gettext("the request was taken away"),
}
# A failure that says which phone it was, or what is missing.
FAILURES: Mapping[str, LazyString] = {
    "caller_failed": lazy_gettext("The caller's number cannot be called. Is it right?"),
    "agent_failed": lazy_gettext("Your own phone could not be called. Is its number right?"),
    "busy": lazy_gettext("The phone company has no room at the moment. Try again in a minute."),
}


@dataclass(frozen=True)
class Panel:
    """What the panel shows one agent; plain values, because they are read in the thread that writes."""

    public_id: str
    is_open: bool
    taken_by: str | None  # the colleague who has the request
    lacks: str | None  # "number", "line" or "phone": without it nobody can call through the line
    warnings: tuple[CallWarning, ...]
    call: Progress | None
    is_own_call: bool

    @property
    def is_live(self) -> bool:
        """Whether a call goes on."""
        return self.call is not None and self.call.is_live

    @property
    def can_call(self) -> bool:
        """Whether there is a button."""
        return self.is_open and not self.is_live and self.lacks is None and self.taken_by is None

    @property
    def they_spoke(self) -> bool:
        """Whether agent and caller have spoken, so that wrapping up comes next."""
        return self.call is not None and self.call.state is State.ENDED

    @property
    def is_shown(self) -> bool:
        """Whether there is anything to say: of a request that is over, only how it was called."""
        return self.is_open or self.call is not None

    @property
    def refreshes(self) -> int:
        """After how many seconds it is worth another look."""
        return LIVE_SECONDS if self.is_live else IDLE_SECONDS

    @property
    def why_not(self) -> str | None:
        """Why there is no button, and what to do; None where there is one, or where a call goes on."""
        if not self.is_open or self.is_live:
            return None
        if self.taken_by is not None:
            return str(gettext("%(name)s has this request, and calls back.", name=self.taken_by))
        return None if self.lacks is None else str(LACKS[self.lacks])

    @property
    def course(self) -> str | None:
        """How the call goes, or how the last one went."""
        call = self.call
        if call is None:
            return None
        if self.is_own_call:
            return str(FAILURES.get(call.error or "", COURSE[call.state]))
        if call.is_live:
            return str(gettext("%(name)s is calling this caller now.", name=call.by))
        return str(gettext("%(name)s called: %(how)s.", name=call.by, how=ENDS[call.state]))


LACKS: Mapping[str, LazyString] = {
    "number": lazy_gettext("The caller left no number. When they call again, they can leave one."),
    "line": lazy_gettext(
        "The line has no number to call with. Whoever runs it must set one; until then dial by hand: Show number."
    ),
    "phone": lazy_gettext(
        "The line knows no phone of yours to ring. Whoever runs it can add one; until then dial by hand: Show number."
    ),
}


def part(look: Look) -> Mapping[str, object]:
    """The panel as a part of the request's page."""
    return {"panel": panel_of(look.connection, look.story.entry, look.member, look.now, look.desk)}


def panel_of(connection: Connection, entry: Entry, member: Member, now: datetime, desk: Desk) -> Panel:
    """What this agent sees in the panel of this request."""
    call = calling.latest_of(connection, entry.id)
    is_taken = entry.status is Status.CLAIMED and entry.claimed_by_id != member.id
    return Panel(
        public_id=entry.public_id,
        is_open=entry.status in OPEN,
        taken_by=entry.claimed_by if is_taken else None,
        lacks=_lacks(entry, member, desk),
        warnings=calling.warnings(entry, now, desk.office),
        call=call,
        is_own_call=call is not None and call.by_id == member.id,
    )


def _lacks(entry: Entry, member: Member, desk: Desk) -> str | None:
    if entry.phone is None:
        return "number"
    if desk.line_number is None:
        return "line"
    return "phone" if member.phone is None else None
