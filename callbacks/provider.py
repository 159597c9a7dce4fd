"""The phone company, as far as the line asks it for something: to make a call, and which calls it has made.

`ringing` asks; `provider_wire` carries what Twilio's own client says over HTTP. What cannot be known for certain is
said to be uncertain: a call that may have been made is looked for, never made again. The client is imported at the
first call, in the thread that places it: a web worker that answers callers does without.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from callbacks.errors import CallbackError


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
