"""Starts the web server: several worker processes, each with threads, that share the port and the database.

Why it is this server is in docs/decisions/2026-11-21-granian.md, and the figures behind the numbers of processes and
threads in docs/performance.md. `app.wsgi` makes the application in each worker.
"""

from __future__ import annotations

import os
import signal
import time
from multiprocessing import parent_process
from threading import Thread
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import Server

from ivr import logs

GRACE_SECONDS = 20  # after SIGTERM a caller's turn is finished; the provider waits 15 seconds for one
IDLE_SECONDS = 30  # how long a connection may stay without a whole head of a request on it
PAUSE_SECONDS = 0.5  # before beginning again
LARGEST_HEAD = 16 * 1024  # bytes: the request line and the headers together
# Leave the levels and handlers of `logs` as they are.
KEEP_LOGS: dict[str, Any] = {"incremental": True, "formatters": {}, "handlers": {}, "loggers": {}}


def run(application: str, *, host: str, port: int, workers: int, threads: int) -> None:
    """Serve until told to stop; workers that die are replaced, however often."""
    logs.configure()
    os.register_at_fork(after_in_child=_obey)
    while not _serve(application, host=host, port=port, workers=workers, threads=threads):
        pass  # several workers died within seconds: the server gives up then, and the line must not


def end_with_the_server() -> None:
    """In a worker: leave when the process that started it is gone, or the port would stay taken without anybody."""
    server = parent_process()
    if server is not None:
        Thread(target=_follow, args=(server,), name="zorglijn-follower", daemon=True).start()


def welcome(base_url: str, database_url: str) -> str:
    """Where the phone is and how to see the queue, for somebody who has just started a rehearsal."""
    return "\n".join(
        (
            "",
            "  Zorglijn is listening (rehearsal: nobody is really called).",
            "",
            f"  The phone in your browser   {base_url}/phone",
            "  The phone in a terminal     .venv/bin/zorglijn rehearse",
            f"  The queue in your browser   {base_url}/console/",
            "  The queue in a terminal     .venv/bin/zorglijn callbacks list",
            f"  The database                {database_url}",
            "",
        )
    )


def _serve(application: str, *, host: str, port: int, workers: int, threads: int) -> bool:
    """Whether it was told to stop."""
    server = Server(
        application,
        factory=True,
        interface=Interfaces.WSGI,
        address=host,
        port=port,
        workers=workers,
        blocking_threads=threads,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=IDLE_SECONDS * 1000, max_buffer_size=LARGEST_HEAD),
        respawn_failed_workers=True,
        workers_kill_timeout=GRACE_SECONDS,
        log_level=LogLevels.error,  # and no access log: it would hold what callers do, beside our own events
        log_dictconfig=KEEP_LOGS,
    )
    try:
        server.serve()
    except SystemExit:
        if server.interrupt_signal:
            raise
    if not server.interrupt_signal:
        time.sleep(PAUSE_SECONDS)  # a signal may come meanwhile
    return bool(server.interrupt_signal)


def _obey() -> None:
    """A new worker has its parent's handlers, which do nothing in it: told to end while it starts, it would stay."""
    for told in (signal.SIGTERM, signal.SIGINT):
        signal.signal(told, signal.SIG_DFL)


def _follow(server: Any) -> None:  # noqa: ANN401  what multiprocessing calls a parent has no public type
    server.join()
    os.kill(os.getpid(), signal.SIGTERM)
