"""Hands the team's e-mails to a mail server (SMTP), encrypted, and says whether trying again makes sense.

`letters` writes what they say, `mail_server` reads where they go, `watching` and the command `zorglijn notices try`
send. Every wait has an end, so that a server that hangs or dribbles holds up nobody; what a server says in words is
repeated to nobody, for it may quote addresses.
"""

from __future__ import annotations

import hashlib
import smtplib
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from threading import Timer
from typing import Any

from callbacks.errors import MailDelayed, MailFailed, MailRefused
from callbacks.letters import Letter
from callbacks.mail_server import MailServer, Security, parse_server
from callbacks.outbox import Due

TIMEOUT_SECONDS = 10.0  # for each answer
DEADLINE_SECONDS = 60.0  # for all of it; shorter than `outbox.LEASE`
FAILED_FOR_GOOD = 500  # replies from here on are permanent, those below are temporary (RFC 5321, 4.2.1)


@dataclass(frozen=True)
class Mailer:
    """Sends from one address to the team's."""

    server: MailServer
    sender: str
    recipients: tuple[str, ...]
    timeout: float = TIMEOUT_SECONDS
    deadline: float = DEADLINE_SECONDS

    @classmethod
    def to(cls, smtp_url: str, sender: str, recipients: tuple[str, ...]) -> Mailer:
        """A mailer by the settings SMTP_URL, MAIL_FROM and MAIL_TO, which were found right."""
        return cls(parse_server(smtp_url), sender, recipients)

    def message(self, letter: Letter, now: datetime, about: Sequence[Due] = ()) -> EmailMessage:
        """The letter in its envelope.

        The same notices sent once more have the same Message-ID, so that a mailbox can tell; programs that answer
        e-mails by themselves are asked not to.
        """
        message = EmailMessage(policy=SMTP)
        message["From"] = self.sender
        message["To"] = ", ".join(self.recipients)
        message["Subject"] = letter.subject
        message["Date"] = format_datetime(now)
        message["Message-ID"] = f"<{_round(about, now)}@{self._domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.body)
        return message

    def send(self, message: EmailMessage) -> int:
        """Hand it to the server: how many recipients it refused while it took the message for others.

        MailRefused where the server, its certificate or its settings will not have it; MailDelayed where trying again
        may help. After a silence at the very end it may have been taken all the same.
        """
        try:
            with self._connected() as smtp:
                return len(smtp.send_message(message, self.sender, self.recipients))
        except smtplib.SMTPRecipientsRefused as refused:
            codes = [code for code, _ in refused.recipients.values()]
            raise _failed(min(codes), "recipients") from refused
        except smtplib.SMTPResponseException as answer:
            raise _failed(answer.smtp_code, type(answer).__name__) from answer
        except (smtplib.SMTPNotSupportedError, ssl.SSLCertVerificationError) as error:
            raise MailRefused(type(error).__name__) from error
        except (OSError, smtplib.SMTPException) as error:  # a time-out, a name that is not found, an end in the middle
            raise MailDelayed(type(error).__name__) from error

    @property
    def _domain(self) -> str:
        return self.sender.rpartition("@")[2]

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        """A session with the server, signed in; at its end the goodbye, which nobody waits for."""
        server = self.server
        with _watched(self.deadline) as watch:
            settings: dict[str, Any] = {"local_hostname": self._domain, "timeout": self.timeout}
            if server.security is Security.TLS:
                settings["context"] = ssl.create_default_context()
            kind = _EncryptedSession if server.security is Security.TLS else _Session
            with _left(kind(watch, server.host, server.port, **settings)) as smtp:
                if server.security is Security.STARTTLS:
                    smtp.starttls(context=ssl.create_default_context())
                if server.user:
                    smtp.login(server.user, server.password)
                yield smtp


def _failed(code: int, what: str) -> MailFailed:
    reason = f"{what} {code}"
    return MailRefused(reason) if code >= FAILED_FOR_GOOD else MailDelayed(reason)


def _round(about: Sequence[Due], now: datetime) -> str:
    """A name for what is told, which says nothing of it."""
    told = "".join(f"{due.id} {due.noted_at.isoformat()};" for due in about) or now.isoformat()
    return hashlib.sha256(told.encode()).hexdigest()[:32]


class _Watch:
    """Ends a connection when its time is over: an answer of a byte a second would be in time for ever."""

    def __init__(self) -> None:
        self._twin: socket.socket | None = None

    def keep(self, connection: socket.socket) -> None:
        self._twin = connection.dup()  # encrypting takes the socket itself away

    def end(self) -> None:
        if self._twin is not None:
            with suppress(OSError):
                self._twin.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        if self._twin is not None:
            self._twin.close()


@contextmanager
def _watched(seconds: float) -> Iterator[_Watch]:
    watch = _Watch()
    timer = Timer(seconds, watch.end)
    timer.daemon = True
    timer.start()
    try:
        yield watch
    finally:
        timer.cancel()
        watch.close()


@contextmanager
def _left(smtp: smtplib.SMTP) -> Iterator[smtplib.SMTP]:
    try:
        yield smtp
        with suppress(smtplib.SMTPException, OSError):  # what was taken is taken, however the server says goodbye
            smtp.quit()
    finally:
        smtp.close()


class _Session(smtplib.SMTP):
    """A session whose socket is watched from its first byte."""

    def __init__(self, watch: _Watch, *args: Any, **settings: Any) -> None:  # noqa: ANN401  as smtplib has them
        self._watch = watch
        super().__init__(*args, **settings)

    def _get_socket(self, *args: Any) -> socket.socket:  # noqa: ANN401
        made: socket.socket = super()._get_socket(*args)  # type: ignore[misc]  # where smtplib makes it, unpublished
        self._watch.keep(made)
        return made


class _EncryptedSession(smtplib.SMTP_SSL, _Session):
    """The same, encrypted from the first byte; the socket is watched before it is."""

    def __init__(self, watch: _Watch, *args: Any, **settings: Any) -> None:  # noqa: ANN401
        self._watch = watch
        smtplib.SMTP_SSL.__init__(self, *args, **settings)
