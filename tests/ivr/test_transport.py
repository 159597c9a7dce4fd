"""A phone's forms travel over real HTTP, and a line that is down, slow or broken is told apart."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from flask import Flask, Response, request

from ivr.phone_errors import NoAnswer, NoConnection
from ivr.transport import FlaskTransport, HttpTransport, encode

FORM = [("Digits", "1"), ("SpeechResult", "één & twee")]
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 11\r\n\r\n<Response/>"


class Closing(bytes):
    """An answer after which the server closes the connection, as it does with idle ones."""


class Dripping(bytes):
    """An answer that comes a byte at a time, each long before a silence would count."""


class RawServer:
    """Sends raw answers, one for each request in turn; None closes the connection instead."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self.closed = threading.Event()
        self._answers: list[bytes | None] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(5)
        self.base = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._run)

    def answers(self, *answers: bytes | None) -> str:
        self._answers = list(answers)
        self._thread.start()
        return self.base

    def _run(self) -> None:
        while self._answers:
            connection = self._listener.accept()[0]
            self.connections += 1
            with connection, contextlib.suppress(ConnectionError):
                connection.settimeout(5)
                self._serve(connection)
            self.closed.set()

    def _serve(self, connection: socket.socket) -> None:
        """Until the phone closes the connection, or an answer says that we do."""
        while request := self._request(connection):
            self.requests.append(request)
            answer = self._answers.pop(0)
            if answer is None:
                return
            for start in range(len(answer)) if isinstance(answer, Dripping) else ():
                connection.sendall(answer[start : start + 1])
                time.sleep(0.02)
            connection.sendall(b"" if isinstance(answer, Dripping) else answer)
            if isinstance(answer, Closing):
                return

    def _request(self, connection: socket.socket) -> bytes:
        """One whole request: its head and its body can come apart."""
        request = b""
        while not request.endswith(encode(FORM)):
            part = connection.recv(65536)
            if not part:
                return b""
            request += part
        return request

    def close(self) -> None:
        if self._thread.ident is not None:
            self._thread.join(10)
        self._listener.close()


@pytest.fixture
def server() -> Iterator[RawServer]:
    server = RawServer()
    yield server
    server.close()


@pytest.fixture
def transport(server: RawServer) -> Iterator[HttpTransport]:  # closed before the server, which waits for that
    transport = HttpTransport(answer=0.3)
    yield transport
    transport.close()


def test_a_form_arrives_whole_and_its_answer_comes_back(server: RawServer, transport: HttpTransport) -> None:
    base = server.answers(OK)
    answer = transport.post(f"{base}/voice/turn/1?again=1", FORM, {"X-Twilio-Signature": "s"})
    assert (answer.status, answer.content_type, answer.body) == (200, "text/xml", "<Response/>")
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /voice/turn/1?again=1 HTTP/1.1")
    assert b"X-Twilio-Signature: s" in head
    assert body == encode(FORM) == b"Digits=1&SpeechResult=%C3%A9%C3%A9n+%26+twee"


def test_a_connection_is_kept_and_a_failure_does_not_spoil_the_next(
    server: RawServer, transport: HttpTransport
) -> None:
    base = server.answers(OK, OK, None, OK)
    assert transport.post(base, FORM, {}).status == 200
    assert transport.post(base, FORM, {}).status == 200
    assert server.connections == 1
    with pytest.raises(NoAnswer):
        transport.post(base, FORM, {})
    assert transport.post(base, FORM, {}).status == 200
    assert len(server.requests) == 4


def test_a_connection_that_the_line_has_closed_since_is_made_anew(server: RawServer, transport: HttpTransport) -> None:
    base = server.answers(Closing(OK), OK)
    assert transport.post(base, FORM, {}).status == 200
    server.closed.wait(5)
    assert transport.post(base, FORM, {}).status == 200
    assert len(server.requests) == server.connections == 2


def test_a_public_url_can_be_reached_at_another_address(server: RawServer) -> None:
    base = server.answers(OK)
    transport = HttpTransport(connect_to=base.removeprefix("http://"))
    assert transport.post("https://line.example/voice/incoming", FORM, {}).status == 200
    assert b"Host: line.example" in server.requests[0]
    transport.close()


def test_nobody_listening_means_nothing_was_delivered() -> None:
    transport = HttpTransport()
    with socket.create_server(("127.0.0.1", 0)) as gone:
        url = f"http://127.0.0.1:{gone.getsockname()[1]}/"
    with pytest.raises(NoConnection):
        transport.post(url, FORM, {})


BROKEN = {
    "silent": b"",
    "closed": None,
    "cut short": OK[:-4],
    "no http": b"I am not a web server\r\n\r\n",
    "far too long": Closing(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 400_000),
    "a byte at a time": Dripping(OK),
}


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN.keys())
def test_no_complete_answer_in_time_is_no_answer(
    server: RawServer, transport: HttpTransport, answer: bytes | None
) -> None:
    with pytest.raises(NoAnswer) as failed:
        transport.post(server.answers(answer), FORM, {})
    assert type(failed.value) is NoAnswer


def test_an_application_can_be_called_without_a_server() -> None:
    app = Flask("line")

    @app.post("/voice/incoming")
    def incoming() -> Response:
        assert request.url == "https://line.example/voice/incoming?x=1"
        return Response(request.form["SpeechResult"] + request.headers["X-Twilio-Signature"], mimetype="text/xml")

    answer = FlaskTransport(app.test_client()).post(
        "https://line.example/voice/incoming?x=1",
        FORM,
        {"X-Twilio-Signature": "s", "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"},
    )
    assert (answer.status, answer.content_type, answer.body) == (200, "text/xml; charset=utf-8", "één & twees")
