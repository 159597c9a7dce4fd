"""In which language the console speaks to somebody: as they chose, as the team knows them, or as their browser asks.

Texts are English in the code (`_("Sign in")`); the Dutch is in translations/. The language a caller speaks is another
matter, and is that of the call's own rooms.
"""

from __future__ import annotations

from pathlib import Path

from flask import Flask, request, session
from flask_babel import Babel, get_locale

from callbacks.guarding import member_or_none
from callbacks.staff import LOCALES

TRANSLATIONS = Path(__file__).resolve().parent / "translations"


def install(app: Flask, zone: str) -> None:
    """Let the pages of this application speak; `zone` is where its clocks are, such as Europe/Amsterdam."""
    Babel(
        app,
        default_locale=LOCALES[0],
        default_timezone=zone,
        default_translation_directories=str(TRANSLATIONS),
        locale_selector=choose,
    )
    app.add_template_global(get_locale)


def choose() -> str:
    """The language of this page."""
    chosen = session.get("locale")
    if chosen in LOCALES:
        return str(chosen)
    member = member_or_none()
    return member.locale if member else request.accept_languages.best_match(LOCALES) or LOCALES[0]
