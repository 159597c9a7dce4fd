"""The agent's phone in a rehearsal's browser: it rings when somebody in the console calls back.

`rehearsal` serves its page, which asks here whether a phone rings, and carries the call sealed like any other. Behind
the agent's phone is the caller's: whoever rehearses plays both (`phone_outgoing`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from callbacks import rehearsed
from callbacks.rehearsed import Placed
from ivr.phone_outgoing import AgentPhone
from ivr.rehearsal_api import RINGS_FOR

if TYPE_CHECKING:
    from ivr.switchboard import Switchboard
    from ivr.transport import Transport

DIGITS_SHOWN = 2  # of the caller's number, which an agent need not see

# What can be done with these phones, beside what a caller does.
ACTS: Mapping[str, Callable[[AgentPhone], object]] = {
    "answer": lambda phone: phone.answer(),
    "let_it_ring": lambda phone: phone.let_it_be(),
    "other_answers": lambda phone: phone.other_answers(),
    "other_does_not_answer": lambda phone: phone.other_is_left(),
    "other_is_busy": lambda phone: phone.other_is_left("busy"),
    "other_hangs_up": lambda phone: phone.other_hangs_up(),
}


def look(board: Switchboard) -> Placed | None:
    """The call that rings an agent's phone at this moment, or None."""
    since = board.clock() - RINGS_FOR
    return board.database.read(lambda connection: rehearsed.ringing(connection, since))


def is_ringing(board: Switchboard, phone: AgentPhone) -> bool:
    """Whether this phone still rings: somebody may have picked it up in another window."""
    return board.database.read(lambda connection: rehearsed.is_ringing(connection, phone.call_sid))


def state_of(placed: Placed, transport: Transport, **settings: Any) -> dict[str, Any]:  # noqa: ANN401  those of Phone
    """A phone that rings, as values to seal."""
    here = f"/voice/callback/{placed.public_id}"
    addresses = {"incoming_url": f"{here}/agent", "status_url": f"{here}/status"}
    return AgentPhone(transport, to=placed.to, call_sid=placed.sid, **addresses, **settings).state()


def is_agents(state: Mapping[str, Any]) -> bool:
    """Whether this is the state of an agent's phone, and not of a caller's."""
    return "other" in state


def other_of(phone: AgentPhone) -> dict[str, Any] | None:
    """The caller's phone as the page shows it: its last digits, and whether they speak or it still rings."""
    if phone.other is None:
        return None
    return {"number": hidden(phone.other.number), "speaks": phone.other.is_answered}


def readable(number: str) -> str:
    """A number (E.164) as people write it."""
    import phonenumbers

    return phonenumbers.format_number(phonenumbers.parse(number), phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def hidden(number: str) -> str:
    """A number of which only the country and the last digits are shown."""
    return f"{number[:3]} … {number[-DIGITS_SHOWN:]}"
