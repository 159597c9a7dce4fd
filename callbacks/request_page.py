"""One request's page: its story, and a button for everything that can be done about it.

Every look at it is a row in the access log, written in the transaction that reads it: where that fails, nothing is
shown. `queue` does the work, `console_words` says it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import LazyString, gettext, lazy_gettext
from sqlalchemy import Connection

from callbacks import access, console_words, queue
from callbacks.desk import Desk, Work
from callbacks.errors import AlreadyClaimed, CallbackError, IllegalMove, Missing, NotYours, TooLateToUndo
from callbacks.guarding import current_member
from callbacks.lifecycle import Disposition, Status

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

ONE = "/requests/<public_id>"


def add_routes(pages: Blueprint, desk: Desk) -> None:
    """The addresses of one request: its page, its number, and one for each button."""
    pages.add_url_rule(ONE, "request", lambda public_id: _request(desk, public_id))
    pages.add_url_rule(
        f"{ONE}/number", "number", lambda public_id: _request(desk, public_id, "number"), methods=["POST"]
    )
    for name in _STEPS:
        pages.add_url_rule(
            f"{ONE}/{name.replace('_', '-')}",
            name,
            lambda public_id, name=name: _press(desk, public_id, name),
            methods=["POST"],
        )


def _request(desk: Desk, public_id: str, action: str = "view") -> ResponseReturnValue:
    """One request; with the action "number" its phone number too, for dialling by hand."""
    member = current_member()

    def read(connection: Connection, now: datetime) -> queue.Story:
        story = queue.story(connection, public_id, now)
        access.note(connection, member, action, now, callback_id=story.entry.id)
        return story

    story = desk.do(read)
    entry = story.entry
    is_mine = entry.status is Status.CLAIMED and entry.claimed_by_id == member.id
    return render_template(
        "request.html",
        story=story,
        entry=entry,
        told=console_words.told(entry.answers),
        is_mine=is_mine,
        may_work=is_mine or (entry.status is Status.CLAIMED and member.is_coordinator),
        shows_number=action == "number",
        text_of=desk.text_of,
    )


def _claim(work: Work) -> None:
    queue.claim(work.connection, work.public_id, work.member, work.now, work.claim_lasts)


def _release(work: Work) -> None:
    queue.release(work.connection, work.public_id, work.member, work.now)


def _wrap_up(work: Work) -> None:
    if work.form.get("disposition") not in list(Disposition):
        raise Missing("disposition")
    disposition, referral = Disposition(work.form["disposition"]), work.form.get("referral")
    note = work.form.get("note", "")
    queue.wrap_up(
        work.connection, work.public_id, work.member, disposition, note, work.now, work.office, referral=referral
    )


def _undo(work: Work) -> None:
    queue.undo(work.connection, work.public_id, work.member, work.now)


def _cancel(work: Work) -> None:
    queue.cancel(work.connection, work.public_id, work.member, work.form.get("reason", ""), work.now)


def _note(work: Work) -> None:
    queue.add_note(work.connection, work.public_id, work.member, work.form.get("note", ""), work.now)


_STEPS: Mapping[str, tuple[Callable[[Work], None], LazyString | None]] = {
    "claim": (_claim, None),
    "release": (_release, lazy_gettext("Released: it is back in the queue.")),
    "wrap_up": (_wrap_up, lazy_gettext("Wrapped up. You can take this back for one minute.")),
    "undo": (_undo, lazy_gettext("Taken back: the request is yours again.")),
    "cancel": (_cancel, lazy_gettext("Cancelled: nobody will phone.")),
    "note": (_note, None),
}


def _press(desk: Desk, public_id: str, name: str) -> ResponseReturnValue:
    """A button of the request's page: do it, and show the request again, with the reason where it could not be done."""
    step, done = _STEPS[name]
    member, form = current_member(), request.form.to_dict()
    try:
        desk.do(
            lambda connection, now: step(Work(connection, public_id, member, form, now, desk.office, desk.claim_lasts))
        )
    except (AlreadyClaimed, NotYours, IllegalMove, TooLateToUndo, Missing) as error:
        flash(_why_not(error))
    else:
        flash(request.path, "sent")  # the page may forget the text that it kept for this form
        if done is not None:
            flash(str(done))
    return redirect(url_for("console.request", public_id=public_id), 303)


def _why_not(error: CallbackError) -> str:
    match error:
        case AlreadyClaimed():
            return str(gettext("%(name)s has this request already. Choose another, or ask.", name=error.by))
        case NotYours():
            return str(gettext("A colleague has this request: claim it again when it is free."))
        case TooLateToUndo():
            return str(gettext("Taking back is possible for one minute only. Add a note instead."))
        case Missing():
            return str(gettext("Something is missing: please fill it in and try again."))
        case _:
            return str(gettext("That is not possible any more: the request has changed meanwhile."))
