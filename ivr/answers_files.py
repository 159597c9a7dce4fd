"""Reads answers.toml and red_flags.toml of every language and finds everything that is wrong with them at once.

A reviewer edits these files by hand, so a fault is named by file, table and word, and all of them are told together.
`answers` makes vocabularies of what comes through here.
"""

from __future__ import annotations

import datetime
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ivr.flow import Flow
from ivr.grammar import COUNTING_LISTS, LAST, WORD_LISTS
from ivr.heard import Command
from ivr.nodes import Listener, Menu, Question, SpokenAnswer
from ivr.red_flags import Phrase, RedFlags
from ivr.words import plain

ANSWERS = "answers.toml"
RED_FLAGS = "red_flags.toml"
_LISTS = ("words", "also", "alone")
_KIN = ("yes", "no")
_FIXED = (
    "grammar",
    "numbers",
    "counting",
    "ordinals",
    "homophones",
    "commands",
    "unclear",
    "asides",
    "options",
    "nodes",
)


class AnswersError(Exception):
    """The words of the line are not fit for use: `problems` names every fault."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


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
    red_flags: Mapping[str, Any] = field(default_factory=dict)

    def said(self, node: Listener, option: str) -> Said:
        """What is said for an option at a node: there first, then everywhere, then what it is like."""
        here = self.answers.get("nodes", {}).get(node.name, {}).get(option, {})
        everywhere = self.answers["options"].get(option, {})
        said = _said(here) + _said(everywhere)
        for kin in {here.get("like"), everywhere.get("like")} - {None, option}:
            said += _said(self.answers["options"].get(kin, {}))
        return said

    def kin(self, node: Listener, option: str) -> set[str]:
        """The names "yes" and "no" where the option is one, or like one."""
        tables = (
            self.answers.get("nodes", {}).get(node.name, {}).get(option, {}),
            self.answers["options"].get(option, {}),
        )
        return {option, *(table.get("like", "") for table in tables)}

    def unclear_at(self, node: Listener) -> Sequence[str]:
        """Phrases that are no answer at this node although they hold words of one."""
        texts: Sequence[str] = self.answers.get("nodes", {}).get(node.name, {}).get("unclear", ())
        return texts


def _said(table: Mapping[str, Any]) -> Said:
    return Said(**{name: tuple(table.get(name, ())) for name in _LISTS})


def read(directory: Path, flow: Flow) -> list[File]:
    """Read every language's two files; AnswersError names all that is missing, unknown or misshapen."""
    problems: list[str] = []
    files: list[File] = []
    for folder in sorted(path for path in directory.iterdir() if path.is_dir() and path.name[0] not in "._"):
        answers, flags = _toml(folder / ANSWERS, problems), _toml(folder / RED_FLAGS, problems)
        if answers is not None and flags is not None:
            file = File(folder.name, answers, flags)
            found = [*_answers_problems(file, flow), *_red_flag_problems(file, flow)]
            problems += [f"{folder.name}/{problem}" for problem in found]
            files.append(file)
    if not files and not problems:
        problems.append(f"no language has words: {directory} has no folder with {ANSWERS}")
    if problems:
        raise AnswersError(problems)
    return files


def red_flags(files: Sequence[File]) -> RedFlags:
    """The words of danger of all languages together."""
    groups = [(name, group) for file in files for name, group in file.red_flags.items() if isinstance(group, dict)]
    phrases = [Phrase.read(name, text) for name, group in groups for text in group["phrases"]]
    return RedFlags(phrases, {name: group["answer"] for name, group in groups})


def _toml(path: Path, problems: list[str]) -> dict[str, Any] | None:
    where = f"{path.parent.name}/{path.name}"
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        problems.append(f"{where} is missing")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problems.append(f"{where} cannot be read: {error}")
    return None


def _answers_problems(file: File, flow: Flow) -> Iterator[str]:
    menus = [node for node in flow.nodes.values() if isinstance(node, Menu)]
    choices = {node.choices for node in flow.nodes.values() if isinstance(node, SpokenAnswer)}
    for name in (*_FIXED, *sorted(choices)):
        if not isinstance(file.answers.get(name), dict):
            yield f"{ANSWERS}: the table [{name}] is missing"
            return
    for name in sorted(file.answers.keys() - {*_FIXED, *choices}):
        yield f"{ANSWERS}: the table [{name}] is unknown"
    for name in WORD_LISTS:
        yield from _list_problems(f"[grammar] {name}", file.answers["grammar"].get(name), may_be_empty=True)
    for name in COUNTING_LISTS:
        yield from _list_problems(f"[counting] {name}", file.answers["counting"].get(name), may_be_empty=True)
    for table in ("numbers", "ordinals", "homophones", *sorted(choices)):
        for name, words in file.answers[table].items():
            yield from _list_problems(f"[{table}] {name}", words)
            if table not in choices and not (name.isdecimal() or (table == "ordinals" and name == LAST)):
                yield f"{ANSWERS}: [{table}] {name} is no number"
    for name in ("unclear", "asides"):
        yield from _list_problems(f"[{name}] words", file.answers[name].get("words"))
    yield from _command_problems(file)
    yield from _option_problems(file, menus)


def _command_problems(file: File) -> Iterator[str]:
    commands = file.answers["commands"]
    for name in sorted(commands.keys() ^ set(Command)):
        yield f"{ANSWERS}: [commands] {name} is {'unknown' if name in commands else 'missing'}"
    for name, words in commands.items():
        yield from _list_problems(f"[commands] {name}", words)


def _option_problems(file: File, menus: Sequence[Menu]) -> Iterator[str]:
    known = {option.name for menu in menus for option in menu.options}
    for name, table in file.answers["options"].items():
        if name not in known:
            yield f"{ANSWERS}: [options.{name}] is the name of no option"
        yield from _table_problems(f"[options.{name}]", table)
    by_name = {menu.name: menu for menu in menus}
    for node, tables in file.answers["nodes"].items():
        if node not in by_name:
            yield f"{ANSWERS}: [nodes.{node}] is the name of no menu"
            continue
        here = {option.name for option in by_name[node].options}
        for name, table in tables.items():
            if name == "unclear":
                yield from _list_problems(f"[nodes.{node}] unclear", table)
            elif name not in here:
                yield f"{ANSWERS}: [nodes.{node}.{name}] is the name of no option there"
            else:
                yield from _table_problems(f"[nodes.{node}.{name}]", table)
    for menu in menus:
        for option in menu.options:
            if _is_without_words(file, menu, option.name):
                yield f"{ANSWERS}: {menu.name} has no words for {option.name}"


def _is_without_words(file: File, menu: Menu, option: str) -> bool:
    tables = (file.answers["options"].get(option), file.answers["nodes"].get(menu.name, {}).get(option))
    return not any(isinstance(table, dict) and table.get("words") for table in tables)


def _table_problems(where: str, table: object) -> Iterator[str]:
    if not isinstance(table, dict):
        yield f"{ANSWERS}: {where} is not a table"
        return
    for name, value in table.items():
        if name in _LISTS:
            yield from _list_problems(f"{where} {name}", value)
        elif name != "like" or value not in _KIN:
            yield f"{ANSWERS}: {where} {name} is not understood"


def _list_problems(where: str, words: object, *, may_be_empty: bool = False, file: str = ANSWERS) -> Iterator[str]:
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        yield f"{file}: {where} is not a list of words"
    elif not words and not may_be_empty:
        yield f"{file}: {where} is empty"
    else:
        yield from (f"{file}: {where}: {word!r} has no letters" for word in words if not plain(word).tokens)


def _red_flag_problems(file: File, flow: Flow) -> Iterator[str]:
    danger = [node for node in flow.nodes.values() if isinstance(node, Question) and node.names_danger]
    answers = {option.name for node in danger for option in node.options}
    flags = file.red_flags
    if type(flags.get("reviewed")) is not datetime.date:
        yield f"{RED_FLAGS}: reviewed is not a date"
    if not isinstance(flags.get("source"), str):
        yield f"{RED_FLAGS}: source is missing"
    groups = {name: group for name, group in flags.items() if name not in ("reviewed", "source")}
    if not groups:
        yield f"{RED_FLAGS}: there are no words of danger"
    for name, group in groups.items():
        if not isinstance(group, dict) or group.keys() != {"answer", "phrases"}:
            yield f"{RED_FLAGS}: [{name}] must have answer and phrases, and nothing else"
            continue
        if group["answer"] not in answers:
            yield f"{RED_FLAGS}: [{name}] answer {group['answer']!r} is no answer to the question about danger"
        yield from _list_problems(f"[{name}] phrases", group["phrases"], file=RED_FLAGS)
        yield from _phrase_problems(name, group["phrases"])


def _phrase_problems(name: str, phrases: object) -> Iterator[str]:
    if not isinstance(phrases, list):
        return
    for text in phrases:
        try:
            Phrase.read(name, text if isinstance(text, str) else "")
        except ValueError as error:
            yield f"{RED_FLAGS}: [{name}] {text!r}: {error}"
