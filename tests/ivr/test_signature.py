"""Only the provider's own requests are believed, whatever a forger tries."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from twilio.request_validator import RequestValidator

from ivr.signature import MalformedRequest, UnsignedRequest, Verifier

BASE = "https://line.example.org"
TOKEN = "0123456789abcdef0123456789abcdef"
ACCOUNT = "AC" + "1" * 32
CALL = "CA" + "2" * 32
FORM = [("CallSid", CALL), ("AccountSid", ACCOUNT), ("From", "+31612345678"), ("CallStatus", "in-progress")]
VERIFIER = Verifier(ACCOUNT, TOKEN, BASE)


def signed(target: str, form: list[tuple[str, str]], token: str = TOKEN) -> str:
    """The signature as the provider's own library computes it."""
    return str(RequestValidator(token).compute_signature(BASE + target, dict(form)))


def test_what_the_provider_signs_is_believed() -> None:
    """The provider's library and ours agree, with accents, empty values and a query string."""
    form = [*FORM, ("SpeechResult", "één café, s'il vous plaît €"), ("Confidence", "0.87"), ("Empty", "")]
    webhook = VERIFIER.verify("/voice/turn/3?x=%C3%A9", form, signed("/voice/turn/3?x=%C3%A9", form))
    assert webhook.call_sid == CALL
    assert webhook.said.utterance == "één café, s'il vous plaît €"
    assert webhook.said.confidence == 0.87


@pytest.mark.parametrize(
    "signature",
    [None, "", "x", "é", "a" * 28, signed("/voice/turn/2", FORM), signed("/voice/turn/1", FORM, "f" * 32)],
    ids=["missing", "empty", "short", "not ascii", "made up", "of another address", "of another token"],
)
def test_a_missing_or_foreign_signature_is_refused(signature: str | None) -> None:
    """Fails closed."""
    with pytest.raises(UnsignedRequest):
        VERIFIER.verify("/voice/turn/1", FORM, signature)


def test_parameters_cut_differently_are_refused_though_they_sign_the_same() -> None:
    """Names and values are signed without delimiters: a forger may move the borders, and gains nothing."""
    honest = [("AccountSid", ACCOUNT), ("CallSid", CALL), ("Digits", "1")]
    moved = [("AccountSid", ACCOUNT), ("CallSid", CALL + "Digits1")]
    signature = signed("/voice/turn/1", honest)
    assert signed("/voice/turn/1", moved) == signature
    with pytest.raises(MalformedRequest):
        VERIFIER.verify("/voice/turn/1", moved, signature)


def test_another_account_is_refused() -> None:
    """Even with a good signature: a token may be shared by accounts."""
    form = [("CallSid", CALL), ("AccountSid", "AC" + "9" * 32)]
    with pytest.raises(UnsignedRequest):
        VERIFIER.verify("/voice/incoming", form, signed("/voice/incoming", form))


@pytest.mark.parametrize("twice", [("CallSid", CALL), ("Digits", "2")], ids=["the same value", "another value"])
def test_a_parameter_that_comes_twice_is_refused(twice: tuple[str, str]) -> None:
    """Nobody may choose which of two values we read."""
    form = [*FORM, ("Digits", "1"), twice]
    signature = VERIFIER.sign("/voice/turn/1", form).decode()
    with pytest.raises(MalformedRequest):
        VERIFIER.verify("/voice/turn/1", form, signature)


@pytest.mark.parametrize(
    "name,value",
    [
        ("CallSid", "CA123"),
        ("CallSid", CALL + "\n"),
        ("CallSid", "CA" + "g" * 32),
        ("Digits", "1; DROP TABLE"),
        ("Digits", "\u0661"),
        ("Confidence", "very"),
        ("Confidence", "nan"),
        ("Confidence", "1e9"),
        ("RecordingSid", "../../etc"),
        ("SpeechResult", "x" * 5000),
        ("SpeechResult", "a\x00b"),
    ],
)
def test_values_that_no_call_has_are_refused(name: str, value: str) -> None:
    """Signed or not, an identifier or a number has its form."""
    form = [(known, old) for known, old in FORM if known != name] + [(name, value)]
    with pytest.raises(MalformedRequest):
        VERIFIER.verify("/voice/turn/1", form, signed("/voice/turn/1", form))


def test_unknown_parameters_are_tolerated() -> None:
    """The provider adds new ones when it likes."""
    form = [*FORM, ("StirVerstat", "TN-Validation-Passed-A"), ("CallToken", urlencode({"a": "b"}))]
    assert VERIFIER.verify("/voice/incoming", form, signed("/voice/incoming", form)).call_sid == CALL


def test_the_token_is_never_shown() -> None:
    """Not in a traceback's repr either."""
    assert TOKEN not in repr(VERIFIER)
