"""Acts a call script out on a phone and compares: what is heard, who hangs up, and what is then in the queue.

The tests replay all of `tests/calls` with it, and `terminal` whatever script it is given.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, assert_never

from ivr.call_script import Does, Hears, LineHangsUp, Queue, Script, Step
from ivr.phone import Phone
from ivr.phone_calls import Doing, Ending, Sound, words
from ivr.phone_errors import NotAsWritten, NotListening, PhoneError, ScriptError

Lookup = Callable[[str], Mapping[str, Any] | None]
NOTHING, SOMETHING = "nothing", "something"


def replay(script: Script, phone: Phone, lookup: Lookup, watch: Callable[[Phone], None] = lambda phone: None) -> Phone:
    """Act out a script and give the phone of its last call; NotAsWritten at the first line that does not hold.

    `lookup` gives the callback of a call by its sid, or None; `watch` is shown the phone after each act of the caller.
    """
    for number, step in script.steps:
        if isinstance(step, Does) and step.act.doing is Doing.DIALS:
            phone = phone.new_call(from_=step.act.value or None)
        try:
            _check(step, phone, lookup)
        except ScriptError:
            raise
        except _Different as difference:
            raise NotAsWritten(script.path, number, difference.expected, difference.found) from None
        except PhoneError as error:
            raise NotAsWritten(
                script.path, number, "that the call goes on", f"{error}\n  {_last_heard(phone)}"
            ) from error
        if isinstance(step, Does):
            watch(phone)
    return phone


class _Different(Exception):
    def __init__(self, expected: str, found: str) -> None:
        super().__init__(expected, found)
        self.expected, self.found = expected, found


def _check(step: Step, phone: Phone, lookup: Lookup) -> None:
    match step:
        case Does():
            _act(step, phone)
        case Hears():
            _compare_heard(step, phone)
        case LineHangsUp():
            if phone.ended_by not in (Ending.LINE, Ending.REJECTED):
                raise _Different("the line to hang up", f"it did not; {_last_heard(phone)}")
        case Queue():
            _compare_queue(step, lookup(phone.call_sid))
        case _:
            assert_never(step)


def _act(step: Does, phone: Phone) -> None:
    match step.act.doing:
        case Doing.DIALS:
            phone.dial()
        case Doing.PRESSES:
            phone.press(step.act.value)
        case Doing.SAYS:
            phone.say(step.act.value, step.confidence)
        case Doing.STAYS_SILENT:
            phone.stay_silent()
        case Doing.HANGS_UP:
            phone.hang_up(saying=step.act.value)
        case Doing.ANSWERS | Doing.WAITS:
            raise NotListening(f"a caller's phone does not do this: {step.act.doing}")
        case _:
            assert_never(step.act.doing)


def _compare_heard(step: Hears, phone: Phone) -> None:
    heard = words(tuple(sound for sound in phone.heard if _speaks(sound, step.language)))
    if contains(heard, step.text) == step.is_heard:
        return
    what = f'to hear "{step.text}"' if step.is_heard else f'to hear nothing of "{step.text}"'
    raise _Different(f"{what} in {step.language}" if step.language else what, _last_heard(phone))


def _speaks(sound: Sound, language: str) -> bool:
    return not language or not sound.language or sound.language.partition("-")[0] == language


def contains(heard: str, text: str) -> bool:
    """Whether these words are in what was heard, whatever the case, the spaces and the quotation marks."""
    pieces = (re.escape(_plain(piece)) for piece in re.split(r"\.\.\.|…", text))
    return re.search(".*".join(pieces), _plain(heard)) is not None


_QUOTATION_MARKS = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"'})


def _plain(text: str) -> str:
    return " ".join(text.casefold().translate(_QUOTATION_MARKS).split())


def _last_heard(phone: Phone) -> str:
    said = " | ".join(f"[{sound.language}] {sound.text}" for sound in phone.heard)
    return f"heard: {said or NOTHING}"


def _compare_queue(step: Queue, callback: Mapping[str, Any] | None) -> None:
    if not step.expected or callback is None:
        if callback is None and not step.expected:
            return
        wanted = ", ".join(f"{name} {value}" for name, value in step.expected)
        raise _Different(f"the queue to hold {wanted or NOTHING}", f"it holds {_summary(callback)}")
    for name, value in step.expected:
        found = _value(callback, name)
        if (found == NOTHING) if value == SOMETHING else (_in_any_order(found) != _in_any_order(value)):
            raise _Different(f"{name} {value} in the queue", f"it holds {_summary(callback)}")


def _in_any_order(value: str) -> list[str]:
    return sorted(value.casefold().split())


def _value(callback: Mapping[str, Any], name: str) -> str:
    """A value of the callback, or of the answers in it, in the words of a script."""
    value = callback.get(name)
    if value is None:
        value = (callback.get("answers") or {}).get(name)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Iterable) and not isinstance(value, str):
        value = " ".join(value)
    return str(value) if value not in (None, "") else NOTHING


def _summary(callback: Mapping[str, Any] | None) -> str:
    return NOTHING if callback is None else ", ".join(f"{name} {value}" for name, value in summary(callback))


def summary(callback: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Give the names and values of a callback that a person wants to see, those that are not known left out."""
    long_ones = {"steps", "answers"}
    shown = [(name, _value(callback, name)) for name in callback if name not in long_ones]
    answers = [(name, _value(callback, name)) for name in callback.get("answers") or {} if name not in callback]
    return [(name, value) for name, value in (*shown, *answers) if value != NOTHING]
