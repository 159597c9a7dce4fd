"""What happened: every change over all requests, for the whole team. `happened` finds it, each look is noted."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from flask import Blueprint, render_template, request
from sqlalchemy import Connection
from werkzeug.datastructures import MultiDict

from callbacks import access, happened, staff
from callbacks.desk import Desk
from callbacks.guarding import current_member
from callbacks.happened import Changes, Wanted
from callbacks.staff import Member

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

_YEARS = range(2000, 2200)
_NUMBER = re.compile(r"[0-9]{1,18}")


def add_routes(pages: Blueprint, desk: Desk) -> None:
    """The page's address."""
    pages.add_url_rule("/happened", "happened", lambda: _happened(desk))


def _happened(desk: Desk) -> ResponseReturnValue:
    wanted, before, member = wanted_of(request.args), _number(request.args.get("before")), current_member()

    def read(connection: Connection) -> tuple[Changes, list[Member]]:
        changes = happened.list_changes(connection, wanted, desk.office.zone, before=before)
        return changes, staff.list_members(connection)

    found, team = desk.database.read(read)

    def note(connection: Connection, now: datetime) -> None:
        access.note(connection, member, "happened", now, count=len(found.changes))

    desk.do(note)
    chosen = [pair for pair in request.args.items(multi=True) if pair[0] != "before"]
    older = None if found.older is None else "?" + urlencode([*chosen, ("before", found.older)])
    return render_template("happened.html", changes=found.changes, older=older, wanted=wanted, team=team)


def wanted_of(args: MultiDict[str, str]) -> Wanted:
    """What an address asks for; what cannot be is left out, so that an old bookmark still opens."""
    return Wanted(
        who=_number(args.get("who")),
        what=_text(args.get("what", "")),
        reference=_text(args.get("reference", "")),
        day=_day(args.get("day", "")),
    )


def _number(told: str | None) -> int | None:
    return int(told) if told and _NUMBER.fullmatch(told) and told.isascii() else None


def _text(told: str) -> str | None:
    return told.strip()[:30] or None if told.isprintable() else None  # PostgreSQL takes no NUL


def _day(told: str) -> date | None:
    try:
        day = date.fromisoformat(told)
    except ValueError:
        return None
    return day if day.year in _YEARS else None
