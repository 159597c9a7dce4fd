"""Where a call is and all that it knows: the value that is stored after every step and read back for the next.

`conversation` makes each position from the one before; the forks of `flow` look at it; `switchboard` stores it. Plain
values only, so that what was stored last year can be read by the code of today.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Circumstances:
    """What is so at this moment, apart from the call: the caller's number if we may dial it (E.164), the office."""

    office_open: bool = False
    caller_number: str | None = None
    takes_voice_messages: bool = False


@dataclass(frozen=True)
class Promise:
    """A callback that is in the queue: its reference (digits) and when, as names of small prompts."""

    reference: str
    due: tuple[str, ...]
    has_number: bool = True


@dataclass(frozen=True)
class Position:
    """Where a call is, and all that it knows."""

    node: str
    turn: int = 0
    language: str | None = None  # None speaks every language, one after the other
    answers: Mapping[str, str] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    told: tuple[str, ...] = ()  # what was said on the way to this node, for the key that repeats
    silences: int = 0
    misses: int = 0
    number: str | None = None  # to be called back on, E.164
    agreed: bool = False
    promise: Promise | None = None
    office_open: bool = False  # when the call began: what was concluded must not change while it is spoken


def to_values(position: Position) -> dict[str, Any]:
    """The position as plain values for storage, without what is as it was at the start of a call."""
    values = {
        name: value
        for name, default in _DEFAULTS.items()
        if (value := getattr(position, name)) != default and name != "promise"
    }
    if position.promise is not None:
        values["promise"] = [position.promise.reference, position.promise.due, position.promise.has_number]
    return values


def from_values(values: Mapping[str, Any]) -> Position:
    """The position that `to_values` wrote."""
    read = dict(values)
    for name in ("flags", "told"):
        if name in read:
            read[name] = tuple(read[name])
    if "promise" in read:
        reference, due, has_number = read["promise"]
        read["promise"] = Promise(reference, tuple(due), has_number)
    return Position(**read)


_DEFAULTS: Mapping[str, Any] = {name: getattr(Position(""), name) for name in Position.__dataclass_fields__}
