"""Reading the console in the other language: two buttons on every page, also before anybody has signed in.

`languages` decides in which language a page speaks; here somebody chooses. Whoever has signed in is remembered on every
browser (`staff`), whoever has not in this one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from flask import Blueprint, abort, redirect, request, session

from callbacks import staff
from callbacks.desk import Desk
from callbacks.guarding import CONSOLE, is_local, known_or_not, member_or_none

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

NAMES: Mapping[str, str] = {"nl": "Nederlands", "en": "English"}  # each in itself: never translated


def add_routes(pages: Blueprint, desk: Desk) -> None:
    """The address of both buttons, and what their form needs to know."""

    @known_or_not
    def set_locale() -> ResponseReturnValue:
        return _set_locale(desk)

    pages.add_url_rule("/language", "set_locale", set_locale, methods=["POST"])
    pages.app_context_processor(lambda: {"locales": NAMES, "shown_again_at": shown_again_at})


def shown_again_at() -> str | None:
    """The address of this page, where opening it once more shows the same; None for the answer to a form.

    Recovery codes, for one, are shown once: nobody should lose them by choosing a language.
    """
    return request.full_path.removesuffix("?") if request.method == "GET" else None


def _set_locale(desk: Desk) -> ResponseReturnValue:
    locale, wanted = request.form.get("locale", ""), request.form.get("next", "")
    if locale not in staff.LOCALES:
        abort(400)
    member = member_or_none()
    if member is not None:
        desk.do(lambda connection, _: staff.set_locale(connection, member.id, locale))
    session["locale"] = locale
    return redirect(wanted if is_local(wanted) else f"{CONSOLE}/", 303)
