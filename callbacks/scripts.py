"""What an agent says and does while phoning: a script for every outcome of the triage, and what all calls share.

`script_files` reads them and says how a script is written; here one is chosen for a request, in the languages of agent
and caller, and all are judged: what is missing, too long to say, or not to be said. `script_part` fills them in for the
page of a request. Facts in them come from the same sources as those that the line speaks. Standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Protocol

from callbacks.script_files import Kind, Part, Script, Step, read_folder

FOLDER = Path(__file__).resolve().parent / "scripts"
SHARED = ("opening", "closing", "keep_in_mind", "provider", "voicemail", "somebody_else")
FALLBACK = "incomplete"  # the script of an outcome that nobody wrote one for
OF_THE_DESK = "nl"  # a front desk in the Netherlands
MOST_WORDS = 20  # in a sentence that is said

# Words that frighten, label people, or promise what nobody can; a word that begins so is found too.
AVOID: Mapping[str, tuple[str, ...]] = {
    "nl": (
        "illegaal", "illegale", "vreemdeling", "uitgeprocedeerd", "status", "onverzekerbaar", "declareren",
        "declaratie", "intake", "dossier", "controle", "anoniem", "geen recht", "niet recht",
    ),
    "en": (
        "illegal", "alien", "foreigner", "failed asylum", "rejected", "deport", "status", "uninsurable", "claim",
        "intake", "dossier", "eligible", "anonymous", "no right", "not entitled",
    ),
}  # fmt: skip


class Asked(Protocol):
    """What is known of a request and decides about its script; an entry of the queue is one."""

    @property
    def outcome(self) -> str:
        """What the triage concluded."""

    @property
    def language(self) -> str | None:
        """The language of the call."""

    @property
    def callback_language(self) -> str | None:
        """The language in which to call back, where the caller named one."""


class ScriptsError(ValueError):
    """The scripts cannot be used as they are: `problems` holds a sentence about each mistake."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


@dataclass(frozen=True)
class Library:
    """Every script in every language, by language and name."""

    scripts: Mapping[str, Mapping[str, Script]]

    @classmethod
    def load(cls, folder: Path) -> Library:
        """Read the folder; ScriptsError with all mistakes at once, also where the languages disagree."""
        problems: list[str] = []
        scripts = read_folder(folder, problems)
        if problems:
            raise ScriptsError(problems)
        return cls(scripts)

    @property
    def names(self) -> frozenset[str]:
        """The name of every script there is."""
        return frozenset(next(iter(self.scripts.values()), ()))

    def script(self, name: str, page_language: str, caller_language: str | None) -> Script:
        """This script for an agent who reads one language and phones in another; FALLBACK where there is none.

        A caller's language in which there are no scripts is the page's: an interpreter translates it from there.
        """
        chosen = name if name in self.names else FALLBACK
        caller = caller_language if caller_language in self.scripts else page_language
        said = {Kind.SAY: str(caller), Kind.DESK: OF_THE_DESK}

        def mixed(number: int, part: Part) -> Part:
            spoken = {language: known[chosen].parts[number].steps for language, known in self.scripts.items()}
            steps = [
                _said(step, spoken[said.get(step.kind, page_language)][place]) for place, step in enumerate(part.steps)
            ]
            return replace(part, steps=tuple(steps))

        page = self.scripts[page_language][chosen]
        return replace(page, parts=tuple(mixed(number, part) for number, part in enumerate(page.parts)))


def _said(read: Step, spoken: Step) -> Step:
    return read if spoken.language == read.language else replace(spoken, meaning=read.text)


def script_for(entry: Asked, page_language: str) -> Script:
    """The script for this request: instructions in the page's language, sentences in that of the caller."""
    return shared_for(entry.outcome, entry, page_language)


def shared_for(name: str, entry: Asked, page_language: str) -> Script:
    """Another script in the same languages, such as one of SHARED."""
    return library().script(name, page_language, entry.callback_language or entry.language)


@cache
def library() -> Library:
    """The scripts of this house, read once; ScriptsError where they cannot be used."""
    return Library.load(FOLDER)


def expiring(library: Library, before: date) -> dict[date, list[str]]:
    """The scripts whose facts have to be reviewed before this day, by their last day."""
    found: dict[date, list[str]] = {}
    for script in next(iter(library.scripts.values())).values():  # the languages agree on the days
        if script.expires is not None and script.expires < before:
            found.setdefault(script.expires, []).append(script.name)
    return dict(sorted(found.items()))


def referred(library: Library) -> frozenset[str]:
    """The keys of the organisations that scripts name."""
    return frozenset(
        step.text
        for script in next(iter(library.scripts.values())).values()
        for part in script.parts
        for step in part.steps
        if step.kind is Kind.REFER
    )


def problems(library: Library, outcomes: Iterable[str], keys: Iterable[str]) -> list[str]:
    """What must be put right before agents use the scripts: what is missing, too long, or not to be said.

    `outcomes` are those of the triage, `keys` those of the directory.
    """
    wanted = {*outcomes, *SHARED}
    found = [f"{name}.txt: nobody has written this script" for name in sorted(wanted - library.names)]
    found += [f"{name}.txt: no outcome needs this script" for name in sorted(library.names - wanted)]
    for language, scripts in library.scripts.items():
        for script in scripts.values():
            steps = [step for part in script.parts for step in part.steps]
            here = f"{language}/{script.name}.txt"
            found += [f"{here}: {wrong}" for step in steps for wrong in _wrong_with_step(step, frozenset(keys))]
            if len({step.text for step in steps}) < len(steps):
                found.append(f"{here}: says something twice")
        found += [] if language in AVOID else [f"{language}: AVOID does not say which words to avoid"]
    return found


def _wrong_with_step(step: Step, keys: frozenset[str]) -> Iterator[str]:
    if step.kind is Kind.REFER and step.text not in keys:
        yield f"the directory has no {step.text!r}"
    if step.kind not in (Kind.SAY, Kind.DESK):
        return
    for sentence in re.split(r"[.?!:]\s+", step.text):
        if len(sentence.split()) > MOST_WORDS:
            yield f"too long to say in one breath: {sentence!r}"
    for word in AVOID.get(step.language, ()):
        if re.search(rf"\b{re.escape(word)}", step.text, re.IGNORECASE):
            yield f"says {word!r}, which is to be avoided"
