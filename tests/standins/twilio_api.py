"""A stand-in of the two addresses of Twilio's REST API that the line uses: make a call, and list the calls to a number.

It remembers every call that it made and every request that it got. How it answers the next requests to make a call is
scripted with `api.next(...)`; without a script it behaves. A behaviour is a function on one exchange: whatever a
network or a provider can do to a client is written down here once.
"""

from __future__ import annotations

import base64
import json
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit

ACCOUNT = "AC" + "5" * 32
TOKEN = "a token of the stand-in"
PATH = f"/2010-04-01/Accounts/{ACCOUNT}/Calls.json"
DRIP_SECONDS = 0.05  # between two bytes; a client that waits for each of them waits for ever

Form = dict[str, list[str]]


@dataclass
class MadeCall:
    """A call that the provider made, with what it was asked."""

    sid: str
    form: Form
    created_at: datetime
    status: str = "queued"
    direction: str = "outbound-api"

    @property
    def to(self) -> str:
        return self.form["To"][0]

    def as_json(self) -> dict[str, Any]:
        return {
            "sid": self.sid,
            "account_sid": ACCOUNT,
            "to": self.to,
            "from": self.form["From"][0],
            "status": self.status,
            "direction": self.direction,
            "api_version": "2010-04-01",
            "date_created": format_datetime(self.created_at),
            "start_time": format_datetime(self.created_at),
        }


@dataclass
class Exchange:
    """One request, for a behaviour to answer; whatever it has not answered, it leaves without a word."""

    api: TwilioApi
    form: Form
    handler: BaseHTTPRequestHandler

    def make(self) -> bytes:
        """Make the call; what is told of it."""
        return json.dumps(self.api.make(self.form).as_json()).encode()

    def send(self, status: int, body: bytes, kind: str = "application/json", **headers: str) -> None:
        """One whole answer."""
        self.handler.send_response(status)
        self.handler.send_header("Content-Type", kind)
        self.handler.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.handler.send_header(name, value)
        self.handler.end_headers()
        self.handler.wfile.write(body)

    def refuse(self, status: int, code: int, message: str = "No") -> None:
        """As the provider says that it made no call."""
        self.send(status, json.dumps({"status": status, "code": code, "message": message}).encode())


Behaviour = Callable[[Exchange], None]


def made(exchange: Exchange) -> None:
    """As it should be."""
    exchange.send(201, exchange.make())


def refused(status: int, code: int) -> Behaviour:
    """Say no, with a status and a code of the provider's own."""
    return lambda exchange: exchange.refuse(status, code, f"no call to {exchange.form['To'][0]}")


unauthenticated = refused(401, 20003)
too_many = refused(429, 20429)
invalid_number = refused(400, 21211)


def broken(exchange: Exchange) -> None:
    """Fail inside, before the call was made."""
    exchange.send(500, b"Internal Server Error", "text/plain")


def broken_after_making(exchange: Exchange) -> None:
    """Fail inside, after the call was made."""
    exchange.make()
    exchange.send(503, b"{}")


def slow(exchange: Exchange) -> None:
    """Make the call, and answer when the client has long given up."""
    body = exchange.make()
    exchange.api.closing.wait(exchange.api.patience)
    exchange.send(201, body)


def hung(exchange: Exchange) -> None:
    """Never answer, and make no call."""
    exchange.api.closing.wait(exchange.api.patience)


def cut_off(exchange: Exchange) -> None:
    """Make the call, and lose the line in the middle of the answer."""
    body = exchange.make()
    exchange.handler.send_response(201)
    exchange.handler.send_header("Content-Length", str(len(body)))
    exchange.handler.end_headers()
    exchange.handler.wfile.write(body[: len(body) // 2])


def cut_json(exchange: Exchange) -> None:
    """Make the call, and answer with half a document that claims to be whole."""
    body = exchange.make()
    exchange.send(201, body[: len(body) // 2])


def html(exchange: Exchange) -> None:
    """Somebody in between answers with a page."""
    exchange.make()
    exchange.send(200, b"<!doctype html><title>One moment</title>", "text/html")


def drip(exchange: Exchange) -> None:
    """Make the call, and answer a byte at a time."""
    body = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n\r\n" + exchange.make()
    for byte in body:
        exchange.handler.wfile.write(bytes([byte]))
        if exchange.api.closing.wait(DRIP_SECONDS):
            return


def endless(exchange: Exchange) -> None:
    """Make the call, and answer without an end."""
    exchange.make()
    exchange.handler.wfile.write(b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n\r\n")
    while not exchange.api.closing.is_set():
        exchange.handler.wfile.write(b" " * 65536)


def nonsense(exchange: Exchange) -> None:
    """Make the call, and answer in no language that there is."""
    exchange.make()
    exchange.handler.wfile.write(b"\x00\xff\x00\xff\r\n\r\n")


def nameless(exchange: Exchange) -> None:
    """Make the call, and forget to say which it is."""
    exchange.make()
    exchange.send(201, b"{}")


def redirect_to(url: str) -> Behaviour:
    """Send the client elsewhere."""
    return lambda exchange: exchange.send(307, b"", Location=url)


def answered_twice(exchange: Exchange) -> None:
    """Make one call, and say so twice."""
    body = exchange.make()
    exchange.send(201, body)
    exchange.send(201, body)


def made_twice(exchange: Exchange) -> None:
    """Make two calls of one request, and answer with both."""
    exchange.send(201, exchange.make())
    exchange.send(201, exchange.make())


@dataclass
class TwilioApi:
    """The stand-in; use it as a context manager. `patience` is how long it keeps a client waiting (seconds)."""

    patience: float = 1.0
    page_size: int = 50
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    calls: list[MadeCall] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)  # method and path, with its query
    closing: threading.Event = field(default_factory=threading.Event)
    list_fails: bool = False
    _script: deque[Behaviour] = field(default_factory=deque)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> Self:
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def next(self, *behaviours: Behaviour) -> None:
        """How the next requests to make a call are answered, one each."""
        with self._lock:
            self._script.extend(behaviours)

    def asked(self, method: str) -> int:
        """How many requests there were of this kind."""
        with self._lock:
            return sum(one == method for one, _ in self.requests)

    def make(self, form: Form) -> MadeCall:
        with self._lock:
            call = MadeCall(f"CA{len(self.calls) + 1:032x}", form, self.now())
            self.calls.append(call)
        return call

    def take_behaviour(self, method: str, path: str) -> Behaviour:
        with self._lock:
            self.requests.append((method, path))
            return self._script.popleft() if method == "POST" and self._script else made

    def listed(self, query: Form) -> dict[str, Any]:
        """A page of the calls that fit, the newest first."""
        number = int(query.get("Page", ["0"])[0])
        since = query.get("StartTime>", ["1970-01-01T00:00:00Z"])[0]
        after = datetime.fromisoformat(since)
        with self._lock:
            fits = [
                call
                for call in reversed(self.calls)
                if call.to == query.get("To", [call.to])[0] and call.created_at >= after
            ]
        page = fits[number * self.page_size : (number + 1) * self.page_size]
        more = {name: values[0] for name, values in query.items()} | {"Page": str(number + 1)}
        follows = len(fits) > (number + 1) * self.page_size
        return {
            "calls": [call.as_json() for call in page],
            "page": number,
            "page_size": self.page_size,
            "next_page_uri": f"{PATH}?{urlencode(more)}" if follows else None,
        }


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, api: TwilioApi) -> None:
        self.api = api
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that has hung up is what some behaviours wait for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())
        behaviour = self.server.api.take_behaviour("POST", self.path)
        exchange = Exchange(self.server.api, form, self)
        with suppress(OSError):
            if self._is_known(exchange):
                behaviour(exchange)
        self.close_connection = True

    def do_GET(self) -> None:
        self.server.api.take_behaviour("GET", self.path)
        exchange = Exchange(self.server.api, {}, self)
        if self.server.api.list_fails:
            broken(exchange)
        elif self._is_known(exchange):
            query = parse_qs(urlsplit(self.path).query)
            exchange.send(200, json.dumps(self.server.api.listed(query)).encode())
        self.close_connection = True

    def _is_known(self, exchange: Exchange) -> bool:
        """Whether account, token and address are right; who is not known is told so."""
        wanted = "Basic " + base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
        if self.headers.get("Authorization") != wanted:
            exchange.refuse(401, 20003, "Authenticate")
        elif urlsplit(self.path).path != PATH:
            exchange.refuse(404, 20404, "Not found")
        else:
            return True
        return False

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name is the library's
        """Say nothing: what it got is remembered."""
