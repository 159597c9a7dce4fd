"""The attributes that each verb of TwiML may have, and which values: a table, read by `twiml_reader`.

The values are the provider's or narrower: only POST (a GET would put what a caller said into logs), repetition and
pauses that end, and times a caller would wait.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from xml.etree import ElementTree as ET

from ivr.phone_errors import BadValue, UnknownAttribute

MOST_HINTS, LONGEST_HINT = 500, 100


def attributes_of(element: ET.Element) -> Mapping[str, str]:
    """Give the attributes of an element; UnknownAttribute or BadValue where one is not allowed."""
    known = _ATTRIBUTES.get(element.tag, {})
    for name, value in element.attrib.items():
        if name not in known:
            raise UnknownAttribute(element.tag, name)
        wanted, allows = known[name]
        if not allows(value):
            raise BadValue(element.tag, name, value, wanted)
    return element.attrib


_Rule = tuple[str, Callable[[str], bool]]


def _like(wanted: str, pattern: str) -> _Rule:
    return wanted, lambda value: re.fullmatch(pattern, value, re.ASCII) is not None


def _between(low: int, high: int) -> _Rule:
    return f"a whole number from {low} to {high}", lambda v: v.isascii() and v.isdigit() and low <= int(v) <= high


def _words_from(*allowed: str) -> _Rule:
    wanted = "one or more of " + ", ".join(allowed)
    return (
        wanted,
        lambda value: (
            bool(words := value.split()) and len(set(words)) == len(words) <= len(set(allowed).intersection(words))
        ),
    )


def _hints_fit(value: str) -> bool:
    hints = value.split(",") if value else []  # none at all is harmless
    return len(hints) <= MOST_HINTS and all(0 < len(hint.strip()) <= LONGEST_HINT for hint in hints)


_TRUTH = _like("true or false", "true|false")
_URL = _like("an http(s) or relative URL", r"(https?://[^\s/]+)?[^\s:]+")
_LANGUAGE = _like("a language and a region, such as nl-NL", "[a-z]{2,3}-[A-Z]{2}")
_POST = _like("POST", "POST")
_SECONDS = _between(1, 600)
_ANY_NAME = _like("a name", r"\S+")

_ATTRIBUTES: Mapping[str, Mapping[str, _Rule]] = {
    "Say": {"voice": _ANY_NAME, "language": _LANGUAGE, "loop": _between(1, 10)},
    "Play": {"loop": _between(1, 10)},
    "Pause": {"length": _between(1, 60)},
    "Gather": {
        "input": _words_from("dtmf", "speech"),
        "timeout": _SECONDS,
        "speechTimeout": _like("a positive integer or auto", "auto|[1-9][0-9]{0,2}"),
        "speechModel": _ANY_NAME,
        "numDigits": _between(1, 100),
        "finishOnKey": _like("one key or nothing", "[0-9*#]?"),
        "action": _URL,
        "method": _POST,
        "actionOnEmptyResult": _TRUTH,
        "language": _LANGUAGE,
        "hints": (f"at most {MOST_HINTS} entries of 1 to {LONGEST_HINT} characters", _hints_fit),
        "bargeIn": _TRUTH,
        "profanityFilter": _TRUTH,
    },
    "Record": {
        "maxLength": _between(2, 14400),
        "timeout": _SECONDS,
        "playBeep": _TRUTH,
        "trim": _like("trim-silence or do-not-trim", "trim-silence|do-not-trim"),
        "finishOnKey": _like("keys", "[0-9*#]*"),
        "action": _URL,
        "method": _POST,
        "recordingStatusCallback": _URL,
        "recordingStatusCallbackMethod": _POST,
        "recordingStatusCallbackEvent": _words_from("in-progress", "completed", "absent"),
    },
    "Dial": {
        "timeout": _between(5, 600),
        "timeLimit": _between(1, 14400),
        "callerId": _like("a number in E.164", r"\+[1-9][0-9]{5,14}"),
        "action": _URL,
        "method": _POST,
    },
    "Number": {
        "url": _URL,
        "method": _POST,
        "statusCallback": _URL,
        "statusCallbackMethod": _POST,
        "statusCallbackEvent": _words_from("initiated", "ringing", "answered", "completed"),
    },
    "Redirect": {"method": _POST},
    "Reject": {"reason": _like("rejected or busy", "rejected|busy")},
}
