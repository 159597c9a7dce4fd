"""The provider, as lean as an attack needs it: it signs any bytes for any address and reads answers strictly.

`Wire` keeps one connection and gives back only complete answers; `raw` sends what no HTTP library would send.
"""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from ivr.signature import Verifier
from settings import REHEARSAL_ACCOUNT_SID, REHEARSAL_AUTH_TOKEN

Pairs = Sequence[tuple[str, str]]
FORM = "application/x-www-form-urlencoded"
ANSWER_SECONDS = 15.0  # as long as the provider waits


class Unanswered(Exception):
    """No complete answer came: nothing is known of what became of the request."""


@dataclass(frozen=True)
class Answer:
    """A complete answer."""

    status: int
    kind: str
    body: str

    @property
    def action(self) -> str | None:
        """Where the caller's next answer goes; None where the line hangs up."""
        found = re.search(r'<(?:Gather|Record)[^>]* action="([^"]+)"', self.body)
        return found[1] if found else None


def about(call_sid: str, from_: str = "+31612345678", **form: str) -> list[tuple[str, str]]:
    """The parameters of a webhook."""
    return [
        ("CallSid", call_sid),
        ("AccountSid", REHEARSAL_ACCOUNT_SID),
        ("From", from_),
        ("To", "+31402512738"),
        ("CallStatus", form.pop("CallStatus", "in-progress")),
        ("Direction", "inbound"),
        ("ApiVersion", "2010-04-01"),
        *form.items(),
    ]


def signature(base_url: str, target: str, pairs: Pairs, token: str = REHEARSAL_AUTH_TOKEN) -> str:
    """What the provider puts into X-Twilio-Signature."""
    return Verifier(REHEARSAL_ACCOUNT_SID, token, base_url).sign(target, pairs).decode()


@dataclass
class Wire:
    """One kept connection to a line on this port."""

    port: int
    timeout: float = ANSWER_SECONDS
    token: str = REHEARSAL_AUTH_TOKEN
    _kept: http.client.HTTPConnection | None = field(default=None, init=False)

    @property
    def base_url(self) -> str:
        """The address that is signed."""
        return f"http://127.0.0.1:{self.port}"

    def post(self, target: str, pairs: Pairs) -> Answer:
        """Send a signed form; Unanswered when no whole answer came back."""
        headers = {"X-Twilio-Signature": signature(self.base_url, target, pairs, self.token), "Content-Type": FORM}
        return self.send("POST", target, urlencode(pairs).encode(), headers)

    def get(self, target: str) -> Answer:
        """Ask for a page."""
        return self.send("GET", target, b"", {})

    def send(self, method: str, target: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send these bytes as they are."""
        if self._kept is None:
            self._kept = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout)
        try:
            self._kept.request(method, target, body=body, headers=dict(headers))
            response = self._kept.getresponse()
            return Answer(response.status, response.headers.get("Content-Type", ""), response.read().decode("utf-8"))
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Unanswered(type(error).__name__) from error

    def close(self) -> None:
        """Hang up the connection."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None


@contextlib.contextmanager
def wire(port: int, timeout: float = ANSWER_SECONDS) -> Iterator[Wire]:
    """A connection for the length of a block."""
    made = Wire(port, timeout)
    try:
        yield made
    finally:
        made.close()


def raw(port: int, data: bytes, seconds: float = 10.0, *, hangs_up: bool = True) -> bytes:
    """Send bytes that need not be HTTP, end the sending side, and give all that comes back.

    The server may take that end for a hang-up and say nothing; who wants its answer asks for `Connection: close`.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as line:
        with contextlib.suppress(OSError):  # a server may refuse before it has read everything
            line.sendall(data)
            if hangs_up:
                line.shutdown(socket.SHUT_WR)
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while part := line.recv(65536):
                received += part
    return received
