"""The provider's HTTP requests for a call that an agent asked for: their phone rings, "press 1", then the caller's.

`callbacks.calling` has stored the call before the provider was asked, and takes in here what happens on the phone; the
number to connect is only ever given to the call it belongs to, while the callback is still that agent's. `provided`
has verified each request, `twiml` makes the answer, `sayings` are its words.

    agent    the agent picked up: press 1         caller   how the call to the caller goes
    connect  which key it was: connect, or not    done     how that ended: a sentence, and the end
    status   how the call to the agent goes
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from flask import Blueprint, Response
from sqlalchemy import Connection

from callbacks import calling, queue
from callbacks.calling import Outgoing, State
from callbacks.errors import NoSuchOutgoingCall
from callbacks.lifecycle import CLAIM_LASTS
from ivr import provided
from ivr.provided import NOTHING, document
from ivr.sayings import HOW_IT_WENT, Saying
from ivr.signature import Webhook
from ivr.twiml import Bridge
from ivr.webhooks import Line

MOST_ASKS = 2  # how often an agent is asked to press 1
KEY = "1"
YOUNG = timedelta(minutes=5)  # an agent answers and presses within this; later a request is a replayed one, or stale
CALLER_RING_SECONDS = 30
AGENT_FAILED, CALLER_FAILED = "agent_failed", "caller_failed"  # which of the two phones could not be rung at all

# What the provider calls it, for the call to the agent. `calling` never makes less of an end than what was reached.
AGENT_NEWS: Mapping[str, State] = {
    "queued": State.RINGING_AGENT,
    "initiated": State.RINGING_AGENT,
    "ringing": State.RINGING_AGENT,
    "in-progress": State.AGENT_ANSWERED,
    "completed": State.AGENT_NO_ANSWER,
    "busy": State.AGENT_NO_ANSWER,
    "no-answer": State.AGENT_NO_ANSWER,
    "canceled": State.AGENT_NO_ANSWER,
    "failed": State.FAILED,
}
# And for the call to the caller: as news of that call, and as what became of the Dial.
CALLER_NEWS: Mapping[str, State] = {
    "initiated": State.RINGING_CALLER,
    "ringing": State.RINGING_CALLER,
    "in-progress": State.CONNECTED,
    "answered": State.ENDED,
    "completed": State.ENDED,
    "busy": State.CALLER_BUSY,
    "no-answer": State.CALLER_NO_ANSWER,
    "canceled": State.CALLER_NO_ANSWER,
    "failed": State.FAILED,
}

T = TypeVar("T")


@dataclass(frozen=True)
class Told:
    """What an agent is told: a sentence, or a question (`asks` is its number), or the caller (a number in E.164)."""

    says: Saying
    language: str | None = None
    reference: str = ""
    asks: int = 0
    number: str | None = None


@dataclass(frozen=True)
class Outward:
    """What these webhooks need: the line, and its number (E.164), which both sides see; None where it has none."""

    line: Line
    line_number: str | None
    claim_lasts: timedelta = CLAIM_LASTS

    def write(self, unit: Callable[[Connection, datetime], T]) -> T:
        """One webhook's unit of work."""
        board = self.line.switchboard
        now = board.clock()
        return board.breaker.write(board.database, lambda connection: unit(connection, now))

    def apology(self) -> str:
        """The words for when we fail, in every language: nobody knows then whose phone it is."""
        return self.line.renderer.tell_agent(Saying.TROUBLE, None, self.line.today())


@dataclass(frozen=True)
class Happening:
    """One webhook at work: whose call, what the provider says of it, and the transaction that takes it in."""

    outward: Outward
    connection: Connection
    outgoing: Outgoing
    webhook: Webhook
    now: datetime

    def advance(self, state: State, *, provider_sid: str | None = None, error: str | None = None) -> None:
        """Store how far the call is, see `calling.advance`."""
        lasts = self.outward.claim_lasts
        calling.advance(
            self.connection, self.outgoing.id, state, self.now, provider_sid=provider_sid, error=error, lasts=lasts
        )

    @property
    def is_diallable(self) -> bool:
        """Whether the line dials the caller's number; looked at again here, however it got into the queue."""
        return self.outward.line.switchboard.numbers.caller(self.outgoing.caller_phone or "") is not None

    def question(self, says: Saying, asks: int) -> Told:
        """Ask for the key; the reference tells the agent which request it is."""
        reference = queue.find(self.connection, self.outgoing.callback_public_id, self.now).reference
        return Told(says, self.outgoing.agent_locale, reference, asks)

    def tells(self, says: Saying) -> Told:
        """Say one sentence."""
        return Told(says, self.outgoing.agent_locale)


def blueprint(outward: Outward) -> Blueprint:
    """The routes under /voice/callback/<outgoing_id>."""
    voice = Blueprint("outgoing", __name__, url_prefix="/voice/callback/<outgoing_id>")

    @voice.post("/agent")
    def agent(outgoing_id: str) -> Response:
        return _tell(outward, outgoing_id, _answered)

    @voice.post("/connect/<int:asked>")
    def connect(outgoing_id: str, asked: int) -> Response:
        return _tell(outward, outgoing_id, lambda happening: _pressed(happening, asked))

    @voice.post("/done")
    def done(outgoing_id: str) -> Response:
        return _tell(outward, outgoing_id, _ended)

    @voice.post("/caller")
    def caller(outgoing_id: str) -> Response:
        return _note(outward, outgoing_id, _caller_news)

    @voice.post("/status")
    def status(outgoing_id: str) -> Response:
        return _note(outward, outgoing_id, _agent_news)

    provided.answer_always(voice, outward.apology)
    return voice


def _answered(happening: Happening) -> Told:
    """The agent picked up: who calls, and that 1 connects."""
    happening.advance(State.AGENT_ANSWERED, provider_sid=happening.webhook.call_sid)
    outgoing = calling.find(happening.connection, happening.outgoing.public_id)
    if not _goes_on(replace(happening, outgoing=outgoing)):
        return happening.tells(Saying.STOPPED)
    return happening.question(Saying.CONNECT, asks=1)


def _pressed(happening: Happening, asked: int) -> Told:
    """The agent pressed a key, or none: on 1 the caller's number is given, if that is still right."""
    if not _goes_on(happening):
        return happening.tells(Saying.STOPPED)
    if happening.webhook.said.digits == KEY:
        if not happening.is_diallable:
            happening.advance(State.FAILED, error=CALLER_FAILED)
            return happening.tells(Saying.FAILED)
        happening.advance(State.RINGING_CALLER)
        return replace(happening.tells(Saying.CALLING), number=happening.outgoing.caller_phone)
    if asked < MOST_ASKS:
        return happening.question(Saying.CONNECT_AGAIN, asks=asked + 1)
    happening.advance(State.AGENT_DECLINED)
    return happening.tells(Saying.DECLINED)


def _ended(happening: Happening) -> Told:
    """The call to the caller is over, and the agent is still on the phone: how it went."""
    state = CALLER_NEWS.get(happening.webhook.dial_status)
    if state is None or state not in HOW_IT_WENT:
        return happening.tells(Saying.ENDED)
    if happening.webhook.call_sid == happening.outgoing.provider_sid:
        happening.advance(state, error=CALLER_FAILED)
    return happening.tells(HOW_IT_WENT[state])


def _caller_news(happening: Happening) -> None:
    state = CALLER_NEWS.get(happening.webhook.call_status)
    if state is not None:
        happening.advance(state, error=CALLER_FAILED)


def _agent_news(happening: Happening) -> None:
    state = AGENT_NEWS.get(happening.webhook.call_status)
    if state is not None:
        happening.advance(state, provider_sid=happening.webhook.call_sid, error=AGENT_FAILED)


def _goes_on(happening: Happening) -> bool:
    """Whether this call may still be connected; one that may not, because the callback is not theirs now, is stopped.

    A call that is over, or connected, or another than the provider named at first, is not touched at all.
    """
    outgoing = happening.outgoing
    is_it = outgoing.provider_sid == happening.webhook.call_sid
    if not is_it or not outgoing.is_live or outgoing.state is State.CONNECTED:
        return False
    may = outgoing.is_still_theirs and happening.now - outgoing.asked_at <= YOUNG
    if may and outgoing.caller_phone is not None and happening.outward.line_number is not None:
        return True
    happening.advance(State.STOPPED)
    return False


def _tell(outward: Outward, outgoing_id: str, decide: Callable[[Happening], Told]) -> Response:
    """Verify, decide, store, and only after the commit say it."""
    webhook = provided.verified(outward.line.verifier)
    try:
        told = outward.write(lambda c, now: decide(Happening(outward, c, calling.find(c, outgoing_id), webhook, now)))
    except NoSuchOutgoingCall:
        told = Told(Saying.STOPPED)
    return document(_rendered(outward, outgoing_id, told))


def _note(outward: Outward, outgoing_id: str, take: Callable[[Happening], None]) -> Response:
    """Verify and store news to which nobody listens."""
    webhook = provided.verified(outward.line.verifier)
    with suppress(NoSuchOutgoingCall):
        outward.write(lambda c, now: take(Happening(outward, c, calling.find(c, outgoing_id), webhook, now)))
    return document(NOTHING)


def _rendered(outward: Outward, outgoing_id: str, told: Told) -> str:
    renderer, today, here = outward.line.renderer, outward.line.today(), f"/voice/callback/{outgoing_id}"
    if told.number is not None and outward.line_number is not None:
        bridge = Bridge(
            number=told.number,
            caller_id=outward.line_number,
            action=f"{here}/done",
            status=f"{here}/caller",
            ring_seconds=CALLER_RING_SECONDS,
            longest_seconds=int(calling.TIME_LIMIT.total_seconds()),
        )
        return renderer.connect_agent(bridge, told.language, today)
    if told.asks:
        return renderer.ask_agent(told.says, told.language, told.reference, f"{here}/connect/{told.asks}", today)
    return renderer.tell_agent(told.says, told.language, today)
