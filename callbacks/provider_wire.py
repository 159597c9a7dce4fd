"""How the provider's own client reaches it: one request on a connection of its own, in bounded time, to one host.

The client knows the provider's addresses; here only their path is kept, so that what it asks goes to the configured
host: a test's stand-in, the rehearsal, or a provider that speaks the same language. Nothing is tried again, no redirect
is followed, no proxy of the environment is used, and nothing is logged: addresses and forms hold phone numbers.
"""

from __future__ import annotations

import base64
import http.client
import socket
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from threading import Timer
from urllib.parse import urlencode, urlsplit

from callbacks.errors import CallbackError

CONNECT_SECONDS = 3.05
ANSWER_SECONDS = 10.0  # for the whole answer, also where it comes a byte at a time
LARGEST_ANSWER = 1024 * 1024  # bytes


class NotDelivered(CallbackError):
    """There was no connection: the provider was certainly asked nothing."""


class BrokenAnswer(CallbackError):
    """No whole answer came, and the provider may have done what it was asked."""


@dataclass(frozen=True)
class Answer:
    """What came back, as the client reads it."""

    status_code: int
    text: str
    headers: Mapping[str, str]

    @property
    def content(self) -> str:
        """The text once more, by the name that the client's own answers have for it."""
        return self.text

    @property
    def ok(self) -> bool:
        """Whether it is no error."""
        return self.status_code < http.client.BAD_REQUEST


class Wire:
    """What the provider's client wants for its `http_client`. One request, one connection; may be shared by threads."""

    is_async = False

    def __init__(
        self, base_url: str, *, connect_seconds: float = CONNECT_SECONDS, answer_seconds: float = ANSWER_SECONDS
    ) -> None:
        parts = urlsplit(base_url)
        self._is_encrypted, self._address, self._prefix = parts.scheme == "https", parts.netloc, parts.path.rstrip("/")
        self._connect_seconds, self._answer_seconds = connect_seconds, answer_seconds

    def request(  # noqa: PLR0917  the names and the order are those of the client
        self,
        method: str,
        uri: str,
        params: Mapping[str, object] | None = None,
        data: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,  # noqa: ARG002  ours are always kept to
        allow_redirects: bool = False,  # noqa: ARG002, FBT001, FBT002  never
    ) -> Answer:
        """Ask, and wait for the whole answer; NotDelivered or BrokenAnswer."""
        parts = urlsplit(uri)
        query = "&".join(filter(None, (parts.query, urlencode(params or {}, doseq=True))))
        target = f"{self._prefix}{parts.path}" + (f"?{query}" if query else "")
        body = urlencode(data, doseq=True).encode() if data else None
        sent = {**(headers or {}), **_authorization(auth)}
        if body is not None:
            sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
        with closing(self._connected()) as connection:
            return self._exchange(connection, method.upper(), target, body, sent)

    def _connected(self) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self._is_encrypted else http.client.HTTPConnection
        connection = kind(self._address, timeout=self._connect_seconds)
        try:
            connection.connect()
        except OSError as error:
            connection.close()
            raise NotDelivered(type(error).__name__) from error
        return connection

    def _exchange(
        self, connection: http.client.HTTPConnection, method: str, target: str, body: bytes | None, sent: dict[str, str]
    ) -> Answer:
        """A socket's own time-out begins anew with every byte: so somebody else keeps the time, and hangs up."""
        line = connection.sock
        line.settimeout(self._answer_seconds)
        watch = Timer(self._answer_seconds, _hang_up, (line,))
        watch.daemon = True
        watch.start()
        try:
            connection.request(method, target, body, sent)
            with closing(connection.getresponse()) as response:
                answer = _read(response)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise BrokenAnswer(type(error).__name__) from error
        finally:
            watch.cancel()
        return answer


def _authorization(auth: tuple[str, str] | None) -> dict[str, str]:
    if auth is None:
        return {}
    return {"Authorization": "Basic " + base64.b64encode(":".join(auth).encode()).decode()}


def _hang_up(line: socket.socket) -> None:
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)


def _read(response: http.client.HTTPResponse) -> Answer:
    body = response.read(LARGEST_ANSWER + 1)
    if len(body) > LARGEST_ANSWER:
        raise http.client.HTTPException("the answer is too long")
    if response.length:  # `read` with a size does not complain where less came than was promised
        raise http.client.IncompleteRead(body, response.length)
    return Answer(response.status, body.decode("utf-8"), dict(response.getheaders()))
