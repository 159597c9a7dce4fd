"""The phone company, as far as the line asks it for something: to make a call, and which calls it has made.

`ringing` asks; `provider_wire` carries what Twilio's own client says over HTTP. What cannot be known for certain is
said to be uncertain: a call that may have been made is looked for, never made again. The client is imported at the
first call, in the thread that places it: a web worker that answers callers does without.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol

from callbacks.errors import CallbackError

if TYPE_CHECKING:
    from callbacks.provider_wire import Wire

OURS = "outbound-api"  # a call that was asked for here; those that it leads to, and those that come in, are others
MOST_FOUND = 100  # calls to one phone since a minute ago
EVENTS = ("initiated", "ringing", "answered", "completed")  # of the call to the agent, told to `status_url`
_SID = re.compile(r"CA[0-9a-f]{32}")
_BAD_REQUEST, _TIMED_OUT, _TOO_MANY, _SERVER_ERROR = 400, 408, 429, 500


class ProviderError(CallbackError):
    """The provider did not do what it was asked."""


class Refused(ProviderError):
    """It certainly made no call; `code` says why: its own number for it, "http_404", or "unreachable"."""

    def __init__(self, code: str) -> None:
        super().__init__(f"the provider refused: {code}")
        self.code = code


class Busy(ProviderError):
    """It certainly made no call, and may be asked again later."""


class Uncertain(ProviderError):
    """No whole answer came: it may have made the call."""


@dataclass(frozen=True)
class PlaceCall:
    """A call that is wanted: numbers in E.164, the addresses that the provider asks, how long it rings."""

    to: str = field(repr=False)
    from_: str = field(repr=False)
    url: str
    status_url: str
    ring_seconds: int
    longest_seconds: int


@dataclass(frozen=True)
class Found:
    """A call that the provider knows; `status` is its own word, `created_at` is in UTC, None where it does not say."""

    sid: str
    status: str
    to: str = field(repr=False)
    from_: str = field(repr=False)
    created_at: datetime | None


class Provider(Protocol):
    """What is asked of a phone company; every answer comes within some seconds."""

    def place(self, wanted: PlaceCall) -> str:
        """Make a call, once; its SID. Refused or Busy where it certainly was not made, else Uncertain."""
        ...  # pragma: no cover

    def find(self, to: str, since: datetime) -> tuple[Found, ...]:
        """The calls to this number that began at or after this moment (aware), in any order; a ProviderError."""
        ...  # pragma: no cover


class TwilioProvider:
    """Twilio, or whoever speaks its language at the other end of the wire."""

    def __init__(self, account_sid: str, auth_token: str, wire: Wire) -> None:
        self._account_sid, self._auth_token, self._wire = account_sid, auth_token, wire

    def place(self, wanted: PlaceCall) -> str:
        """Make a call, once; its SID."""
        try:
            made = self._calls().create(
                to=wanted.to,
                from_=wanted.from_,
                url=wanted.url,
                method="POST",
                status_callback=wanted.status_url,
                status_callback_method="POST",
                status_callback_event=list(EVENTS),
                timeout=wanted.ring_seconds,
                time_limit=wanted.longest_seconds,
            )
        except Exception as error:
            raise _judged(error) from error
        if not _SID.fullmatch(str(made.sid)):
            raise Uncertain("the answer names no call")
        return str(made.sid)

    def find(self, to: str, since: datetime) -> tuple[Found, ...]:
        """The calls to this number that were asked for since then; Uncertain where they cannot be listed."""
        try:
            listed = self._calls().stream(to=to, start_time_after=since.astimezone(UTC), page_size=50)
            found = tuple(_found(call) for call in islice(listed, MOST_FOUND) if call.direction in (None, OURS))
        except Exception as error:
            raise Uncertain(type(error).__name__) from error
        return tuple(call for call in found if _SID.fullmatch(call.sid))

    def _calls(self) -> Any:  # noqa: ANN401  the client has no types
        from twilio.rest import Client

        return Client(self._account_sid, self._auth_token, http_client=self._wire).calls


def _found(call: Any) -> Found:  # noqa: ANN401  the client has no types
    created = call.date_created if isinstance(call.date_created, datetime) else None
    return Found(str(call.sid), str(call.status), str(call.to), str(call._from or ""), created)  # noqa: SLF001  its name


def _judged(error: Exception) -> ProviderError:
    """What it means that a call could not be made: only a refusal in so many words is certain."""
    from twilio.base.exceptions import TwilioRestException, TwilioServiceException

    from callbacks.provider_wire import NotDelivered

    if isinstance(error, NotDelivered):
        return Refused("unreachable")
    if not isinstance(error, TwilioRestException | TwilioServiceException):
        return Uncertain(type(error).__name__)
    status = error.status
    if status == _TOO_MANY:
        return Busy("asked too often")
    if _BAD_REQUEST <= status < _SERVER_ERROR and status != _TIMED_OUT:
        return Refused(f"http_{status}" if error.code in (None, status) else f"{error.code}"[:40])
    return Uncertain(f"http_{status}")
