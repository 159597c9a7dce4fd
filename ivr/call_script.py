"""Call scripts: whole calls written down so that they can be read aloud, replayed and saved.

    # Amina has a child with fever. Dutch, keypad only.
    dials from +31 6 12345678
    hears "bel 112"
    presses 1
    hears "geen politie" in nl
    hears nothing of "press"
    says "ja graag" with confidence 0.8
    stays silent
    the line hangs up
    queue: outcome likely_maternity_child, urgency P2, language nl, safe_message yes

`hears` is about the turn since the caller last did something; upper case, spaces and the kind of quotation mark do not
matter, and "..." stands for anything. After `hangs up` or `the line hangs up` the script may dial again. `call_replay`
acts a script out on a `phone`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ivr.phone_calls import Act, Doing, Ending, Exchange, words
from ivr.phone_errors import Unreadable

WITHHELD = "anonymous"
SURE = 0.9


@dataclass(frozen=True)
class Does:
    """The caller does something; without a value when dialling, from the phone's own number."""

    act: Act
    confidence: float = SURE


@dataclass(frozen=True)
class Hears:
    """These words are heard, perhaps in a certain language, or are not heard."""

    text: str
    language: str = ""
    is_heard: bool = True


@dataclass(frozen=True)
class LineHangsUp:
    """The line has ended the call."""


@dataclass(frozen=True)
class Queue:
    """What is now in the queue for this call: names and values of the callback; none at all for no callback."""

    expected: tuple[tuple[str, str], ...]


Step = Does | Hears | LineHangsUp | Queue


@dataclass(frozen=True)
class Script:
    """A call written down: its steps with the number of the line that each stands on."""

    path: str
    steps: tuple[tuple[int, Step], ...]


def read(path: Path) -> Script:
    """Read a script's file; Unreadable names the first line that says nothing known."""
    return parse(path.read_text(encoding="utf-8"), str(path))


def parse(text: str, path: str = "script") -> Script:
    """Read a script's text; `path` is what errors call it."""
    steps = []
    for number, line in enumerate(text.splitlines(), start=1):
        meant = line.strip()
        if meant and not meant.startswith("#"):
            steps.append((number, _step(meant, path, number)))
    return Script(path, tuple(steps))


def _step(line: str, path: str, number: int) -> Step:
    for pattern, make in _SENTENCES:
        if match := re.fullmatch(pattern, line):
            return make(match)
    raise Unreadable(path, number, f"nobody can do this in a call: {line}")


def _dials(match: re.Match[str]) -> Step:
    number = "".join((match["number"] or "").split())
    return Does(Act(Doing.DIALS, WITHHELD if match["withheld"] else number))


def _says(match: re.Match[str]) -> Step:
    return Does(Act(Doing.SAYS, match["text"]), float(match["confidence"] or SURE))


def _queue(match: re.Match[str]) -> Step:
    if match["fields"] == "nothing":
        return Queue(())
    pairs = (field.strip().partition(" ") for field in match["fields"].split(","))
    return Queue(tuple((name, value.strip()) for name, _, value in pairs))


_QUOTED = r"[\"“](?P<text>.+)[\"”]"
_SENTENCES: Sequence[tuple[str, Callable[[re.Match[str]], Step]]] = (
    (r"dials(?: from (?:(?P<withheld>a withheld number)|(?P<number>[+\w :@.-]+)))?", _dials),
    (r"presses (?P<keys>[0-9*# ]+)", lambda m: Does(Act(Doing.PRESSES, m["keys"]))),
    (rf"says {_QUOTED}(?: with confidence (?P<confidence>0(?:\.\d+)?|1(?:\.0)?))?", _says),
    (r"stays silent", lambda _: Does(Act(Doing.STAYS_SILENT))),
    (rf"hangs up(?: while saying {_QUOTED})?", lambda m: Does(Act(Doing.HANGS_UP, m["text"] or ""))),
    (rf"hears {_QUOTED}(?: in (?P<language>[a-z]{{2,3}}))?", lambda m: Hears(m["text"], m["language"] or "")),
    (rf"hears nothing of {_QUOTED}", lambda m: Hears(m["text"], is_heard=False)),
    (r"the line hangs up", lambda _: LineHangsUp()),
    (r"queue: *(?P<fields>nothing|[a-z_]+ [^,]+(?:, *[a-z_]+ [^,]+)*)", _queue),
)


def write(exchanges: Sequence[Exchange], ended_by: Ending | None, *, title: str, changing: Sequence[str] = ()) -> str:
    """Write a call down as a script, with everything that was heard, a sentence a line.

    `changing` are texts with {placeholders} for what is of that one call (a reference, a time), written as "...".
    """
    lines = [f"# {title}"]
    for exchange in exchanges:
        lines += ["", _written(exchange.act)]
        lines += [f'hears "{sentence}"' for sentence in sentences(_lasting(words(exchange.heard), changing))]
    if ended_by in (Ending.LINE, Ending.REJECTED):
        lines.append("the line hangs up")
    return "\n".join(lines) + "\n"


def sentences(text: str) -> Iterator[str]:
    """Cut words into sentences, a question or an exclamation being one too."""
    return (sentence for sentence in re.split(r"(?<=[.!?])\s+", text.strip()) if sentence)


def _lasting(text: str, changing: Sequence[str]) -> str:
    for template in changing:
        parts = re.split(r"\{\w+\}", template)
        text = re.sub(".+?".join(map(re.escape, parts)), "...".join(parts).replace("\\", r"\\"), text)
    return text


def _written(act: Act) -> str:
    match act.doing:
        case Doing.DIALS:
            return f"dials from {'a withheld number' if act.value == WITHHELD else act.value}"
        case Doing.SAYS:
            return f'says "{act.value}"'
        case Doing.HANGS_UP if act.value:
            return f'hangs up while saying "{act.value}"'
        case _:
            return f"{act.doing} {act.value}".rstrip()
