"""What an agent hears whose phone the line rings: the prompts by name, and which one tells how the call went.

No name, need or word about health is among them: anybody may pick up an agent's phone. `outgoing` decides what is said,
`twiml` makes it a document, and `prompt_checks` sees to it that each is written in every language.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from callbacks.call_states import State


class Saying(StrEnum):
    """One thing that the line says to an agent: the name of a prompt."""

    CONNECT = "agent_connect"
    CONNECT_AGAIN = "agent_connect_again"
    CALLING = "agent_calling"
    DECLINED = "agent_declined"
    STOPPED = "agent_stopped"
    ENDED = "agent_ended"
    BUSY = "agent_busy"
    NO_ANSWER = "agent_no_answer"
    FAILED = "agent_failed"
    TROUBLE = "agent_trouble"


HOW_IT_WENT: Mapping[State, Saying] = {
    State.ENDED: Saying.ENDED,
    State.CALLER_BUSY: Saying.BUSY,
    State.CALLER_NO_ANSWER: Saying.NO_ANSWER,
    State.FAILED: Saying.FAILED,
}
