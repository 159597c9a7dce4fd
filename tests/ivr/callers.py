"""A caller for the pure conversation: answers by the names of options and hears the names of prompts."""

from __future__ import annotations

from dataclasses import dataclass, field

from ivr import conversation
from ivr.conversation import CallbackDetails, Turn
from ivr.flow import Flow, build
from ivr.heard import SILENCE, Command, Heard, Kind, Mode
from ivr.position import Circumstances, Position, Promise, from_values, to_values

OWN_NUMBER = "+31612345678"


@dataclass
class Caller:
    """Goes through a call without a phone; keeps what the queue was asked for."""

    number: str | None = OWN_NUMBER
    office_open: bool = True
    queue_says: str = "queued"
    flow: Flow = field(default_factory=build)
    requests: list[CallbackDetails] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.turn = self._stored(conversation.begin(self.flow, self.circumstances))

    @property
    def circumstances(self) -> Circumstances:
        """What is so at this moment."""
        return Circumstances(office_open=self.office_open, caller_number=self.number)

    @property
    def node(self) -> str:
        """Where the call waits."""
        return self.turn.position.node

    @property
    def hears(self) -> tuple[str, ...]:
        """What was just said."""
        return self.turn.says

    @property
    def position(self) -> Position:
        """What the call knows."""
        return self.turn.position

    def answers(self, *names: str) -> Caller:
        """Choose these options, one after the other."""
        for name in names:
            self._go_on(Heard(Kind.MATCH, name, Mode.DIGITS))
        return self

    def is_silent(self, times: int = 1) -> Caller:
        """Say nothing until the line gives up waiting."""
        for _ in range(times):
            self._go_on(SILENCE)
        return self

    def mumbles(self, times: int = 1, reason: str = "") -> Caller:
        """Say or press something that no option is."""
        for _ in range(times):
            self._go_on(Heard(Kind.NO_MATCH, reason, Mode.SPEECH))
        return self

    def commands(self, command: Command) -> Caller:
        """Press 9, 0 or *."""
        self._go_on(Heard(Kind.COMMAND, command.value, Mode.DIGITS))
        return self

    def cries(self, *flags: str) -> Caller:
        """Say words of danger."""
        self._go_on(Heard(Kind.RED_FLAG, mode=Mode.SPEECH, flags=flags))
        return self

    def _go_on(self, heard: Heard) -> None:
        turn = conversation.resume(self.flow, self.position, heard, self.circumstances)
        while conversation.waits_for_queue(self.flow, turn):
            asked = conversation.details(self.flow, turn.position, self.number)
            result = "already" if self.requests else self.queue_says
            self.requests.append(asked)
            promise = Promise("4821", ("day_today",), has_number=asked.number is not None)
            turn = conversation.resume_task(self.flow, turn, result, promise, self.circumstances)
        self.turn = self._stored(turn)

    def _stored(self, turn: Turn) -> Turn:
        """Every turn survives being written down and read back."""
        assert from_values(to_values(turn.position)) == turn.position
        return turn


def at_main_menu(**kwargs: object) -> Caller:
    """A Dutch-speaking caller who has heard the opening."""
    return Caller(**kwargs).answers("nl")  # type: ignore[arg-type]  # the fields above
