"""Digits or an utterance -> what was heard: a match, a command, words of danger, no_match or no_input.

Pure, and quick enough for every webhook: `answers` has joined all lists when the line started. The rules, in order:
words of danger win; keys win over speech; what could be two things is a no_match, never a guess; a denial spoils the
answer beside it, and nothing with a denial in it is ever a yes. `conversation` decides what to do with the result.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import assert_never

from ivr.answers import KEY_COMMANDS, Answers, Meaning, Sense, Vocabulary
from ivr.grammar import Grammar
from ivr.heard import SILENCE, Command, Heard, Kind, Mode
from ivr.nodes import Listener, Menu, NumberEntry, SpokenAnswer, VoiceMessage
from ivr.numbers import Allowed, NumberPolicy, Refused
from ivr.words import Found, Words, outermost, plain

LEAST_CONFIDENCE = 0.3  # below this the words are not used, except those of danger; 0.0 and None mean unknown
LONGEST_ANSWER = 100  # characters of a caller's own words that are kept
EMERGENCY_NUMBER = "112"
HANGUP = "hangup"  # what Record posts as digits when the caller hung up

_UNCLEAR = Meaning(Sense.UNCLEAR)


def listen(
    node: Listener,
    digits: str | None,
    utterance: str | None,
    confidence: float | None,
    language: str | None,  # noqa: ARG001  both languages are understood on either path
    answers: Answers,
    numbers: NumberPolicy,
) -> Heard:
    """Name what a caller pressed or said at a node.

    `confidence` is the recogniser's, 0 to 1. Keys win when both came; empty text is silence. Never raises.
    """
    if digits and digits.strip():
        return _listen_to_digits(node, digits.strip(), answers.vocabularies[node.name], numbers)
    if utterance and (words := plain(utterance)).tokens:
        return _listen_to_speech(node, utterance, words, _Hearing(answers, numbers, confidence))
    return SILENCE


# ------------------------------------------------------------------------------------------------------------- digits


def _listen_to_digits(node: Listener, digits: str, vocabulary: Vocabulary, numbers: NumberPolicy) -> Heard:
    """A key pressed twice by a nervous hand is that key; a # at the end is habit; 112 is a cry for help everywhere."""
    keys = digits.rstrip("#")
    if isinstance(node, NumberEntry):
        return _number_keyed(keys, numbers)
    if "*" in keys or keys == EMERGENCY_NUMBER:
        return _command(Command.EMERGENCY, Mode.DIGITS)
    key = keys[:1] if keys and set(keys) == {keys[0]} and keys.isascii() and keys.isdigit() else ""
    if isinstance(node, VoiceMessage):
        return _key_after_message(key, digits)
    meaning = vocabulary.keys.get(int(key)) if key else None
    return _heard(meaning, Mode.DIGITS) if meaning else Heard(Kind.NO_MATCH, mode=Mode.DIGITS)


def _number_keyed(keys: str, numbers: NumberPolicy) -> Heard:
    """Only # is somebody who has nothing to enter: help as after silence. A star or 0 or 9 alone is a command."""
    match keys:
        case "":
            return SILENCE
        case "0":
            return _command(Command.CALLBACK, Mode.DIGITS)
        case "9":
            return _command(Command.REPEAT, Mode.DIGITS)
        case "112":
            return _command(Command.EMERGENCY, Mode.DIGITS)
        case _ if set(keys) == {"*"}:
            return _command(Command.EMERGENCY, Mode.DIGITS)
        case _ if not (keys.isascii() and keys.isdigit()):
            return Heard(Kind.NO_MATCH, mode=Mode.DIGITS)
        case _:
            return _number(keys, Mode.DIGITS, numbers)


def _key_after_message(key: str, digits: str) -> Heard:
    """Any key ends a message; a hang-up is no answer."""
    if digits == HANGUP:
        return SILENCE
    meaning = KEY_COMMANDS.get(int(key)) if key else None
    return _heard(meaning, Mode.DIGITS) if meaning else Heard(Kind.MATCH, mode=Mode.DIGITS)


# ------------------------------------------------------------------------------------------------------------- speech


@dataclass(frozen=True)
class _Hearing:
    """What is needed to understand an utterance, beside the node and the words."""

    answers: Answers
    numbers: NumberPolicy
    confidence: float | None

    @property
    def is_doubtful(self) -> bool:
        return self.confidence is not None and 0 < self.confidence < LEAST_CONFIDENCE


def _listen_to_speech(node: Listener, utterance: str, words: Words, hearing: _Hearing) -> Heard:
    answers = hearing.answers
    vocabulary = answers.vocabularies[node.name]
    flags = answers.red_flags.heard(words)
    if flags:
        return _in_danger(words, vocabulary, flags, hearing)
    if isinstance(node, NumberEntry):
        return _number_spoken(words, vocabulary, hearing)
    meaning = _understand(words, vocabulary, answers.grammar)
    if hearing.is_doubtful and not _is_emergency(meaning):
        return Heard(Kind.NO_MATCH, mode=Mode.SPEECH)
    if isinstance(node, SpokenAnswer) and (meaning is None or meaning.sense is not Sense.COMMAND):
        return _own_words(utterance, words, meaning, hearing.answers)
    if isinstance(node, VoiceMessage) and meaning is None:
        return Heard(Kind.MATCH, mode=Mode.SPEECH)
    return _heard(meaning, Mode.SPEECH) if meaning else Heard(Kind.NO_MATCH, mode=Mode.SPEECH)


def _in_danger(words: Words, vocabulary: Vocabulary, flags: tuple[str, ...], hearing: _Hearing) -> Heard:
    """Danger: the emergency message, or where danger is the question, its answer if it can only be one."""
    if vocabulary.names_danger and not hearing.is_doubtful:
        meant = {Meaning(Sense.OPTION, hearing.answers.red_flags.answers[flag]) for flag in flags}
        said = _options_said(words, vocabulary, hearing.answers.grammar)
        if len(meant | said) == 1:
            return Heard(Kind.MATCH, meant.pop().value, Mode.SPEECH, flags)
    return Heard(Kind.RED_FLAG, mode=Mode.SPEECH, flags=flags)


def _options_said(words: Words, vocabulary: Vocabulary, grammar: Grammar) -> set[Meaning]:
    found = _drop_denied(_find(words, vocabulary, grammar), words, vocabulary, grammar)
    return {Meaning(Sense.OPTION, one.meaning.value) for one in found if one.meaning.sense is Sense.OPTION}


def _understand(words: Words, vocabulary: Vocabulary, grammar: Grammar) -> Meaning | None:
    """The one thing that was meant, or None when that is nothing or more than one thing."""
    found = _find(words, vocabulary, grammar)
    rest = _rest(words, found)
    is_all = grammar.fillers.issuperset(rest)
    kept = [one for one in _drop_denied(found, words, vocabulary, grammar) if is_all or not one.meaning.alone]
    meant = {Meaning(one.meaning.sense, one.meaning.value) for one in kept}
    if is_all or all(grammar.number(token) is not None for token in rest if token not in grammar.fillers):
        meant |= _bare_numbers(words, found, vocabulary, grammar)
    return _decide(meant, vocabulary, denied=grammar.denies(words))


def _decide(meant: Iterable[Meaning], vocabulary: Vocabulary, *, denied: bool) -> Meaning | None:
    """Choose among everything that was said: only one thing may remain, and with a denial it is never a yes."""
    senses = set(meant)
    options = {one for one in senses if one.sense is Sense.OPTION}
    commands = {one for one in senses if one.sense is Sense.COMMAND}
    affirmed = {one for one in options if one.value in vocabulary.affirmative}
    if any(_is_emergency(one) for one in commands):
        return next(one for one in commands if _is_emergency(one))
    if commands:
        return _choose_command(commands, options, affirmed, vocabulary, denied=denied)
    if _UNCLEAR in senses or len(options) != 1 or (affirmed and denied):
        return None
    return options.pop()


def _choose_command(
    commands: set[Meaning], options: set[Meaning], affirmed: set[Meaning], vocabulary: Vocabulary, *, denied: bool
) -> Meaning | None:
    """A yes or no on the way to a command is politeness; but at a question of yes or no, a denied "call me" is not a yes."""
    if len(commands) > 1:
        return None
    command = next(iter(commands))
    if command.value == Command.REPEAT:
        polite = {one for one in options if one.value in vocabulary.negative}
        return command if options <= affirmed | polite else None
    asks_yes_or_no = bool(vocabulary.affirmative)
    return command if options <= affirmed and not (denied and asks_yes_or_no) else None


# ------------------------------------------------------------------------------------------- finding phrases and keys


def _find(words: Words, vocabulary: Vocabulary, grammar: Grammar) -> list[Found[Meaning]]:
    """Everything in the utterance that has a meaning here, the longest phrases only."""
    return outermost([*vocabulary.phrases.find(words.tokens), *_named_keys(words.tokens, vocabulary, grammar)])


def _named_keys(tokens: Sequence[str], vocabulary: Vocabulary, grammar: Grammar) -> list[Found[Meaning]]:
    """Keys that are named as such: "optie drie", "press the two", "the second one"."""
    found = []
    for at, token in enumerate(tokens):
        if token in grammar.keys:
            end = at + 1
            while end < len(tokens) and tokens[end] in grammar.gaps:
                end += 1
            number = _key_number(tokens, end, vocabulary, grammar)
            if number is not None:
                found.append(Found(at, end + 1, vocabulary.keys.get(number, _UNCLEAR)))
        elif token in grammar.ordinals and _ends_there(tokens, at + 1, grammar):
            place = vocabulary.places.get(grammar.ordinals[token], _UNCLEAR)
            end = at + 2 if at + 1 < len(tokens) and tokens[at + 1] in grammar.things else at + 1
            found.append(Found(at, end, place))
    return found


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
    """Numbers said with nothing but hesitation around them. "Een" and "one" count only where nothing else was said."""
    rest = _rest(words, found)
    if len(words.tokens) == 1 and words.tokens[0] in grammar.homophones:
        number = grammar.homophones[words.tokens[0]]
        return {vocabulary.keys[number]} if vocabulary.keys.get(number, _UNCLEAR).sense is Sense.OPTION else set()
    said = [token for token in rest if grammar.number(token) is not None]
    strong = [token for token in said if token not in grammar.articles]
    weak = [] if found or not said else said
    keys = {grammar.number(token) for token in (*strong, *weak)}
    return {vocabulary.keys.get(key, _UNCLEAR) for key in keys if key is not None}


# ---------------------------------------------------------------------------------------------------------- denials


def _drop_denied(
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
        for previous, index in zip(after, after[1:], strict=False):  # "geen dokter of medicijnen"
            if not grammar.joins.issuperset(tokens[ordered[previous].end : ordered[index].start]):
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


# ------------------------------------------------------------------------------------------- numbers and own words


def _number_spoken(words: Words, vocabulary: Vocabulary, hearing: _Hearing) -> Heard:
    grammar = hearing.answers.grammar
    digits = grammar.dictated(words)
    meaning = _understand(words, vocabulary, grammar)
    if meaning is not None and meaning.sense is Sense.COMMAND and (len(digits) <= 3 or _is_emergency(meaning)):  # noqa: PLR2004
        if not hearing.is_doubtful or _is_emergency(meaning):
            return _heard(meaning, Mode.SPEECH)
    if hearing.is_doubtful or not digits or grammar.denies(words):
        return Heard(Kind.NO_MATCH, mode=Mode.SPEECH)
    return _number(digits, Mode.SPEECH, hearing.numbers)


def _number(digits: str, mode: Mode, numbers: NumberPolicy) -> Heard:
    match numbers.check(digits):
        case Allowed(e164):
            return Heard(Kind.MATCH, e164, mode)
        case Refused(reason):
            return Heard(Kind.NO_MATCH, reason, mode)
        case never:
            assert_never(never)


def _own_words(utterance: str, words: Words, meaning: Meaning | None, answers: Answers) -> Heard:
    """A name that is known, else the words as they came; yes, no and hesitation say nothing."""
    if meaning is not None:
        return _heard(meaning, Mode.SPEECH)
    grammar = answers.grammar
    if (grammar.fillers | grammar.negations).issuperset(words.tokens):
        return Heard(Kind.NO_MATCH, mode=Mode.SPEECH)
    kept = " ".join("".join(c if c.isprintable() else " " for c in utterance).split())
    return Heard(Kind.MATCH, kept[:LONGEST_ANSWER].strip(), Mode.SPEECH)


# ------------------------------------------------------------------------------------------------------------ results


def _heard(meaning: Meaning, mode: Mode) -> Heard:
    match meaning.sense:
        case Sense.OPTION:
            return Heard(Kind.MATCH, meaning.value, mode)
        case Sense.COMMAND:
            return Heard(Kind.COMMAND, meaning.value, mode)
        case Sense.UNCLEAR | Sense.ASIDE:
            return Heard(Kind.NO_MATCH, mode=mode)
        case never:
            assert_never(never)


def _command(command: Command, mode: Mode) -> Heard:
    return Heard(Kind.COMMAND, command, mode)


def _is_emergency(meaning: Meaning | None) -> bool:
    return meaning is not None and meaning.sense is Sense.COMMAND and meaning.value == Command.EMERGENCY
