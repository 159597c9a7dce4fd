"""The console: every page under /console/ for whoever has signed in. Server-rendered, no script needed.

`guarding` has let the agent in. Each page is a room of its own (`queue_page`, `request_page` ...) that adds its
addresses here; what they share is the desk at which they work and what they say when something is not there.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import Blueprint

from callbacks import (
    add_page,
    calling_page,
    console_words,
    coordinator_page,
    happened_page,
    language_page,
    live_page,
    moments,
    problems,
    queue_page,
    reports_page,
    request_page,
    wrap_up_page,
)
from callbacks.desk import Desk
from callbacks.guarding import CONSOLE

PAGES = (
    add_page,
    calling_page,
    coordinator_page,
    happened_page,
    language_page,
    live_page,
    queue_page,
    reports_page,
    request_page,
    wrap_up_page,
)


def blueprint(desk: Desk) -> Blueprint:
    """The pages under /console/."""
    pages = Blueprint("console", __name__, template_folder="templates", static_folder="static", url_prefix=CONSOLE)
    for page in PAGES:
        page.add_routes(pages, desk)
    problems.add_to(pages)
    pages.context_processor(lambda: {"words": console_words.words, "tables": console_words})
    pages.add_app_template_filter(moments.exact, "exact")
    for said in (moments.due, moments.waiting, moments.ago, moments.clock):
        pages.add_app_template_filter(_now(desk, said), said.__name__)
    return pages


def _now(desk: Desk, said: Callable[[datetime, datetime], str]) -> Callable[[datetime], str]:
    """How a moment is said at this moment, for the templates: `{{ entry.due_at | due }}`."""
    return lambda moment: said(moment, desk.clock())
