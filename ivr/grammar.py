"""What a language does with words beside the answers themselves: deny, count, hesitate, turn.

All of it is data, read by `answers` from the tables of `prompts/<language>/answers.toml` and joined for all languages:
people mix their languages, so every one of them is understood on every path. `listening` uses it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ivr.words import Words, plain

WORD_LISTS = (
    "negations",
    "backward",
    "turns",
    "joins",
    "subjects",
    "verbs",
    "reporting",
    "keys",
    "gaps",
    "things",
    "fillers",
)
COUNTING_LISTS = ("hundred", "double", "triple", "plus", "articles")
LAST = "last"
_TENS = range(20, 100, 10)


@dataclass(frozen=True)
class Grammar:
    """The small words of all languages together; the comments in answers.toml say what each list is for."""

    negations: frozenset[str]
    backward: frozenset[str]
    turns: frozenset[str]
    joins: frozenset[str]
    subjects: frozenset[str]
    verbs: frozenset[str]
    reporting: frozenset[str]
    keys: frozenset[str]
    gaps: frozenset[str]
    things: frozenset[str]
    fillers: frozenset[str]
    hundred: frozenset[str]
    double: frozenset[str]
    triple: frozenset[str]
    plus: frozenset[str]
    articles: frozenset[str]
    units_first: frozenset[str]
    numbers: Mapping[str, int]
    ordinals: Mapping[str, int]  # -1 is the last
    homophones: Mapping[str, int]

    @classmethod
    def of(cls, tables: Sequence[Mapping[str, Any]]) -> Grammar:
        """Join the tables of all languages."""
        lists = {name: _words(table["grammar"][name] for table in tables) for name in WORD_LISTS}
        counting = {name: _words(table["counting"][name] for table in tables) for name in COUNTING_LISTS}
        numbers: dict[str, int] = {}
        for table in tables:
            numbers |= _all_numbers(_counted(table["numbers"]), table["counting"].get("units_first"))
        return cls(
            **lists,
            **counting,
            units_first=_words(
                [table["counting"].get("units_first", "")] for table in tables if "units_first" in table["counting"]
            ),
            numbers=numbers,
            ordinals=_joined(_counted(table["ordinals"]) for table in tables),
            homophones=_joined(_counted(table["homophones"]) for table in tables),
        )

    def number(self, token: str) -> int | None:
        """The number that a word or numeral stands for, if it does."""
        if token.isdigit() and token.isascii():
            return int(token) if len(token) <= 3 else None  # noqa: PLR2004  no key and no number word is longer
        return self.numbers.get(token)

    def denies(self, words: Words) -> bool:
        """Whether there is any word of denial in what was said."""
        return not self.negations.isdisjoint(words.tokens)

    def dictated(self, words: Words) -> str:
        """The phone number that was said, digit by digit or in pairs, after whatever was said to introduce it."""
        tokens = words.tokens
        digits: list[str] = []
        at, times = 0, 1
        while at < len(tokens):
            token = tokens[at]
            spoken, used = self._count(tokens, at)
            if spoken:
                digits.append(spoken * times)
                times = 1
            elif token in self.plus and not digits:
                digits.append("+")
            else:
                times = 2 if token in self.double else 3 if token in self.triple else 1
            at += used
        return "".join(digits)

    def _count(self, tokens: Sequence[str], at: int) -> tuple[str, int]:
        """The digits said at this place and the number of words that took; no digits where none were said."""
        token = tokens[at]
        if token.isdigit() and token.isascii():
            return token, 1
        first = self.numbers.get(token)
        if first is None:
            beside = at > 0 and self._is_number(tokens[at - 1])
            beside = beside or (at + 1 < len(tokens) and self._is_number(tokens[at + 1]))
            homophone = self.homophones.get(token) if beside else None
            return ("", 1) if homophone is None else (str(homophone), 1)
        if token in self.articles and not self._beside_a_number(tokens, at):
            return "", 1
        rest = [self.numbers.get(word, -1) for word in tokens[at + 1 : at + 3]]
        if first in _TENS and rest and 0 < rest[0] < 10:  # noqa: PLR2004  twenty five
            return str(first + rest[0]), 2
        units_first = len(rest) == 2 and tokens[at + 1] in self.units_first  # noqa: PLR2004
        if 0 < first < 10 and units_first and rest[1] in _TENS:  # noqa: PLR2004  vijf en twintig
            return str(first + rest[1]), 3
        return str(first), 1

    def _beside_a_number(self, tokens: Sequence[str], at: int) -> bool:
        """Whether "een" or "one" stands in a row of numbers, or is all that was said."""
        before = at > 0 and (self._is_number(tokens[at - 1]) or tokens[at - 1] in self.double | self.triple)
        after = at + 1 < len(tokens) and (
            self._is_number(tokens[at + 1]) or tokens[at + 1] in self.double | self.units_first
        )
        return before or after or len(tokens) == 1

    def _is_number(self, token: str) -> bool:
        return token.isdigit() or token in self.numbers


def _words(lists: Iterable[Iterable[str]]) -> frozenset[str]:
    return frozenset(token for words in lists for word in words for token in plain(word).tokens)


def _counted(table: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """A table of number -> words, turned into word -> number."""
    return {
        token: -1 if number == LAST else int(number)
        for number, words in table.items()
        for word in words
        for token in plain(word).tokens
    }


def _joined(tables: Iterable[Mapping[str, int]]) -> dict[str, int]:
    joined: dict[str, int] = {}
    for table in tables:
        joined |= table
    return joined


def _all_numbers(listed: Mapping[str, int], units_first: str | None) -> dict[str, int]:
    """Add the numbers written as one word: vierendertig, tweehonderdeenenvijftig is left to numerals."""
    numbers = dict(listed)
    if units_first is not None:
        for unit, ones in listed.items():
            for ten, tens in listed.items():
                if 0 < ones < 10 and tens in _TENS:  # noqa: PLR2004
                    numbers[f"{unit}{units_first}{ten}"] = ones + tens
    return numbers
