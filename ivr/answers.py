"""Loads the words that the line understands, and refuses to start when they could be misunderstood.

Each language has its own `answers.toml` and `red_flags.toml` beside its prompts. At start-up they are joined with the
flow into one vocabulary for each node, so that `listening` only has to look up. `twiml` takes its hints from here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from pathlib import Path

from ivr import answers_checks, answers_files
from ivr.answers_checks import AnswersError
from ivr.answers_files import File
from ivr.flow import Flow
from ivr.grammar import Grammar
from ivr.heard import Command
from ivr.nodes import Listener, Menu, Question, SpokenAnswer
from ivr.red_flags import RedFlags
from ivr.words import Phrases, plain

__all__ = ["Answers", "AnswersError", "Meaning", "Sense", "Vocabulary"]

MOST_HINTS = 500
LONGEST_HINT = 100


class Sense(StrEnum):
    """What kind of thing a phrase says."""

    OPTION = "option"
    COMMAND = "command"
    UNCLEAR = "unclear"  # no answer, whatever else is said
    ASIDE = "aside"  # takes its denial with it


@dataclass(frozen=True)
class Meaning:
    """What a phrase means at a node; `alone` when it counts only if nothing else of substance is said."""

    sense: Sense
    value: str = ""
    alone: bool = False


@dataclass(frozen=True)
class Vocabulary:
    """Everything that can be understood at one node."""

    phrases: Phrases[Meaning]
    keys: Mapping[int, Meaning]
    places: Mapping[int, Meaning]  # the first, the second ...; -1 is the last
    affirmative: frozenset[str] = frozenset()
    negative: frozenset[str] = frozenset()
    names_danger: bool = False


KEY_COMMANDS: Mapping[int, Meaning] = {
    0: Meaning(Sense.COMMAND, Command.CALLBACK),
    9: Meaning(Sense.COMMAND, Command.REPEAT),
}
_UNCLEAR = Meaning(Sense.UNCLEAR)


@dataclass(frozen=True)
class Answers:
    """The vocabulary of every node, the small words of all languages, and the words of danger."""

    grammar: Grammar
    red_flags: RedFlags
    vocabularies: Mapping[str, Vocabulary]
    _hints: Mapping[tuple[str, str | None], str]
    _examples: Mapping[tuple[str, str, str], str]

    @classmethod
    def load(cls, directory: Path, flow: Flow, *, region: str = "Eindhoven") -> Answers:
        """Read the words of every language, a folder each; AnswersError lists all that is wrong with them.

        `region` is the organisation's, said where the caller is asked for it.
        """
        problems: list[str] = []
        files = answers_files.read(directory, {"region": region}, problems)
        problems += [problem for file in files for problem in answers_checks.problems_of(file, flow)]
        if problems:
            raise AnswersError(problems)
        listeners = [node for node in flow.nodes.values() if isinstance(node, Listener)]
        grammar = Grammar.of([file.answers for file in files])
        vocabularies = {node.name: _vocabulary(node, files, grammar, problems) for node in listeners}
        if problems:
            raise AnswersError(problems)
        examples = {
            (node.name, option.name, file.language): file.said(node, option.name).words[0]
            for file in files
            for node in listeners
            if isinstance(node, Menu)
            for option in node.answers
        }
        return cls(
            grammar, RedFlags([file.red_flags for file in files]), vocabularies, _all_hints(listeners, files), examples
        )

    def hints(self, node: str, language: str | None) -> str:
        """What the recogniser should expect at a node, separated by commas; in every language for None."""
        return self._hints[node, language]

    def example(self, node: str, option: str, language: str) -> str:
        """Words that always mean this option at this node."""
        return self._examples[node, option, language]


def _vocabulary(node: Listener, files: Sequence[File], grammar: Grammar, problems: list[str]) -> Vocabulary:
    options = node.options if isinstance(node, Menu) else ()
    phrases = _phrases(node, files, problems)
    meanings = {option.key: Meaning(Sense.OPTION, option.name) for option in options}
    keys = {int(key): meaning for key, meaning in meanings.items() if key.isdecimal()}
    affirmative = frozenset(o.name for o in options if any("yes" in f.kin(node, o.name) for f in files))
    problems += [
        f"{node.name}: {' '.join(phrase)!r} would be a yes with a denial in it"
        for phrase, meaning in phrases.items()
        if meaning.value in affirmative and meaning.sense is Sense.OPTION and not grammar.negations.isdisjoint(phrase)
    ]
    return Vocabulary(
        phrases=Phrases(phrases),
        keys={**keys, **KEY_COMMANDS},
        places=_places([meanings[option.key] for option in options], keys),
        affirmative=affirmative,
        negative=frozenset(o.name for o in options if any("no" in f.kin(node, o.name) for f in files)),
        names_danger=isinstance(node, Question) and node.names_danger,
    )


def _places(in_order: Sequence[Meaning], keys: Mapping[int, Meaning]) -> Mapping[int, Meaning]:
    """What "the second" means: the option at that place, unless the key of that number is another."""
    places = dict(keys)
    for place, meaning in enumerate(in_order, start=1):
        places[place] = meaning if keys.get(place, meaning) == meaning else _UNCLEAR
    if in_order:
        places[-1] = in_order[-1]
    return places


def _phrases(node: Listener, files: Sequence[File], problems: list[str]) -> dict[tuple[str, ...], Meaning]:
    """Every phrase and its meaning here: an option's words win over commands, and these over the rest."""
    phrases: dict[tuple[str, ...], Meaning] = {}
    for file in files:
        for sense, table in ((Sense.ASIDE, "asides"), (Sense.UNCLEAR, "unclear")):
            phrases |= {plain(text).tokens: Meaning(sense) for text in file.answers[table]["words"]}
    for file in files:
        for command, texts in file.answers["commands"].items():
            phrases |= {plain(text).tokens: Meaning(Sense.COMMAND, command) for text in texts}
        phrases |= {plain(text).tokens: _UNCLEAR for text in file.unclear_at(node)}
    options: dict[tuple[str, ...], Meaning] = {}
    for tokens, meaning in chain.from_iterable(_option_phrases(node, file) for file in files):
        known = options.setdefault(tokens, meaning)
        if known.alone and not meaning.alone:
            options[tokens] = meaning
        if known.value != meaning.value:
            problems.append(f"{node.name}: {' '.join(tokens)!r} means both {known.value} and {meaning.value}")
    return phrases | options


def _option_phrases(node: Listener, file: File) -> Iterator[tuple[tuple[str, ...], Meaning]]:
    if isinstance(node, SpokenAnswer):
        for name, texts in file.answers[node.choices].items():
            yield from ((plain(text).tokens, Meaning(Sense.OPTION, name)) for text in texts)
    if isinstance(node, Menu):
        for option in node.answers:
            said = file.said(node, option.name)
            for alone, texts in ((False, said.words + said.also), (True, said.alone)):
                yield from ((plain(text).tokens, Meaning(Sense.OPTION, option.name, alone)) for text in texts)


def _all_hints(nodes: Sequence[Listener], files: Sequence[File]) -> dict[tuple[str, str | None], str]:
    languages = [(file.language, [file]) for file in files]
    return {
        (node.name, language): _hints_of(node, spoken)
        for node in nodes
        for language, spoken in [(None, list(files)), *languages]
    }


def _hints_of(node: Listener, files: Sequence[File]) -> str:
    texts = [text for file in files for text in _expected(node, file)]
    usable = dict.fromkeys(text for text in texts if len(text) <= LONGEST_HINT and "," not in text)
    return ",".join(list(usable)[:MOST_HINTS])


def _expected(node: Listener, file: File) -> list[str]:
    """The phrases worth a hint: not the misspellings."""
    if isinstance(node, SpokenAnswer):
        return [text for texts in file.answers[node.choices].values() for text in texts]
    if isinstance(node, Menu):
        return [text for option in node.answers for text in file.said(node, option.name).words]
    return []
