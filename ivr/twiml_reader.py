"""Reads a TwiML document as strictly as the provider, or more so: what would surprise a caller is an error here.

Stricter than the provider on purpose: a voice and a language are always named, a recording has a length, forms are
always posted (a GET would put what a caller said into logs), and nothing may follow where the call never comes. The
verbs themselves are in `twiml_verbs`, the rules for their attributes in `twiml_rules`; `phone` follows what is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from xml.etree import ElementTree as ET

from ivr.phone_errors import (
    BadValue,
    Misplaced,
    MissingAttribute,
    NotXml,
    TwimlError,
    UnknownAttribute,
    UnknownVerb,
    Unreachable,
)
from ivr.twiml_rules import attributes_of
from ivr.twiml_verbs import Dial, Gather, Hangup, Pause, Play, Record, Redirect, Reject, Say, Verb

LONGEST_SAY = 4096
LARGEST_DOCUMENT = 64 * 1024
SSML = {"say-as": {"interpret-as", "role"}, "break": {"strength", "time"}, "prosody": {"volume", "rate", "pitch"}}


@lru_cache(maxsize=512)
def read_twiml(document: str) -> tuple[Verb, ...]:
    """Give the verbs of this document in order; a TwimlError names the first verb that is wrong, and why.

    Equal documents are read once: many callers hear the same words.
    """
    root = _parse(document)
    if root.tag != "Response":
        raise Misplaced(root.tag, "a document is one <Response>")
    attributes_of(root)
    _no_words(root)
    verbs = tuple(_verb(element) for element in root)
    for verb, following in zip(verbs, [element.tag for element in root][1:], strict=False):
        if isinstance(verb, Redirect | Hangup | Reject):
            raise Unreachable(following, f"comes after <{type(verb).__name__}>, where no call ever comes")
    if any(isinstance(verb, Reject) for verb in verbs[1:]):
        raise Misplaced("Reject", "only works, unbilled, as the first verb")
    return verbs


def _parse(document: str) -> ET.Element:
    if len(document.encode()) > LARGEST_DOCUMENT:
        raise NotXml("Response", f"is longer than {LARGEST_DOCUMENT} bytes")
    if "<!" in document.replace("<!--", ""):
        raise NotXml("Response", "declares a document type or has raw character data")
    try:
        return ET.fromstring(document)  # noqa: S314  no document type, so no entities; and it is our own line's
    except ET.ParseError as error:
        raise NotXml("Response", f"is not XML ({error})") from error


def _verb(element: ET.Element) -> Verb:
    make = _VERBS.get(element.tag)
    if make is None:
        if element.tag in ("Number", *SSML):
            raise Misplaced(element.tag, "stands outside the verb that it belongs to")
        raise UnknownVerb(element.tag, "is a verb that there is not, or that this line must not use")
    return make(element, attributes_of(element))


def _say(element: ET.Element, has: Mapping[str, str]) -> Say:
    text = " ".join(_words_of(element).split())
    if not text:
        raise BadValue("Say", "its text", text, "something to say")
    if len(text) > LONGEST_SAY:
        raise BadValue("Say", "its text", text, f"at most {LONGEST_SAY} characters (it has {len(text)})")
    voice, language = _needs("Say", has, "voice"), _needs("Say", has, "language")
    if voice.startswith("Google.") and not voice.startswith(f"Google.{language}-"):
        raise BadValue("Say", "voice", voice, f"a voice that speaks {language}")
    return Say(text, voice, language, int(has.get("loop", "1")))


def _words_of(element: ET.Element) -> str:
    """All text of a Say, that of its nested speech marks included."""
    parts = [element.text or ""]
    for mark in element:
        if mark.tag not in SSML:
            raise Misplaced(mark.tag, f"may not stand inside <{element.tag}>")
        if unknown := set(mark.attrib) - SSML[mark.tag]:
            raise UnknownAttribute(mark.tag, min(unknown))
        parts += [_words_of(mark), " " if mark.tag == "break" else "", mark.tail or ""]
    return "".join(parts)


def _play(element: ET.Element, has: Mapping[str, str]) -> Play:
    return Play(_address_in(element), int(has.get("loop", "1")))


def _pause(element: ET.Element, has: Mapping[str, str]) -> Pause:
    _nothing_inside(element)
    return Pause(int(has.get("length", "1")))


def _gather(element: ET.Element, has: Mapping[str, str]) -> Gather:
    _no_words(element)
    inputs = frozenset(has.get("input", "dtmf").split())
    if "speech" in inputs:
        _needs("Gather", has, "language")
    elif only_speech := {"hints", "speechTimeout", "speechModel", "language", "profanityFilter"}.intersection(has):
        raise TwimlError("Gather", f"{min(only_speech)} says nothing where no speech is taken")
    if "speechModel" in has and has.get("speechTimeout") == "auto":
        raise BadValue("Gather", "speechTimeout", "auto", "a positive integer beside a speechModel")
    prompts = tuple(_prompt(child) for child in element)
    return Gather(
        prompts=prompts,
        inputs=inputs,
        timeout=int(has.get("timeout", "5")),
        speech_timeout=has.get("speechTimeout", ""),
        num_digits=int(has["numDigits"]) if "numDigits" in has else None,
        finish_on_key=has.get("finishOnKey", "#"),
        action=has.get("action", ""),
        action_on_empty_result=has.get("actionOnEmptyResult") == "true",
        language=has.get("language", "en-US"),
        hints=tuple(hint.strip() for hint in has["hints"].split(",")) if has.get("hints") else (),
        barge_in=has.get("bargeIn") != "false",
        profanity_filter=has.get("profanityFilter") != "false",
    )


def _prompt(element: ET.Element) -> Say | Play | Pause:
    if element.tag in _VERBS and element.tag not in ("Say", "Play", "Pause"):
        raise Misplaced(element.tag, "may not stand inside <Gather>")
    verb = _verb(element)
    if not isinstance(verb, Say | Play | Pause):
        raise Misplaced(element.tag, "may not stand inside <Gather>")
    return verb


def _record(element: ET.Element, has: Mapping[str, str]) -> Record:
    _nothing_inside(element)
    return Record(
        max_length=int(_needs("Record", has, "maxLength")),
        timeout=int(has.get("timeout", "5")),
        play_beep=has.get("playBeep") != "false",
        trim=has.get("trim") != "do-not-trim",
        finish_on_key=has.get("finishOnKey", Record.finish_on_key),
        action=has.get("action", ""),
        status_callback=has.get("recordingStatusCallback", ""),
        status_events=frozenset(has.get("recordingStatusCallbackEvent", "completed").split()),
    )


def _dial(element: ET.Element, has: Mapping[str, str]) -> Dial:
    if [child.tag for child in element] not in ([], ["Number"]):
        raise Misplaced("Dial", "holds one <Number>, or a number")
    target = element[0] if len(element) else element
    inner = attributes_of(target) if len(element) else {}
    if len(element):
        _no_words(element)
    number = _text_in(target).strip()
    if not re.fullmatch(r"\+[1-9][0-9]{5,14}", number):
        raise BadValue(target.tag, "its number", number, "a number in E.164")
    return Dial(
        number=number,
        timeout=int(has.get("timeout", "30")),
        time_limit=int(has.get("timeLimit", "14400")),
        caller_id=has.get("callerId", ""),
        action=has.get("action", ""),
        whisper_url=inner.get("url", ""),
        status_callback=inner.get("statusCallback", ""),
        status_events=frozenset(inner.get("statusCallbackEvent", "completed").split()),
    )


def _redirect(element: ET.Element, has: Mapping[str, str]) -> Redirect:  # noqa: ARG001  the signature of every verb
    return Redirect(_address_in(element))


def _hangup(element: ET.Element, has: Mapping[str, str]) -> Hangup:  # noqa: ARG001  the signature of every verb
    _nothing_inside(element)
    return Hangup()


def _reject(element: ET.Element, has: Mapping[str, str]) -> Reject:
    _nothing_inside(element)
    return Reject(has.get("reason", "rejected"))


_VERBS: Mapping[str, Callable[[ET.Element, Mapping[str, str]], Verb]] = {
    "Say": _say,
    "Play": _play,
    "Pause": _pause,
    "Gather": _gather,
    "Record": _record,
    "Dial": _dial,
    "Redirect": _redirect,
    "Hangup": _hangup,
    "Reject": _reject,
}


def _address_in(element: ET.Element) -> str:
    return _address(element.tag, _text_in(element).strip())


def _address(tag: str, url: str) -> str:
    if not re.fullmatch(r"(https?://[^\s/]+)?[^\s:]*", url) or not url:
        raise BadValue(tag, "its address", url, "an http(s) or relative URL")
    return url


def _text_in(element: ET.Element) -> str:
    if len(element):
        raise Misplaced(element[0].tag, f"may not stand inside <{element.tag}>")
    return element.text or ""


def _nothing_inside(element: ET.Element) -> None:
    if len(element):
        raise Misplaced(element[0].tag, f"may not stand inside <{element.tag}>")
    _no_words(element)


def _no_words(element: ET.Element) -> None:
    for words in (element.text, *(child.tail for child in element)):
        if words and words.strip():
            raise Misplaced(element.tag, f"holds loose words: {words.strip()[:40]!r}")


def _needs(verb: str, has: Mapping[str, str], attribute: str) -> str:
    if attribute not in has:
        raise MissingAttribute(verb, attribute)
    return has[attribute]
