"""Finds everything that is wrong with the words of a language, so that a reviewer is told all of it at once.

Each fault is named by file, table and word. `answers` asks here before it makes vocabularies of the files; what only
shows when the languages are joined (a phrase with two meanings) it finds itself.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from ivr.answers_files import ANSWERS, LISTS, RED_FLAGS, File
from ivr.flow import Flow
from ivr.grammar import COUNTING_LISTS, LAST, WORD_LISTS
from ivr.heard import Command
from ivr.nodes import Menu, Question, SpokenAnswer
from ivr.red_flags import DENIAL_LISTS, Phrase
from ivr.words import plain

KIN = ("yes", "no")
_TABLES = (
    "grammar",
    "counting",
    "numbers",
    "ordinals",
    "homophones",
    "commands",
    "unclear",
    "asides",
    "options",
    "nodes",
)
_NUMBERED = ("numbers", "ordinals", "homophones")


class AnswersError(Exception):
    """The words of the line are not fit for use: `problems` names every fault."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


def problems_of(file: File, flow: Flow) -> Iterator[str]:
    """What is missing, unknown or misshapen in the words of one language."""
    for name, problems in ((ANSWERS, _answers_problems(file, flow)), (RED_FLAGS, _red_flag_problems(file, flow))):
        yield from (f"{file.language}/{name}: {problem}" for problem in problems)


def _answers_problems(file: File, flow: Flow) -> Iterator[str]:
    answers = file.answers
    choices = {node.choices for node in flow.nodes.values() if isinstance(node, SpokenAnswer)}
    tables = {*_TABLES, *choices}
    missing = [name for name in tables if not isinstance(answers.get(name), dict)]
    yield from (f"the table [{name}] is missing" for name in sorted(missing))
    yield from (f"the table [{name}] is unknown" for name in sorted(answers.keys() - tables))
    if missing:
        return
    for table, names in (("grammar", WORD_LISTS), ("counting", COUNTING_LISTS)):
        for name in names:
            yield from _list_problems(f"[{table}] {name}", answers[table].get(name), may_be_empty=True)
    for table in ("unclear", "asides"):
        yield from _list_problems(f"[{table}] words", answers[table].get("words"))
    for table in (*_NUMBERED, *sorted(choices)):
        for name, words in answers[table].items():
            yield from _list_problems(f"[{table}] {name}", words)
    yield from _number_problems(answers)
    yield from _command_problems(answers["commands"])
    yield from _option_problems(file, flow)


def _number_problems(answers: Mapping[str, Any]) -> Iterator[str]:
    for table in _NUMBERED:
        for name in answers[table]:
            if not name.isdecimal() and (table, name) != ("ordinals", LAST):
                yield f"[{table}] {name} is no number"


def _command_problems(commands: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted(commands.keys() ^ set(Command)):
        yield f"[commands] {name} is {'unknown' if name in commands else 'missing'}"
    for name, words in commands.items():
        yield from _list_problems(f"[commands] {name}", words)


def _option_problems(file: File, flow: Flow) -> Iterator[str]:
    menus = {node.name: node for node in flow.nodes.values() if isinstance(node, Menu)}
    known = {option.name for menu in menus.values() for option in menu.answers}
    for name, table in file.answers["options"].items():
        if name not in known:
            yield f"[options.{name}] is the name of no option"
        yield from _table_problems(f"[options.{name}]", table)
    for name, tables in file.answers["nodes"].items():
        if name in menus and isinstance(tables, dict):
            yield from _node_problems(menus[name], tables)
        else:
            yield f"[nodes.{name}] is the name of no menu"
    for menu in menus.values():
        for option in menu.answers:
            if not file.said(menu, option.name).words:
                yield f"{menu.name} has no words for {option.name}"


def _node_problems(menu: Menu, tables: Mapping[str, Any]) -> Iterator[str]:
    options = {option.name for option in menu.answers}
    for name, table in tables.items():
        where = f"[nodes.{menu.name}.{name}]"
        if name == "unclear":
            yield from _list_problems(f"[nodes.{menu.name}] unclear", table)
        elif name in options:
            yield from _table_problems(where, table)
        else:
            yield f"{where} is the name of no option there"


def _table_problems(where: str, table: object) -> Iterator[str]:
    if not isinstance(table, dict):
        yield f"{where} is not a table"
        return
    for name, value in table.items():
        if name in LISTS:
            yield from _list_problems(f"{where} {name}", value)
        elif name != "like" or value not in KIN:
            yield f"{where} {name} is not understood"


def _list_problems(where: str, words: object, *, may_be_empty: bool = False) -> Iterator[str]:
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        yield f"{where} is not a list of words"
    elif not words and not may_be_empty:
        yield f"{where} is empty"
    else:
        yield from (f"{where}: {word!r} has no letters" for word in words if not plain(word).tokens)


def _red_flag_problems(file: File, flow: Flow) -> Iterator[str]:
    danger = [node for node in flow.nodes.values() if isinstance(node, Question) and node.names_danger]
    answers = {option.name for node in danger for option in node.answers}
    flags = file.red_flags
    if type(flags.get("reviewed")) is not dt.date:
        yield "reviewed is not a date"
    if not isinstance(flags.get("source"), str):
        yield "source is missing"
    denials = flags.get("denials")
    for name in DENIAL_LISTS:
        words = denials.get(name) if isinstance(denials, dict) else None
        yield from _list_problems(f"[denials] {name}", words, may_be_empty=True)
    groups = {name: group for name, group in flags.items() if name not in ("reviewed", "source", "denials")}
    if not groups:
        yield "there are no words of danger"
    for name, group in groups.items():
        if not isinstance(group, dict) or group.keys() != {"answer", "phrases"}:
            yield f"[{name}] must have answer and phrases, and nothing else"
        elif group["answer"] not in answers:
            yield f"[{name}] answer {group['answer']!r} is no answer to the question about danger"
        else:
            yield from _phrase_problems(name, group["phrases"])


def _phrase_problems(name: str, phrases: object) -> Iterator[str]:
    problems = list(_list_problems(f"[{name}] phrases", phrases))
    yield from problems
    for text in phrases if isinstance(phrases, list) and not problems else ():
        try:
            Phrase.read(name, text, frozenset())
        except ValueError as error:
            yield f"[{name}] {text!r}: {error}"
