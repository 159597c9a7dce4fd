"""Turn -> TwiML: the only user of the provider's document builder.

What a step says is rendered once and kept: two callers who hear the same words at the same node differ only in the
number of their turn, which is put into the finished document. Every answer of the line is made here, the apology too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from html import escape
from threading import Lock

from twilio.twiml.voice_response import Gather, Record, Say, VoiceResponse

from ivr.answers import Answers
from ivr.flow import GOODBYE, Flow
from ivr.nodes import Listener, NumberEntry, VoiceMessage
from ivr.prompts import Language, Prompts, Segment

SILENCE_SECONDS = 8  # how long a caller may think before it counts as silence
SPEECH_PAUSE_SECONDS = 2  # the end of an answer; "auto" would cut off whoever hesitates
CONTENT_TYPE = "text/xml; charset=utf-8"
_TURN = "987654321"  # stands for the turn's number while a document is kept
_KEPT = 2000  # documents; a call's own digits make a new one
_SPELT = re.compile(r"\b(11[23])\b")  # emergency numbers are spoken digit by digit
_SPELT_TWIML = r'<say-as interpret-as="digits">\1</say-as>'


@dataclass(frozen=True)
class Reply:
    """Everything that decides what a turn sounds like."""

    node: str
    turn: int
    says: Sequence[str]
    language: str | None
    values: Mapping[str, tuple[str, ...]]


@dataclass
class Renderer:
    """Renders turns for one line; safe to share between threads."""

    flow: Flow
    prompts: Prompts
    answers: Answers
    public_base_url: str
    _kept: dict[tuple[object, ...], str] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def render(self, reply: Reply, today: date) -> str:
        """The document for this turn, as it is to be sent."""
        says = tuple(reply.says)
        own = tuple((name, reply.values[name]) for name in sorted(self.prompts.needs(says)) if name in reply.values)
        key = (reply.node, says, reply.language, own, today)
        document = self._kept.get(key)
        if document is None:
            document = self._render(reply.node, self.prompts.speak(says, reply.language, dict(own), today), reply.language)
            with self._lock:
                if len(self._kept) >= _KEPT:
                    self._kept.clear()
                self._kept[key] = document
        return document.replace(_TURN, str(reply.turn))

    def goodbye(self, prompt: str, today: date) -> str:
        """A prompt in every language, then the end: for the apology and the fallback."""
        return self._render(GOODBYE, self.prompts.speak((prompt,), None, {}, today), None)

    def _render(self, name: str, segments: Sequence[Segment], language: str | None) -> str:
        response = VoiceResponse()
        node = self.flow[name]
        match node:
            case VoiceMessage():
                self._speak(response, segments)
                response.append(self._record(node))
            case Listener():
                gather = self._gather(node, self._language(language), language)
                self._speak(gather, segments)
                response.append(gather)
            case _:
                self._speak(response, segments)
                response.hangup()
        return _SPELT.sub(_SPELT_TWIML, str(response))

    def _gather(self, node: Listener, language: Language, chosen: str | None) -> Gather:
        keys = {"finish_on_key": "#"} if isinstance(node, NumberEntry) else {"num_digits": 1, "finish_on_key": ""}
        return Gather(
            input="dtmf speech",
            action=f"/voice/turn/{_TURN}",
            method="POST",
            timeout=SILENCE_SECONDS,
            speech_timeout=str(SPEECH_PAUSE_SECONDS),
            action_on_empty_result=True,
            barge_in=True,
            language=language.locale,
            hints=self.answers.hints(node.name, chosen),
            profanity_filter=False,
            **keys,
        )

    def _record(self, node: VoiceMessage) -> Record:
        return Record(
            action=f"/voice/turn/{_TURN}",
            method="POST",
            max_length=node.max_seconds,
            timeout=5,
            play_beep=True,
            trim="trim-silence",
            finish_on_key="1234567890*#",
        )

    def _speak(self, verb: VoiceResponse | Gather, segments: Sequence[Segment]) -> None:
        for segment in segments:
            if segment.recording is None:
                spoken = self._language(segment.language)
                verb.append(Say(segment.text, voice=spoken.voice, language=spoken.locale))
            else:
                verb.play(f"{self.public_base_url}/voice/prompts/{segment.recording}")

    def _language(self, code: str | None) -> Language:
        languages = self.prompts.languages
        return next((language for language in languages if language.code == code), languages[0])


def refusal(words: str) -> str:
    """A document for requests that no caller makes: malformed, unsigned or out of place. Made without any prompt."""
    return f'<?xml version="1.0" encoding="UTF-8"?><Response><Say>{escape(words)}</Say><Hangup/></Response>'
