"""Adding a request by hand: somebody came to the door, or wrote, and is called back like everybody who phoned.

The form asks what the line would have asked, and nothing more. What cannot be is said beside its field, and everything
that was typed stays. `by_hand` puts the request into the queue.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy import Connection

from callbacks import queue
from callbacks.console_words import ANSWERS, LANGUAGES, NEEDS, Words
from callbacks.desk import Desk
from callbacks.guarding import current_member
from callbacks.lifecycle import Urgency
from callbacks.queue import ByHand, Entry

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

LONGEST_NOTE = 2000  # characters
UNPROCESSABLE = 422
_ONCE = re.compile(r"[A-Za-z0-9_-]{22}")


@dataclass(frozen=True)
class Problem:
    """What is wrong with one field (its name), and what to do."""

    field: str
    words: str


def add_routes(pages: Blueprint, desk: Desk) -> None:
    """The form, and where it is sent."""
    pages.add_url_rule("/add", "add", lambda: _add(desk), methods=["GET", "POST"])


def _add(desk: Desk) -> ResponseReturnValue:
    if request.method != "POST":
        return _form({}, [])
    typed = request.form.to_dict()
    phone = typed.get("phone", "").strip()
    dialled = desk.dialled(phone) if phone else None
    problems = list(_problems(typed, is_refused=bool(phone) and dialled is None))
    if problems:
        return _form(typed, problems), UNPROCESSABLE
    entry = _stored(desk, _asked(typed, dialled), typed.get("once", ""))
    flash(_done(entry))
    return redirect(url_for("console.request", public_id=entry.public_id), 303)


def _form(typed: Mapping[str, str], problems: list[Problem]) -> str:
    once = typed.get("once", "")
    return render_template(
        "add.html",
        typed=typed,
        problems=problems,
        problem_of={problem.field: problem.words for problem in problems},
        once=once if _ONCE.fullmatch(once) else secrets.token_urlsafe(16),
        longest_note=LONGEST_NOTE,
    )


def _problems(typed: Mapping[str, str], *, is_refused: bool) -> list[Problem]:
    found = []
    if is_refused:
        said = gettext(
            "The line does not call this number. Is it complete, such as 06 12345678? Perhaps there is another one. "
            "You can also leave it empty: then whoever asks gets a reference to come back with."
        )
        found.append(Problem("phone", str(said)))
    if typed.get("need") not in NEEDS:
        found.append(Problem("need", str(gettext("Choose what help is needed."))))
    if typed.get("language") not in LANGUAGES:
        found.append(Problem("language", str(gettext("Choose the language in which to call back."))))
    if typed.get("urgency") not in Urgency.__members__:
        found.append(Problem("urgency", str(gettext("Choose how soon somebody must call."))))
    if len(typed.get("note", "")) > LONGEST_NOTE:
        found.append(Problem("note", str(gettext("Make the note shorter: two pages are the most."))))
    return found


def _asked(typed: Mapping[str, str], phone: str | None) -> ByHand:
    return ByHand(
        need=typed["need"],
        who=_one_of(ANSWERS["who"], typed.get("who")),
        language=typed["language"],
        phone=phone,
        urgency=Urgency[typed["urgency"]],
        was_refused=_yes_no(typed.get("refused")),
        safe_message=_yes_no(typed.get("safe_message")) if phone else None,
        part_of_day=_one_of(ANSWERS["part_of_day"], typed.get("part_of_day")),
        region=_one_of(ANSWERS["region"], typed.get("region")),
        note=typed.get("note", ""),
    )


def _one_of(table: Words, value: str | None) -> str | None:
    return value if value in table else None


def _yes_no(value: str | None) -> bool | None:
    return {"yes": True, "no": False}.get(value or "")


def _stored(desk: Desk, asked: ByHand, once: str) -> Entry:
    member, public_id = current_member(), once if _ONCE.fullmatch(once) else None

    def unit(connection: Connection, now: datetime) -> Entry:
        added = queue.add_by_hand(connection, member, asked, now, desk.office, public_id=public_id)
        return queue.find(connection, added, now)

    return desk.do(unit)


def _done(entry: Entry) -> str:
    """What to tell whoever stands there."""
    said = [gettext("Added. The reference is %(reference)s.", reference=entry.reference)]
    if entry.phone is None:
        said.append(gettext("There is no number: write the reference down for them, and say when to come back."))
    if entry.linked_to is not None:
        said.append(
            gettext(
                "This number had an open request already (%(reference)s): both are more urgent now.",
                reference=entry.linked_to,
            )
        )
    return " ".join(str(sentence) for sentence in said)
