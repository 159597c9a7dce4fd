"""Calling back from a request's page: the button, and the panel that shows how the call goes.

The wish is stored first, and the provider asked after the commit, in the background (`ringing`): the page comes back at
once and shows the rest by refreshing the panel (`call_panel`), or by its link where there is no script.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import LazyString, gettext, lazy_gettext
from sqlalchemy import Connection

from callbacks import call_panel, calling, freshness, queue
from callbacks.call_panel import LACKS, Panel
from callbacks.calling import CallWarning
from callbacks.desk import Desk
from callbacks.errors import (
    AlreadyClaimed,
    CallbackError,
    CallInProgress,
    IllegalMove,
    NeedsOverride,
    NoNumber,
    NoPhone,
    TooManyCalls,
)
from callbacks.guarding import current_member

if TYPE_CHECKING:
    from datetime import datetime

    from flask.typing import ResponseReturnValue

ONE = "/requests/<public_id>/call"
PHONE = "rehearsal.page"  # where a rehearsal's phone rings; no other line has it

# Why it cannot be done now, and what to do, where nobody needs to be named.
_PLAIN: tuple[tuple[type[CallbackError], LazyString], ...] = (
    (NeedsOverride, lazy_gettext("Something speaks against calling now: please read it, then call anyway.")),
    (NoNumber, LACKS["number"]),
    (NoPhone, LACKS["phone"]),
    (TooManyCalls, lazy_gettext("There were too many calls today. Something may be wrong: ask the coordinator.")),
    (IllegalMove, lazy_gettext("That is not possible any more: the request has changed meanwhile.")),
)
_IN_THE_WAY: tuple[type[CallbackError], ...] = (AlreadyClaimed, CallInProgress, *(kind for kind, _ in _PLAIN))


def add_routes(pages: Blueprint, desk: Desk) -> None:
    """The addresses of the panel: to look at it, and to call."""
    pages.add_url_rule(ONE, "call", lambda public_id: _look(desk, public_id))
    pages.add_url_rule(ONE, "call_back", lambda public_id: _call(desk, public_id), methods=["POST"])
    pages.context_processor(_needed)


def _needed() -> dict[str, object]:
    """What the panel's template needs beside the panel."""
    return {
        "warnings_in_words": call_panel.WARNINGS,
        "phone_page": url_for(PHONE) if PHONE in current_app.view_functions else None,
    }


def _look(desk: Desk, public_id: str) -> ResponseReturnValue:
    """The panel alone, for the page that refreshes it; whoever comes here without a script gets the whole page."""
    if not request.headers.get("HX-Request"):
        return redirect(_panel(public_id), 303)
    member, now, key, known = current_member(), desk.clock(), freshness.key(), freshness.known()

    def read(connection: Connection) -> Panel:
        entry = queue.find(connection, public_id, now)
        return call_panel.panel_of(connection, entry, member, now, desk)

    panel = desk.database.read(read)
    seen = freshness.seal(key, None, panel)
    if seen == known:
        return freshness.UNCHANGED
    return render_template("request_call.html", panel=panel, seen=seen)


def _call(desk: Desk, public_id: str) -> ResponseReturnValue:
    """Call back, unless something is in the way: then the page says what."""
    member = current_member()
    known = frozenset(CallWarning)
    overridden = frozenset(CallWarning(name) for name in request.form.getlist("override") if name in known)

    def intend(connection: Connection, now: datetime) -> str:
        return calling.intend(connection, public_id, member, now, desk.office, overridden, lasts=desk.claim_lasts)

    if desk.line_number is None:
        flash(str(LACKS["line"]))
        return redirect(_panel(public_id), 303)
    try:
        outgoing = desk.do(intend)
    except _IN_THE_WAY as error:
        flash(_why_not(error, member.name))
    else:
        desk.ringer.ring(outgoing)
    return redirect(_panel(public_id), 303)


def _panel(public_id: str) -> str:
    return url_for("console.request", public_id=public_id, _anchor="call-back")


def _why_not(error: CallbackError, own_name: str) -> str:
    match error:
        case AlreadyClaimed():
            return str(gettext("%(name)s has this request already. Choose another, or ask.", name=error.by))
        case CallInProgress(by=by) if by == own_name:
            return str(gettext("Your phone is in another call. End that first, then call back."))
        case CallInProgress():
            return str(gettext("%(name)s is calling already: this caller, or with your phone.", name=error.by))
        case _:
            return str(next(words for kind, words in _PLAIN if isinstance(error, kind)))
