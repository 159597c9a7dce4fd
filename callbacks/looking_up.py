"""Finds out what became of a call when nobody tells: looks through the provider's list of the agent's calls.

`ringing` sends here what got no clear answer, and the sweeper comes by for what a process left behind when it was
killed. A call that is listed becomes the row's own; one that is not there, looked up twice, was never made. Whatever
the provider says or does not say, no row stays live for ever. Everything may run in several processes at once: each
finds the same, and `calling.advance` takes it in once.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from threading import Thread

from callbacks import calling
from callbacks.call_states import PATIENCE, UNHEARD, State, silence_of
from callbacks.calling_views import Outgoing, sids_of_others, silent_for_long
from callbacks.db import Database
from callbacks.lifecycle import CLAIM_LASTS
from callbacks.provider import Found, Provider

log = logging.getLogger("zorglijn.ringing")

LOOK_AFTER = (1.0, 2.0, 3.0, 21.0)  # seconds between look-ups while an agent waits: at 1, 3, 6 and 27
BETWEEN_MISSES = timedelta(seconds=20)  # a call may take a moment to be listed
CLOCKS_DIFFER = timedelta(minutes=1)  # the provider's and ours

# What the provider calls the state of the agent's call, and what that shows at least.
STATES = {
    "queued": State.RINGING_AGENT,
    "initiated": State.RINGING_AGENT,
    "ringing": State.RINGING_AGENT,
    "in-progress": State.AGENT_ANSWERED,
    "completed": State.AGENT_DECLINED,
    "busy": State.AGENT_NO_ANSWER,
    "no-answer": State.AGENT_NO_ANSWER,
    "canceled": State.AGENT_NO_ANSWER,
    "failed": State.FAILED,
}


def start_thread(work: Callable[[], None]) -> None:
    """Begin this in a thread that keeps no process from ending: what it looks for, another process finds later."""
    Thread(target=work, name="zorglijn-looker", daemon=True).start()


class Lookout:
    """Looks calls up: soon after they were placed, and whenever they have been silent for too long."""

    def __init__(
        self,
        database: Database,
        provider: Provider,
        clock: Callable[[], datetime],
        line_number: str | None,
        *,
        claim_lasts: timedelta = CLAIM_LASTS,
        sleep: Callable[[float], None] = time.sleep,
        start: Callable[[Callable[[], None]], None] = start_thread,
    ) -> None:
        self._database, self._provider, self._clock = database, provider, clock
        self._line_number, self._claim_lasts, self._sleep, self._start = line_number, claim_lasts, sleep, start
        self._missed_at: dict[int, datetime] = {}  # when a call was first looked up in vain

    def look_soon(self, outgoing: Outgoing, pauses: Sequence[float] = LOOK_AFTER) -> None:
        """Look this call up in the background, after each of these pauses (seconds), until something is known."""
        self._start(partial(self._keep_looking, outgoing.public_id, pauses))

    def reconcile(self) -> int:
        """As `Ringer.reconcile`."""
        silent = self._database.read(lambda c: silent_for_long(c, self._clock()))
        return sum(self._reconcile(outgoing) for outgoing in silent)

    def tell(
        self, outgoing: Outgoing, state: State, *, provider_sid: str | None = None, error: str | None = None
    ) -> None:
        """Store what is known of a call now; DatabaseUnavailable."""
        now, lasts = self._clock(), self._claim_lasts
        known = partial(calling.advance, provider_sid=provider_sid, error=error, lasts=lasts)
        self._database.write(lambda c: known(c, outgoing.id, state, now))

    def _keep_looking(self, public_id: str, pauses: Sequence[float]) -> None:
        for seconds in pauses:
            self._sleep(seconds)
            if self._is_settled(public_id):
                return

    def _reconcile(self, outgoing: Outgoing) -> bool:
        """Whether a call that was silent for too long has ended."""
        was_missed = outgoing.id in self._missed_at
        self._is_settled(outgoing.public_id)
        known = self._read(outgoing.public_id)
        if known.is_live and self._clock() - known.changed_at >= silence_of(known.state) + PATIENCE:
            self.tell(known, State.NOT_PLACED if known.state in UNHEARD else State.AGENT_NO_ANSWER)
            return True
        if outgoing.id in self._missed_at and not was_missed:
            self.look_soon(outgoing, LOOK_AFTER[-1:])  # an agent may wait for it: sooner than the next sweep
        return not known.is_live

    def _is_settled(self, public_id: str) -> bool:
        """Look a call up, and whether that told what became of it; provider and database may fail in whatever way."""
        try:
            return self._look_up(self._read(public_id))
        except Exception as error:  # noqa: BLE001  another look may do better; its words may hold numbers
            log.warning("look_up_failed", extra={"error": type(error).__name__})
            return False

    def _look_up(self, outgoing: Outgoing) -> bool:
        now = self._clock()
        was_heard = outgoing.state not in UNHEARD and now - outgoing.changed_at < silence_of(outgoing.state)
        if not outgoing.is_live or was_heard:
            return True
        since = outgoing.asked_at - CLOCKS_DIFFER
        found = self._provider.find(outgoing.agent_phone, since) if outgoing.agent_phone else ()
        ours = self._own(outgoing, [call for call in found if call.created_at is None or call.created_at >= since])
        if ours is None:
            return self._miss(outgoing, now)
        self._missed_at.pop(outgoing.id, None)
        state = STATES.get(ours.status, State.RINGING_AGENT)
        self.tell(outgoing, state, provider_sid=ours.sid, error="provider" if state is State.FAILED else None)
        return True

    def _own(self, outgoing: Outgoing, found: Iterable[Found]) -> Found | None:
        """Which of these calls is this one: the one with its SID, else the newest that is no other row's."""
        if outgoing.provider_sid is not None:
            return next((call for call in found if call.sid == outgoing.provider_sid), None)
        from_us = [call for call in found if call.from_ in ("", self._line_number)]
        sids = [call.sid for call in from_us]
        taken = self._database.read(lambda c: sids_of_others(c, outgoing.id, sids))
        free = [call for call in from_us if call.sid not in taken]
        return max(free, key=lambda call: call.created_at or outgoing.asked_at, default=None)

    def _miss(self, outgoing: Outgoing, now: datetime) -> bool:
        """It is not there: whether that is so for the second time, long enough after the first."""
        if outgoing.state not in UNHEARD or now - self._missed_at.setdefault(outgoing.id, now) < BETWEEN_MISSES:
            return False
        self.tell(outgoing, State.NOT_PLACED)
        self._missed_at.pop(outgoing.id, None)
        return True

    def _read(self, public_id: str) -> Outgoing:
        return self._database.read(lambda c: calling.find(c, public_id))
