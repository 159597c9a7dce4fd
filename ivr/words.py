"""Turns what a recogniser wrote into plain words, and finds phrases among them.

Recognisers differ in capitals, accents, apostrophes and punctuation from one day to the next; here all of that is
taken away once, from the utterance and from the lists in `prompts/*/answers.toml` alike, so that whole words can be
compared with whole words. `answers` builds its vocabularies of these parts and `listening` asks them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

LONGEST_UTTERANCE = 2000  # characters; a minute of fast speech has 1,200, and a webhook must stay quick

# Dropped from within words: "can't" and "cant", "foto's" and "fotos" are the same.
_APOSTROPHES = dict.fromkeys(map(ord, "'`\u2018\u2019\u02bc\u00b4"))
# The marks of Arabic (comma, question mark), Armenian and Ethiopic (full stop) after our own.
_WORD_OR_MARK = re.compile("[^\\W_]+|[,.;:!?\u2026\u060c\u061f\u0589\u1362]+")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Words:
    """An utterance as plain words, and the places of the words before which a punctuation mark stood."""

    tokens: tuple[str, ...]
    pauses: frozenset[int] = frozenset()


def plain(text: str) -> Words:
    """Write an utterance as plain words: folded case, no accents, no apostrophes, digits of every script as 0-9."""
    folded = text[:LONGEST_UTTERANCE].replace("+", " plus ").translate(_APOSTROPHES).casefold()
    if not folded.isascii():
        folded = _without_accents(folded)
    tokens: list[str] = []
    pauses: set[int] = set()
    for part in _WORD_OR_MARK.findall(folded):
        if part[0].isalnum():
            tokens.append(part)
        else:
            pauses.add(len(tokens))
    return Words(tuple(tokens), frozenset(pauses))


def _without_accents(text: str) -> str:
    kept = []
    for character in unicodedata.normalize("NFKD", text):
        category = unicodedata.category(character)
        if category == "Nd":
            kept.append(str(unicodedata.decimal(character)))
        elif category[0] != "M" and category != "Cf":  # accents, vowel signs, invisible joiners
            kept.append(character)
    return "".join(kept).casefold()


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """A phrase that was said: the places of its first word and after its last, and what it means."""

    start: int
    end: int
    meaning: T

    def inside(self, other: Found[T]) -> bool:
        """Whether the other one truly contains this one."""
        return other.start <= self.start and self.end <= other.end and other.end - other.start > self.end - self.start

    def overlaps(self, other: Found[Any]) -> bool:
        """Whether the two share a word."""
        return self.start < other.end and other.start < self.end


class Phrases(Generic[T]):
    """Phrases and their meanings, found by their first word."""

    def __init__(self, meanings: Mapping[tuple[str, ...], T]) -> None:
        starting: dict[str, list[tuple[tuple[str, ...], T]]] = {}
        for phrase in sorted(meanings, key=len, reverse=True):
            starting.setdefault(phrase[0], []).append((phrase, meanings[phrase]))
        self._starting = {word: tuple(phrases) for word, phrases in starting.items()}

    def find(self, tokens: Sequence[str]) -> list[Found[T]]:
        """The longest phrase at each place, without those that lie within a longer one."""
        found: list[Found[T]] = []
        for start, token in enumerate(tokens):
            for phrase, meaning in self._starting.get(token, ()):
                end = start + len(phrase)
                if tuple(tokens[start:end]) == phrase:
                    found.append(Found(start, end, meaning))
                    break
        return outermost(found)


def outermost(found: Iterable[Found[T]]) -> list[Found[T]]:
    """Without the phrases that a longer phrase truly contains ("dokter" in "dokter of ziekenhuis")."""
    every = list(found)
    if len(every) < 2:  # noqa: PLR2004  one phrase has nothing to lie within
        return every
    return [one for one in every if not any(one.inside(other) for other in every)]
