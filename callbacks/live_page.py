"""What pages of the console ask by themselves every few seconds: is there an alert, has this request changed?

Both answer with a piece of a page, or with nothing where nothing has changed (`freshness`). The queue refreshes itself
by its own address in `queue_page`. `static/console.js` asks, and swaps the pieces in without touching what somebody
types; without it nothing here is asked and every page still works.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from flask import Blueprint, render_template, request
from flask_babel import gettext
from sqlalchemy import Connection

from callbacks import access, freshness, notices, queue, request_view
from callbacks.desk import Desk
from callbacks.guarding import current_member
from callbacks.lifecycle import Status
from callbacks.request_view import View
from callbacks.staff import Member

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

MOST_SHOWN = 3  # alerts; the rest is a number and a link to the list
_REQUEST = re.compile(r"/console/requests/([\w-]+)")


def add_routes(pages: Blueprint, desk: Desk) -> None:
    """The addresses of the pieces, and what every page needs to ask for them."""
    pages.add_url_rule("/alerts", "alerts", lambda: _alerts(desk))
    pages.add_url_rule("/requests/<public_id>/live", "request_live", lambda public_id: _request(desk, public_id))

    def seconds_until(moment: datetime) -> int:
        return int((moment - desk.clock()).total_seconds())

    pages.app_context_processor(lambda: {"zone": desk.office.zone.key, "seconds_until": seconds_until})


def _alerts(desk: Desk) -> ResponseReturnValue:
    """What the team must hear of now, but for the request at which this page looks."""
    member, known, key = current_member(), freshness.known(), freshness.key()
    found = _REQUEST.search(request.headers.get("HX-Current-URL", ""))
    looking_at = found[1] if found else None

    def look(connection: Connection, now: datetime) -> tuple[tuple[notices.Alert, ...], str]:
        told = notices.alerts(connection, member, now, desk.office, before_due=desk.before_due, looking_at=looking_at)
        return told.new, freshness.seal(key, None, told)

    def read(connection: Connection, now: datetime) -> tuple[tuple[notices.Alert, ...], str]:
        told, seen = look(connection, now)
        if told:
            access.note(connection, member, "alerts", now, count=len(told))
        return told, seen

    if known and known == desk.look(look)[1]:
        return freshness.UNCHANGED
    told, seen = desk.do(read)
    return render_template("alerts.html", alerts=told, most=MOST_SHOWN, seen=seen)


def _request(desk: Desk, public_id: str) -> ResponseReturnValue:
    """The parts of a request's page that others change, and a word about what they changed."""
    member, known, key = current_member(), freshness.known(), freshness.key()

    def look(connection: Connection, now: datetime) -> tuple[View, str]:
        view = request_view.read(connection, public_id, member, now, desk)
        return view, freshness.seal(key, now, view.story)

    def read(connection: Connection, now: datetime) -> tuple[View, str]:
        view, seen = look(connection, now)
        access.note(connection, member, "refresh", now, callback_id=view.story.entry.id)
        return view, seen

    if known and known == desk.look(look)[1]:
        return freshness.UNCHANGED
    view, seen = desk.do(read)
    return render_template(
        "request_parts.html",
        **view.variables,
        is_part=True,
        seen=seen,
        shown=request.args.get("shown", ""),
        news=_news(request.args.get("shown", ""), view.story, member),
    )


def _is_with(entry: queue.Entry, member: Member) -> bool:
    return entry.status is Status.CLAIMED and entry.claimed_by_id == member.id


def _news(shown: str, story: queue.Story, member: Member) -> str | None:
    """What is different from what the page showed (status.holder.urgency) when it was opened; None for nothing."""
    entry = story.entry
    now_shown = f"{entry.status}.{entry.claimed_by_id or 0}.{int(entry.urgency)}"
    before = shown.rpartition(".")[0]
    if not before or shown == now_shown:
        return None
    if before == now_shown.rpartition(".")[0]:
        return str(gettext("This request is %(urgency)s now.", urgency=entry.urgency.name))
    was_mine = before == f"{Status.CLAIMED}.{member.id}"
    said = _where_it_is(story, member, was_mine=was_mine)
    return f"{said} {gettext('What you have typed stays here: you can add it as a note.')}" if was_mine else said


def _where_it_is(story: queue.Story, member: Member, *, was_mine: bool) -> str:
    entry = story.entry
    if entry.status is Status.CLAIMED:
        if _is_with(entry, member):
            return str(gettext("You have this request now."))
        return str(gettext("%(name)s has this request now.", name=entry.claimed_by))
    if entry.status is Status.CLOSED:
        return str(gettext("This request is closed now."))
    if entry.status is Status.CANCELLED:
        return str(gettext("This request was cancelled: nobody will phone."))
    if was_mine and story.events[-1].what != "released":
        return str(gettext("Your time for this request is over: it is back in the queue. Claim it again to go on."))
    return str(gettext("This request is back in the queue: nobody has it."))
