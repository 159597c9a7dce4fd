"""What the console says when something cannot be: a page in its own look that tells what to do, never how it is built.

`console` puts this before its pages. An address or a method that nobody has reaches no page at all, and a fault of ours
may come from anywhere under /console: so these handlers are the application's, and leave all other addresses to
whoever answered them before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from flask import Blueprint, render_template, request
from flask.blueprints import BlueprintSetupState
from flask_babel import LazyString, gettext, lazy_gettext
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from callbacks.errors import DatabaseUnavailable, NoSuchCallback
from callbacks.guarding import is_console

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

PROBLEMS: Mapping[int, tuple[LazyString, LazyString]] = {
    400: (
        lazy_gettext("That was not understood"),
        lazy_gettext("Nothing was changed. Go back, check what you filled in, and try again."),
    ),
    403: (
        lazy_gettext("For coordinators"),
        lazy_gettext("This is for a coordinator to see or to do. Ask one if you need it."),
    ),
    404: (
        lazy_gettext("Not found"),
        lazy_gettext("There is nothing at this address. Go to the queue, and search there for what you need."),
    ),
    405: (
        lazy_gettext("That does not work from here"),
        lazy_gettext("Nothing was changed. Go to the queue, and press the button there once more."),
    ),
    413: (
        lazy_gettext("That is too much"),
        lazy_gettext("Nothing was stored. Go back, make your text shorter, and try again."),
    ),
    500: (
        lazy_gettext("Something went wrong here"),
        lazy_gettext("It is our fault, not yours. Look in the queue whether it was done before you try again."),
    ),
}
TEXTS = ("note", "reason")  # the fields of the console in which somebody writes more than a word
_OTHERWISE = 400


def add_to(pages: Blueprint) -> None:
    """Answer in the console's own look whatever its pages, or addresses that are none, end in."""
    pages.register_error_handler(NoSuchCallback, _no_such_request)
    pages.register_error_handler(DatabaseUnavailable, _away)
    pages.record_once(_answer_strays)


def _answer_strays(state: BlueprintSetupState) -> None:
    app = state.app
    others: Callable[[HTTPException], Any] | None = app.error_handler_spec[None][None].get(HTTPException)

    def answer(error: HTTPException) -> ResponseReturnValue | HTTPException:
        if is_console(request.path):
            return _page(error)
        return others(error) if others else error

    app.register_error_handler(HTTPException, answer)


def _page(error: HTTPException) -> Response:
    """The error's own answer, its headers (such as the methods that are allowed) included, with a page for a body."""
    response = error.get_response(request.environ)
    if response.status_code < _OTHERWISE:  # a redirect that somebody raised
        return response
    title, text = PROBLEMS.get(response.status_code, PROBLEMS[_OTHERWISE])
    response.set_data(render_template("problem.html", title=title, text=text))
    return response


def _no_such_request(_: NoSuchCallback) -> ResponseReturnValue:
    text = gettext("There is no such request. Perhaps its time was over and it was taken out.")
    return render_template("problem.html", title=gettext("Not found"), text=text), 404


def _away(_: DatabaseUnavailable) -> ResponseReturnValue:
    text = gettext("The queue cannot be reached at the moment. Nothing is lost: please try again in a minute.")
    typed = [request.form[name] for name in TEXTS if request.form.get(name, "").strip()]
    return render_template("problem.html", title=gettext("One moment"), text=text, typed=typed), 503
