"""The words of danger: groups of phrases that lead to the emergency message wherever they are said.

The lists are `prompts/<language>/red_flags.toml`, made to be reviewed by people who know medicine better than code.
When in doubt it is danger: only a denial right before the words ("geen bloeding", "not unconscious") takes them back.
`answers` loads them, `listening` asks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ivr.words import Words, plain

GAP = 3  # words that ".." may stand for

# A denial counts when it stands right before the danger or with only these between ("don't have any ...").
_BETWEEN = frozenset(
    "a an any the have got having is aan het een echt meer last van heb hebben heeft sprake really in of enige thoughts thought gedachten aan".split()
)
_DENIALS = frozenset(
    "geen niet nie zonder nooit noch no not never without nor isnt arent doesnt dont wasnt havent hasnt aint".split()
)
# "Ik weet niet", "I can't tell": the denial is about knowing.
_KNOWING = frozenset("weet weten begrijp snap know sure why waarom tell".split())
_AFTERWARDS = frozenset({"niet", "nie"})  # "hij bloedt niet."


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
    """A phrase of danger and the group it belongs to. `denies` when it holds a denial of its own ("krijg geen lucht")."""

    category: str
    steps: tuple[Step, ...]
    denies: bool

    @classmethod
    def read(cls, category: str, text: str) -> Phrase:
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
        return cls(category, tuple(steps), any(not step.words.isdisjoint(_DENIALS) for step in steps))

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
    """All phrases of danger of all languages, ready to be looked for; `answers` names each group's option."""

    def __init__(self, phrases: Sequence[Phrase], answers: Mapping[str, str]) -> None:
        self.answers = dict(answers)
        self._starting: dict[str, list[Phrase]] = {}
        self._others: list[Phrase] = []  # begin with the beginning of a word
        for phrase in phrases:
            for word in phrase.steps[0].words:
                self._starting.setdefault(word, []).append(phrase)
            if phrase.steps[0].beginnings:
                self._others.append(phrase)

    def heard(self, words: Words) -> tuple[str, ...]:
        """The groups of which something was said and not denied, in the order of what was said."""
        tokens = words.tokens
        heard: dict[str, None] = {}
        for start, token in enumerate(tokens):
            for phrase in (*self._starting.get(token, ()), *self._others):
                if phrase.category in heard:
                    continue
                end = phrase.end(tokens, start)
                if end is not None and (phrase.denies or not _is_denied(words, start, end)):
                    heard[phrase.category] = None
        return tuple(heard)


def _is_denied(words: Words, start: int, end: int) -> bool:
    tokens, at = words.tokens, start - 1
    while at >= 0 and tokens[at] in _BETWEEN and at + 1 not in words.pauses:
        at -= 1
    if at >= 0 and at + 1 not in words.pauses and tokens[at] in _DENIALS:
        return at == 0 or tokens[at - 1] not in _KNOWING
    finished = end + 1 == len(tokens) or end + 1 in words.pauses
    return finished and end < len(tokens) and tokens[end] in _AFTERWARDS and end not in words.pauses
