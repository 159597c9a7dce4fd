"""Turn -> TwiML: the only user of the provider's document builder.

What a step says is rendered once and kept: two callers who hear the same words at the same node differ only in the
number of their turn, which is put into the finished document. Every answer of the line is made here, the apology too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from html import escape
from threading import Lock
from typing import Any

from twilio.twiml.voice_response import Dial, Gather, Record, Say, VoiceResponse

from ivr import spoken
from ivr.answers import Answers
from ivr.flow import GOODBYE, Flow
from ivr.nodes import Listener, NumberEntry, VoiceMessage
from ivr.numbers import NumberPolicy
from ivr.prompts import Language, Prompts, Segment
from ivr.sayings import Saying

SILENCE_SECONDS = 8  # how long a caller may think before it counts as silence
AGENT_SECONDS = 8  # how long an agent may take to press a key
SPEECH_PAUSE_SECONDS = 2  # the end of an answer; "auto" would cut off whoever hesitates
CONTENT_TYPE = "text/xml; charset=utf-8"
_TURN = "987654321"  # stands for the turn's number while a document is kept
_KEPT = 2000  # documents; a call's own digits make a new one


@dataclass(frozen=True)
class Reply:
    """Everything that decides what a turn sounds like; numbers (E.164) and the reference are spelt when said."""

    node: str
    turn: int
    says: tuple[str, ...]
    language: str | None
    caller_number: str | None = None
    number: str | None = None
    reference: str | None = None
    due: tuple[str, ...] = ()


@dataclass(frozen=True)
class Bridge:
    """Connecting the agent to a caller: both numbers in E.164, addresses of ours, and how long it may take."""

    number: str
    caller_id: str
    action: str
    status: str
    ring_seconds: int
    longest_seconds: int


@dataclass
class Renderer:
    """Renders turns for one line; safe to share between threads."""

    flow: Flow
    prompts: Prompts
    answers: Answers
    numbers: NumberPolicy
    public_base_url: str
    _kept: dict[tuple[object, ...], str] = field(default_factory=dict)
    _needed: dict[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict)  # bounded by the flow
    _lock: Lock = field(default_factory=Lock)

    def render(self, reply: Reply, today: date) -> str:
        """The document for this turn, as it is to be sent."""
        needed = self._needed.get(reply.says)
        if needed is None:
            needed = self._needed[reply.says] = tuple(sorted(self.prompts.needs(reply.says)))
        own = tuple((name, getattr(reply, name)) for name in needed)
        key = (reply.node, reply.says, reply.language, own, today)
        document = self._kept.get(key)
        if document is None:
            document = self._keep(key, self._make(reply, own, today))
        return document.replace(_TURN, str(reply.turn))

    def _make(self, reply: Reply, own: Iterable[tuple[str, Any]], today: date) -> str:
        values = {name: self._spelt(name, value) for name, value in own if value}
        return self._render(reply.node, self.prompts.speak(reply.says, reply.language, values, today), reply.language)

    def _keep(self, key: tuple[object, ...], document: str) -> str:
        with self._lock:
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            self._kept[key] = document
        return document

    def _spelt(self, name: str, value: Any) -> tuple[str, ...]:  # noqa: ANN401  one of a reply's own values
        match name:
            case "due":
                return tuple(value)
            case "reference":
                return spoken.digits(value)
            case _:
                return spoken.digits(self.numbers.national(value))

    def goodbye(self, prompt: str, today: date) -> str:
        """A prompt in every language, then the end: for the apology and the fallback."""
        return self._render(GOODBYE, self.prompts.speak((prompt,), None, {}, today), None)

    def ask_agent(self, says: Saying, language: str | None, reference: str, action: str, today: date) -> str:
        """Ask an agent whose phone we rang for one key, which is posted to `action`; silence is posted as well."""
        response = VoiceResponse()
        gather = Gather(
            input="dtmf",
            action=action,
            method="POST",
            num_digits=1,
            finish_on_key="",
            timeout=AGENT_SECONDS,
            action_on_empty_result=True,
        )
        values = {"reference": spoken.digits(reference)}
        self._speak(gather, self.prompts.speak((says,), language, values, today))
        response.append(gather)
        return str(response)

    def connect_agent(self, bridge: Bridge, language: str | None, today: date) -> str:
        """Ring the caller and let the two speak: either sees the line's number only."""
        response = VoiceResponse()
        self._speak(response, self.prompts.speak((Saying.CALLING,), language, {}, today))
        dial = Dial(
            caller_id=bridge.caller_id,
            action=bridge.action,
            method="POST",
            timeout=bridge.ring_seconds,
            time_limit=bridge.longest_seconds,
        )
        dial.number(
            bridge.number,
            status_callback=f"{self.public_base_url}{bridge.status}",
            status_callback_event="initiated ringing answered completed",
            status_callback_method="POST",
        )
        response.append(dial)
        return str(response)

    def tell_agent(self, says: Saying, language: str | None, today: date) -> str:
        """One sentence for an agent, in every language where theirs is not known, and the end of the call."""
        response = VoiceResponse()
        self._speak(response, self.prompts.speak((says,), language, {}, today))
        response.hangup()
        return str(response)

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
        return str(response)

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
            hints=self.answers.hints(node.name, chosen) or None,
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
                voice = self._language(segment.language)
                verb.append(_say(segment.text, voice))
            else:
                verb.play(f"{self.public_base_url}/voice/prompts/{segment.recording}")

    def _language(self, code: str | None) -> Language:
        languages = self.prompts.languages
        return next((language for language in languages if language.code == code), languages[0])


def _say(text: str, language: Language) -> Say:
    """Words in a synthetic voice; what must be spelt is marked, so that 112 is no big number and CAK no word."""
    pieces = spoken.SPELT.split(text)
    say = Say(pieces[0], voice=language.voice, language=language.locale)
    for spelt, rest in zip(spoken.SPELT.findall(text), pieces[1:], strict=True):
        say.say_as(spelt, interpret_as="digits" if spelt.isdigit() else "characters")
        say.append(rest)
    return say


def refusal(words: str) -> str:
    """A document for requests that no caller makes: malformed, unsigned or out of place. Made without any prompt."""
    return f'<?xml version="1.0" encoding="UTF-8"?><Response><Say>{escape(words)}</Say><Hangup/></Response>'
