"""Where the team's e-mails are handed in, read from SMTP_URL, MAIL_FROM and MAIL_TO.

`settings` asks here what is wrong with them before the line starts; `mailing` sends.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import unquote, urlsplit

MOST_RECIPIENTS = 20

_LOOPBACK = re.compile(r"localhost|127(\.\d+){3}|::1")
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*")


class Security(StrEnum):
    """How the way to the mail server is kept private."""

    STARTTLS = "starttls"  # asked for after the greeting, and refused to go on without
    TLS = "tls"  # from the first byte
    NONE = "none"


@dataclass(frozen=True)
class MailServer:
    """Where e-mails are handed in, and as whom."""

    host: str
    port: int
    security: Security
    user: str = ""
    password: str = field(default="", repr=False)

    @property
    def is_exposed(self) -> bool:
        """Whether somebody between here and there could read what is sent."""
        return self.security is Security.NONE and not _LOOPBACK.fullmatch(self.host)


_WAYS = {
    "smtp": (Security.STARTTLS, 587),
    "smtps": (Security.TLS, 465),
    "smtp+plain": (Security.NONE, 25),
}


def parse_server(url: str) -> MailServer:
    """The server of an SMTP_URL; ValueError says in words without secrets what is wrong with it.

    smtp:// asks for STARTTLS, but on this machine itself nothing is encrypted; smtps:// is encrypted from the start;
    smtp+plain:// never is.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError("is no URL") from None
    is_more = parts.path.strip("/") or parts.query or parts.fragment or not url.isascii() or re.search(r"\s", url)
    if parts.scheme not in _WAYS or not host or is_more:
        raise ValueError("must be like smtp://user:password@mail.example.org:587 or smtps://…:465")
    security, usual = _WAYS[parts.scheme]
    if security is Security.STARTTLS and _LOOPBACK.fullmatch(host):
        security = Security.NONE
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if not (user + password).isascii() or bool(user) != bool(password):
        raise ValueError("must name a user and a password, with %40 for @ and only plain characters, or neither")
    return MailServer(host, port or usual, security, user, password)


def parse_addresses(text: str) -> tuple[str, ...]:
    """The addresses of a list with commas; ValueError where one is none, for it would go into a header."""
    addresses = tuple(dict.fromkeys(address.strip() for address in text.split(",") if address.strip()))
    if not addresses or not all(_ADDRESS.fullmatch(address) for address in addresses):
        raise ValueError("must be addresses such as team@example.org, with commas between")
    return addresses


def problems(smtp_url: str, mail_from: str, mail_to: str, *, is_rehearsal: bool) -> list[str]:
    """What is wrong with the three settings together, each by its name; nothing where no server is set."""
    if not smtp_url:
        return []
    found = []
    try:
        if parse_server(smtp_url).is_exposed and not is_rehearsal:
            found.append("SMTP_URL: must begin with smtp:// or smtps:// outside a rehearsal, so that it is encrypted")
    except ValueError as error:
        found.append(f"SMTP_URL: {error}")
    for name, value, most in (("MAIL_FROM", mail_from, 1), ("MAIL_TO", mail_to, MOST_RECIPIENTS)):
        if not value:
            found.append(f"{name}: is not set, but SMTP_URL is")
        elif not _are_addresses(value, most):
            example = "one address such as line@example.org" if most == 1 else "addresses such as team@example.org"
            found.append(f"{name}: must be {example}" + ("" if most == 1 else ", with commas between"))
    return found


def _are_addresses(text: str, most: int) -> bool:
    try:
        return len(parse_addresses(text)) <= most
    except ValueError:
        return False
