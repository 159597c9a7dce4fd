"""Digits or an utterance -> what was heard: a match, a command, words of danger, no_match or no_input.

Pure, and quick enough for every webhook: `answers` has joined all lists when the line started. The rules, in order:
words of danger win; keys win over speech; what could be two things is a no_match, never a guess; a denial spoils the
answer beside it, and nothing with a denial in it is ever a yes. `conversation` decides what to do with the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from ivr.answers import KEY_COMMANDS, Answers, Meaning, Sense, Vocabulary
from ivr.grammar import Grammar
from ivr.heard import SILENCE, Command, Heard, Kind, Mode
from ivr.nodes import Listener, NumberEntry, SpokenAnswer, VoiceMessage
from ivr.numbers import Allowed, NumberPolicy, Refused
from ivr.red_flags import Phrase
from ivr.understanding import UNCLEAR, find, is_emergency, understand
from ivr.words import Found, Words, plain

LEAST_CONFIDENCE = 0.3  # below this the words are not used, except those of danger; 0.0 and None mean unknown
LONGEST_ANSWER = 100  # characters of a caller's own words that are kept
EMERGENCY_NUMBER = "112"
HANGUP = "hangup"  # what Record posts as digits when the caller hung up


def listen(  # noqa: PLR0917  a webhook hands over what it has, in this order
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
    if not keys:
        return SILENCE
    if keys in ("0", "9"):
        return _heard(KEY_COMMANDS[int(keys)], Mode.DIGITS)
    if keys == EMERGENCY_NUMBER or set(keys) == {"*"}:
        return _command(Command.EMERGENCY, Mode.DIGITS)
    if not (keys.isascii() and keys.isdigit()):
        return Heard(Kind.NO_MATCH, mode=Mode.DIGITS)
    return _number(keys, Mode.DIGITS, numbers)


def _key_after_message(key: str, digits: str) -> Heard:
    """Any key ends a message; a hang-up is no answer."""
    if digits == HANGUP:
        return SILENCE
    meaning = KEY_COMMANDS.get(int(key)) if key else None
    return _heard(meaning, Mode.DIGITS) if meaning else Heard(Kind.MATCH, mode=Mode.DIGITS)


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
    meaning = understand(words, vocabulary, answers.grammar)
    if hearing.is_doubtful and not is_emergency(meaning):
        return Heard(Kind.NO_MATCH, mode=Mode.SPEECH)
    if isinstance(node, SpokenAnswer) and (meaning is None or meaning == UNCLEAR):
        return _own_words(utterance, words, vocabulary, answers.grammar)
    if isinstance(node, VoiceMessage) and (meaning is None or meaning.sense is not Sense.COMMAND):
        return Heard(Kind.MATCH, mode=Mode.SPEECH)
    return _heard(meaning, Mode.SPEECH) if meaning else Heard(Kind.NO_MATCH, mode=Mode.SPEECH)


def _in_danger(words: Words, vocabulary: Vocabulary, flags: Sequence[Found[Phrase]], hearing: _Hearing) -> Heard:
    """Danger: the emergency message, or where danger is the question, its answer if it can only be one."""
    categories = tuple(dict.fromkeys(flag.meaning.category for flag in flags))
    answer = _danger_answered(words, vocabulary, flags, hearing.answers) if vocabulary.names_danger else None
    if answer and not hearing.is_doubtful:
        return Heard(Kind.MATCH, answer, Mode.SPEECH, categories)
    return Heard(Kind.RED_FLAG, mode=Mode.SPEECH, flags=categories)


def _danger_answered(
    words: Words, vocabulary: Vocabulary, flags: Sequence[Found[Phrase]], answers: Answers
) -> str | None:
    """The one option that the words of danger and all other words agree on; with a denial beside them there is none."""
    grammar = answers.grammar
    denying = {place for flag in flags if flag.meaning.denies for place in range(flag.start, flag.end)}
    if any(token in grammar.negations and place not in denying for place, token in enumerate(words.tokens)):
        return None
    found = find(words, vocabulary, grammar)
    said = {one.meaning.value for one in found if one.meaning.sense is Sense.OPTION and not _within(one, flags)}
    said.update(answers.red_flags.answers[flag.meaning.category] for flag in flags)
    return said.pop() if len(said) == 1 else None


def _within(one: Found[Meaning], flags: Sequence[Found[Phrase]]) -> bool:
    return any(one.overlaps(flag) for flag in flags)


def _number_spoken(words: Words, vocabulary: Vocabulary, hearing: _Hearing) -> Heard:
    """A number ("bel mij op 06 ..."), or where there is none a command; the 112 within a number is no cry for help."""
    grammar = hearing.answers.grammar
    digits = grammar.dictated(words)
    is_number = len(digits) > len(EMERGENCY_NUMBER)
    command = understand(words, vocabulary, grammar)
    if is_emergency(command) and not (is_number and _is_of_digits(words, vocabulary, grammar)):
        return _command(Command.EMERGENCY, Mode.SPEECH)
    if hearing.is_doubtful:
        return Heard(Kind.NO_MATCH, mode=Mode.SPEECH)
    if command is not None and command.sense is Sense.COMMAND and not is_number:
        return _heard(command, Mode.SPEECH)
    if not digits or grammar.denies(words):
        return Heard(Kind.NO_MATCH, mode=Mode.SPEECH)
    return _number(digits, Mode.SPEECH, hearing.numbers)


def _is_of_digits(words: Words, vocabulary: Vocabulary, grammar: Grammar) -> bool:
    """Whether every cry for help that was found is only a part of the number."""
    cries = [one for one in find(words, vocabulary, grammar) if is_emergency(one.meaning)]
    return all(grammar.number(token) is not None for one in cries for token in words.tokens[one.start : one.end])


def _number(digits: str, mode: Mode, numbers: NumberPolicy) -> Heard:
    match numbers.check(digits):
        case Allowed(e164):
            return Heard(Kind.MATCH, e164, mode)
        case Refused(reason):
            return Heard(Kind.NO_MATCH, reason, mode)
        case never:
            assert_never(never)


def _own_words(utterance: str, words: Words, vocabulary: Vocabulary, grammar: Grammar) -> Heard:
    """The words as they came, also when they name two languages; yes, no, numbers and hesitation say nothing."""
    small = grammar.fillers | grammar.negations
    says_nothing = all(token in small or grammar.number(token) is not None for token in words.tokens)
    if says_nothing or any(one.meaning.sense is Sense.UNCLEAR for one in find(words, vocabulary, grammar)):
        return Heard(Kind.NO_MATCH, mode=Mode.SPEECH)
    kept = " ".join("".join(c if c.isprintable() else " " for c in utterance).split())
    return Heard(Kind.MATCH, kept[:LONGEST_ANSWER].strip(), Mode.SPEECH)


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
