"""A mail server for the tests: it keeps what it is given, or refuses, hangs, dribbles and cuts off on demand.

As much of SMTP as a client needs that hands in a message: EHLO, STARTTLS, AUTH PLAIN, MAIL, RCPT, DATA, QUIT.
"""

from __future__ import annotations

import base64
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from enum import StrEnum
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Event, Thread
from typing import cast

import pytest

from callbacks.mail_server import Security


class Manner(StrEnum):
    """How the server behaves."""

    WELL = "well"
    BUSY = "busy"  # 421 instead of a greeting
    CLOSED = "closed"  # 554 instead of a greeting
    WITHOUT_TLS = "without_tls"
    REFUSES_LOGIN = "refuses_login"
    REFUSES_SENDER = "refuses_sender"
    REFUSES_RECIPIENTS = "refuses_recipients"
    DELAYS_RECIPIENTS = "delays_recipients"
    REFUSES_ONE = "refuses_one"  # of the recipients
    REFUSES_MESSAGE = "refuses_message"
    DELAYS_MESSAGE = "delays_message"
    SILENT = "silent"  # not even a greeting
    HANGS = "hangs"  # after the message
    DRIBBLES = "dribbles"  # a greeting of a byte now and then, for ever
    CUTS_OFF = "cuts_off"  # after the message, which it keeps
    LEAVES = "leaves"  # after it has said that it took the message, without a goodbye
    BABBLES = "babbles"  # what it says is no SMTP


ANSWERS = {
    (Manner.REFUSES_SENDER, "MAIL"): "550 5.7.1 not from you, line@example.org",
    (Manner.REFUSES_RECIPIENTS, "RCPT"): "550 5.1.1 nobody of this name",
    (Manner.DELAYS_RECIPIENTS, "RCPT"): "451 4.7.1 greylisted, come back later",
    (Manner.REFUSES_MESSAGE, "."): "554 5.7.1 this looks like spam",
    (Manner.DELAYS_MESSAGE, "."): "452 4.3.1 no room at the moment",
}
PLAIN_ANSWERS = {"MAIL": "250 well", "RSET": "250 well", "QUIT": "221 goodbye"}


@dataclass
class MailRoom:
    """The server, and what it was given."""

    host: str = "localhost"
    port: int = 0
    security: Security = Security.NONE
    manner: Manner = Manner.WELL
    users: dict[str, str] = field(default_factory=dict)
    certificate: Path | None = None
    letters: list[EmailMessage] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)  # every command, also what was said before encryption
    is_over: Event = field(default_factory=Event)

    def context(self) -> ssl.SSLContext:
        """How it proves who it is."""
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(str(self.certificate))
        return made


class _Server(ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    room: MailRoom

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that leaves in the middle is no error here."""


class _Session(StreamRequestHandler):
    timeout = 30

    def handle(self) -> None:
        self.room = cast("_Server", self.server).room
        self.is_private = False
        with suppress(OSError, ValueError):  # the client left
            if self.room.security is Security.TLS:
                self._encrypt()
            if self._greets():
                while self._answers():
                    pass

    def _greets(self) -> bool:
        match self.room.manner:
            case Manner.SILENT:
                self.room.is_over.wait(30)
                return False
            case Manner.DRIBBLES:
                while not self.room.is_over.wait(0.05):
                    self.wfile.write(b"2")
                return False
            case Manner.BUSY:
                self._say("421 4.3.2 too busy")
                return False
            case Manner.CLOSED:
                self._say("554 5.3.2 not here")
                return False
            case Manner.BABBLES:
                self._say("HTTP/1.1 200 OK")
                return False
            case _:
                self._say("220 mail.example.org ESMTP")
                return True

    def _answers(self) -> bool:
        """One command; whether there may be another."""
        line = self.rfile.readline().decode("ascii").strip()
        self.room.said.append(line)
        word = line.partition(" ")[0].upper()
        answer = ANSWERS.get((self.room.manner, word)) or PLAIN_ANSWERS.get(word)
        if answer:
            self._say(answer)
            return word != "QUIT"
        match word:
            case "EHLO":
                self._say(*self._abilities())
            case "STARTTLS":
                self._say("220 go ahead")
                self._encrypt()
            case "AUTH":
                self._say("235 welcome" if self._knows(line) else "535 5.7.8 wrong password for the planted user")
            case "RCPT":
                self._take_recipient(line)
            case "DATA":
                return self._take_message()
            case _:
                return False
        return True

    def _abilities(self) -> list[str]:
        found = ["250-mail.example.org"]
        if self.room.security is Security.STARTTLS and not self.is_private and self.room.manner != Manner.WITHOUT_TLS:
            found.append("250-STARTTLS")
        if self.room.users:
            found.append("250-AUTH PLAIN")
        return [*found, "250 8BITMIME"]

    def _knows(self, line: str) -> bool:
        _, user, password = base64.b64decode(line.split()[2]).decode().split("\0")
        return self.room.users.get(user) == password and self.room.manner is not Manner.REFUSES_LOGIN

    def _take_recipient(self, line: str) -> None:
        address = line.partition("<")[2].partition(">")[0]
        if self.room.manner is Manner.REFUSES_ONE and not self.room.recipients:
            self.room.recipients.append("")
            self._say("550 5.1.1 nobody of this name")
            return
        self.room.recipients.append(address)
        self._say("250 well")

    def _take_message(self) -> bool:
        self._say("354 go ahead")
        lines: list[bytes] = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        refusal = ANSWERS.get((self.room.manner, "."))
        if refusal:
            self._say(refusal)
            return True
        self.room.raw.append(b"".join(lines))
        self.room.letters.append(message_from_bytes(b"".join(lines), policy=default))
        if self.room.manner is Manner.HANGS:
            self.room.is_over.wait(30)
        if self.room.manner in (Manner.HANGS, Manner.CUTS_OFF):
            return False
        self._say("250 taken")
        return self.room.manner is not Manner.LEAVES

    def _encrypt(self) -> None:
        private = self.room.context().wrap_socket(self.connection, server_side=True)
        self.connection, self.is_private = private, True
        self.rfile, self.wfile = private.makefile("rb"), private.makefile("wb", 0)  # type: ignore[assignment]

    def _say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())

    def finish(self) -> None:
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
        for one in (self.rfile, self.wfile, self.connection):
            with suppress(OSError):
                one.close()


def certificate(directory: Path, name: str = "localhost") -> Path:
    """A key and a certificate that this server signed itself, in one file; made by the program openssl."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed: no certificate can be made")
    made = directory / f"{name}.pem"
    key = directory / f"{name}.key"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    about = ["-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
    subprocess.run([*command, *about, "-keyout", str(key), "-out", str(made)], check=True, capture_output=True)
    made.write_text(made.read_text(encoding="ascii") + key.read_text(encoding="ascii"), encoding="ascii")
    return made


@contextmanager
def mail_room(manner: Manner = Manner.WELL, security: Security = Security.NONE, **about: object) -> Iterator[MailRoom]:
    """Open a mail server on a free port of this machine."""
    with _Server(("127.0.0.1", 0), _Session) as server:
        room = MailRoom(port=server.server_address[1], manner=manner, security=security, **about)  # type: ignore[arg-type]
        server.room = room
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield room
        finally:
            room.is_over.set()
            server.shutdown()
            thread.join()
