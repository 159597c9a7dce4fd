"""A caller's phone: it follows the line's TwiML over real HTTP with valid signatures, as the provider would.

The rehearsals in the terminal and in the browser, the tests and the benchmarks all call with it. Nothing takes real
time: a silence is over at once. `phone_wire` posts the forms and gets the documents, `twiml_reader` reads those as
strictly as the provider or more so, `phone_calls` holds what is known of the call. What goes wrong is a PhoneError, and
leaves the call where it was, so that the caller can try again.

    phone = Phone(HttpTransport(), base_url="http://127.0.0.1:8000", account_sid=..., auth_token=...)
    phone.dial()
    phone.press("2")
    phone.say("a doctor please")
    phone.hang_up()
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Self, assert_never
from urllib.parse import urljoin

from ivr import phone_calls, phone_forms
from ivr.phone_calls import Act, CallState, Doing, Ending, Exchange, Sound
from ivr.phone_errors import (
    AlreadyDialled,
    BadSid,
    NoCall,
    NotListening,
    NotOnKeypad,
    PhoneError,
    TooManyRedirects,
)
from ivr.phone_wire import Wire
from ivr.transport import Form, Transport
from ivr.twiml_reader import read_twiml
from ivr.twiml_verbs import Dial, Gather, Hangup, Pause, Play, Record, Redirect, Reject, Say

MOST_REDIRECTS = 10
CALLER, CALLED = "+31612345678", "+31402512738"
KEYS = frozenset("0123456789*#")


class Phone:
    """One caller's phone, for one call.

    `status_url` and `fallback_url` are what the line's number is set up with (None where it is not), relative to
    `base_url`. With `strict`, doing what the line does not listen to is an error, else it is as if nothing was done.
    `dial_status` is how the other side answers when the line connects the call.
    """

    def __init__(  # noqa: PLR0913  a phone has as many settings, all of them named
        self,
        transport: Transport,
        *,
        base_url: str,
        account_sid: str,
        auth_token: str,
        from_: str = CALLER,
        to: str = CALLED,
        call_sid: str | None = None,
        incoming_url: str = "/voice/incoming",
        fallback_url: str | None = "/voice/fallback",
        status_url: str | None = "/voice/status",
        strict: bool = True,
        dial_status: str = "no-answer",
        clock: Callable[[], float] = time.time,
    ) -> None:
        sid = call_sid or phone_forms.new_sid("CA")
        if not phone_forms.is_sid("CA", sid):
            raise BadSid("CallSid", sid)
        self.incoming_url, self.status_url = incoming_url, status_url
        self.strict = strict
        self.dial_status = dial_status
        self._clock = clock
        self._wire = Wire(transport, base_url, account_sid, auth_token, fallback_url)
        self._call = CallState(sid, from_, to)

    # What the caller does. Each gives what is heard now.

    def dial(self) -> tuple[Sound, ...]:
        """Call the line."""
        if self._call.exchanges:
            raise AlreadyDialled("This phone has dialled; make a new call with another")
        return self._do(Act(Doing.DIALS, self._call.from_), self._ring)

    def press(self, keys: str) -> tuple[Sound, ...]:
        """Press keys, with or without spaces; those that come after the gather is complete are lost."""
        pressed = "".join(keys.split())
        if not pressed or not KEYS.issuperset(pressed):
            raise NotOnKeypad(keys)
        return self._do(Act(Doing.PRESSES, pressed), lambda: self._press(pressed))

    def say(self, utterance: str, confidence: float = 0.9) -> tuple[Sound, ...]:
        """Say something; at a voice message it is what is recorded. Saying nothing is staying silent.

        What cannot be said aloud (control characters, halves of characters) is left out, as a recogniser would.
        """
        said = " ".join("".join(c for c in utterance if c.isprintable() or c.isspace()).split())
        if not said:
            return self.stay_silent()
        return self._do(Act(Doing.SAYS, said), lambda: self._say(said, confidence))

    def stay_silent(self) -> tuple[Sound, ...]:
        """Do nothing until the line gives up waiting."""
        return self._do(Act(Doing.STAYS_SILENT), self._stay_silent)

    def hang_up(self, saying: str = "") -> tuple[Sound, ...]:
        """Put the phone down; at a voice message perhaps in the middle of `saying` something."""
        return self._do(Act(Doing.HANGS_UP, saying), lambda: self._hang_up(saying))

    def new_call(self, from_: str | None = None) -> Phone:
        """Give a phone with the same settings for another call, perhaps from another number."""
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other._wire = replace(self._wire, troubles=[])
        other._call = CallState(phone_forms.new_sid("CA"), from_ or self._call.from_, self._call.to)
        return other

    # What can be known of the call.

    @property
    def call_sid(self) -> str:
        """The call's identifier, CA and 32 hexadecimal digits."""
        return self._call.call_sid

    @property
    def from_(self) -> str:
        """The number the call comes from, or a word for a withheld one."""
        return self._call.from_

    @property
    def troubles(self) -> list[PhoneError]:
        """What failed without ending the call: the fallback made it good, or it was news that the line did not take."""
        return self._wire.troubles

    @property
    def heard(self) -> tuple[Sound, ...]:
        """What was heard since the caller last did something."""
        return self._call.exchanges[-1].heard if self._call.exchanges else ()

    @property
    def words(self) -> str:
        """The words of the current turn in one line."""
        return phone_calls.words(self.heard)

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """The whole call: everything the caller did, each with what was heard after it."""
        return self._call.exchanges

    @property
    def whole_call(self) -> tuple[Sound, ...]:
        """Everything heard since dialling."""
        return tuple(sound for exchange in self._call.exchanges for sound in exchange.heard)

    @property
    def waiting_for(self) -> Gather | Record | None:
        """What the line waits for now, or None when there is no call or it is over."""
        if not self._call.is_waiting:
            return None
        verb = read_twiml(self._call.document)[self._call.next - 1]
        return verb if isinstance(verb, Gather | Record) else None

    @property
    def is_over(self) -> bool:
        """Whether the call has ended, on either side."""
        return self._call.ended_by is not None

    @property
    def ended_by(self) -> Ending | None:
        """Who ended the call, or None while it lasts."""
        return self._call.ended_by

    def state(self) -> dict[str, Any]:
        """Give the call as values that JSON can hold; no secret is among them."""
        return phone_calls.to_values(self._call)

    @classmethod
    def from_state(cls, state: Mapping[str, Any], transport: Transport, **settings: Any) -> Self:  # noqa: ANN401  those of __init__
        """Go on with the call of this state; settings are those of a new phone, without numbers and call."""
        phone = cls(transport, **settings)
        phone._call = phone_calls.from_values(state)
        return phone

    # How the line is followed.

    def _do(self, act: Act, carry_out: Callable[[], None]) -> tuple[Sound, ...]:
        if act.doing not in (Doing.DIALS, Doing.ANSWERS) and not self._call.exchanges:
            raise NoCall("There is no call yet: dial first")
        if self.is_over:
            raise NoCall("The call is over")
        before = self._call
        self._call = replace(before, exchanges=(*before.exchanges, Exchange(act)))
        try:
            carry_out()
        except PhoneError:
            self._call = before
            raise
        return self.heard

    def _ring(self) -> None:
        self._call = replace(self._call, started=self._clock())
        self._fetch(self.incoming_url, ())
        self._listen()

    def _press(self, keys: str) -> None:
        match self.waiting_for:
            case Gather(takes_keys=True) as gather:
                digits, finished_by = phone_forms.gathered(keys, gather.num_digits, gather.finish_on_key)
                self._answer_gather(gather, phone_forms.keys_pressed(digits, finished_by), is_empty=not digits)
            case Record(finish_on_key=finishing) if keys[0] in finishing:
                self._record("")
            case _:
                self._not_listening("The line does not listen to keys here")

    def _say(self, said: str, confidence: float) -> None:
        match self.waiting_for:
            case Gather(takes_words=True) as gather:
                self._answer_gather(gather, phone_forms.words_said(said, confidence, gather.language))
            case Record():
                self._record(said)
            case _:
                self._not_listening("The line does not listen to words here")

    def _stay_silent(self) -> None:
        match self.waiting_for:
            case Gather() as gather:
                self._answer_gather(gather, (), is_empty=True)
            case _:
                self._record("")

    def _hang_up(self, saying: str) -> None:
        if isinstance(self.waiting_for, Record):
            self._record(saying, hung_up=True)
        self._end(Ending.CALLER)

    def _not_listening(self, words: str) -> None:
        if self.strict:
            raise NotListening(words)
        # As if nothing was done: the line still waits, and what it said is still what was heard last.
        self._call = replace(self._call, exchanges=self._call.exchanges[:-1])

    def _answer_gather(self, gather: Gather, said: Form, *, is_empty: bool = False) -> None:
        if not is_empty or gather.action_on_empty_result:
            self._fetch(gather.action, said)
        self._listen()

    def _record(self, said: str, *, hung_up: bool = False) -> None:
        record = self.waiting_for
        if not isinstance(record, Record):
            raise NoCall("The line waits for nothing")
        recording = phone_forms.Recording.of(self._wire.account_sid, said, record.max_length)
        resolve, at = self._wire.resolve, self._call.url
        if said and hung_up:
            self._wire.tell(self._call, resolve(at, record.action), recording.form(digits="hangup"))
        elif said:
            self._fetch(record.action, recording.form())
        if record.status_callback and recording.status in record.status_events:
            self._wire.tell(self._call, resolve(at, record.status_callback), recording.status_form())
        if not hung_up:
            self._listen()

    def _listen(self) -> None:
        """Hear the document from where the call is until something waits for the caller, or the call ends."""
        self._call = replace(self._call, is_waiting=False)
        documents = 0
        while not self._call.is_waiting and not self.is_over:
            documents += self._follow_next_verb(may_leave=documents < MOST_REDIRECTS)

    def _follow_next_verb(self, *, may_leave: bool) -> bool:
        """Do as the next verb says; whether the call went on to another document."""
        verbs = read_twiml(self._call.document)
        verb = verbs[self._call.next] if self._call.next < len(verbs) else Hangup()
        self._call = replace(self._call, next=self._call.next + 1)
        match verb:
            case Say() | Play() | Pause():
                self._hear((verb,))
            case Gather() | Record():
                self._hear(verb.prompts if isinstance(verb, Gather) else ())
                self._call = replace(self._call, is_waiting=True)
            case Redirect() | Dial():
                if not may_leave:
                    raise TooManyRedirects(self._call.url, MOST_REDIRECTS)
                return self._go_elsewhere(verb)
            case Hangup():
                self._end(Ending.LINE)
            case Reject():
                self._end(Ending.REJECTED, "busy" if verb.reason == "busy" else "no-answer")
            case _:
                assert_never(verb)
        return False

    def _hear(self, prompts: Sequence[Say | Play | Pause]) -> None:
        sounds = tuple(
            phone_calls.sound_of(prompt, urljoin(self._call.url, prompt.url) if isinstance(prompt, Play) else "")
            for prompt in prompts
            if not isinstance(prompt, Pause)
        )
        *earlier, last = self._call.exchanges
        heard = replace(last, heard=(*last.heard, *sounds))
        self._call = replace(self._call, exchanges=(*earlier, heard))

    def _go_elsewhere(self, verb: Redirect | Dial) -> bool:
        if isinstance(verb, Redirect):
            self._fetch(verb.url, ())
        elif verb.action:
            self._fetch(verb.action, phone_forms.dialled(self.dial_status))
        else:
            return False
        return True

    def _fetch(self, url: str, said: Form) -> None:
        """Go on with the document that answers this form; `url` is relative to the present document."""
        found, document = self._wire.fetch(self._call, self._wire.resolve(self._call.url, url), said)
        self._call = replace(self._call, url=found, document=document, next=0)

    def _end(self, by: Ending, status: str = "completed") -> None:
        self._call = replace(self._call, ended_by=by, is_waiting=False)
        if self.status_url is not None:
            now = self._clock()
            form = phone_forms.call_ended(now - (self._call.started or now), now)
            self._wire.tell(self._call, self._wire.resolve("", self.status_url), form, status)
