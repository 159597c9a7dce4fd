"""How the caller's phone reaches the line: over real HTTP, or through a Flask test client without any server.

A transport carries one signed form there and the answer back; it knows nothing of calls. `phone` uses it.
"""

from __future__ import annotations

import http.client
import select
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlencode, urlsplit

from ivr.phone_errors import NoAnswer, NoConnection

if TYPE_CHECKING:
    from flask.testing import FlaskClient

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 15.0
LARGEST_ANSWER = 256 * 1024  # bytes; a document is refused long before this

Form = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Answer:
    """What came back for one form."""

    status: int
    content_type: str
    body: str


class Transport(Protocol):
    """Carries a form to a URL; NoConnection when nothing was delivered, NoAnswer when no complete answer came."""

    def post(self, url: str, form: Form, headers: Mapping[str, str]) -> Answer:
        """Post this form with these headers."""
        ...  # pragma: no cover


def encode(form: Form) -> bytes:
    """Encode a form as it goes over the wire."""
    return urlencode(form).encode("ascii")


class HttpTransport:
    """Real HTTP with kept connections, as the provider has it: 5 s to connect, 15 s in all. Not for several threads.

    `connect_to` ("127.0.0.1:8000") reaches a server elsewhere than its public URL says, which is what is signed.
    """

    def __init__(
        self, *, connect_to: str | None = None, connect: float = CONNECT_SECONDS, answer: float = ANSWER_SECONDS
    ) -> None:
        self._connect_to = connect_to
        self._connect_seconds = connect
        self._answer_seconds = answer
        self._kept: dict[tuple[str, str], http.client.HTTPConnection] = {}

    def post(self, url: str, form: Form, headers: Mapping[str, str]) -> Answer:
        """Post this form and wait for the whole answer."""
        parts = urlsplit(url)
        key = (parts.scheme, parts.netloc)
        deadline = time.monotonic() + self._answer_seconds
        connection = self._connection(key, url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            connection.request("POST", target, encode(form), {**headers, "Host": parts.netloc})
            return _read(connection, deadline)
        except (OSError, http.client.HTTPException) as error:
            self._drop(key)
            raise NoAnswer(url, _reason(error)) from error

    def close(self) -> None:
        """Close the kept connections."""
        for key in list(self._kept):
            self._drop(key)

    def _connection(self, key: tuple[str, str], url: str) -> http.client.HTTPConnection:
        kept = self._kept.get(key)
        if kept is not None and _is_usable(kept):
            return kept
        self._drop(key)
        scheme, address = key
        kind = http.client.HTTPSConnection if scheme == "https" else http.client.HTTPConnection
        if self._connect_to is not None:
            kind, address = http.client.HTTPConnection, self._connect_to
        connection = kind(address, timeout=self._connect_seconds)
        try:
            connection.connect()
        except OSError as error:
            connection.close()
            raise NoConnection(url, _reason(error)) from error
        connection.sock.settimeout(self._answer_seconds)
        self._kept[key] = connection
        return connection

    def _drop(self, key: tuple[str, str]) -> None:
        connection = self._kept.pop(key, None)
        if connection is not None:
            connection.close()


class FlaskTransport:
    """Calls the line's application in this process, through Flask's test client."""

    def __init__(self, client: FlaskClient) -> None:
        self._client = client

    def post(self, url: str, form: Form, headers: Mapping[str, str]) -> Answer:
        """Post this form to the application."""
        response = self._client.post(url, data=encode(form), headers=dict(headers))
        answer = Answer(response.status_code, response.headers.get("Content-Type", ""), response.get_data(as_text=True))
        response.close()
        return answer


def _is_usable(connection: http.client.HTTPConnection) -> bool:
    """Whether a kept connection still stands: one that has something to read was closed by the other side.

    Looking first is safer than sending again after a failure, which could deliver a form twice.
    """
    if connection.sock is None:
        return False
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return not poll.poll(0)


def _read(connection: http.client.HTTPConnection, deadline: float) -> Answer:
    response = connection.getresponse()
    try:
        body = _body(response, deadline)
    finally:
        response.close()  # whole or not: an answer without a length holds the connection itself
    return Answer(response.status, response.headers.get("Content-Type", ""), body.decode("utf-8", "replace"))


def _body(response: http.client.HTTPResponse, deadline: float) -> bytes:
    parts: list[bytes] = []
    size = 0
    while part := response.read1(65536):
        parts.append(part)
        size += len(part)
        if time.monotonic() > deadline:
            raise TimeoutError("the answer took too long")
        if size > LARGEST_ANSWER:
            raise http.client.HTTPException(f"the answer is longer than {LARGEST_ANSWER} bytes")
    if response.length:
        raise http.client.IncompleteRead(b"".join(parts), response.length)
    return b"".join(parts)


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
