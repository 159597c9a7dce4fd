"""Asks the provider to ring an agent, in the background: the only place that makes a call.

`calling` has stored what is wanted before anything is asked here; a row is taken once, so that whatever goes wrong, at
most one call is made for it. Where no clear answer comes, `looking_up` finds out. Nothing here runs in a web request,
nor within a transaction, and no phone number is logged.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Lock

from callbacks import calling
from callbacks.call_states import RING_SECONDS, TIME_LIMIT, State
from callbacks.calling_views import Outgoing
from callbacks.db import Database
from callbacks.lifecycle import CLAIM_LASTS
from callbacks.looking_up import Lookout, start_thread
from callbacks.provider import Busy, PlaceCall, Provider, Refused

log = logging.getLogger("zorglijn.ringing")

WORKERS = 4
ASK_AGAIN_AFTER = (1.0, 3.0)  # seconds, where the provider was asked too often and made no call
CONNECTING = timedelta(minutes=3)  # the agent's call lasts as long as both may speak, and what comes before


class Ringer:
    """Places calls and reconciles them; one for each process, whose threads are made when they are needed."""

    def __init__(
        self,
        database: Database,
        provider: Provider,
        clock: Callable[[], datetime],
        base_url: str,
        line_number: str | None,
        *,
        claim_lasts: timedelta = CLAIM_LASTS,
        sleep: Callable[[float], None] = time.sleep,
        start: Callable[[Callable[[], None]], None] = start_thread,
    ) -> None:
        self._database, self._provider, self._clock = database, provider, clock
        self._base_url, self._line_number, self._sleep = base_url.rstrip("/"), line_number, sleep
        self._lookout = Lookout(
            database, provider, clock, line_number, claim_lasts=claim_lasts, sleep=sleep, start=start
        )
        self._pool: ThreadPoolExecutor | None = None
        self._making = Lock()

    def ring(self, public_id: str) -> None:
        """Have a stored call placed, in the background; where this process ends first, `reconcile` finds it."""
        try:
            self._workers().submit(self.place, public_id)
        except RuntimeError:  # the process is about to end
            log.warning("call_left_to_reconcile")

    def place(self, public_id: str) -> None:
        """Ask the provider for a stored call, unless somebody has; never raises, for nobody waits to hear it."""
        try:
            outgoing = self._database.write(lambda c: calling.take_to_place(c, public_id, self._clock()))
            if outgoing is not None:
                self._place(outgoing)
        except Exception as error:  # noqa: BLE001  the row stays, and is reconciled; a traceback may hold numbers
            log.warning("call_left_to_reconcile", extra={"error": type(error).__name__})

    def reconcile(self) -> int:
        """Find out about every live call of which nothing was heard for too long; how many of them have ended.

        DatabaseUnavailable, and nothing else.
        """
        return self._lookout.reconcile()

    def _workers(self) -> ThreadPoolExecutor:
        with self._making:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="zorglijn-ringer")
            return self._pool

    def _place(self, outgoing: Outgoing) -> None:
        tell = self._lookout.tell
        wanted = self._wanted(outgoing)
        if not outgoing.is_still_theirs:
            tell(outgoing, State.STOPPED)
        elif wanted is None:
            tell(outgoing, State.FAILED, error="no_phone" if self._line_number else "no_line_number")
        else:
            try:
                sid = self._ask(wanted)
            except Refused as refused:
                log.warning("call_refused", extra={"error": refused.code})
                tell(outgoing, State.FAILED, error=refused.code)
            except Busy:
                tell(outgoing, State.FAILED, error="busy")
            except Exception as error:  # noqa: BLE001  whatever it is, the call may have been made
                log.warning("call_uncertain", extra={"error": type(error).__name__})
                tell(outgoing, State.UNCERTAIN)
                self._lookout.look_soon(outgoing)
            else:
                tell(outgoing, State.RINGING_AGENT, provider_sid=sid)

    def _wanted(self, outgoing: Outgoing) -> PlaceCall | None:
        """What the provider is asked for; None where the agent or the line has no number."""
        if outgoing.agent_phone is None or self._line_number is None:
            return None
        address = f"{self._base_url}/voice/callback/{outgoing.public_id}"
        return PlaceCall(
            to=outgoing.agent_phone,
            from_=self._line_number,
            url=f"{address}/agent",
            status_url=f"{address}/status",
            ring_seconds=RING_SECONDS,
            longest_seconds=int((TIME_LIMIT + CONNECTING).total_seconds()),
        )

    def _ask(self, wanted: PlaceCall) -> str:
        """The SID of the call that was made. Only a provider that certainly made none is asked again."""
        for seconds in ASK_AGAIN_AFTER:
            try:
                return self._provider.place(wanted)
            except Busy:
                self._sleep(seconds)
        return self._provider.place(wanted)
