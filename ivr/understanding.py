"""Finds the one thing that an utterance means at a node: its phrases, its named keys, and what was denied.

`listening` asks here after words of danger and silence have been dealt with. What could be two things is nothing, a
denial spoils the answer beside it, and what holds a denial is never a yes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from ivr.answers import Meaning, Sense, Vocabulary
from ivr.grammar import Grammar
from ivr.heard import Command
from ivr.words import Found, Words, outermost

UNCLEAR = Meaning(Sense.UNCLEAR)


def understand(words: Words, vocabulary: Vocabulary, grammar: Grammar) -> Meaning | None:
    """The one thing that was meant; UNCLEAR when it could be several, None when nothing of meaning was said."""
    found = find(words, vocabulary, grammar)
    is_all = grammar.fillers.issuperset(_rest(words, found))
    found = [one for one in found if is_all or not one.meaning.alone]
    kept = drop_denied(found, words, vocabulary, grammar)
    meant = {Meaning(one.meaning.sense, one.meaning.value) for one in kept}
    meant |= _bare_numbers(words, found, vocabulary, grammar)
    return _decide(meant, vocabulary, denied=grammar.denies(words))


def _decide(meant: Iterable[Meaning], vocabulary: Vocabulary, *, denied: bool) -> Meaning | None:
    """Choose among everything that was said: only one thing may remain, and with a denial it is never a yes."""
    senses = set(meant)
    options = {one for one in senses if one.sense is Sense.OPTION}
    commands = {one for one in senses if one.sense is Sense.COMMAND}
    affirmed = {one for one in options if one.value in vocabulary.affirmative}
    if any(is_emergency(one) for one in commands):
        return next(one for one in commands if is_emergency(one))
    if commands:
        return _choose_command(commands, options, affirmed, vocabulary, denied=denied)
    if UNCLEAR in senses or len(options) != 1 or (affirmed and denied):
        return UNCLEAR if senses else None
    return options.pop()


def _choose_command(
    commands: set[Meaning], options: set[Meaning], affirmed: set[Meaning], vocabulary: Vocabulary, *, denied: bool
) -> Meaning | None:
    """A yes or no on the way to a command is politeness; but where yes can be said, a denied "call me" is no yes."""
    if len(commands) > 1:
        return None
    command = next(iter(commands))
    if command.value == Command.REPEAT:
        polite = {one for one in options if one.value in vocabulary.negative}
        return command if options <= affirmed | polite else None
    asks_yes_or_no = bool(vocabulary.affirmative)
    return command if options <= affirmed and not (denied and asks_yes_or_no) else None


def find(words: Words, vocabulary: Vocabulary, grammar: Grammar) -> list[Found[Meaning]]:
    """Everything in the utterance that has a meaning here, the longest phrases only."""
    return outermost([*vocabulary.phrases.find(words.tokens), *_named_keys(words.tokens, vocabulary, grammar)])


def _named_keys(tokens: Sequence[str], vocabulary: Vocabulary, grammar: Grammar) -> list[Found[Meaning]]:
    """Keys that are named as such: "optie drie", "press the two", "the second one"."""
    found: list[Found[Meaning]] = []
    for at, token in enumerate(tokens):
        if token in grammar.keys:
            found += _keys_after(tokens, at, vocabulary, grammar)
        elif token in grammar.ordinals and _ends_there(tokens, at + 1, grammar):
            place = vocabulary.places.get(grammar.ordinals[token], UNCLEAR)
            end = at + 2 if at + 1 < len(tokens) and tokens[at + 1] in grammar.things else at + 1
            found.append(Found(at, end, place))
    return found


def _keys_after(
    tokens: Sequence[str], start: int, vocabulary: Vocabulary, grammar: Grammar
) -> Iterator[Found[Meaning]]:
    """The key that is named after "option", and the other in "option one or two"."""
    at = start + 1
    while at < len(tokens) and tokens[at] in grammar.gaps:
        at += 1
    while (number := _key_number(tokens, at, vocabulary, grammar)) is not None:
        yield Found(start, at + 1, vocabulary.keys.get(number, UNCLEAR))
        start, at = at + 1, at + 1
        at += at < len(tokens) and tokens[at] in grammar.joins


def _key_number(tokens: Sequence[str], at: int, vocabulary: Vocabulary, grammar: Grammar) -> int | None:
    if at >= len(tokens):
        return None
    number = grammar.number(tokens[at])
    if number is None and at + 1 == len(tokens):
        number = grammar.homophones.get(tokens[at])
        number = number if number in vocabulary.keys else None
    return number


def _ends_there(tokens: Sequence[str], at: int, grammar: Grammar) -> bool:
    """Whether a choice by place is complete here: "eerste" is one, "eerste hulp" is not."""
    return at >= len(tokens) or tokens[at] in grammar.things or tokens[at] in grammar.fillers


def _rest(words: Words, found: Iterable[Found[Meaning]]) -> list[str]:
    """The words outside everything that has a meaning."""
    inside = {place for one in found for place in range(one.start, one.end)}
    return [token for place, token in enumerate(words.tokens) if place not in inside]


def _bare_numbers(
    words: Words, found: Sequence[Found[Meaning]], vocabulary: Vocabulary, grammar: Grammar
) -> set[Meaning]:
    """Numbers said with nothing but hesitation around them."""
    tokens = words.tokens
    if len(tokens) == 1 and tokens[0] in grammar.homophones:
        meaning = vocabulary.keys.get(grammar.homophones[tokens[0]], UNCLEAR)
        return {meaning} if meaning.sense is Sense.OPTION else set()
    rest = _rest(words, found)
    numbers = [token for token in rest if grammar.number(token) is not None]
    if not grammar.fillers.issuperset(token for token in rest if token not in numbers):
        return set()
    if found and not _ends_with_number(tokens, found, vocabulary):
        numbers = [token for token in numbers if token not in grammar.articles]
    return {vocabulary.keys.get(grammar.number(token) or 0, UNCLEAR) for token in numbers}


def _ends_with_number(tokens: Sequence[str], found: Sequence[Found[Meaning]], vocabulary: Vocabulary) -> bool:
    """Whether a last "een" or "one" is a number ("ja, een"); before something it is an article ("een dokter")."""
    polar = vocabulary.affirmative | vocabulary.negative
    return found[-1].end < len(tokens) and all(one.meaning.value in polar for one in found)


def drop_denied(
    found: Sequence[Found[Meaning]], words: Words, vocabulary: Vocabulary, grammar: Grammar
) -> list[Found[Meaning]]:
    """Without what was denied: a denial spoils the next thing said, or where there is none, the one before it.

    A no is never spoiled: "nee, dat niet" is a no said twice.
    """
    ordered = sorted(found, key=lambda one: one.start)
    inside = {place for one in ordered for place in range(one.start, one.end)}
    denied: set[int] = set()
    for place, token in enumerate(words.tokens):
        if token in grammar.negations and place not in inside:
            denied |= _spoiled(place, ordered, words.tokens, grammar)
    return [one for index, one in enumerate(ordered) if index not in denied or one.meaning.value in vocabulary.negative]


def _spoiled(place: int, ordered: Sequence[Found[Meaning]], tokens: Sequence[str], grammar: Grammar) -> set[int]:
    after = [index for index, one in enumerate(ordered) if one.start > place]
    before = [index for index, one in enumerate(ordered) if one.end <= place]
    spoiled: set[int] = set()
    if after and not _turns(tokens, place + 1, ordered[after[0]].start, grammar):
        spoiled.add(after[0])
        for previous, index in pairwise(after):  # "geen dokter of medicijnen"
            between = tokens[ordered[previous].end : ordered[index].start]
            if not between or not grammar.joins.issuperset(between):
                break
            spoiled.add(index)
    is_backward = tokens[place] in grammar.backward or not spoiled
    if before and is_backward and not _turns(tokens, ordered[before[-1]].end, place, grammar):
        spoiled.add(before[-1])
    return spoiled


def _turns(tokens: Sequence[str], start: int, end: int, grammar: Grammar) -> bool:
    """Whether something new begins between these places: "maar", or "ik wil" that is not "denk niet dat ik wil"."""
    for at in range(start, end):
        if tokens[at] in grammar.turns:
            return True
        begins = tokens[at] in grammar.subjects and at + 1 < len(tokens) and tokens[at + 1] in grammar.verbs
        if begins and grammar.reporting.isdisjoint(tokens[start:at]):
            return True
    return False


def is_emergency(meaning: Meaning | None) -> bool:
    """Whether this is the cry for help."""
    return meaning is not None and meaning.sense is Sense.COMMAND and meaning.value == Command.EMERGENCY
