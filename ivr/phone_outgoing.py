"""The other direction: an agent's phone that the line rings, and behind it the phone of a caller it is connected to.

It follows the documents as `phone` does and posts what the provider would post: how the agent's call goes, and how the
call goes that a Dial makes for it. The rehearsal in the browser and the tests answer with it, or let it ring.

    phone = AgentPhone(transport, base_url=..., account_sid=..., auth_token=..., from_=LINE, to=AGENT,
                       incoming_url="/voice/callback/.../agent", status_url="/voice/callback/.../status")
    phone.answer()
    phone.press("1")
    phone.other_answers()
    phone.hang_up()
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from ivr import phone_calls, phone_forms
from ivr.phone import Phone
from ivr.phone_calls import Act, CallState, Doing, Ending, Sound
from ivr.phone_errors import AlreadyDialled, NoCall, PhoneError
from ivr.transport import Transport
from ivr.twiml_verbs import Dial, Redirect

LINE, AGENT = "+31402000000", "+31612340000"
UNTAKEN = ("busy", "no-answer", "failed", "canceled")  # how a call can go that nobody answers


@dataclass(frozen=True)
class OtherPhone:
    """The phone that the line rings for this call: where the news of it goes, and since when they speak (epoch)."""

    call_sid: str
    number: str
    caller_id: str
    action: str
    status_url: str
    events: tuple[str, ...]
    answered: float | None = None
    told: int = 0

    @property
    def is_answered(self) -> bool:
        """Whether the two speak now; else it rings."""
        return self.answered is not None


class AgentPhone(Phone):
    """One agent's phone, for one call that the line makes to it.

    `incoming_url` is the document for when it is answered. The agent's part is that of a caller: keys, words, hanging
    up; `other_...` is what happens at the phone that the line connects it to.
    """

    def __init__(self, transport: Transport, **settings: Any) -> None:  # noqa: ANN401  those of Phone
        super().__init__(transport, **{"from_": LINE, "to": AGENT, "fallback_url": None, **settings})
        self._call = replace(self._call, direction="outbound-api")
        self._other: OtherPhone | None = None

    # What the agent does, beside what any phone can.

    def ring(self) -> None:
        """Begin to ring: the line is told so."""
        self._tell("ringing", 0)

    def answer(self) -> tuple[Sound, ...]:
        """Pick up; what is heard."""
        if self._call.exchanges:
            raise AlreadyDialled("This phone was picked up before")
        return self._do(Act(Doing.ANSWERS), self._pick_up)

    def let_it_be(self, status: str = "no-answer") -> None:
        """Do not pick up: the line is told how that went (one of UNTAKEN)."""
        if self._call.exchanges or self.is_over:
            raise NoCall("This phone does not ring")
        self._call = replace(self._call, ended_by=Ending.CALLER)
        self._tell(status, 1)

    # What happens at the other phone.

    @property
    def other(self) -> OtherPhone | None:
        """The phone that the line rings or has connected, or None."""
        return self._other

    def other_answers(self) -> tuple[Sound, ...]:
        """Somebody picks up there, and the two can speak."""
        return self._at_other("answers", self._connect)

    def other_is_left(self, status: str = "no-answer") -> tuple[Sound, ...]:
        """Nobody picks up there (one of UNTAKEN): the line goes on with the agent."""
        return self._at_other(status, lambda other: self._disconnect(other, status))

    def other_hangs_up(self) -> tuple[Sound, ...]:
        """Whoever they spoke to puts the phone down: the line goes on with the agent."""
        return self._at_other("hangs up", lambda other: self._disconnect(other, "completed"))

    def state(self) -> dict[str, Any]:
        """Give the call as values that JSON can hold; no secret is among them."""
        addresses = {"incoming_url": self.incoming_url, "status_url": self.status_url}
        return {**super().state(), **addresses, "other": asdict(self._other) if self._other else None}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], transport: Transport, **settings: Any) -> Self:  # noqa: ANN401  those of Phone
        """Go on with the call of this state; settings are those of a new phone, without numbers, call and addresses."""
        known = dict(state)
        other, addresses = known.pop("other"), {name: known.pop(name) for name in ("incoming_url", "status_url")}
        phone = cls(transport, **addresses, **settings)
        phone._call = phone_calls.from_values(known)
        phone._other = OtherPhone(**{**other, "events": tuple(other["events"])}) if other else None
        return phone

    # How it is followed.

    def _do(self, act: Act, carry_out: Callable[[], None]) -> tuple[Sound, ...]:
        before = self._other
        try:
            return super()._do(act, carry_out)
        except PhoneError:
            self._other = before
            raise

    def _pick_up(self) -> None:
        self._tell("in-progress", 1)
        self._ring()

    def _go_elsewhere(self, verb: Redirect | Dial) -> bool:
        if not isinstance(verb, Dial):
            return super()._go_elsewhere(verb)
        resolve, at = self._wire.resolve, self._call.url
        self._other = OtherPhone(
            call_sid=phone_forms.new_sid("CA"),
            number=verb.number,
            caller_id=verb.caller_id or self._call.from_,
            action=resolve(at, verb.action) if verb.action else "",
            status_url=resolve(at, verb.status_callback) if verb.status_callback else "",
            events=tuple(sorted(verb.status_events)),
        )
        self._call = replace(self._call, is_waiting=True)
        self._tell_of_other("initiated", "initiated")
        self._tell_of_other("ringing", "ringing")
        return False

    def _at_other(self, what: str, happen: Callable[[OtherPhone], None]) -> tuple[Sound, ...]:
        other = self._other
        if other is None or other.is_answered == (what != "hangs up"):
            raise NoCall("The other phone does not ring" if what != "hangs up" else "Nobody speaks there")
        return self._do(Act(Doing.WAITS, what), lambda: happen(other))

    def _connect(self, other: OtherPhone) -> None:
        self._other = replace(other, answered=self._clock())
        self._tell_of_other("answered", "in-progress")

    def _disconnect(self, other: OtherPhone, status: str) -> None:
        self._tell_of_other("completed", status)
        self._other = None
        if other.action:
            seconds = self._clock() - other.answered if other.answered is not None else 0.0
            self._fetch(other.action, phone_forms.dialled(status, seconds, other.call_sid))
        self._listen()

    def _stay_silent(self) -> None:
        if self._other is None:
            super()._stay_silent()
        else:
            self._not_listening("The line does not listen: two phones are connected")

    def _hang_up(self, saying: str) -> None:
        if self._other is not None:
            self._tell_of_other("completed", "completed" if self._other.is_answered else "canceled")
            self._other = None
        super()._hang_up(saying)

    def _tell(self, status: str, sequence: int) -> None:
        """The news of the agent's own call."""
        if self.status_url is not None:
            news = phone_forms.call_goes_on(self._clock(), sequence)
            self._wire.tell(self._call, self._wire.resolve("", self.status_url), news, status)

    def _tell_of_other(self, event: str, status: str) -> None:
        """The news of the call to the other phone, where the line wants to hear it."""
        other = self._other
        if other is None or not other.status_url or event not in other.events:
            return
        now = self._clock()
        news = phone_forms.call_goes_on(now, other.told)
        if event == "completed":
            news = phone_forms.call_ended(now - (other.answered or now), now)
        leg = CallState(
            other.call_sid, other.caller_id, other.number, direction="outbound-dial", parent=self._call.call_sid
        )
        self._other = replace(other, told=other.told + 1)
        self._wire.tell(leg, other.status_url, news, status)
