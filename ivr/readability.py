"""How plain a text is, as a number: for `prompt_checks`, which holds every prompt to it.

The score is Flesch's reading ease, from 0 (very hard) to 100 and more (very easy), by average sentence length and
syllables a word: Flesch 1948 for English; for Dutch the constants of Douma 1960, which fit the same table. That table
calls 60-70 "standard" (a pupil of about 14 reads it) and 80-90 "easy" (about 11). Nobody has fixed how it relates to
the European levels of language; here 60 stands for the edge of B1, which no prompt may cross, and 80 for A2, which the
prompts of a language must reach on average.

Dutch, and the other languages that it has constants for, are scored by textstat, which divides words by the hyphenation
patterns that come with it. Its English asks for a dictionary from the network, and those patterns miss half of the
syllables of English (a-bout, bo-dy), so English syllables are counted here.
"""

from __future__ import annotations

import re

HARDEST = 60.0  # B1 [own]
AIM = 80.0  # A2 [own]

_BY_TEXTSTAT = frozenset({"nl", "de", "es", "fr", "it", "ru"})
_WORD = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*")
_SENTENCE_END = re.compile(r"[.!?:]+(?=\s|$)")
_VOWELS = re.compile(r"[aeiouy]+")
_SILENT_END = re.compile(r"[^aeiouyl]e$|[^td]ed$|[^aeiouyscgzx]es$")  # care, asked, times
# The formula of Flesch 1948.
_BASE, _A_WORD, _A_SYLLABLE = 206.835, 1.015, 84.6


def words(text: str) -> list[str]:
    """The words and numerals of a text."""
    return _WORD.findall(text)


def sentences(text: str) -> list[str]:
    """The sentences of a text; a colon ends one too, because a voice pauses there."""
    return [sentence for sentence in _SENTENCE_END.split(text) if words(sentence)]


def ease(text: str, language: str) -> float | None:
    """The reading ease of a text without numerals in it; None in a language that has no formula here."""
    if language == "en":
        return _english(text)
    if language not in _BY_TEXTSTAT:
        return None
    # A tenth of a second, and only those who check texts need it.
    import textstat

    textstat.set_lang(language)
    return float(textstat.flesch_reading_ease(text))


def _english(text: str) -> float:
    spoken = words(text)
    syllables = sum(_syllables(word.lower()) for word in spoken)
    return _BASE - _A_WORD * len(spoken) / len(sentences(text)) - _A_SYLLABLE * syllables / len(spoken)


def _syllables(word: str) -> int:
    groups = len(_VOWELS.findall(word))
    return max(1, groups - 1 if groups > 1 and _SILENT_END.search(word) else groups)
