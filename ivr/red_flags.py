"""The words of danger: groups of phrases that lead to the emergency message wherever they are said.

The lists are `prompts/<language>/red_flags.toml`, made to be reviewed by people who know medicine better than code.
When in doubt it is danger: only a denial right before the words ("geen bloeding", "not unconscious") takes them back.
`answers_checks` checks them, `answers` loads them, `listening` asks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ivr.words import Found, Words, plain

GAP = 3  # words that ".." may stand for

DENIAL_LISTS = ("words", "determiners", "between", "verbs", "knowing", "afterwards")


@dataclass(frozen=True)
class Denials:
    """What takes danger back, of all languages together; the comments in red_flags.toml say what each list is for."""

    words: frozenset[str]
    determiners: frozenset[str]
    between: frozenset[str]
    verbs: frozenset[str]
    knowing: frozenset[str]
    afterwards: frozenset[str]

    def cover(self, words: Words, start: int, end: int) -> bool:
        """Whether what was said between these places is denied, right before or right after."""
        return self._before(words, start) or self._after(words, end)

    def _before(self, words: Words, start: int) -> bool:
        tokens, at = words.tokens, start - 1
        between = self.between | self.verbs
        while at >= 0 and tokens[at] in between and at + 1 not in words.pauses:
            at -= 1
        if at < 0 or at + 1 in words.pauses or tokens[at] not in self.words:
            return False
        if tokens[at] in self.determiners and not self.verbs.isdisjoint(tokens[at + 1 : start]):
            return False
        return at == 0 or tokens[at - 1] not in self.knowing

    def _after(self, words: Words, end: int) -> bool:
        is_last = end + 1 == len(words.tokens) or end + 1 in words.pauses
        return is_last and words.tokens[end] in self.afterwards and end not in words.pauses


@dataclass(frozen=True)
class Step:
    """One word of a phrase: one of these words, or one that begins so; `after_gap` when others may come before it."""

    words: frozenset[str]
    beginnings: tuple[str, ...]
    after_gap: bool

    def fits(self, token: str) -> bool:
        """Whether this word is meant."""
        return token in self.words or (self.beginnings != () and token.startswith(self.beginnings))


@dataclass(frozen=True)
class Phrase:
    """A phrase of danger and its group. `denies` when it holds a denial of its own ("krijg geen lucht")."""

    category: str
    steps: tuple[Step, ...]
    denies: bool

    @classmethod
    def read(cls, category: str, text: str, denials: frozenset[str]) -> Phrase:
        """Read a phrase as red_flags.toml writes it; a ValueError says what is wrong with it."""
        steps: list[Step] = []
        gap = False
        for part in text.split():
            if part == "..":
                if gap or not steps:
                    raise ValueError("'..' must stand between words")
                gap = True
                continue
            steps.append(_step(part, after_gap=gap))
            gap = False
        if gap or not steps:
            raise ValueError("a phrase must end with a word")
        return cls(category, tuple(steps), any(not step.words.isdisjoint(denials) for step in steps))

    def end(self, tokens: Sequence[str], start: int) -> int | None:
        """Where the phrase ends when it begins at this place, else None."""
        return _end(self.steps, tokens, start)


def _step(part: str, *, after_gap: bool) -> Step:
    words: set[str] = set()
    beginnings: list[str] = []
    for alternative in part.split("|"):
        tokens = plain(alternative.removesuffix("*")).tokens
        if len(tokens) != 1:
            raise ValueError(f"{alternative!r} is not one word")
        if alternative.endswith("*"):
            beginnings.append(tokens[0])
        else:
            words.add(tokens[0])
    return Step(frozenset(words), tuple(beginnings), after_gap)


def _end(steps: Sequence[Step], tokens: Sequence[str], at: int) -> int | None:
    if not steps:
        return at
    reach = GAP if steps[0].after_gap else 0
    for place in range(at, min(at + reach + 1, len(tokens))):
        if steps[0].fits(tokens[place]):
            end = _end(steps[1:], tokens, place + 1)
            if end is not None:
                return end
    return None


class RedFlags:
    """All phrases of danger of all languages, ready to be looked for."""

    def __init__(self, tables: Sequence[Mapping[str, Any]]) -> None:
        """Join the red_flags.toml of every language."""
        self._denials = Denials(
            **{
                name: frozenset(
                    token for table in tables for word in table["denials"][name] for token in plain(word).tokens
                )
                for name in DENIAL_LISTS
            }
        )
        groups = [(name, group) for table in tables for name, group in table.items() if "phrases" in _table(group)]
        self.answers = {name: str(group["answer"]) for name, group in groups}
        self._starting: dict[str, list[Phrase]] = {}
        self._others: list[Phrase] = []  # begin with the beginning of a word
        for name, group in groups:
            for text in group["phrases"]:
                self._add(Phrase.read(name, text, self._denials.words))

    def heard(self, words: Words) -> list[Found[Phrase]]:
        """What was said of danger and not denied: where, and which phrase."""
        tokens = words.tokens
        heard: list[Found[Phrase]] = []
        for start, token in enumerate(tokens):
            for phrase in (*self._starting.get(token, ()), *self._others):
                end = phrase.end(tokens, start)
                if end is not None and (phrase.denies or not self._denials.cover(words, start, end)):
                    heard.append(Found(start, end, phrase))
        return heard

    def _add(self, phrase: Phrase) -> None:
        for word in phrase.steps[0].words:
            self._starting.setdefault(word, []).append(phrase)
        if phrase.steps[0].beginnings:
            self._others.append(phrase)


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
