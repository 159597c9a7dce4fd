"""Starts the web server: several worker processes, each with threads, that share the port and the database.

Figures behind the choice of server and its numbers are in docs/performance.md.
"""

from __future__ import annotations

from typing import Any

from gunicorn.app.base import BaseApplication

GRACE_SECONDS = 20  # after SIGTERM a caller's turn is finished; the provider waits 15 seconds for one


class Server(BaseApplication):  # type: ignore[misc]  # the package has no types
    """The web server, configured by values instead of a file."""

    def __init__(self, application: str, options: dict[str, Any]) -> None:
        self._application = application
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        """Hand the options on."""
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:  # noqa: ANN401  a WSGI application, whatever the factory makes
        """The application, made in the worker."""
        from gunicorn.util import import_app

        return import_app(self._application)


def run(application: str, *, host: str, port: int, workers: int, threads: int) -> None:
    """Serve until told to stop."""
    Server(
        application,
        {
            "bind": f"{host}:{port}",
            "workers": workers,
            "threads": threads,
            "worker_class": "gthread",
            "reuse_port": True,
            "keepalive": 30,
            "graceful_timeout": GRACE_SECONDS,
            "loglevel": "warning",
            "accesslog": None,  # an access log would hold what callers do, beside our own events
            "limit_request_line": 2048,
        },
    ).run()


def welcome(base_url: str, database_url: str) -> str:
    """Where the phone is and how to see the queue, for somebody who has just started a rehearsal."""
    return "\n".join(
        (
            "",
            "  Zorglijn is listening (rehearsal: nobody is really called).",
            "",
            f"  The phone in your browser   {base_url}/phone",
            "  The phone in a terminal     .venv/bin/zorglijn rehearse",
            "  The queue                   .venv/bin/zorglijn callbacks list",
            f"  The database                {database_url}",
            "",
        )
    )
