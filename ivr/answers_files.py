"""Reads what a language understands: its answers.toml and its red_flags.toml, as a reviewer wrote them.

`answers_checks` says what is wrong with a file, and `answers` makes vocabularies of those that are right.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ivr.nodes import Listener

ANSWERS = "answers.toml"
RED_FLAGS = "red_flags.toml"
LISTS = ("words", "also", "alone")


@dataclass(frozen=True)
class Said:
    """What is said for one option: the good words, other spellings, and words that count only alone."""

    words: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    alone: tuple[str, ...] = ()

    def __add__(self, other: Said) -> Said:
        return Said(self.words + other.words, self.also + other.also, self.alone + other.alone)


@dataclass(frozen=True)
class File:
    """One language's words."""

    language: str
    answers: Mapping[str, Any]
    red_flags: Mapping[str, Any]

    def said(self, node: Listener, option: str) -> Said:
        """What is said for an option at a node: there first, then everywhere, then what it is like."""
        here, everywhere = self._tables(node, option)
        said = _said(here) + _said(everywhere)
        for kin in {here.get("like"), everywhere.get("like")} - {None, option}:
            said += _said(self.answers["options"].get(kin, {}))
        # A language that is added as a folder is known by its name already.
        return said if said.words else said + Said(words=tuple(self.answers["languages"].get(option, ())))

    def kin(self, node: Listener, option: str) -> set[str]:
        """The names "yes" and "no" where the option is one, or like one."""
        tables = (
            self.answers.get("nodes", {}).get(node.name, {}).get(option, {}),
            self.answers["options"].get(option, {}),
        )
        return {option, *(table.get("like", "") for table in tables)}

    def unclear_at(self, node: Listener) -> Sequence[str]:
        """Phrases that are no answer at this node although they hold words of one."""
        texts: Sequence[str] = self._here(node).get("unclear", ())
        return texts

    def _tables(self, node: Listener, option: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        return self._here(node).get(option, {}), self.answers["options"].get(option, {})

    def _here(self, node: Listener) -> Mapping[str, Any]:
        here: Mapping[str, Any] = self.answers["nodes"].get(node.name, {})
        return here


def _said(table: Mapping[str, Any]) -> Said:
    return Said(**{name: tuple(table.get(name, ())) for name in LISTS})


def read(directory: Path, names: Mapping[str, str], problems: list[str]) -> list[File]:
    """Read every language's two files, each language a folder; what cannot be read is added to `problems`.

    `names` are said where the lists have them in braces ({region}).
    """
    files: list[File] = []
    for folder in sorted(path for path in directory.iterdir() if path.is_dir() and path.name[0] not in "._"):
        answers, flags = _toml(folder / ANSWERS, problems), _toml(folder / RED_FLAGS, problems)
        if answers is not None and flags is not None:
            files.append(File(folder.name, _named(answers, names), flags))
    if not files and not problems:
        problems.append(f"no language has words: {directory} has no folder with {ANSWERS}")
    return files


def _toml(path: Path, problems: list[str]) -> dict[str, Any] | None:
    where = f"{path.parent.name}/{path.name}"
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        problems.append(f"{where} is missing")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problems.append(f"{where} cannot be read: {error}")
    return None


def _named(value: Any, names: Mapping[str, str]) -> Any:  # noqa: ANN401  whatever a TOML file can hold
    """The same table with the names filled in; a name itself is dropped where it stands among others (of towns)."""
    if isinstance(value, dict):
        return {key: _named(inner, names) for key, inner in value.items()}
    if isinstance(value, list):
        taken = {name.casefold() for name in names.values()}
        return [_named(inner, names) for inner in value if not isinstance(inner, str) or inner.casefold() not in taken]
    if isinstance(value, str):
        for name, text in names.items():
            value = value.replace("{" + name + "}", text)
    return value
