"""How a call to a caller goes, on one screen: its states, which news outweighs which, and how long each may last. Pure.

    asked -> (uncertain) -> ringing_agent -> agent_answered -> ringing_caller -> connected -> an end

The provider tells in no order, more than once, and sometimes late. So every state has a rank, and a call is always at
the highest that anybody reported: whatever the order and however often, the same is left. `calling` stores it.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import assert_never

RING_SECONDS = 25  # how long the agent's phone rings; a voicemail takes over after 25 to 30
TIME_LIMIT = timedelta(minutes=60)  # how long agent and caller may speak


class State(StrEnum):
    """Where an outgoing call is. Declared in the order of their rank: later ones outweigh earlier ones."""

    ASKED = "asked"  # stored; the provider has not answered yet
    UNCERTAIN = "uncertain"  # the provider gave no clear answer: being looked up
    NOT_PLACED = "not_placed"  # looked up, and not there
    RINGING_AGENT = "ringing_agent"
    AGENT_ANSWERED = "agent_answered"
    RINGING_CALLER = "ringing_caller"
    CONNECTED = "connected"
    AGENT_NO_ANSWER = "agent_no_answer"
    AGENT_DECLINED = "agent_declined"  # did not press 1
    STOPPED = "stopped"  # the callback was taken away meanwhile: not connected
    CALLER_NO_ANSWER = "caller_no_answer"
    CALLER_BUSY = "caller_busy"
    FAILED = "failed"  # the provider refused it, or could not make it
    ENDED = "ended"  # they spoke


LIVE = frozenset(
    {
        State.ASKED,
        State.UNCERTAIN,
        State.RINGING_AGENT,
        State.AGENT_ANSWERED,
        State.RINGING_CALLER,
        State.CONNECTED,
    }
)
UNHEARD = frozenset({State.ASKED, State.UNCERTAIN})  # nothing shows yet that there is a call at all
_RANKS = {state: rank for rank, state in enumerate(State)}


def rank(state: State) -> int:
    """How much this state outweighs others."""
    return _RANKS[state]


def after(state: State, news: State) -> State:
    """Where a call in `state` is after `news`: an end is never less than what was reached shows.

    So whoever hears only that the agent's call is over may report `AGENT_NO_ANSWER`: it ends a call in which they spoke
    as ENDED. The one end that later news revives is NOT_PLACED, which was only a conclusion.
    """
    if news is State.NOT_PLACED or (state in LIVE and news in LIVE):
        return max(state, news, key=rank)
    if state is State.NOT_PLACED:
        return news if rank(news) > rank(state) else state
    return max(left_at(state), left_at(news), key=rank)


def left_at(state: State) -> State:
    """How a call ends that is over and had come this far; an end is itself."""
    match state:
        case State.ASKED | State.UNCERTAIN | State.NOT_PLACED:
            return State.NOT_PLACED
        case State.RINGING_AGENT:
            return State.AGENT_NO_ANSWER
        case State.AGENT_ANSWERED:
            return State.AGENT_DECLINED
        case State.RINGING_CALLER:
            return State.CALLER_NO_ANSWER
        case State.CONNECTED:
            return State.ENDED
        case (
            State.AGENT_NO_ANSWER
            | State.AGENT_DECLINED
            | State.STOPPED
            | State.CALLER_NO_ANSWER
            | State.CALLER_BUSY
            | State.FAILED
            | State.ENDED
        ):
            return state
        case _:
            assert_never(state)


def silence_of(state: State) -> timedelta:
    """How long nothing need be heard of a live call in this state; after that, the provider is asked."""
    match state:
        case State.ASKED | State.UNCERTAIN:
            return timedelta(seconds=15)
        case State.RINGING_AGENT:
            return timedelta(seconds=RING_SECONDS + 60)
        case State.AGENT_ANSWERED | State.RINGING_CALLER:
            return timedelta(minutes=2)
        case State.CONNECTED:
            return TIME_LIMIT + timedelta(minutes=2)
        case _:
            return timedelta()


# So long after `silence_of` a call is ended, also where the provider cannot be asked or has no end for it: a row that
# stays live would keep the agent and the caller from any other call.
PATIENCE = timedelta(minutes=10)
