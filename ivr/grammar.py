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
_UNITS = range(1, 10)
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
            numbers |= _all_numbers(_counted(table["numbers"]), table["counting"])
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
        first = self._below_hundred(tokens, at)
        if first is None:
            is_among_digits = token in self.homophones and self._beside_a_number(tokens, at)
            return (str(self.homophones[token]) if is_among_digits else ""), 1
        if token in self.articles and not self._beside_a_number(tokens, at):
            return "", 1
        number, used = first
        if number in _UNITS and self._says(tokens, at + used, self.hundred):
            number, used = 100 * number, used + 1
        if number and number % 100 == 0:  # two hundred (and) fifty one
            skipped = int(self._says(tokens, at + used, self.joins))
            tail = self._below_hundred(tokens, at + used + skipped)
            if tail is not None and tail[0]:
                return str(number + tail[0]), used + skipped + tail[1]
        return str(number), used

    def _below_hundred(self, tokens: Sequence[str], at: int) -> tuple[int, int] | None:
        """The number that begins at this place, in one word or in several, and how many words."""
        first, *rest = (self.numbers.get(token, -1) for token in (*tokens[at : at + 3], "", "", ""))
        if first < 0:
            return None
        if first in _TENS and rest[0] in _UNITS and not self._says(tokens, at + 2, self.hundred):  # twenty five
            return first + rest[0], 2
        if first in _UNITS and rest[1] in _TENS and self._says(tokens, at + 1, self.units_first):  # vijf en twintig
            return first + rest[1], 3
        return first, 1

    def _says(self, tokens: Sequence[str], at: int, words: frozenset[str]) -> bool:
        return at < len(tokens) and tokens[at] in words

    def _beside_a_number(self, tokens: Sequence[str], at: int) -> bool:
        """Whether "een" or "one" stands in a row of numbers, or is all that was said."""
        before = at > 0 and (self._is_number(tokens[at - 1]) or tokens[at - 1] in self.double | self.triple)
        after = at + 1 < len(tokens) and (
            self._is_number(tokens[at + 1]) or tokens[at + 1] in self.double | self.units_first | self.hundred
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


def _all_numbers(listed: Mapping[str, int], table: Mapping[str, Any]) -> dict[str, int]:
    """Add the numbers that are written as one word: vierendertig, tweehonderdeenenvijftig."""
    numbers = dict(listed)
    if "units_first" not in table:
        return numbers
    units = {word: number for word, number in listed.items() if number in _UNITS}
    tens = {word: number for word, number in listed.items() if number in _TENS}
    for unit, ones in units.items():
        numbers |= {f"{unit}{table['units_first']}{ten}": ones + number for ten, number in tens.items()}
    below_hundred = {"": 0, **numbers}
    for unit, ones in units.items():
        for hundred in table["hundred"]:
            numbers |= {f"{unit}{hundred}{word}": 100 * ones + number for word, number in below_hundred.items()}
    return numbers
