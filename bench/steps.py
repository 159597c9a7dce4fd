"""The call that every measured caller makes: the ring and nine keys through the triage, signed as the provider signs.

`load` replays these requests. Everything that is the same in every call is prepared once, so that a request costs the
measuring side a few microseconds: only the call's sid and the caller's number differ, and the signature over them.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from urllib.parse import urlencode, urlsplit

ACCOUNT_SID = "AC" + "0" * 32
# Dutch; the care you need now; no danger; a doctor; can wait; an adult; none of these groups; nobody pays; was refused.
KEYS = ("1", "1", "3", "1", "3", "3", "4", "2", "1")
STEPS_A_CALL = len(KEYS) + 1

# Stand for what differs from call to call; of the same length, so that a body's length is known beforehand.
_SID = "CA" + "f" * 32
_NUMBER = "31619999999"


@dataclass(frozen=True)
class Request:
    """One webhook as it goes over the wire, and a piece of the only right answer to it."""

    wire: bytes
    expects: bytes


class Template:
    """A webhook of which only the call's sid and the caller's number are open."""

    def __init__(self, base_url: str, token: str, path: str, form: dict[str, str], expects: str) -> None:
        self._token = token.encode()
        self._signed = base_url + path + "".join(name + form[name] for name in sorted(form))
        self._body = urlencode(form)
        self._head = (
            f"POST {path} HTTP/1.1\r\nHost: {urlsplit(base_url).netloc}\r\nUser-Agent: TwilioProxy/1.1\r\n"
            f"Accept: */*\r\nContent-Length: {len(self._body)}\r\n"
            "Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\n"
            "X-Twilio-Signature: "
        )
        self._expects = expects.encode()

    def fill(self, sid: str, number: str) -> Request:
        """The request of one call (`number` in digits, with its country code)."""
        signed = self._signed.replace(_SID, sid).replace(_NUMBER, number)
        signature = base64.b64encode(hmac.digest(self._token, signed.encode(), "sha1")).decode()
        body = self._body.replace(_SID, sid).replace(_NUMBER, number)
        return Request(f"{self._head}{signature}\r\n\r\n{body}".encode(), self._expects)


def calls(base_url: str, token: str) -> Iterator[list[Request]]:
    """Calls without end, each from another number, for the line at this address."""
    templates = [Template(base_url, token, "/voice/incoming", _form(None), _action(1))]
    for turn, key in enumerate(KEYS, start=1):
        templates.append(Template(base_url, token, f"/voice/turn/{turn}", _form(key), _action(turn + 1)))
    series = secrets.token_hex(4)
    for serial in count():
        sid, number = f"CA{series}{serial:024x}", f"3161{serial % 10**7:07}"
        yield [template.fill(sid, number) for template in templates]


def _action(turn: int) -> str:
    """Where an answer sends the caller next: proof that the step was taken, and not an apology spoken."""
    return f"/voice/turn/{turn}"


def _form(key: str | None) -> dict[str, str]:
    """The twenty parameters that the provider sends."""
    form = {
        "AccountSid": ACCOUNT_SID,
        "ApiVersion": "2010-04-01",
        "CallSid": _SID,
        "CallStatus": "ringing" if key is None else "in-progress",
        "Called": "+31201234567",
        "CalledCity": "",
        "CalledCountry": "NL",
        "CalledState": "",
        "CalledZip": "",
        "Caller": f"+{_NUMBER}",
        "CallerCity": "",
        "CallerCountry": "NL",
        "CallerState": "",
        "CallerZip": "",
        "Direction": "inbound",
        "From": f"+{_NUMBER}",
        "FromCountry": "NL",
        "To": "+31201234567",
    }
    return form | ({"ToCountry": "NL", "ToCity": ""} if key is None else {"Digits": key, "FinishedOnKey": ""})
