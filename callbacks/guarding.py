"""The guard at every address under /console: who is there, is it really them who asks, and what may a browser keep.

`install` puts it before all blueprints at once, so that a page which somebody adds later is guarded without a thought.
It asks `sessions` who is signed in; `sign_in` opens and ends sessions. Changes need a token of our own page (CSRF).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial, wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar
from urllib.parse import urlsplit

from flask import Flask, Request, Response, current_app, g, redirect, render_template, request, session, url_for
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask_wtf.csrf import CSRFError, CSRFProtect
from sqlalchemy import Connection
from werkzeug.exceptions import BadRequest, Forbidden, NotFound, Unauthorized

from callbacks import sessions, staff
from callbacks.clock import Clock
from callbacks.db import Database
from callbacks.errors import CallbackError
from callbacks.passwords import Passwords
from callbacks.sessions import SignedIn
from callbacks.staff import Member

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

P = ParamSpec("P")
R = TypeVar("R")

CONSOLE = "/console"
BACKGROUND = "Zorglijn-Background"  # a page that refreshes itself says so: that is no sign of a person
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: a browser would then send "Origin: null" with our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_TWO_YEARS = 63072000
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_KEPT_OVER_SIGN_IN = ("locale",)
_LOOPBACK = re.compile(r"localhost|.+\.localhost|127(\.\d+){3}|::1")
_LOCAL_TARGET = re.compile(r"/console(?:/[!-\[\]-~]*)?(?:\?[!-\[\]-~]*)?")  # visible ASCII without the backslash


@dataclass(frozen=True)
class Door:
    """What guarding and signing in need; `base_url` decides how cookies are called."""

    database: Database
    clock: Clock
    secret_key: str = field(repr=False)
    base_url: str
    is_rehearsal: bool
    passwords: Passwords = field(default_factory=Passwords, repr=False)

    @property
    def is_secure(self) -> bool:
        """Whether browsers keep a Secure cookie of ours: over https, and on one's own machine.

        Only a rehearsal can be anywhere else, such as on a colleague's phone in the same network; there the cookie has
        another name, because a browser would drop one that is called __Host- and is not Secure.
        """
        parts = urlsplit(self.base_url)
        return parts.scheme == "https" or bool(_LOOPBACK.fullmatch(parts.hostname or ""))

    @property
    def cookie(self) -> str:
        """The name of the cookie with the token of a session."""
        return self.cookie_name("zorglijn")

    def cookie_name(self, name: str) -> str:
        """A name under which no other site of the same domain can put a cookie."""
        return f"__Host-{name}" if self.is_secure else name

    def admits(self, member: Member) -> bool:
        """Whether somebody may be here at all: the invented agent of a rehearsal has a password that all can read."""
        return not member.is_disabled and (self.is_rehearsal or member.login != staff.DEMO_LOGIN)

    def who(self) -> tuple[SignedIn, Member] | None:
        """Whose session, half or whole, the browser of this request holds."""
        token = request.cookies.get(self.cookie, "")
        found = self.database.read(partial(_who, token=token, now=self.clock())) if token else None
        return found if found and self.admits(found[1]) else None

    def give(self, response: Response, token: str) -> Response:
        """Let the browser hold this token; `start_afresh` before rendering its page, whose forms need a new one too."""
        # Lax, not Strict: a link to a list or a request, in an alert or from a colleague, must open without signing in
        # again. Every change is a POST with a token of our own page, so a foreign site gains nothing by it.
        response.set_cookie(
            self.cookie, token, secure=self.is_secure, httponly=True, samesite="Lax", path="/", max_age=None
        )
        return response

    def take_back(self, response: Response) -> Response:
        """Let the browser forget its token."""
        response.delete_cookie(self.cookie, path="/", secure=self.is_secure, httponly=True, samesite="Lax")
        return response


def install(app: Flask, door: Door) -> None:
    """Guard everything under /console of this application, and harden every answer from there."""
    app.secret_key = door.secret_key
    app.session_interface = _ConsoleOnly()
    app.config.update(
        SESSION_COOKIE_NAME=door.cookie_name("zorglijn-page"),
        SESSION_COOKIE_SECURE=door.is_secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",  # as in `give`; else each link from outside would spoil the tokens of open pages
        SESSION_COOKIE_PATH="/",
        WTF_CSRF_CHECK_DEFAULT=False,  # webhooks are signed by the provider; the guard checks all of the console
        WTF_CSRF_TIME_LIMIT=None,  # a token holds as long as its session: a note may be written all morning
        WTF_CSRF_SSL_STRICT=False,  # it compares with the Host header; `_refuse_other_sites` does not need it
    )
    csrf = CSRFProtect(app)
    app.before_request(partial(_guard, door, csrf))
    app.after_request(partial(_harden, door))
    app.context_processor(lambda: {"member": member_or_none()})
    app.register_error_handler(CSRFError, _page_too_old)


def current_member() -> Member:
    """Who sent this request; Unauthorized outside the guarded pages."""
    member = member_or_none()
    if member is None:
        raise Unauthorized
    return member


def member_or_none() -> Member | None:
    """Who sent this request, where somebody has signed in."""
    found: Member | None = g.get("member")
    return found


def current_session() -> SignedIn:
    """The session of this request; Unauthorized outside the guarded pages."""
    found: SignedIn | None = g.get("signed_in")
    if found is None:
        raise Unauthorized
    return found


def require_coordinator(view: Callable[P, R]) -> Callable[P, R]:
    """Let only a coordinator see this page; another agent gets 403."""

    @wraps(view)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        if not current_member().is_coordinator:
            raise Forbidden
        return view(*args, **kwargs)

    return checked


def open_to_all(view: Callable[P, R]) -> Callable[P, R]:
    """Mark a page under /console that is there before anybody signed in."""
    view.is_open_to_all = True  # type: ignore[attr-defined]  # read by the guard, also through `wraps`
    return view


def known_or_not(view: Callable[P, R]) -> Callable[P, R]:
    """Mark a page under /console that is there for everybody, and knows whoever has signed in."""
    view.asks_who = True  # type: ignore[attr-defined]  # as in `open_to_all`
    return open_to_all(view)


def is_local(wanted: str) -> bool:
    """Whether this is an address of the console and nothing else."""
    return _LOCAL_TARGET.fullmatch(wanted) is not None


def local_target(wanted: str | None) -> str:
    """Where to go after signing in: a page of the console, or its first where anything else was asked for."""
    if wanted and is_local(wanted) and not wanted.startswith(f"{CONSOLE}/sign-"):
        return wanted
    return f"{CONSOLE}/"


def address_of(request: Request) -> str:
    """The internet address that asks.

    The line stands behind a proxy of our own, which adds whom it speaks for at the end; what stands before that in the
    header was sent by the asker. A header that comes from elsewhere than our own network is not believed.
    """
    told = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    with suppress(ValueError):
        if told and ipaddress.ip_address(request.remote_addr or "").is_private:
            return told
    return request.remote_addr or ""


def is_console(path: str) -> bool:
    """Whether this path is one of the console's."""
    return path == CONSOLE or path.startswith(f"{CONSOLE}/")


def start_afresh() -> None:
    """Forget what the signed cookie of the page holds, the token against forged requests too."""
    kept = {name: session[name] for name in _KEPT_OVER_SIGN_IN if name in session}
    session.clear()
    session.update(kept)
    g.pop("csrf_token", None)  # Flask-WTF keeps the one it made for this request


class _ConsoleOnly(SecureCookieSessionInterface):
    """Flask's signed cookie for the console; a webhook neither has one nor pays for reading it."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        return super().open_session(app, request) if is_console(request.path) else None


def _guard(door: Door, csrf: CSRFProtect) -> ResponseReturnValue | None:
    if request.url_rule is None:
        _no_such_page(door)
        return None
    if not is_console(request.url_rule.rule):
        return None
    if "\0" in request.path:  # no name of ours has one, and PostgreSQL takes none to look for
        raise NotFound
    sent_away = _admit(door)
    if sent_away is None and request.method not in _SAFE_METHODS:
        _refuse_other_sites()
        csrf.protect()
        if any("\0" in typed for _, typed in request.form.items(multi=True)):  # nobody can type one
            raise BadRequest
    return sent_away


def _admit(door: Door) -> ResponseReturnValue | None:
    """Let whoever may see it see this page; None, or the answer that sends them to sign in."""
    is_open = _is_open_to_all()
    if is_open and not _is_marked("asks_who"):
        return None
    if _recognise(door):
        _note_seen(door, current_session())
        return None
    return None if is_open else _to_sign_in()


def _no_such_page(door: Door) -> None:
    """Nothing to guard; but whoever has signed in is told so in their own language, and keeps the way back."""
    if is_console(request.path):
        with suppress(CallbackError):
            _recognise(door)


def _recognise(door: Door) -> bool:
    """Let the page know whose request this is; False where nobody has signed in."""
    found = door.who()
    if found is None or not found[0].has_second_factor:
        return False
    g.signed_in, g.member = found
    return True


def _is_open_to_all() -> bool:
    return str(request.endpoint).endswith(".static") or _is_marked("is_open_to_all")


def _is_marked(name: str) -> bool:
    return getattr(current_app.view_functions[str(request.endpoint)], name, False)


def _to_sign_in() -> ResponseReturnValue:
    """Send whoever is not signed in to the sign-in page, and from there back to where they wanted to be."""
    wanted = request.full_path.removesuffix("?") if request.method == "GET" else ""
    if request.headers.get("HX-Request"):  # a part of a page: the page itself is where to come back to
        wanted = _own_path(request.headers.get("HX-Current-URL", ""))
    target = local_target(wanted)
    where = url_for("sign_in.page", next=None if target == f"{CONSOLE}/" else target)
    if request.headers.get("HX-Request"):
        return Response(status=401, headers={"HX-Redirect": where})
    return redirect(where)


def _own_path(url: str) -> str:
    with suppress(ValueError):
        parts = urlsplit(url)
        return f"{parts.path}?{parts.query}" if parts.query else parts.path
    return ""


def _note_seen(door: Door, found: SignedIn) -> None:
    now = door.clock()
    if request.headers.get(BACKGROUND) or now - found.seen_at < sessions.NOTED_EVERY:
        return
    with suppress(CallbackError):  # a database that only reads still shows the queue
        door.database.write(lambda connection: sessions.note_seen(connection, found.id, now))


def _refuse_other_sites() -> None:
    """Every browser of today says which site made it ask; older ones are left to the token."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise CSRFError("asked by another site")


def _who(connection: Connection, token: str, now: datetime) -> tuple[SignedIn, Member] | None:
    found = sessions.find(connection, token, now)
    return None if found is None else (found, staff.by_id(connection, found.agent_id))


def _harden(door: Door, response: Response) -> Response:
    if not is_console(request.path):
        return response
    for name, value in _HEADERS.items():
        response.headers[name] = value
    if not str(request.endpoint).endswith(".static"):
        response.headers["Cache-Control"] = "no-store"
    if urlsplit(door.base_url).scheme == "https":
        response.headers["Strict-Transport-Security"] = f"max-age={_TWO_YEARS}"
    return response


def _page_too_old(_: Exception) -> ResponseReturnValue:
    return render_template("sign_in_too_old.html", target=local_target(request.path)), 400
