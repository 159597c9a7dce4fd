"""The queue's page: which requests wait, the most urgent first, and the button that gives an agent the next one."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy import Connection
from werkzeug.datastructures import MultiDict

from callbacks import access, freshness, queue
from callbacks.desk import Desk
from callbacks.guarding import current_member
from callbacks.lifecycle import Status, Urgency
from callbacks.queue import Filters

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue


def add_routes(pages: Blueprint, desk: Desk) -> None:
    """The queue's own addresses."""
    pages.add_url_rule("/", "queue", lambda: _queue(desk))
    pages.add_url_rule("/next", "take_next", lambda: _take_next(desk), methods=["POST"])


def _queue(desk: Desk) -> ResponseReturnValue:
    filters, member, after = filters_of(request.args), current_member(), request.args.get("after")
    is_part, known, key = freshness.is_part("queue-list"), freshness.known(), freshness.key()

    def read(connection: Connection, now: datetime) -> tuple[queue.Page, queue.Counts, str]:
        page = queue.list_page(connection, filters, member, now, after=after)
        counts = queue.counts(connection, member, now)
        seen = freshness.seal(key, now, page, counts)
        if not is_part or seen != known:
            action = "search" if filters.words else "list"
            access.note(connection, member, action, now, count=len(page.entries))
        return page, counts, seen

    page, counts, seen = desk.do(read)
    if is_part and seen == known:
        return freshness.UNCHANGED
    chosen = [pair for pair in request.args.items(multi=True) if pair[0] != "after"]
    more = "?" + urlencode([*chosen, ("after", page.next)]) if page.next else None
    return render_template(
        "queue_live.html" if is_part else "queue.html",
        page=page,
        counts=counts,
        filters=filters,
        more=more,
        seen=seen,
        is_part=is_part,
    )


def filters_of(args: MultiDict[str, str]) -> Filters:
    """What an address asks for; what no list can have is left out, so that an old bookmark still opens."""
    status = args.get("status", "open")
    urgencies = {int(urgency[1:]) for urgency in args.getlist("urgency") if urgency in Urgency.__members__}
    return Filters(
        urgency=frozenset(urgencies),
        status=status if status in ("open", *Status, "all") else "open",
        language=args.get("language") or None,
        need=args.get("need") or None,
        mine="mine" in args,
        overdue="overdue" in args,
        for_coordinator="coordinator" in args,
        words=args.get("words", "").strip()[:100],
    )


def _take_next(desk: Desk) -> ResponseReturnValue:
    member = current_member()
    taken = desk.do(lambda connection, now: queue.take_next(connection, member, now, desk.office))
    if taken is None:
        flash(gettext("Nobody is waiting whom you can phone now. Claim a request yourself if you like."))
        return redirect(url_for("console.queue"), 303)
    return redirect(url_for("console.request", public_id=taken), 303)
