"""What a rehearsal looks like in a terminal: what was heard, what can be done, and what a typed line means.

Used by `terminal`; it decides nothing about the call.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TextIO

from ivr.phone_calls import Act, Doing, Ending, Kind, Sound
from ivr.phone_errors import PhoneError
from ivr.twiml_verbs import Gather, Record

HELP = """\
  1            press a key; more keys in a row, such as a phone number: 0612345678#
  "yes please" say something; without the quotes too, if it is no key and no word of this list
  silence      say and press nothing until the line goes on; an empty line does the same
  hang up      put the phone down; so does Ctrl-D
  ?            show this
"""
SILENCE = frozenset({"", "silence", "stay silent"})
HANG_UP = frozenset({"hang up", "hangup", "bye"})
ENDINGS = {
    Ending.CALLER: "You have hung up.",
    Ending.LINE: "The line has hung up.",
    Ending.REJECTED: "The line did not take the call.",
}


class NotUnderstood(PhoneError):
    """Typed something that a caller cannot do; the message says what to type instead."""


def understand(typed: str) -> Act | None:
    """Give what the caller does by this line; None for a call for help, NotUnderstood for what is neither."""
    text = " ".join(typed.split())
    if text.casefold() in SILENCE:
        return Act(Doing.STAYS_SILENT)
    if text.casefold() in HANG_UP:
        return Act(Doing.HANGS_UP)
    if text.casefold() in {"?", "help"}:
        return None
    if re.fullmatch(r"[0-9*# ]+", text):
        return Act(Doing.PRESSES, text.replace(" ", ""))
    if quoted := re.fullmatch(r"[\"\u201c\u201e](.*)[\"\u201d\u201c]", text):
        return Act(Doing.SAYS, quoted[1]) if quoted[1].strip() else Act(Doing.STAYS_SILENT)
    if any(character.isalpha() for character in text):
        return Act(Doing.SAYS, text)
    raise NotUnderstood(f"{text} is no key: a phone has 0 to 9, * and #. To say something, put it in quotes. ? helps.")


@dataclass(frozen=True)
class Screen:
    """Where a call is shown; colours only where a person looks."""

    out: TextIO

    def line(self, text: str = "", colour: str = "") -> None:
        """Show one line."""
        coloured = f"\x1b[{colour}m{text}\x1b[0m" if colour and self.out.isatty() else text
        print(coloured, file=self.out, flush=True)

    def heard(self, sounds: Sequence[Sound]) -> None:
        """Show what was said, each voice with its language, a recording by its name."""
        for sound in sounds:
            if sound.kind is Kind.PLAY:
                self.line(f"  recording  {sound.text}", "36")
            else:
                self.line(f"  {sound.language.partition('-')[0]}  {sound.text}", "36")

    def act(self, act: Act) -> None:
        """Show what the caller did, in the words of a script."""
        value = f'"{act.value}"' if act.doing is Doing.SAYS else act.value
        self.line(f"{act.doing} {value}".rstrip(), "1")

    def options(self, waiting: Gather | Record | None) -> None:
        """Show what the caller can do now."""
        match waiting:
            case Gather():
                self.line(f"  ({_what_it_takes(waiting)}; silence counts after {waiting.timeout} s; ? for help)", "2")
            case Record():
                self.line(f"  (a recording of at most {waiting.max_length} s: say something, or press a key)", "2")
            case None:
                pass


def _what_it_takes(gather: Gather) -> str:
    keys = "a key" if gather.num_digits == 1 else f"keys, ended with {gather.finish_on_key or 'a pause'}"
    ways = [keys] if gather.takes_keys else []
    return " or ".join([*ways, f"words in {gather.language}"] if gather.takes_words else ways)
