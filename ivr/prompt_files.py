"""Reads prompts/<language>/: one text file a prompt, language.toml, and the recordings beside the texts.

A file that is not as it should be becomes a sentence naming file and line, in a list: whoever writes texts sees every
mistake at once. `prompts` composes what is read here into speech; `prompt_checks` judges how well it can be understood.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path

DEFAULT_FALLBACK = "we_will_call_you"
RECORDINGS = (".wav", ".mp3")  # the first that is there is played

# Where the value of a placeholder comes from: the organisation's settings, or the call.
FACTS = frozenset(
    {
        "office_number",
        "emergency_gp_number",
        "asylum_gp_number",
        "insurance_number",
        "dental_number",
        "helpdesk_number",
        "days_kept",
        "organisation",
        "region",
    }
)
OF_THE_CALL = frozenset({"caller_number", "number", "reference", "due"})

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_NAME = re.compile(r"[a-z0-9_]+")


class Kind(StrEnum):
    """What sort of prompt it is, which decides how long it may be."""

    ORDINARY = "ordinary"
    INFORMATION = "information"
    SMALL = "small"  # a number, an hour, a day: spoken as part of others


@dataclass(frozen=True)
class Language:
    """A language of the line: its code (the folder's name), its own name, and whose voice speaks it.

    `voice` is the provider's synthetic voice for telephone calls, `espeak` the one of espeak-ng for rehearsals.
    """

    code: str
    name: str
    locale: str
    voice: str
    espeak: str


@dataclass(frozen=True)
class Fact:
    """Something only the organisation knows: names of small prompts (a number), or plain text (a name).

    `expires` is the last day on which it is spoken.
    """

    value: tuple[str, ...] = ()
    text: str = ""
    expires: date | None = None


@dataclass(frozen=True)
class Prompt:
    """One prompt in one language. `parts` are text and placeholder in turn, starting and ending with text.

    `recordings` are file names, one for each part of text that has words in it, or none at all; `stray_recordings` are
    those that cannot be played because others are missing.
    """

    name: str
    language: str
    text: str
    parts: tuple[str, ...]
    source: str
    reviewed: date
    expires: date | None = None
    fallback: str = DEFAULT_FALLBACK
    alarms: bool = False  # spoken although expired, because silence would be worse: 112 and 113
    kind: Kind = Kind.ORDINARY
    recordings: tuple[str, ...] = ()
    stray_recordings: tuple[str, ...] = ()

    @property
    def placeholders(self) -> tuple[str, ...]:
        """The names between braces, in order."""
        return self.parts[1::2]

    def is_expired(self, today: date) -> bool:
        """Whether the last day on which it may be relied on has passed."""
        return self.expires is not None and today > self.expires

    @property
    def always_speaks(self) -> bool:
        """Whether it can be spoken whatever the day is and whatever the organisation has filled in."""
        return not _PLACEHOLDER.search(self.text) and (self.expires is None or self.alarms)


def has_words(part: str) -> bool:
    """Whether there is something to say in this part, and not only a full stop."""
    return any(character.isalnum() for character in part)


def read_language(folder: Path, problems: list[str]) -> Language | None:
    """Read language.toml of this folder; what is wrong is added to `problems`."""
    path = folder / "language.toml"
    keys = ("name", "locale", "voice", "espeak")
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        problems.append(f"{_shown(path)} is missing: every language names its voice there")
        return None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problems.append(f"{_shown(path)} cannot be read: {error}")
        return None
    missing = [key for key in keys if not (isinstance(values.get(key), str) and values[key])]
    unknown = sorted(set(values) - set(keys))
    problems.extend(f"{_shown(path)}: {key!r} is missing" for key in missing)
    problems.extend(f"{_shown(path)}: {key!r} is not a setting of a language" for key in unknown)
    return None if missing else Language(folder.name, *(values[key] for key in keys))


def read_prompts(folder: Path, facts: Mapping[str, Fact], problems: list[str]) -> dict[str, Prompt]:
    """Read every text of this language by its name; what is wrong is added to `problems`."""
    names = sorted(path.name for path in folder.iterdir())
    recordings = frozenset(name for name in names if name.endswith(RECORDINGS))
    prompts: dict[str, Prompt] = {}
    for name in names:
        if name.endswith(".txt"):
            prompt = _read_prompt(folder / name, facts, recordings, problems)
            if prompt is not None:
                prompts[prompt.name] = prompt
    return prompts


def _read_prompt(
    path: Path, facts: Mapping[str, Fact], recordings: frozenset[str], problems: list[str]
) -> Prompt | None:
    found: list[str] = []
    try:
        head, separator, body = path.read_text(encoding="utf-8-sig").partition("\n\n")
    except UnicodeDecodeError:
        problems.append(f"{_shown(path)} is not saved as UTF-8")
        return None
    if not _NAME.fullmatch(path.stem):
        found.append(f"{_shown(path)}: a prompt's name has only a-z, 0-9 and _")
    text = " ".join(body.split())
    if not separator or not text:
        found.append(f"{_shown(path)}: after the header lines come an empty line and the text")
    header = _read_header(path, head, found)
    found.extend(f"{_shown(path)}: {what}" for what in _wrong_with_placeholders(text))
    problems.extend(found)
    if found or header is None:
        return None
    parts = _cut(text, facts)
    playable, stray = _find_recordings(path.stem, parts, recordings)
    language = path.parent.name
    return Prompt(
        name=path.stem,
        language=language,
        text=text,
        parts=parts,
        source=header.source,
        reviewed=header.reviewed,
        expires=header.expires,
        fallback=header.fallback,
        alarms=header.alarms,
        kind=header.kind,
        recordings=tuple(f"{language}/{name}" for name in playable),
        stray_recordings=tuple(f"{language}/{name}" for name in stray),
    )


@dataclass(frozen=True)
class _Header:
    source: str
    reviewed: date
    expires: date | None
    fallback: str
    alarms: bool
    kind: Kind


_REQUIRED = ("source", "reviewed")
_KEYS = (*_REQUIRED, "expires", "fallback", "on_expiry", "kind")


def _read_header(path: Path, head: str, problems: list[str]) -> _Header | None:
    values: dict[str, str] = {}
    known = len(problems)
    for number, line in enumerate(head.splitlines(), start=1):
        key, _, value = (piece.strip() for piece in line.partition(":"))
        wrong = f"{key!r} stands there twice" if key in values else _wrong_with_line(key, value)
        if wrong:
            problems.append(f"{_shown(path)}:{number}: {wrong}")
        values[key] = value
    problems.extend(f"{_shown(path)}: {key!r} is missing in the header" for key in _REQUIRED if key not in values)
    if len(problems) > known:
        return None
    return _Header(
        source=values["source"],
        reviewed=date.fromisoformat(values["reviewed"]),
        expires=date.fromisoformat(values["expires"]) if "expires" in values else None,
        fallback=values.get("fallback", DEFAULT_FALLBACK),
        alarms="on_expiry" in values,
        kind=Kind(values.get("kind", Kind.ORDINARY)),
    )


def _wrong_with_line(key: str, value: str) -> str:
    """Say what is wrong with a line of the header; an empty sentence where nothing is."""
    if key not in _KEYS:
        return f"there is no header key {key!r}; there are {', '.join(_KEYS)}"
    if not value:
        return f"{key!r} says nothing; a header line reads `key: value`"
    match key:
        case "reviewed" | "expires":
            try:
                date.fromisoformat(value)
            except ValueError:
                return f"{key!r} is a day such as 2026-11-21, not {value!r}"
        case "on_expiry" if value != "alarm":
            return f"'on_expiry' can only be 'alarm', not {value!r}"
        case "kind" if value not in list(Kind):
            return f"'kind' is one of {', '.join(Kind)}, not {value!r}"
    return ""


def _wrong_with_placeholders(text: str) -> list[str]:
    names = sorted(set(_PLACEHOLDER.findall(text)) - FACTS - OF_THE_CALL)
    wrong = [f"nothing is known by the name of {{{name}}}" for name in names]
    if set("{}") & set(_PLACEHOLDER.sub("", text)):
        wrong.append("a brace stands alone; a placeholder reads {name}")
    return wrong


def _cut(text: str, facts: Mapping[str, Fact]) -> tuple[str, ...]:
    """Cut the text at its placeholders. Plain words that never expire become part of the text, and of its recording."""
    words = {name: fact.text for name, fact in facts.items() if fact.text and fact.expires is None}
    filled = _PLACEHOLDER.sub(lambda found: words.get(found[1], found[0]), text)
    return tuple(_PLACEHOLDER.split(filled))


def _find_recordings(
    name: str, parts: Sequence[str], recordings: frozenset[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Find the recordings of this prompt: those to play (all or none), and those that are of no use."""
    spoken = [part for part in parts[::2] if has_words(part)]
    stems = [name] if len(parts) == 1 else [f"{name}.{number}" for number in range(1, len(spoken) + 1)]
    playable = [next((stem + ending for ending in RECORDINGS if stem + ending in recordings), None) for stem in stems]
    complete = tuple(recording for recording in playable if recording)
    if len(complete) < len(stems):
        complete = ()
    own = re.compile(rf"{re.escape(name)}(\.\d+)?\.(wav|mp3)")
    stray = () if not recordings else tuple(sorted(r for r in recordings if own.fullmatch(r) and r not in complete))
    return complete, stray


def _shown(path: Path) -> str:
    """The file as a writer of texts knows it: prompts/nl/goodbye.txt."""
    return "/".join(path.parts[-3:])
