"""A call as the caller's phone knows it: what the caller did, what was heard after it, and where the call stands.

Plain values, so that a call can be carried in a page, saved as a script and gone on with by another phone (`phone`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from ivr.twiml_verbs import Play, Say


class Kind(StrEnum):
    """What a sound is made of."""

    SAY = "say"
    PLAY = "play"


class Ending(StrEnum):
    """Who ended the call; `REJECTED` is a call that was never answered."""

    CALLER = "caller"
    LINE = "line"
    REJECTED = "rejected"


class Doing(StrEnum):
    """What somebody at a phone can do, in the words of a call script.

    A script has no `ANSWERS` and no `WAITS`: those are of a phone that the line rings (`phone_outgoing`).
    """

    DIALS = "dials"
    PRESSES = "presses"
    SAYS = "says"
    STAYS_SILENT = "stays silent"
    HANGS_UP = "hangs up"
    ANSWERS = "answers"
    WAITS = "waits for the other phone"


@dataclass(frozen=True)
class Sound:
    """One thing heard: words with their language (nl-NL) and voice, or a recording with its URL, its name as text."""

    kind: Kind
    text: str
    language: str = ""
    voice: str = ""
    url: str = ""


@dataclass(frozen=True)
class Act:
    """One thing the caller did: the number it dialled from, the keys, or the words."""

    doing: Doing
    value: str = ""


@dataclass(frozen=True)
class Exchange:
    """What the caller did and what was heard after it: one turn of the call, from the caller's side."""

    act: Act
    heard: tuple[Sound, ...] = ()


@dataclass(frozen=True)
class CallState:
    """All that a phone knows of its call. `next` is the place in the document of the verb to come."""

    call_sid: str
    from_: str
    to: str
    url: str = ""
    document: str = ""
    next: int = 0
    is_waiting: bool = False
    started: float | None = None  # seconds since the epoch
    ended_by: Ending | None = None
    direction: str = "inbound"
    parent: str = ""  # the call that this one was made for
    exchanges: tuple[Exchange, ...] = ()


def sound_of(verb: Say | Play, url: str = "") -> Sound:
    """Give what is heard of this verb; `url` is the resolved address of a recording."""
    if isinstance(verb, Say):
        return Sound(Kind.SAY, verb.text, verb.language, verb.voice)
    return Sound(Kind.PLAY, PurePosixPath(urlsplit(url).path).stem, url=url)


def words(heard: tuple[Sound, ...]) -> str:
    """Everything said in these sounds, in one line; a recording counts by its name."""
    return " ".join(sound.text for sound in heard)


def to_values(state: CallState) -> dict[str, Any]:
    """Give the state as plain values that JSON can hold."""
    return asdict(state)


def from_values(values: Mapping[str, Any]) -> CallState:
    """Give the state that `to_values` wrote, before or after a way through JSON."""
    ended_by = values["ended_by"]
    exchanges = tuple(
        Exchange(
            Act(Doing(exchange["act"]["doing"]), exchange["act"]["value"]),
            tuple(Sound(**{**sound, "kind": Kind(sound["kind"])}) for sound in exchange["heard"]),
        )
        for exchange in values["exchanges"]
    )
    return CallState(**{**values, "ended_by": ended_by and Ending(ended_by), "exchanges": exchanges})
