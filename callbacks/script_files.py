"""Reads call scripts: a text file of the same name in each language of the console, one line a step.

scripts/nl/bill.txt stands beside scripts/en/bill.txt: a header (where its facts come from, when somebody reviewed them,
until when they may be relied on), an empty line, and steps under [headings]. `say:` is said to the caller, in the
language in which they are called; `desk:` to a doctor's front desk, in Dutch; `refer:` names an organisation of the
directory; any other line is for the agent, in the language of the page. `scripts` chooses among them and judges them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from itertools import pairwise, zip_longest
from pathlib import Path

HEADINGS = ("check", "start", "ask", "tell", "do", "close", "care", "call", "message", "answer")
PLACEHOLDERS = frozenset({"agent", "organisation", "reference", "days_kept"})

_REQUIRED = ("source", "reviewed")
_KEYS = (*_REQUIRED, "expires")
_DAYS = ("reviewed", "expires")
_PLACEHOLDER = re.compile(r"\{(\w*)\}")


class Kind(StrEnum):
    """For whom a line is."""

    NOTE = "note"  # the agent
    SAY = "say"  # the caller
    DESK = "desk"  # whoever picks up at a doctor's, hospital or pharmacy
    REFER = "refer"  # the agent: the key of an organisation


@dataclass(frozen=True)
class Step:
    """One line; `language` is that of its text, `meaning` the same in the page's language where that is another."""

    kind: Kind
    text: str
    language: str
    meaning: str | None = None


@dataclass(frozen=True)
class Part:
    """The steps under one heading, which is one of HEADINGS."""

    heading: str
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Script:
    """One script; `expires` is the last day on which its facts may be relied on without looking them up."""

    name: str
    source: str
    reviewed: date
    expires: date | None
    parts: tuple[Part, ...]

    def is_expired(self, today: date) -> bool:
        """Whether somebody has to review its facts before they are told."""
        return self.expires is not None and today > self.expires

    def filled(self, values: Mapping[str, str]) -> Script:
        """The same with its placeholders filled in; KeyError for one without a value."""

        def fill(step: Step) -> Step:
            text, meaning = _fill(step.text, values), step.meaning and _fill(step.meaning, values)
            return replace(step, text=text, meaning=meaning)

        return replace(self, parts=tuple(replace(part, steps=tuple(map(fill, part.steps))) for part in self.parts))


def read_folder(folder: Path, problems: list[str]) -> dict[str, dict[str, Script]]:
    """Every script by language and name; what is wrong is added to `problems`, also where the languages disagree."""
    scripts = {
        path.name: {file.stem: script for file in sorted(path.glob("*.txt")) if (script := _read(file, problems))}
        for path in sorted(folder.iterdir())
        if path.is_dir()
    }
    problems += [] if problems else _disagreements(scripts)
    return scripts


def _read(path: Path, problems: list[str]) -> Script | None:
    """One file; what is wrong is added to `problems`."""
    here = f"{path.parent.name}/{path.name}"
    try:
        head, _, body = path.read_text(encoding="utf-8-sig").partition("\n\n")
    except UnicodeDecodeError:
        problems.append(f"{here} is not saved as UTF-8")
        return None
    header = dict(line.partition(": ")[::2] for line in head.splitlines())
    wrong = [*_wrong_with_header(header)]
    parts = _parts(body, path.parent.name, wrong)
    problems += [f"{here}: {what}" for what in wrong]
    if wrong:
        return None
    reviewed, expires = (date.fromisoformat(header[key]) if key in header else None for key in _DAYS)
    return Script(path.stem, header["source"], reviewed or date.min, expires, parts)


def _wrong_with_header(header: Mapping[str, str]) -> Iterator[str]:
    yield from (f"{key!r} is missing in the header" for key in _REQUIRED if not header.get(key))
    yield from (f"there is no header key {key!r}; there are {', '.join(_KEYS)}" for key in header if key not in _KEYS)
    for key in _DAYS:
        try:
            date.fromisoformat(header.get(key) or "2026-01-01")
        except ValueError:
            yield f"{key!r} is a day such as 2026-11-21"


def _parts(body: str, language: str, wrong: list[str]) -> tuple[Part, ...]:
    parts: list[tuple[str, list[Step]]] = []
    for line in filter(None, (line.strip() for line in body.splitlines())):
        if line.startswith("["):
            parts.append((line.strip("[]"), []))
        elif parts:
            parts[-1][1].append(_step(line, language))
        else:
            wrong.append("the first line after the header is a [heading]")
    wrong += [f"[{name}] is no heading; there are {', '.join(HEADINGS)}" for name, _ in parts if name not in HEADINGS]
    wrong += [f"nothing stands under [{name}]" for name, steps in parts if not steps]
    unknown = sorted(set(_PLACEHOLDER.findall(body)) - PLACEHOLDERS)
    wrong += [f"nothing is known by the name of {{{name}}}" for name in unknown]
    if not parts:
        wrong.append("there is nothing to say or to do")
    return tuple(Part(name, tuple(steps)) for name, steps in parts)


def _step(line: str, language: str) -> Step:
    for kind in (Kind.SAY, Kind.DESK, Kind.REFER):
        if line.startswith(f"{kind}: "):
            return Step(kind, line.removeprefix(f"{kind}: "), language)
    return Step(Kind.NOTE, line, language)


def _disagreements(scripts: Mapping[str, Mapping[str, Script]]) -> list[str]:
    """Where one language has a script, a heading or a kind of line that another has not."""
    everything = sorted({name for known in scripts.values() for name in known})
    if not everything:
        return ["there are no scripts"]
    found = []
    for name in everything:
        lacking = [language for language, known in scripts.items() if name not in known]
        found += [f"{language}/{name}.txt is missing: the other languages have it" for language in lacking]
        plans = [] if lacking else [(language, _plan(known[name])) for language, known in scripts.items()]
        for (one, first), (other, second) in pairwise(plans):
            pairs = enumerate(zip_longest(first, second), start=1)
            differs = next((number for number, (here, there) in pairs if here != there), None)
            if differs is not None:
                found.append(f"{name}.txt: {one} and {other} are not made alike from line {differs} on")
    return found


def _plan(script: Script) -> list[tuple[str, ...]]:
    """How a script is made: its days, headings, kinds of lines and organisations, without the words."""
    plan: list[tuple[str, ...]] = []
    for part in script.parts:
        plan.append((part.heading,))
        for step in part.steps:
            fixed = step.text if step.kind is Kind.REFER else " ".join(sorted(_PLACEHOLDER.findall(step.text)))
            plan.append((step.kind, fixed))
    return [*plan, (str(script.reviewed), str(script.expires))]


def _fill(text: str, values: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda found: values[found[1]], text)
