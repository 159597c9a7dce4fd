"""Every minute, while a web worker lives: ends the calls and the claims that nobody ended, and looks calls back up.

Every worker sweeps: a call that two of them find is ended once, because `switchboard` stores it once.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from threading import Thread

from callbacks import queue
from callbacks.errors import CallbackError
from callbacks.ringing import Ringer
from ivr.switchboard import Switchboard

log = logging.getLogger("zorglijn.sweeper")

EVERY_SECONDS = 60.0


def start(switchboard: Switchboard, ringer: Ringer | None = None, every_seconds: float = EVERY_SECONDS) -> None:
    """Sweep in the background from now on; the threads keep nobody from ending the process.

    Calls back are looked up in a thread of their own: a provider that hangs makes every look-up last as long as it may,
    and claims must run out and calls be ended meanwhile.
    """
    work: dict[str, Callable[[], object]] = {"sweeper": lambda: sweep_once(switchboard)}
    if ringer is not None:
        work["reconciler"] = lambda: reconcile_once(ringer)
    for name, round_ in work.items():
        Thread(target=_do_for_ever, args=(round_, every_seconds), name=name, daemon=True).start()


def _do_for_ever(round_: Callable[[], object], every_seconds: float) -> None:
    while True:
        time.sleep(every_seconds * random.uniform(0.5, 1.0))  # noqa: S311  so that workers take turns; no secret
        round_()


def sweep_once(switchboard: Switchboard) -> int:
    """One sweep; what it could not do is left for the next one. How many calls were ended."""
    try:
        swept = switchboard.sweep()
        switchboard.database.write(lambda connection: queue.expire_claims(connection, switchboard.clock()))
    except CallbackError as error:
        log.warning("sweep_failed", extra={"error": type(error).__name__})
        return 0
    except Exception as error:  # the next sweep may do better, and there must be one
        log.exception("sweep_failed", extra={"error": type(error).__name__})
        return 0
    if swept:
        log.info("calls_swept", extra={"count": swept})
    return swept


def reconcile_once(ringer: Ringer) -> int:
    """Find out about calls back of which nothing was heard, apart from the sweep: neither stops the other."""
    try:
        ended = ringer.reconcile()
    except Exception as error:  # the next time may do better, and there must be one
        log.exception("reconcile_failed", extra={"error": type(error).__name__})
        return 0
    if ended:
        log.info("calls_reconciled", extra={"count": ended})
    return ended
