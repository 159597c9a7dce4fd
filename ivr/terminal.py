"""`zorglijn rehearse`: call the line in a terminal, by hand or after a script, and see what is then in the queue.

Works piped as well as typed: every line that is read is one thing the caller does. The calling itself is `phone`, the
scripts are `call_script` and `call_replay`, the words are `screen`; `call` connects them with the line of `app`.
"""

from __future__ import annotations

import http.client
import io
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO
from urllib.parse import urlsplit

from ivr import call_script
from ivr.call_replay import Lookup, replay, summary
from ivr.phone import Phone
from ivr.phone_calls import Act, Doing, Sound
from ivr.phone_errors import PhoneError
from ivr.screen import ENDINGS, HELP, Screen, understand
from ivr.transport import FlaskTransport, HttpTransport

if TYPE_CHECKING:
    from flask import Flask

    from ivr.prompts import Prompts
    from ivr.webhooks import Line
    from settings import Settings


@dataclass(frozen=True)
class Desk:
    """What a rehearsal has beside the phone: who reads, who types, where to look up callbacks.

    `changing` are the prompts that hold words of one call only, for saving (see `call_script.write`).
    """

    lookup: Lookup
    source: TextIO
    out: TextIO
    changing: Sequence[str] = ()


def rehearse(phone: Phone, desk: Desk, *, script: Path | None = None, save: Path | None = None) -> int:
    """Call by hand, or after a script, and show everything; 0 when the call went well, 1 when it did not."""
    screen = Screen(desk.out)
    phone, went_well = _replay(phone, desk, screen, script) if script else _by_hand(phone, desk, screen)
    if phone.exchanges:
        _tell_end(phone, desk, screen)
        if save is not None:
            _save(phone, desk, screen, save)
    return 0 if went_well else 1


def _by_hand(phone: Phone, desk: Desk, screen: Screen) -> tuple[Phone, bool]:
    screen.line(f"Calling from {phone.from_}")
    try:
        screen.heard(phone.dial())
    except PhoneError as error:
        screen.line(str(error), "31")
        return phone, False
    while not phone.is_over:
        screen.options(phone.waiting_for)
        act = None
        try:
            act = understand(_typed(desk, screen))
            screen.heard(_do(phone, act)) if act else screen.line(HELP.rstrip())
        except PhoneError as error:
            screen.line(f"  {error}", "33")
            if act and act.doing is Doing.HANGS_UP:  # else the call is where it was, and goes on
                return phone, False
    return phone, True


def _replay(phone: Phone, desk: Desk, screen: Screen, path: Path) -> tuple[Phone, bool]:
    calls = [phone]

    def show(calling: Phone) -> None:
        calls.append(calling)
        screen.act(calling.exchanges[-1].act)
        screen.heard(calling.heard)

    try:
        replay(call_script.read(path), phone, desk.lookup, show)
        screen.line(f"The call went as {path.name} says.", "32")
        if calls[-1].exchanges and not calls[-1].is_over:
            calls[-1].hang_up()
    except (PhoneError, OSError, UnicodeDecodeError) as error:
        screen.line(str(error), "31")
        return calls[-1], False
    return calls[-1], True


def _typed(desk: Desk, screen: Screen) -> str:
    print("> ", end="", file=desk.out, flush=True)
    try:
        line = desk.source.readline()
    except KeyboardInterrupt:
        line = ""
    typed = line.strip() if line else "hang up"
    if not line or not desk.source.isatty():
        screen.line(typed)
    return typed


def _do(phone: Phone, act: Act) -> tuple[Sound, ...]:
    match act.doing:
        case Doing.PRESSES:
            return phone.press(act.value)
        case Doing.SAYS:
            return phone.say(act.value)
        case Doing.HANGS_UP:
            return phone.hang_up()
        case _:
            return phone.stay_silent()


def _tell_end(phone: Phone, desk: Desk, screen: Screen) -> None:
    if phone.ended_by is not None:
        screen.line(ENDINGS[phone.ended_by])
    callback = desk.lookup(phone.call_sid)
    if callback is None:
        screen.line("Nothing is in the queue for this call.")
        return
    screen.line("In the queue for this call:")
    for name, value in summary(callback):
        screen.line(f"  {name:<18} {value}")


def _save(phone: Phone, desk: Desk, screen: Screen, path: Path) -> None:
    written = call_script.write(phone.exchanges, phone.ended_by, title=path.stem, changing=desk.changing)
    try:
        path.write_text(written, encoding="utf-8")
    except OSError as error:
        screen.line(f"The call could not be saved ({error}). Here it is:", "31")
        screen.line(written)
        return
    screen.line(f"The call is saved in {path}")


def call(
    make_app: Callable[[], Flask],
    line: Line,
    settings: Settings,
    *,
    script: Path | None,
    save: Path | None,
    from_: str,
) -> int:
    """Rehearse with this line: over HTTP where it is being served, else within this process; give the exit status."""
    from callbacks.export import record_of_call

    screen = Screen(sys.stdout)
    if not settings.is_rehearsal:
        screen.line("A rehearsal would put made-up calls into a real queue: set ZORGLIJN_ENV=rehearsal")
        return 1
    is_served = answers_at(settings.public_base_url)
    inside = f"the line inside this process (none is served at {settings.public_base_url})"
    screen.line(f"Calling {settings.public_base_url if is_served else inside}", "2")
    phone = Phone(
        HttpTransport() if is_served else FlaskTransport(make_app().test_client()),
        base_url=settings.public_base_url,
        account_sid=settings.twilio_account_sid,
        auth_token=settings.twilio_auth_token,
        from_=from_,
    )
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")  # bytes that are no text are told as such, and lose nothing
    database = line.switchboard.database
    desk = Desk(
        lambda sid: record_of_call(database, sid), sys.stdin, sys.stdout, tuple(_changing(line.renderer.prompts))
    )
    return rehearse(phone, desk, script=script, save=save)


def _changing(prompts: Prompts) -> Iterator[str]:
    """The texts that speak what is of one call only: its reference, and when we call."""
    for language in prompts.languages:
        texts = (prompts.text(name, language.code) for name in sorted(prompts.names))
        yield from (text for text in texts if "{reference}" in text or "{due}" in text)


def answers_at(base_url: str) -> bool:
    """Whether a line is being served at this address now."""
    parts = urlsplit(base_url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
