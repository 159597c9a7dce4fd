"""What the provider sends with a webhook: the fields that describe a call and its events, and the signature.

Pure: `phone` decides what is sent and when. The signature is written out here instead of taken from the line's own
code or from the provider's library, so that a mistake there cannot hide; the tests compare it with the library's.
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets
from dataclasses import dataclass
from email.utils import formatdate

from ivr.phone_calls import CallState
from ivr.transport import Form

API_VERSION = "2010-04-01"
SECONDS_A_WORD = 0.4  # 150 words a minute
SILENT_RECORDING = "16102"
NO_DOCUMENT = "11200"


def is_sid(prefix: str, sid: str) -> bool:
    """Whether this is an identifier of this kind: the prefix and 32 hexadecimal digits."""
    return re.fullmatch(prefix + "[0-9a-f]{32}", sid) is not None


def new_sid(prefix: str) -> str:
    """Make up an identifier of this kind."""
    return prefix + secrets.token_hex(16)


def signature(url: str, form: Form, auth_token: str) -> str:
    """Sign a form for a URL: HMAC-SHA1 over the URL and the sorted names and values, in base64."""
    signed = url + "".join(name + value for name, value in sorted(form))
    return base64.b64encode(hmac.digest(auth_token.encode(), signed.encode(), "sha1")).decode()


def headers(url: str, form: Form, auth_token: str) -> dict[str, str]:
    """Give the headers of a signed webhook."""
    return {
        "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
        "User-Agent": "TwilioProxy/1.1",
        "Accept": "*/*",
        "X-Twilio-Signature": signature(url, form, auth_token),
    }


def about(call: CallState, account_sid: str, status: str) -> Form:
    """Give the fields that come with every webhook of a call, places included: those are empty more often than not."""
    fields = [
        ("AccountSid", account_sid),
        ("ApiVersion", API_VERSION),
        ("CallSid", call.call_sid),
        ("CallStatus", status),
        ("Direction", call.direction),
        *([("ParentCallSid", call.parent)] if call.parent else []),
    ]
    for number, roles in ((call.from_, ("From", "Caller")), (call.to, ("To", "Called"))):
        country = "NL" if number.startswith("+31") else ""
        for role in roles:
            fields += [(role, number), (role + "Country", country), (role + "State", ""), (role + "City", "")]
    return fields


def gathered(keys: str, num_digits: int | None, finish_on_key: str) -> tuple[str, str]:
    """Give the digits that a gather takes of these keys, and the key that finished it ("" when none did).

    Keys after the last wanted digit or after the finishing key are dropped, as the provider does between documents.
    """
    before, finished_by, _ = keys.partition(finish_on_key) if finish_on_key else (keys, "", "")
    if num_digits is not None and len(before) >= num_digits:
        return before[:num_digits], ""
    return before, finished_by


def keys_pressed(digits: str, finished_by: str) -> Form:
    """Give the fields of an answered gather: without digits, only how it ended."""
    fields = [("msg", "Gather End"), ("FinishedOnKey", finished_by)]
    return [*fields, ("Digits", digits)] if digits else fields


def words_said(utterance: str, confidence: float, language: str) -> Form:
    """Give the fields of a gather answered in words."""
    return [("SpeechResult", utterance), ("Confidence", f"{confidence:.8g}"), ("Language", language)]


def dialled(status: str, seconds: float = 0, call_sid: str = "") -> Form:
    """Give the fields of a finished connection to another number, which lasted so many seconds."""
    duration = str(max(0, round(seconds)))
    return [("DialCallSid", call_sid or new_sid("CA")), ("DialCallStatus", status), ("DialCallDuration", duration)]


def failed(url: str) -> Form:
    """Give the fields with which the fallback is asked, because nothing usable came from `url`."""
    return [("ErrorCode", NO_DOCUMENT), ("ErrorUrl", url)]


def call_ended(seconds: float, now: float) -> Form:
    """Give the fields of the news that a call has ended after so many seconds."""
    whole = max(0, round(seconds))
    return [
        ("CallDuration", str(whole)),
        ("Duration", str(-(-whole // 60))),
        ("Timestamp", formatdate(now)),
        ("CallbackSource", "call-progress-events"),
        ("SequenceNumber", "0"),
    ]


def call_goes_on(now: float, sequence: int) -> Form:
    """Give the fields of the news that a call rings or was answered; `sequence` counts the news of the call from 0."""
    return [
        ("Timestamp", formatdate(now)),
        ("CallbackSource", "call-progress-events"),
        ("SequenceNumber", str(sequence)),
    ]


@dataclass(frozen=True)
class Recording:
    """A voice message as the provider reports it; nothing said is a recording that is `absent`."""

    sid: str
    url: str
    seconds: int
    status: str

    @classmethod
    def of(cls, account_sid: str, said: str, max_length: int) -> Recording:
        """Record these words, spoken at an ordinary pace and cut off at `max_length` seconds."""
        sid = new_sid("RE")
        url = f"https://api.twilio.com/{API_VERSION}/Accounts/{account_sid}/Recordings/{sid}"
        seconds = min(max_length, max(1, round(len(said.split()) * SECONDS_A_WORD))) if said else 0
        return cls(sid, url, seconds, "completed" if said else "absent")

    def form(self, digits: str = "") -> Form:
        """Give the fields for the action; `digits` is the key that ended it, or hangup."""
        fields = [
            ("RecordingSid", self.sid),
            ("RecordingUrl", self.url),
            ("RecordingDuration", str(self.seconds)),
        ]
        return [*fields, ("Digits", digits)] if digits else fields

    def status_form(self) -> Form:
        """Give the fields for the recording's own status callback."""
        fields = [*self.form(), ("RecordingStatus", self.status), ("RecordingSource", "RecordVerb")]
        return fields if self.seconds else [*fields, ("ErrorCode", SILENT_RECORDING)]
