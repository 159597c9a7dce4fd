"""Wrapping up from the page of a request, so that nothing that was typed is ever lost.

What cannot be done shows the page again, with what was typed and the reason beside the field; also where a colleague
has taken the request meanwhile, or the database does not answer. `wrap_up_part` reads the form.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy import Connection

from callbacks import queue, wrap_up_part
from callbacks.desk import Desk
from callbacks.errors import (
    AlreadyClaimed,
    CallbackError,
    DatabaseUnavailable,
    IllegalMove,
    MessageNotAllowed,
    Missing,
    NotYours,
    UnusableMoment,
)
from callbacks.guarding import current_member
from callbacks.request_page import ONE, show, why_not
from callbacks.staff import Member
from callbacks.wrap_up_part import Filled

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

WRONG, CONFLICT, AWAY = 400, 409, 503
NEITHER = ""  # what is wrong with no field in particular


def add_routes(pages: Blueprint, desk: Desk) -> None:
    """The address to which the form goes."""
    pages.add_url_rule(f"{ONE}/wrap-up", "wrap_up", lambda public_id: _wrap_up(desk, public_id), methods=["POST"])


def _wrap_up(desk: Desk, public_id: str) -> ResponseReturnValue:
    member, typed = current_member(), request.form.to_dict()
    try:
        filled = wrap_up_part.read(typed, desk.directory, desk.office.zone)
        desk.do(lambda connection, now: _do(connection, now, (public_id, member, filled), desk))
    except (Missing, UnusableMoment) as error:
        return show(desk, public_id, status=WRONG, typed=typed, wrong=_wrong(error))
    except (AlreadyClaimed, IllegalMove, MessageNotAllowed, NotYours) as error:
        return show(desk, public_id, status=CONFLICT, typed=typed, wrong=_wrong(error))
    except DatabaseUnavailable:
        return render_template("wrap_up_again.html", public_id=public_id, typed=typed), AWAY
    flash(request.path, "sent")  # the page may forget the text that it kept for this form
    flash(str(gettext("Wrapped up. You can take this back for one minute.")))
    return redirect(url_for("console.request", public_id=public_id), 303)


def _do(connection: Connection, now: datetime, asked: tuple[str, Member, Filled], desk: Desk) -> None:
    """Wrap up; where the claim ran out while somebody was typing, take it again first."""
    public_id, member, filled = asked
    if filled.claims:
        queue.claim(connection, public_id, member, now, desk.claim_lasts)
    queue.wrap_up(
        connection,
        public_id,
        member,
        filled.disposition,
        filled.note,
        now,
        desk.office,
        referral=filled.referral,
        left_message=filled.left_message,
        again_at=filled.again_at,
    )


def _wrong(error: CallbackError) -> Mapping[str, str]:
    """What to say at which field."""
    match error:
        case Missing(what="disposition"):
            return {"disposition": gettext("Choose how it ended.")}
        case Missing():
            return {"referral": gettext("Choose the organisation, or fill in another.")}
        case UnusableMoment():
            return {"again_at": _why_not_then(error)}
        case MessageNotAllowed(was_asked=True):
            return {"left_message": gettext("The caller said that a message is not safe: leave none.")}
        case MessageNotAllowed():
            return {"left_message": gettext("The caller was not asked whether a message is safe: leave none.")}
        case _:
            return {NEITHER: why_not(error)}


def _why_not_then(error: UnusableMoment) -> str:
    match error.why:
        case "past":
            return str(gettext("That moment has passed: choose a later one."))
        case "far":
            return str(gettext("That is more than 14 days away: choose a sooner moment."))
        case "answered":
            return str(gettext("A next moment is only for “No answer”. Leave this empty, or choose “No answer”."))
        case _:
            return str(gettext("That is no moment: fill in a day and a time."))
