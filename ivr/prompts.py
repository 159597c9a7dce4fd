"""What the line says: composes the texts and recordings of prompts/ into speech, in the caller's language.

A turn of the `conversation` names prompts; here they become segments that `twiml` says or plays. What has expired, or
lacks a value, is not spoken: its fallback is. `prompt_files` reads the files, `spoken` turns numbers and times into
small prompts, `prompt_checks` judges the texts. Standard library only, because every web worker loads it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from ivr import spoken
from ivr.prompt_files import FACTS, OF_THE_CALL, Fact, Kind, Language, Prompt, has_words, read_language, read_prompts

__all__ = [
    "FACTS",
    "OF_THE_CALL",
    "Expiring",
    "Fact",
    "Kind",
    "Language",
    "Prompt",
    "PromptError",
    "Prompts",
    "PromptsError",
    "Segment",
]

_FIRST = ("nl", "en")  # the order of the keys at the language choice; other languages follow alphabetically


class PromptsError(Exception):
    """Something is wrong with what the line says."""


class PromptError(PromptsError):
    """The prompts cannot be spoken as they are: `problems` holds a sentence about each mistake."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True)
class Segment:
    """A stretch of speech in one voice: the words, and the recording of them (relative to prompts/) if there is one."""

    language: str
    text: str
    recording: str | None = None


@dataclass(frozen=True)
class Expiring:
    """A prompt or a fact (`what`) whose last day is `expires`."""

    what: str
    expires: date


class Prompts:
    """Every prompt in every language, with the facts of the organisation. Load it once; it never changes."""

    def __init__(
        self,
        directory: Path,
        languages: Sequence[Language],
        by_language: Mapping[str, Mapping[str, Prompt]],
        facts: Mapping[str, Fact],
    ) -> None:
        """Take what was read and found whole; `load` is the way in."""
        self.directory = directory
        self.languages = tuple(languages)
        self.facts = facts
        self._by_language = by_language

    @classmethod
    def load(cls, directory: Path, facts: Mapping[str, Fact]) -> Prompts:
        """Read prompts/ (`directory`) and fill in the facts of organisation.toml, by placeholder.

        A fact that is not known is left out of `facts`. Raises PromptError with all mistakes at once.
        """
        problems: list[str] = []
        languages: list[Language] = []
        by_language: dict[str, dict[str, Prompt]] = {}
        for folder in sorted(_folders(directory), key=_by_key):
            language = read_language(folder, problems)
            by_language[folder.name] = read_prompts(folder, facts, problems)
            languages.extend([language] if language else [])
        if not by_language:
            problems.append(f"there is no language in {directory}: each is a folder with texts and a language.toml")
        elif not problems:  # else the same mistake would be told twice
            problems.extend(_disagreements(by_language))
            problems.extend(_dead_ends(by_language))
            problems.extend(_unknown_facts(facts, by_language))
        if problems:
            raise PromptError(problems)
        return cls(directory, languages, by_language, facts)

    @property
    def names(self) -> frozenset[str]:
        """The name of every prompt there is."""
        return frozenset(self._by_language[self.languages[0].code])

    def prompt(self, name: str, language: str) -> Prompt:
        """The prompt as it was read, in this language; a KeyError where there is none."""
        return self._by_language[language][name]

    def text(self, name: str, language: str) -> str:
        """The words of this prompt, with its placeholders unfilled."""
        return self.prompt(name, language).text

    def chain(self, name: str, language: str) -> Iterator[Prompt]:
        """Go through a prompt, its fallback, the fallback's fallback ... the last of which can always be spoken."""
        prompt = self._by_language[language][name]
        while not prompt.always_speaks:
            yield prompt
            prompt = self._by_language[language][prompt.fallback]
        yield prompt

    def speak(
        self, says: Sequence[str], language: str | None, values: Mapping[str, tuple[str, ...]], today: date
    ) -> tuple[Segment, ...]:
        """Compose what a turn says: prompts in order, each in `language`, or in every language where that is None.

        A name may force a language ("receptionist_duty@nl"). `values` are the call's own placeholders, as names of
        small prompts. An expired prompt, or one without a value it needs, is replaced by its fallback. A language
        that the line does not have (any more) counts as None. A prompt that nobody wrote is a KeyError.
        """
        segments: list[Segment] = []
        for said in says:
            name, _, forced = said.partition("@")
            for code in self._codes(forced or language):
                segments.extend(self._compose(self._choose(name, code, values, today), values))
        return tuple(_merged(segments))

    def needs(self, says: Iterable[str]) -> frozenset[str]:
        """Which of the call's placeholders these prompts, or their fallbacks, use: other values change no word."""
        names = {said.partition("@")[0] for said in says}
        used = [prompt for code in self._by_language for name in names for prompt in self.chain(name, code)]
        return frozenset(placeholder for prompt in used for placeholder in prompt.placeholders) & OF_THE_CALL

    def alarms(self, today: date) -> tuple[Expiring, ...]:
        """What is still spoken although it has expired (112, 113): somebody must look at it now."""
        return self._expiring_before(today, (prompt for prompt in self._all() if prompt.alarms), {})

    def expiring(self, today: date, within_days: int) -> tuple[Expiring, ...]:
        """Every prompt and fact that has expired or will in so many days, the earliest first."""
        return self._expiring_before(today + timedelta(days=within_days), self._all(), self.facts)

    def _expiring_before(self, day: date, prompts: Iterable[Prompt], facts: Mapping[str, Fact]) -> tuple[Expiring, ...]:
        dates = {f"prompts/{prompt.language}/{prompt.name}.txt": prompt.expires for prompt in prompts}
        dates |= {f"organisation.toml: {name}": fact.expires for name, fact in facts.items()}
        found = [Expiring(what, expires) for what, expires in dates.items() if expires is not None and expires < day]
        return tuple(sorted(found, key=lambda expiring: (expiring.expires, expiring.what)))

    def _all(self) -> Iterator[Prompt]:
        for prompts in self._by_language.values():
            yield from prompts.values()

    def _codes(self, language: str | None) -> Iterable[str]:
        return (language,) if language and language in self._by_language else self._by_language

    def _choose(self, name: str, code: str, values: Mapping[str, tuple[str, ...]], today: date) -> Prompt:
        return next(prompt for prompt in self.chain(name, code) if self._can_be_spoken(prompt, values, today))

    def _can_be_spoken(self, prompt: Prompt, values: Mapping[str, tuple[str, ...]], today: date) -> bool:
        if prompt.is_expired(today) and not prompt.alarms:
            return False
        return all(self._is_known(name, prompt.language, values, today) for name in prompt.placeholders)

    def _is_known(self, placeholder: str, code: str, values: Mapping[str, tuple[str, ...]], today: date) -> bool:
        fact = self.facts.get(placeholder)
        if fact is not None and fact.expires is not None and today > fact.expires:
            return False
        small = self._value(placeholder, values)
        return bool(small or (fact and fact.text)) and all(name in self._by_language[code] for name in small)

    def _value(self, placeholder: str, values: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
        fact = self.facts.get(placeholder)
        return fact.value if fact else values.get(placeholder, ())

    def _compose(self, prompt: Prompt, values: Mapping[str, tuple[str, ...]]) -> list[Segment]:
        recorded = self._play(prompt, values) if prompt.recordings else None
        if recorded is not None:
            return recorded
        words = [
            part if index % 2 == 0 else self._words(part, prompt.language, values)
            for index, part in enumerate(prompt.parts)
        ]
        return [Segment(prompt.language, "".join(words))]

    def _words(self, placeholder: str, code: str, values: Mapping[str, tuple[str, ...]]) -> str:
        fact = self.facts.get(placeholder)
        if fact and fact.text:
            return fact.text
        return spoken.joined(self._value(placeholder, values), lambda name: self.text(name, code))

    def _play(self, prompt: Prompt, values: Mapping[str, tuple[str, ...]]) -> list[Segment] | None:
        """The recordings of prompt and values in order; None where one lacks, so that no voices are mixed."""
        recordings = iter(prompt.recordings)
        segments: list[Segment] = []
        for index, part in enumerate(prompt.parts):
            if index % 2 == 0:
                segments.extend([Segment(prompt.language, part.strip(), next(recordings))] if has_words(part) else [])
                continue
            small = [self.prompt(name, prompt.language) for name in self._value(part, values)]
            if not small or not all(one.recordings for one in small):
                return None
            segments.extend(Segment(one.language, one.text, one.recordings[0]) for one in small)
        return segments


def _folders(directory: Path) -> list[Path]:
    if not directory.is_dir():
        return []
    return [path for path in directory.iterdir() if path.is_dir() and not path.name.startswith((".", "_"))]


def _by_key(folder: Path) -> tuple[int, str]:
    return (_FIRST.index(folder.name) if folder.name in _FIRST else len(_FIRST), folder.name)


def _disagreements(by_language: Mapping[str, Mapping[str, Prompt]]) -> Iterator[str]:
    """Say where the languages do not have the same prompts with the same placeholders."""
    for name in sorted(set().union(*by_language.values())):
        having = {code: prompts[name] for code, prompts in by_language.items() if name in prompts}
        if len(having) < len(by_language):
            lacking = ", ".join(code for code in by_language if code not in having)
            yield f"{name}.txt is missing in {lacking}: it is there in {', '.join(having)}"
        if len({frozenset(prompt.placeholders) for prompt in having.values()}) > 1:
            yield f"{name}.txt has other placeholders in one language than in another"
        if len({(prompt.fallback, prompt.kind) for prompt in having.values()}) > 1:
            yield f"{name}.txt has another fallback or kind in one language than in another"


def _dead_ends(by_language: Mapping[str, Mapping[str, Prompt]]) -> Iterator[str]:
    """Say which fallbacks cannot be relied on: they are missing, go in a circle, or may themselves fall silent."""
    for code, prompts in by_language.items():
        for name in prompts:
            if wrong := _wrong_with_fallback(name, prompts):
                yield f"prompts/{code}/{name}.txt: {wrong}"


def _wrong_with_fallback(name: str, prompts: Mapping[str, Prompt]) -> str:
    seen = [name]
    while not prompts[seen[-1]].always_speaks:
        fallback = prompts[seen[-1]].fallback
        if fallback not in prompts:
            return f"the fallback {fallback!r} is not there"
        if fallback in seen:
            return f"no fallback can always be spoken: {' > '.join((*seen, fallback))}"
        seen.append(fallback)
    return ""


def _unknown_facts(facts: Mapping[str, Fact], by_language: Mapping[str, Mapping[str, Prompt]]) -> Iterator[str]:
    for name, fact in facts.items():
        if name not in FACTS:
            yield f"organisation.toml: no prompt can say {name!r}; there are {', '.join(sorted(FACTS))}"
        for code, prompts in by_language.items():
            lacking = sorted({small for small in fact.value if small not in prompts})
            if lacking:
                yield f"organisation.toml: {name!r} cannot be said in {code}: there is no {', '.join(lacking)}"


def _merged(segments: Iterable[Segment]) -> Iterator[Segment]:
    """Join neighbours in the same synthetic voice: fewer verbs, and the voice runs on."""
    last: Segment | None = None
    for segment in segments:
        if last and last.recording is None is segment.recording and last.language == segment.language:
            last = replace(last, text=f"{last.text} {segment.text}")
            continue
        if last:
            yield last
        last = segment
    if last:
        yield last
