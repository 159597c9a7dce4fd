"""The console's pages: the queue, and one request with what can be done about it. Server-rendered, no script needed.

`guarding` has let the agent in, `queue` does the work, `console_words` says it. Every page that shows a request is a
row in the access log, written in the transaction that reads it: where that fails, nothing is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlencode

from flask import Blueprint, Request, flash, redirect, render_template, request, url_for
from flask_babel import LazyString, gettext, lazy_gettext
from sqlalchemy import Connection
from werkzeug.exceptions import HTTPException, NotFound

from callbacks import access, console_words, queue
from callbacks.db import Database
from callbacks.errors import (
    AlreadyClaimed,
    CallbackError,
    DatabaseUnavailable,
    IllegalMove,
    Missing,
    NoSuchCallback,
    NotYours,
    TooLateToUndo,
)
from callbacks.guarding import CONSOLE, current_member
from callbacks.lifecycle import Disposition, Status, Urgency
from callbacks.office_hours import OfficeHours
from callbacks.queue import Filters
from callbacks.staff import Member

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

T = TypeVar("T")


@dataclass(frozen=True)
class Desk:
    """What the pages need; `text_of` gives the words of a prompt in a language, for reading a call back."""

    database: Database
    clock: Callable[[], datetime]
    office: OfficeHours
    text_of: Callable[[str, str | None], str]

    def do(self, unit: Callable[[Connection, datetime], T]) -> T:
        """One use case, and its row in the access log, in one transaction at one moment."""
        now = self.clock()
        return self.database.write(lambda connection: unit(connection, now))


@dataclass(frozen=True)
class Work:
    """One button pressed: everything that its use case needs, for it runs outside the request."""

    connection: Connection
    public_id: str
    member: Member
    form: Mapping[str, str]
    now: datetime
    office: OfficeHours


def blueprint(desk: Desk) -> Blueprint:
    """The pages under /console/ for whoever has signed in."""
    pages = Blueprint("console", __name__, template_folder="templates", static_folder="static", url_prefix=CONSOLE)
    pages.add_url_rule("/", "queue", lambda: _queue(desk))
    pages.add_url_rule("/next", "take_next", lambda: _take_next(desk), methods=["POST"])
    one = "/requests/<public_id>"
    pages.add_url_rule(one, "request", lambda public_id: _request(desk, public_id))
    pages.add_url_rule(
        f"{one}/number", "number", lambda public_id: _request(desk, public_id, "number"), methods=["POST"]
    )
    for name in _STEPS:
        pages.add_url_rule(
            f"{one}/{name.replace('_', '-')}",
            name,
            lambda public_id, name=name: _press(desk, public_id, name),
            methods=["POST"],
        )
    pages.register_error_handler(NoSuchCallback, lambda _: _problem(NotFound()))
    pages.register_error_handler(DatabaseUnavailable, _away)
    pages.context_processor(lambda: {"words": console_words.words, "tables": console_words})
    pages.add_app_template_filter(_clock(desk), "clock")
    return pages


def _queue(desk: Desk) -> ResponseReturnValue:
    filters, member, after = _filters(request), current_member(), request.args.get("after")

    def read(connection: Connection, now: datetime) -> tuple[queue.Page, queue.Counts]:
        page = queue.list_page(connection, filters, member, now, after=after)
        action = "search" if filters.words else "list"
        access.note(connection, member, action, now, count=len(page.entries))
        return page, queue.counts(connection, member, now)

    page, counts = desk.do(read)
    chosen = [pair for pair in request.args.items(multi=True) if pair[0] != "after"]
    more = "?" + urlencode([*chosen, ("after", page.next)]) if page.next else None
    return render_template("queue.html", page=page, counts=counts, filters=filters, more=more)


def _filters(asked: Request) -> Filters:
    """What the address asks for; what no list can have is left out, so that an old bookmark still opens."""
    args = asked.args
    status = args.get("status", "open")
    urgencies = {int(urgency[1:]) for urgency in args.getlist("urgency") if urgency in Urgency.__members__}
    return Filters(
        urgency=frozenset(urgencies),
        status=status if status in ("open", *Status, "all") else "open",
        language=args.get("language") or None,
        need=args.get("need") or None,
        mine="mine" in args,
        overdue="overdue" in args,
        words=args.get("words", "").strip()[:100],
    )


def _take_next(desk: Desk) -> ResponseReturnValue:
    member = current_member()
    taken = desk.do(lambda connection, now: queue.take_next(connection, member, now, desk.office))
    if taken is None:
        flash(gettext("Nobody is waiting whom you can phone now. Claim a request yourself if you like."))
        return redirect(url_for("console.queue"), 303)
    return redirect(url_for("console.request", public_id=taken), 303)


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
    queue.claim(work.connection, work.public_id, work.member, work.now)


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
        desk.do(lambda connection, now: step(Work(connection, public_id, member, form, now, desk.office)))
    except (AlreadyClaimed, NotYours, IllegalMove, TooLateToUndo, Missing) as error:
        flash(_why_not(error))
    else:
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


def _problem(error: HTTPException) -> ResponseReturnValue:
    page = render_template("problem.html", title=gettext("Not found"), text=gettext("There is no such request."))
    return page, error.code or 404


def _away(error: DatabaseUnavailable) -> ResponseReturnValue:  # noqa: ARG001  a handler's signature
    text = gettext("The queue cannot be reached at the moment. Nothing is lost: please try again in a minute.")
    return render_template("problem.html", title=gettext("One moment"), text=text), 503


def _clock(desk: Desk) -> Callable[[datetime], str]:
    return lambda moment: moment.astimezone(desk.office.zone).strftime("%d-%m %H:%M")
