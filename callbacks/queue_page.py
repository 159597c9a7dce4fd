"""The queue's page: which requests wait, the most urgent first, and the button that gives an agent the next one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext, ngettext
from sqlalchemy import Connection

from callbacks import access, freshness, nothing_suits, queue, queue_filters
from callbacks.desk import Desk
from callbacks.guarding import current_member
from callbacks.moments import clock
from callbacks.nothing_suits import NothingSuits
from callbacks.queue_filters import filters_of

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue


def add_routes(pages: Blueprint, desk: Desk) -> None:
    """The queue's own addresses."""
    pages.add_url_rule("/", "queue", lambda: _queue(desk))
    pages.add_url_rule("/next", "take_next", lambda: _take_next(desk), methods=["POST"])


def _queue(desk: Desk) -> ResponseReturnValue:
    filters, member, after = filters_of(request.args), current_member(), request.args.get("after")
    is_part, known, key = freshness.is_part("queue-list"), freshness.known(), freshness.key()

    def look(connection: Connection, now: datetime) -> tuple[queue.Page, queue.Counts, str, datetime]:
        page = queue.list_page(connection, filters, member, now, after=after)
        counts = queue.counts(connection, member, now)
        return page, counts, freshness.seal(key, now, page, counts), now

    def read(connection: Connection, now: datetime) -> tuple[queue.Page, queue.Counts, str, datetime]:
        found = look(connection, now)
        access.note(connection, member, "search" if filters.words else "list", now, count=len(found[0].entries))
        return found

    if is_part and known and known == desk.look(look)[2]:
        return freshness.UNCHANGED
    page, counts, seen, now = desk.do(read)
    return render_template(
        "queue_live.html" if is_part else "queue.html",
        page=page,
        counts=counts,
        filters=filters,
        chosen=queue_filters.chosen(filters),
        list_query=queue_filters.query_of(filters),
        queue_lists=queue_filters.LISTS_IN_WORDS,
        more=queue_filters.query_of(filters, after=page.next) if page.next else None,
        is_first=after is None,
        now=now,
        seen=seen,
        is_part=is_part,
    )


def _take_next(desk: Desk) -> ResponseReturnValue:
    member = current_member()
    taken = desk.do(lambda connection, now: queue.take_next(connection, member, now, desk.office, desk.claim_lasts))
    if taken is not None:
        return redirect(url_for("console.request", public_id=taken), 303)
    now = desk.clock()
    found = desk.database.read(lambda connection: nothing_suits.why(connection, member, now, desk.office))
    flash(" ".join(_why_none(found, now)))
    return redirect(url_for("console.queue"), 303)


def _why_none(found: NothingSuits, now: datetime) -> Iterator[str]:
    """Why Next gave nothing, and what to do instead, a sentence each."""
    yield str(gettext("Nobody is waiting whom you can phone now."))
    if not found.free:
        yield str(gettext("The queue is empty, or colleagues have what is in it. You will see what comes in here."))
        return
    if not found.is_office_open:
        yield str(gettext("The office is closed: until it opens, Next only gives what cannot wait."))
    else:
        yield from _kept_by(found, now)
    yield str(gettext("You can still choose one from the list, read it, and press Claim."))


def _kept_by(found: NothingSuits, now: datetime) -> Iterator[str]:
    for number, said in (
        (found.other_language, _languages),
        (found.other_part_of_day, _parts_of_day),
        (found.coordinators, _coordinators),
    ):
        if number:
            yield said(number)
    if found.later and found.soonest:
        moment = clock(found.soonest, now)
        yield str(
            ngettext(
                "%(num)s waits for its next attempt, from %(moment)s.",
                "%(num)s wait for their next attempt, the first from %(moment)s.",
                found.later,
                moment=moment,
            )
        )


def _languages(number: int) -> str:
    return str(
        ngettext(
            "%(num)s is in a language that a colleague speaks.",
            "%(num)s are in a language that a colleague speaks.",
            number,
        )
    )


def _parts_of_day(number: int) -> str:
    return str(
        ngettext("%(num)s asked for another part of the day.", "%(num)s asked for another part of the day.", number)
    )


def _coordinators(number: int) -> str:
    return str(ngettext("%(num)s is for the coordinator.", "%(num)s are for the coordinator.", number))
