"""One webhook's unit of work: load the call, decide, carry out, store. Between `webhooks` (HTTP) and the queue.

`Switchboard` holds what every call needs and nothing of any call: all that is known of a call is read from its newest
step and written with its next, in one transaction. A unit may run again after a rollback, so it reads the clock once,
before it starts, and touches only its connection.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from callbacks import call_log, service
from callbacks.breaker import Breaker
from callbacks.call_log import CallState, HeardStep, Taken
from callbacks.clock import Clock, utc_now
from callbacks.db import Database
from callbacks.errors import DatabaseUnavailable, StepAlreadyTaken
from callbacks.office_hours import OfficeHours
from callbacks.service import Request
from ivr import conversation, spoken
from ivr.answers import Answers
from ivr.conversation import Turn
from ivr.flow import Flow
from ivr.heard import Heard, Kind, Mode, Said
from ivr.listening import listen
from ivr.nodes import Listener, VoiceMessage
from ivr.numbers import NumberPolicy
from ivr.position import Circumstances, Position, Promise, from_values, to_values
from ivr.twiml import Reply

# An answer can be on its way while the news that the call has ended overtakes it; after that a call is immutable.
LATE_ANSWERS = timedelta(minutes=5)
# Nobody is silent for this long in a call that goes on: the longest turn lasts two minutes.
CALL_IS_OVER_AFTER = timedelta(minutes=10)
SWEEP_BATCH = 100
_TRIES = 5

T = TypeVar("T")

log = logging.getLogger("zorglijn.switchboard")


@dataclass(frozen=True)
class Switchboard:
    """Takes calls through the flow and callbacks into the queue."""

    database: Database
    flow: Flow
    answers: Answers
    numbers: NumberPolicy
    office: OfficeHours
    takes_voice_messages: bool
    clock: Clock = utc_now
    breaker: Breaker = field(default_factory=Breaker)

    def ring(self, sid: str, from_: str) -> Reply:
        """A call comes in: its first turn, or where it is by now when this webhook came before."""
        now = self.clock()
        return self._write(lambda connection: self._ring(connection, sid, from_, now))

    def answer(self, sid: str, from_: str, turn: int, said: Said) -> Reply:
        """A caller answered this turn: what we say next; the same again for an answer that was heard before."""
        now = self.clock()
        return self._write(lambda connection: self._answer(connection, sid, from_, turn, said, now))

    def hang_up(self, sid: str, from_: str) -> None:
        """A call has ended: label it, and keep the promise to whoever had agreed to be called."""
        now = self.clock()
        self._write(lambda connection: self._end(connection, self._open(connection, sid, from_, now), now))

    def sweep(self, idle: timedelta | None = None) -> int:
        """End every call in which nothing has happened for `idle` and of which nobody told us that it ended.

        How many there were. A call that cannot be ended is logged and keeps none of the others from it.
        """
        now = self.clock()
        silent_since, swept, after = now - (CALL_IS_OVER_AFTER if idle is None else idle), 0, 0
        while found := self._silent_calls(silent_since, after):
            after = found[-1][0]
            swept += self._sweep_all([sid for _, sid in found], now)
        return swept

    def _write(self, unit: Callable[[Connection], T]) -> T:
        for _ in range(_TRIES - 1):
            try:
                return self.breaker.write(self.database, unit)
            except (StepAlreadyTaken, IntegrityError):
                continue  # somebody else stored the same thing a moment before: now it can be read
        return self.breaker.write(self.database, unit)

    def _open(self, connection: Connection, sid: str, from_: str, now: datetime) -> CallState:
        return call_log.open_call(connection, sid, self.numbers.caller(from_), now)

    def _ring(self, connection: Connection, sid: str, from_: str, now: datetime) -> Reply:
        call = self._open(connection, sid, from_, now)
        if call.step >= 0:
            return self._reply(call, *self._stored(connection, call, 0))
        turn = conversation.begin(self.flow, self._circumstances(call, now))
        return self._record(connection, call, turn, HeardStep(), now)

    def _answer(self, connection: Connection, sid: str, from_: str, turn: int, said: Said, now: datetime) -> Reply:
        call = call_log.find_call(connection, sid)
        if call is None or call.step < 0:
            return self._ring(connection, sid, from_, now)
        if turn <= call.step:
            return self._reply(call, *self._stored(connection, call, turn))
        position = _position(call.position)
        if turn > position.turn or conversation.is_over(self.flow, position) or _is_immutable(call, now):
            return self._reply(call, call.position, call.says)
        return self._step(connection, call, position, said, now)

    def _step(self, connection: Connection, call: CallState, position: Position, said: Said, now: datetime) -> Reply:
        node = self.flow.listener(position.node)
        heard = self._listen(node, position, said)
        circumstances = self._circumstances(call, now)
        turn = conversation.resume(self.flow, position, heard, circumstances)
        while conversation.waits_for_queue(self.flow, turn):
            turn = self._carry_out(connection, call, turn, circumstances, now)
        if turn.enriches:
            service.enrich(connection, call.id, self._request(call, turn.position), now, self.office)
        kept = HeardStep(
            node=node.name,
            heard=heard.kind.value,
            value=heard.value or None,
            mode=heard.mode.value,
            digits=said.digits[:40] if said.digits else None,
            utterance=said.utterance,
            confidence=said.confidence,
        )
        reply = self._record(connection, call, turn, kept, now)
        if call.ended_at is not None:
            self._amend_end(connection, _after(call, reply, turn), turn.position, now)
        return reply

    def _amend_end(self, connection: Connection, call: CallState, position: Position, now: datetime) -> None:
        """The news of the end was faster than the caller's last answer, which still counts; a no as well."""
        if not position.agreed and position.promise is None:
            service.withdraw(connection, call.id, now)
        self._end(connection, call, now)

    def _listen(self, node: Listener, position: Position, said: Said) -> Heard:
        if isinstance(node, VoiceMessage) and said.recording is not None:
            return Heard(Kind.MATCH, said.recording, Mode.SPEECH)
        return listen(node, said.digits, said.utterance, said.confidence, position.language, self.answers, self.numbers)

    def _carry_out(
        self, connection: Connection, call: CallState, turn: Turn, circumstances: Circumstances, now: datetime
    ) -> Turn:
        request = self._request(call, turn.position)
        done = service.request(connection, call.id, request, now, self.office)
        promise = Promise(
            done.reference, spoken.due(done.due_at, now, self.office.zone), has_number=request.phone is not None
        )
        # In the queue already, but this caller has not heard so: the news of the end had overtaken the request.
        is_first_told = done.result == "already" and turn.position.promise is None
        result = "queued" if is_first_told else done.result
        return conversation.resume_task(self.flow, turn, result, promise, circumstances)

    def _record(self, connection: Connection, call: CallState, turn: Turn, heard: HeardStep, now: datetime) -> Reply:
        position, says = _dump(to_values(turn.position)), _dump(turn.says)
        call_log.record_step(connection, call.id, Taken(turn.position.turn - 1, now, heard, position, says))
        return self._reply_for(call, turn.position, turn.says)

    def _end(self, connection: Connection, call: CallState, now: datetime, *, swept: bool = False) -> None:
        """Label the call; whoever agreed to be called and is not in the queue yet is put there now."""
        if _is_immutable(call, now):
            return
        if call.step < 0:
            call_log.end_call(connection, call.id, now, "swept" if swept else "hung_up", None)
            return
        position = _position(call.position)
        ending = "finished" if conversation.is_over(self.flow, position) else "swept" if swept else "hung_up"
        call_log.end_call(connection, call.id, now, ending, position.node)
        if position.promise is None and position.agreed:
            service.request(connection, call.id, self._request(call, position), now, self.office)
        elif position.promise is not None and not position.promise.has_number:
            service.enrich(connection, call.id, self._request(call, position), now, self.office)  # a number half given

    def _silent_calls(self, since: datetime, after: int) -> list[tuple[int, str]]:
        return self.database.read(lambda connection: call_log.silent_calls(connection, since, SWEEP_BATCH, after))

    def _sweep_all(self, sids: Sequence[str], now: datetime) -> int:
        """End these calls in one commit; each alone, where one of them cannot be ended."""
        try:
            return self._write(lambda connection: sum(self._sweep_one(connection, sid, now) for sid in sids))
        except DatabaseUnavailable:
            raise
        except Exception as error:  # whatever is wrong with one call, the promises made in the others are kept
            if len(sids) == 1:
                log.exception("call_not_swept", extra={"call_sid": sids[0], "error": type(error).__name__})
                return 0
        return sum(self._sweep_all([sid], now) for sid in sids)

    def _sweep_one(self, connection: Connection, sid: str, now: datetime) -> int:
        call = call_log.find_call(connection, sid)
        if call is None or call.ended_at is not None:
            return 0  # another sweep, or the provider's news, was faster
        self._end(connection, call, now, swept=True)
        return 1

    def _request(self, call: CallState, position: Position) -> Request:
        known = conversation.details(self.flow, position, call.caller_number)
        return Request(
            outcome=known.outcome,
            urgency=known.urgency,
            phone=known.number,
            language=known.language,
            answers=known.answers,
            flags=known.flags,
            is_confirmed=known.is_confirmed,
        )

    def _circumstances(self, call: CallState, now: datetime) -> Circumstances:
        return Circumstances(
            office_open=call.step < 0 and self.office.is_open(now),
            caller_number=call.caller_number,
            takes_voice_messages=self.takes_voice_messages,
        )

    def _stored(self, connection: Connection, call: CallState, number: int) -> tuple[str, str]:
        return call_log.find_step(connection, call.id, number) or (call.position, call.says)

    def _reply(self, call: CallState, position: str, says: str) -> Reply:
        return self._reply_for(call, _position(position), tuple(json.loads(says)))

    def _reply_for(self, call: CallState, position: Position, says: tuple[str, ...]) -> Reply:
        promise = position.promise
        return Reply(
            node=position.node,
            turn=position.turn,
            says=says,
            language=position.language,
            caller_number=call.caller_number,
            number=position.number,
            reference=promise.reference if promise else None,
            due=promise.due if promise else (),
        )


def _is_immutable(call: CallState, now: datetime) -> bool:
    return call.ended_at is not None and now - call.ended_at > LATE_ANSWERS


def _after(call: CallState, reply: Reply, turn: Turn) -> CallState:
    """The call as it stands once this turn is stored."""
    position = _dump(to_values(turn.position))
    return CallState(**{**call.__dict__, "step": reply.turn - 1, "position": position, "says": _dump(turn.says)})


def _position(text: str) -> Position:
    return from_values(json.loads(text))


def _dump(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
