"""Is this request really the provider's? The signature and the form, checked strictly before anything is believed.

The signed URL is built from the configured public base URL and the raw path and query, never from the Host header,
which anybody can choose and which is wrong behind a proxy. Names and values are signed without delimiters, so that a
request cut differently signs the same: identifiers are checked by pattern, the account is compared, and no name may
come twice.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ivr.heard import Said

_CALL_SID = re.compile(r"CA[0-9a-fA-F]{32}")
_RECORDING_SID = re.compile(r"RE[0-9a-fA-F]{32}")
_DIGITS = re.compile(r"[0-9*#A-Dw]*")  # however many: a child may play with the phone
LONGEST_VALUE = 4000  # characters; nobody says more in one breath


class UnsignedRequest(Exception):
    """The signature is missing or is not ours: answered with 403, nothing is changed."""


class MalformedRequest(Exception):
    """Signed, but not a request that a call makes: answered with 400, nothing is changed."""


@dataclass(frozen=True)
class Webhook:
    """What a verified request says: whose call, and what the caller did; how it went where we connected two phones."""

    call_sid: str
    from_: str
    call_status: str
    said: Said
    dial_status: str = ""


@dataclass(frozen=True)
class Verifier:
    """Verifies requests for one account and one public address."""

    account_sid: str
    auth_token: str = field(repr=False)
    public_base_url: str

    def verify(self, target: str, pairs: Sequence[tuple[str, str]], signature: str | None) -> Webhook:
        """Read a request to `target` (raw path and query); UnsignedRequest or MalformedRequest."""
        expected = self.sign(target, pairs)
        if not signature or not hmac.compare_digest(expected, signature.encode("utf-8", "replace")):
            raise UnsignedRequest
        form = dict(pairs)
        if len(form) != len(pairs):
            raise MalformedRequest("a parameter comes twice")
        if form.get("AccountSid") != self.account_sid:
            raise UnsignedRequest
        return _read(form)

    def sign(self, target: str, pairs: Sequence[tuple[str, str]]) -> bytes:
        """The signature of a request, as the provider computes it: HMAC-SHA1 over the URL and the sorted form."""
        signed = self.public_base_url + target + "".join(name + value for name, value in sorted(set(pairs)))
        digest = hmac.digest(self.auth_token.encode(), signed.encode("utf-8", "surrogatepass"), "sha1")
        return base64.b64encode(digest)


def _read(form: Mapping[str, str]) -> Webhook:
    if not _CALL_SID.fullmatch(form.get("CallSid", "")):
        raise MalformedRequest("CallSid is missing or malformed")
    if any("\x00" in value or len(value) > LONGEST_VALUE for value in form.values()):
        raise MalformedRequest("a value is too long or has a character that no phone sends")
    digits = form.get("Digits")
    if digits is not None and digits != "hangup" and not _DIGITS.fullmatch(digits):
        raise MalformedRequest("Digits are no keys of a phone")
    recording = form.get("RecordingSid")
    if recording is not None and not _RECORDING_SID.fullmatch(recording):
        raise MalformedRequest("RecordingSid is malformed")
    said = Said(digits, form.get("SpeechResult"), _confidence(form.get("Confidence")), recording)
    status, dial_status = form.get("CallStatus", ""), form.get("DialCallStatus", "")
    return Webhook(form["CallSid"], form.get("From", ""), status, said, dial_status)


def _confidence(text: str | None) -> float | None:
    if not text:
        return None
    try:
        confidence = float(text)
    except ValueError:
        raise MalformedRequest("Confidence is no number") from None
    if not 0.0 <= confidence <= 1.0:
        raise MalformedRequest("Confidence is not between 0 and 1")
    return confidence
