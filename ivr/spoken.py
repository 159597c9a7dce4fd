"""Numbers, times and digits as names of small prompts, so that a line with recordings never mixes voices.

`callbacks` knows when somebody phones back and which number was left; `prompts` looks the small prompts up in each
language. Pure, and the word order is the texts' own: in every language a moment is a day, `before`, and an hour.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAYS_BY_NAME = 6  # further away, "on Monday" could be two Mondays
_HOUR = timedelta(hours=1)

# Every small prompt that a language needs.
SMALL_PROMPTS = frozenset(
    {
        *(f"number_{number}" for number in (*range(32), 60, 90)),
        *(f"hour_{hour}" for hour in range(24)),
        *(f"day_{day}" for day in ("today", "tomorrow", *_WEEKDAYS)),
        *(f"month_{month}" for month in range(1, 13)),
        "before",
        "at_once",
    }
)
# What a voice must say sign by sign, or it reads a word or a big number: emergency numbers, and names such as CAK.
SPELT = re.compile(r"\b(?:11[23]|[A-Z]{2,})\b")

_LONGEST_CODE = 6  # digits; no phone number is as short
_DIGITS = frozenset(f"number_{digit}" for digit in range(10))


def digits(number: str) -> tuple[str, ...]:
    """Spell a phone number or a reference digit by digit; whatever is no digit is left out."""
    return tuple(f"number_{character}" for character in number if character in "0123456789")


def due(due_at: datetime, now: datetime, zone: ZoneInfo) -> tuple[str, ...]:
    """Say until when a callback may take (both moments aware), as the caller's clock in `zone` has it.

    Rounded up to a whole hour: what we promise is never sooner than what we plan. A moment that has come is "at once".
    """
    if due_at <= now:
        return ("at_once",)
    local = due_at.astimezone(zone)
    beyond = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    # Counted on the world's clock, because a night when the clocks change has an hour more or less.
    hour = (due_at + (_HOUR - beyond)).astimezone(zone) if beyond else local
    # Midnight is the end of a day, not the beginning of the next.
    day = (hour - timedelta(microseconds=1)).date()
    return (*_day(day.toordinal() - now.astimezone(zone).date().toordinal(), day), "before", f"hour_{hour.hour}")


def _day(ahead: int, day: date) -> tuple[str, ...]:
    if ahead == 0:
        return ("day_today",)
    if ahead == 1:
        return ("day_tomorrow",)
    weekday = f"day_{_WEEKDAYS[day.weekday()]}"
    if ahead <= _DAYS_BY_NAME:
        return (weekday,)
    return (weekday, f"number_{day.day}", f"month_{day.month}")


def joined(names: Sequence[str], text_of: Callable[[str], str]) -> str:
    """The words of small prompts in a row; single digits are grouped ("0 4 0, 2 5 1"), so that a voice pauses."""
    words: list[str] = []
    run: list[str] = []
    for name in (*names, ""):
        if name in _DIGITS:
            run.append(text_of(name))
            continue
        words.extend([", ".join(" ".join(group) for group in _groups(run))] if run else [])
        run = []
        words.extend([text_of(name)] if name else [])
    return " ".join(words)


def _groups(run: Sequence[str]) -> list[Sequence[str]]:
    """Cut digits the way people say numbers: by three, and by four where three would leave a digit or two alone.

    Few digits are a code that somebody writes down: each stands alone, so that the voice takes its time.
    """
    if len(run) <= _LONGEST_CODE:
        return [run[at : at + 1] for at in range(len(run))]
    fours = len(run) % 3
    threes = (len(run) - 4 * fours) // 3
    sizes = [*([4] if fours > 1 else []), *[3] * threes, *([4] if fours else [])]
    starts = [sum(sizes[:index]) for index in range(len(sizes))]
    return [run[start : start + size] for start, size in zip(starts, sizes, strict=True)]
