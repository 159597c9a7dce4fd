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

from callbacks import access, queue, request_view
from callbacks.console_words import NEEDS
from callbacks.desk import Desk, Work
from callbacks.errors import AlreadyClaimed, CallbackError, IllegalMove, Missing, NotYours, TooLateToUndo
from callbacks.guarding import current_member
from callbacks.lifecycle import Status, Urgency
from callbacks.request_view import View

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

ONE = "/requests/<public_id>"


def add_routes(pages: Blueprint, desk: Desk) -> None:
    """The addresses of one request: its page, its number, and one for each button."""
    pages.add_url_rule(ONE, "request", lambda public_id: show(desk, public_id))
    pages.add_url_rule(f"{ONE}/number", "number", lambda public_id: show(desk, public_id, "number"), methods=["POST"])
    for name in _STEPS:
        pages.add_url_rule(
            f"{ONE}/{name.replace('_', '-')}",
            name,
            lambda public_id, name=name: _press(desk, public_id, name),
            methods=["POST"],
        )


def show(desk: Desk, public_id: str, action: str = "view", status: int = 200, **more: object) -> ResponseReturnValue:
    """One request; with the action "number" its phone number too, for dialling by hand.

    `more` are variables of the templates, such as what was typed into a form that could not be taken.
    """
    member = current_member()

    def read(connection: Connection, now: datetime) -> View:
        view = request_view.read(connection, public_id, member, now, desk)
        access.note(connection, member, action, now, callback_id=view.story.entry.id)
        return view

    view = desk.do(read)
    return render_template("request.html", **{**view.variables, **more}, shows_number=action == "number"), status


def _claim(work: Work) -> None:
    queue.claim(work.connection, work.public_id, work.member, work.now, work.claim_lasts)


def _release(work: Work) -> None:
    queue.release(work.connection, work.public_id, work.member, work.now)


def _undo(work: Work) -> None:
    queue.undo(work.connection, work.public_id, work.member, work.now)


def _cancel(work: Work) -> None:
    queue.cancel(work.connection, work.public_id, work.member, work.form.get("reason", ""), work.now)


def _retriage(work: Work) -> None:
    if work.form.get("urgency") not in Urgency.__members__:
        raise Missing("urgency")
    need = work.form.get("need") or None
    queue.retriage(
        work.connection,
        work.public_id,
        work.member,
        work.now,
        work.office,
        urgency=Urgency[work.form["urgency"]],
        need=need if need in NEEDS else None,
        reason=work.form.get("reason", ""),
    )


def _note(work: Work) -> None:
    queue.add_note(work.connection, work.public_id, work.member, work.form.get("note", ""), work.now)


_STEPS: Mapping[str, tuple[Callable[[Work], None], LazyString | None]] = {
    "claim": (_claim, None),
    "release": (_release, lazy_gettext("Released: it is back in the queue.")),
    "undo": (_undo, lazy_gettext("Taken back: the request is yours again.")),
    "cancel": (_cancel, lazy_gettext("Cancelled: nobody will phone.")),
    "retriage": (_retriage, lazy_gettext("Changed: the due time follows the new urgency.")),
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
        flash(why_not(error))
    else:
        flash(request.path, "sent")  # the page may forget the text that it kept for this form
        if done is not None:
            flash(str(done))
    return redirect(url_for("console.request", public_id=public_id), 303)


def why_not(error: CallbackError) -> str:
    """Why it could not be done, and what to do now."""
    match error:
        case AlreadyClaimed():
            said = gettext("%(name)s has this request already. Press Next for another one, or ask.", name=error.by)
        case NotYours():
            said = gettext("%(name)s has this request: ask, or claim it when it is free again.", name=error.by)
        case TooLateToUndo():
            said = gettext("Taking back is possible for one minute only. Add a note instead.")
        case Missing():
            said = gettext("Something is missing: please fill it in and try again.")
        case IllegalMove(status=Status.QUEUED):
            said = gettext("Nobody has this request any more: your time for it was over. Claim it, and do it again.")
        case _:
            said = gettext("That is not possible any more: the request has changed meanwhile. See below what happened.")
    return str(said)
