"""The console: every page under /console/ for whoever has signed in. Server-rendered, no script needed.

`guarding` has let the agent in. Each page is a room of its own (`queue_page`, `request_page` ...) that adds its
addresses here; what they share is the desk at which they work and what they say when something is not there.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from flask import Blueprint, render_template
from flask_babel import gettext
from werkzeug.exceptions import HTTPException, NotFound

from callbacks import console_words, language_page, queue_page, request_page
from callbacks.desk import Desk
from callbacks.errors import DatabaseUnavailable, NoSuchCallback
from callbacks.guarding import CONSOLE

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

PAGES = (language_page, queue_page, request_page)


def blueprint(desk: Desk) -> Blueprint:
    """The pages under /console/."""
    pages = Blueprint("console", __name__, template_folder="templates", static_folder="static", url_prefix=CONSOLE)
    for page in PAGES:
        page.add_routes(pages, desk)
    pages.register_error_handler(NoSuchCallback, lambda _: _problem(NotFound()))
    pages.register_error_handler(DatabaseUnavailable, _away)
    pages.context_processor(lambda: {"words": console_words.words, "tables": console_words})
    pages.add_app_template_filter(_clock(desk), "clock")
    return pages


def _problem(error: HTTPException) -> ResponseReturnValue:
    page = render_template("problem.html", title=gettext("Not found"), text=gettext("There is no such request."))
    return page, error.code or 404


def _away(error: DatabaseUnavailable) -> ResponseReturnValue:  # noqa: ARG001  a handler's signature
    text = gettext("The queue cannot be reached at the moment. Nothing is lost: please try again in a minute.")
    return render_template("problem.html", title=gettext("One moment"), text=text), 503


def _clock(desk: Desk) -> Callable[[datetime], str]:
    return lambda moment: moment.astimezone(desk.office.zone).strftime("%d-%m %H:%M")
