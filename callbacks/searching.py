"""What somebody typed into the search box of the queue, as conditions on callbacks.

Digits, however they are grouped, are a reference or a phone number; everything else is words, each of which must be
found somewhere: in a note, a reason, a flag, the need, the outcome. A percent sign or an underscore is just that.
"""

from __future__ import annotations

import re

from sqlalchemy import ColumnElement, Text, and_, cast, exists, func, or_, select

from callbacks.happenings import events
from callbacks.service import callbacks

LONGEST = 100  # characters of what was typed; the rest would only make the search slow
SHORTEST_END = 3  # digits of a number's end that are worth looking for
_PUNCTUATION = re.compile(r"[\s().\-/]")
_NATIONAL_ZERO = re.compile(r"\(0\)")
_SAID = ("note", "reason", "referral")


def matches(typed: str) -> list[ColumnElement[bool]]:
    """The conditions for what was typed; none for nothing."""
    plain = "".join(character if character.isprintable() else " " for character in typed[:LONGEST])
    digits = _PUNCTUATION.sub("", _NATIONAL_ZERO.sub("", plain))
    if re.fullmatch(r"\+?[0-9]+", digits):
        return [_is_number(digits)]
    return [_has_word(word) for word in plain.split()]


def _is_number(digits: str) -> ColumnElement[bool]:
    """A reference that begins so, or a number that ends so: +31 6.., 0031 6.., 06.. and 6.. are the same."""
    end = digits.removeprefix("+") if digits.startswith("+") else digits.removeprefix("00").removeprefix("0")
    found: list[ColumnElement[bool]] = []
    if not digits.startswith("+"):
        found.append(callbacks.c.reference.startswith(digits, autoescape=True))
    if len(end) >= SHORTEST_END:
        found.append(callbacks.c.phone.endswith(end, autoescape=True))
    return or_(*found) if found else callbacks.c.phone == digits


def _has_word(word: str) -> ColumnElement[bool]:
    said = [_contains(events.c.details[name].as_string(), word) for name in _SAID]
    noted = exists(select(events.c.id).where(events.c.callback_id == callbacks.c.id, or_(*said)))
    columns = [callbacks.c.need, callbacks.c.outcome, callbacks.c.disposition, callbacks.c.who]
    flagged = _contains(cast(callbacks.c.flags, Text), word)
    return or_(*(_contains(column, word) for column in columns), flagged, and_(noted))


def _contains(column: ColumnElement[str], word: str) -> ColumnElement[bool]:
    """Upper and lower case are the same. The databases know that of a to z only, so other letters are tried as both."""
    cases = sorted({_plain_lower(case) for case in (word.lower(), word.upper(), word.capitalize())})
    return or_(*(func.lower(column).contains(case, autoescape=True) for case in cases))


def _plain_lower(word: str) -> str:
    return "".join(letter.lower() if letter.isascii() else letter for letter in word)
