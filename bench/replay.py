"""Makes the measured call without any server: the application in this process, one request after the other.

For the stop-watch of `breakdown`, and for the tests that look at what is said and what is loaded.
"""

from __future__ import annotations

import io
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from wsgiref.types import WSGIApplication

from bench.steps import Request


@dataclass(frozen=True)
class Answered:
    """One answer: its document, and how long the application took for it in nanoseconds."""

    document: str
    took: int


def replay(app: WSGIApplication, calls: Iterable[Iterable[Request]]) -> Iterator[Answered]:
    """Make these calls; AssertionError when an answer is not the one that the step should have."""
    for call in calls:
        for request in call:
            yield _ask(app, request)


def _ask(app: WSGIApplication, request: Request) -> Answered:
    environ, statuses = _environ(request), list[str]()

    def start(status: str, headers: object, error: object = None, /) -> Any:  # noqa: ANN401, ARG001  WSGI's own
        statuses.append(status)

    began = time.perf_counter_ns()
    body = b"".join(app(environ, start))
    took = time.perf_counter_ns() - began
    assert statuses[0].startswith("200 "), (statuses, body)
    assert request.expects in body, (request.expects, body)
    return Answered(body.decode(), took)


def _environ(request: Request) -> dict[str, Any]:
    head, _, body = request.wire.partition(b"\r\n\r\n")
    first, *headers = head.decode().split("\r\n")
    path = first.split()[1]
    pairs = (header.partition(": ")[::2] for header in headers)
    named = {name.upper().replace("-", "_"): value for name, value in pairs}
    environ = {name if name.startswith("CONTENT_") else f"HTTP_{name}": value for name, value in named.items()}
    host, _, port = named["HOST"].partition(":")
    server = {"SERVER_NAME": host, "SERVER_PORT": port, "SERVER_PROTOCOL": "HTTP/1.1", "SCRIPT_NAME": ""}
    wsgi = {"wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(body), "wsgi.errors": io.StringIO()}
    return environ | server | wsgi | {"REQUEST_METHOD": "POST", "PATH_INFO": path, "RAW_URI": path, "QUERY_STRING": ""}
