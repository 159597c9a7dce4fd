"""What a caller did, and what was heard: between `listening`, which names it, and `conversation`, which decides."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The result of listening."""

    MATCH = "match"
    NO_MATCH = "no_match"
    NO_INPUT = "no_input"
    COMMAND = "command"
    RED_FLAG = "red_flag"


class Command(StrEnum):
    """What a caller can ask for at every node: by 9, 0 and *, or in words."""

    REPEAT = "repeat"
    CALLBACK = "callback"
    EMERGENCY = "emergency"


class Mode(StrEnum):
    """How the caller answered."""

    DIGITS = "digits"
    SPEECH = "speech"
    SILENCE = "silence"


@dataclass(frozen=True)
class Heard:
    """One result of listening.

    `value` is the option's name for a match at a menu, the command for a command, the number in E.164 for a match at a
    number entry, the language's code or the caller's own words for a spoken answer, and the reason for a no_match where
    there is one to tell (`number_premium` ...). `flags` are the categories of the words of danger that were heard.
    """

    kind: Kind
    value: str = ""
    mode: Mode = Mode.SILENCE
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Said:
    """What a caller did at a turn, as the provider reports it; None where it reports nothing."""

    digits: str | None = None
    utterance: str | None = None
    confidence: float | None = None
    recording: str | None = None


SILENCE = Heard(Kind.NO_INPUT)
