"""Taking a list out of the console: which one, what that means, and then the file. For coordinators.

The list is told by the same address as the queue's (`queue_filters`), so that what somebody sees there is what
they export. `exporting` makes the file.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, render_template, request
from sqlalchemy import Connection

from callbacks import access, console_words, exporting, queue_views
from callbacks.desk import Desk
from callbacks.exporting import BYTES_A_ROW, FORMATS, Format
from callbacks.guarding import current_member, require_coordinator
from callbacks.queue_filters import chosen, filters_of, query_of
from callbacks.queue_views import OPEN, Filters

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

_LARGE = 5_000  # requests; from here on somebody may wonder whether anything happens


def add_routes(pages: Blueprint, desk: Desk) -> None:
    """The page that asks, and the file."""

    @require_coordinator
    def reports() -> ResponseReturnValue:
        return _reports(desk)

    @require_coordinator
    def export() -> ResponseReturnValue:
        return _export(desk)

    pages.add_url_rule("/reports", "reports", reports)
    pages.add_url_rule("/export", "export", export, methods=["POST"])


def _reports(desk: Desk) -> ResponseReturnValue:
    filters, member = filters_of(request.args), current_member()
    now = desk.clock()
    count = desk.database.read(lambda connection: queue_views.count_list(connection, filters, member, now))

    def note(connection: Connection, moment: datetime) -> None:
        access.note(connection, member, "counted", moment, count=count)

    desk.do(note)
    return render_template(
        "reports.html",
        count=count,
        is_large=count >= _LARGE,
        told=told(filters),
        formats=FORMATS,
        sizes={kind: _size(count * size) for kind, size in BYTES_A_ROW.items()},
        query=query_of(filters),
    )


def _export(desk: Desk) -> ResponseReturnValue:
    kind = request.form.get("format", Format.CSV)
    if kind not in list(Format):
        abort(400)
    made = exporting.start(desk, filters_of(request.args), current_member(), Format(kind))
    response = Response(made.parts, mimetype=made.mimetype)
    response.headers["Content-Disposition"] = f'attachment; filename="{made.filename}"'
    return response


def told(filters: Filters) -> list[str]:
    """Which list this is, in words: each is something that holds for all of it."""
    which = [] if filters.status != OPEN else [console_words.STATUSES[OPEN]]
    return [str(words) for words in (*which, *(one.words for one in chosen(filters)))]


def _size(bytes_: int) -> str:
    return f"{max(1, round(bytes_ / 1000))} kB" if bytes_ < 1_000_000 else f"{bytes_ / 1_000_000:.0f} MB"  # noqa: PLR2004
