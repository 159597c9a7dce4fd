"""How an agent comes in and goes out: password, then a code; and at the first time a password and an app of their own.

Every page here asks `guarding` who holds the browser, `throttling` whether it may try, and `staff` and `passwords`
whether the proof is right. Nobody learns whether a login exists: an unknown one gets the same answer, as slowly.
`account` has what an agent can change later.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from flask import Blueprint, Response, make_response, redirect, render_template, request, session, url_for
from flask_babel import gettext, ngettext
from sqlalchemy import Connection

from callbacks import access, account, passwords, qr, sessions, staff, throttling
from callbacks.demo_agent import DEMO_PASSWORD
from callbacks.errors import DatabaseUnavailable, NotAllowed, TooManyAtOnce
from callbacks.guarding import (
    CONSOLE,
    Door,
    address_of,
    current_member,
    install,
    local_target,
    open_to_all,
    require_coordinator,
    start_afresh,
)
from callbacks.sessions import SignedIn
from callbacks.staff import Member
from callbacks.throttling import Limit

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

__all__ = ["Door", "blueprint", "current_member", "install", "require_coordinator"]

log = logging.getLogger("zorglijn.sign_in")  # never who: people type passwords where a login belongs

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
TRIES_OF_ACCOUNT = 5  # a minute
TRIES_OF_ADDRESS = 20  # a minute: a team behind one address signs in at nine o'clock
CODES_OF_DAY = 50  # a million codes, three of which are right at any moment


def blueprint(door: Door) -> Blueprint:
    """The pages to sign in, to sign out and of one's account."""
    pages = Blueprint("sign_in", __name__, template_folder="templates", url_prefix=CONSOLE)

    @pages.route("/sign-in", methods=["GET", "POST"])
    @open_to_all
    def page() -> ResponseReturnValue:
        return _take_password(door) if request.method == "POST" else _welcome(door)

    @pages.route("/sign-in/code", methods=["GET", "POST"])
    @open_to_all
    def code() -> ResponseReturnValue:
        half = _half(door, is_first=False)
        if half is None:
            return _to("sign_in.page")
        return _take_code(door, half) if request.method == "POST" else _code_page(door, half)

    @pages.route("/sign-in/first", methods=["GET", "POST"])
    @open_to_all
    def first() -> ResponseReturnValue:
        half = _half(door, is_first=True)
        if half is None:
            return _to("sign_in.page")
        return _take_first(door, half) if request.method == "POST" else _first_page(door, half)

    @pages.post("/sign-out")
    def sign_out() -> ResponseReturnValue:
        account.end_own(door)
        start_afresh()
        session.pop("locale", None)  # the next person at this laptop may read another language
        return door.take_back(make_response(redirect(url_for("sign_in.page"))))

    account.add_to(pages, door)
    pages.register_error_handler(DatabaseUnavailable, _out_of_order)
    pages.register_error_handler(TooManyAtOnce, _too_busy)
    return pages


def _welcome(door: Door) -> ResponseReturnValue:
    found = door.who()
    return redirect(_target()) if found and found[0].has_second_factor else _password_page(door)


@dataclass(frozen=True)
class Half:
    """A sign-in after its password and before its code."""

    session: SignedIn
    member: Member
    token: str


def _half(door: Door, *, is_first: bool) -> Half | None:
    found = door.who()
    if found is None or found[0].has_second_factor or found[1].has_totp == is_first:
        return None
    return Half(*found, token=request.cookies[door.cookie])


def _take_password(door: Door) -> ResponseReturnValue:
    login = staff.plain_login(request.form.get("login", ""))
    now = door.clock()
    of_account = _limit(door, "account", login, TRIES_OF_ACCOUNT)
    of_address = _limit(door, "address", throttling.network(address_of(request)), TRIES_OF_ADDRESS)
    wait = door.database.write(partial(throttling.take_try, limits=(of_account, of_address), now=now))
    if wait is not None:
        return _too_many(_password_page(door, error=_wait_words(wait), login=login), wait)
    known = door.database.read(partial(staff.identify, login=login))
    typed = request.form.get("password", "")
    stored = known[1].password_hash if known and door.admits(known[0]) else None
    if not door.passwords.is_right(typed, stored, now) or known is None or stored is None:
        log.warning("sign_in_refused", extra={"what": "password"})
        wrong = gettext("That is not right. Check your login and password, and try again.")
        return _password_page(door, error=wrong, login=login), 401
    rehashed = door.passwords.hash(typed) if door.passwords.is_outdated(stored) else None
    token = door.database.write(
        partial(_open_half, member=known[0], rehashed=rehashed, now=now, forgiven=of_account, browser=_browser())
    )
    start_afresh()
    onward = "sign_in.code" if known[0].has_totp else "sign_in.first"
    return door.give(make_response(_to(onward)), token)


def _take_code(door: Door, half: Half) -> ResponseReturnValue:
    now, limits = door.clock(), _code_limits(door, half.member)
    wait = door.database.write(partial(throttling.take_try, limits=limits, now=now))
    if wait is not None:
        return _too_many(_code_page(door, half, error=_wait_words(wait)), wait)
    typed = request.form.get("code", "")
    token = door.database.write(partial(_complete, half=half, typed=typed, now=now, forgiven=limits))
    if token is None:
        log.warning("sign_in_refused", extra={"what": "code"})
        wrong = gettext("That code is not right, or was used before. Wait for the next one in your app, and try again.")
        return _code_page(door, half, error=wrong), 401
    start_afresh()
    return door.give(make_response(redirect(_target())), token)


def _take_first(door: Door, half: Half) -> ResponseReturnValue:
    now, limits = door.clock(), _code_limits(door, half.member)
    wait = door.database.write(partial(throttling.take_try, limits=limits, now=now))
    if wait is not None:
        return _too_many(_first_page(door, half, error=_wait_words(wait)), wait)
    chosen = request.form.get("password", "")
    error = account.new_password_problem(chosen, request.form.get("again", ""), half.member)
    error = error or _is_old_password(door, half.member, chosen, now)
    secret = _secret(door, half)
    step = passwords.totp_step(secret, request.form.get("code", ""), now, after=0)
    if error is None and step is None:
        error = gettext("That code is not the one that your app shows now. Scan the picture, and type the new code.")
    if error is not None or step is None:
        return _first_page(door, half, error=error), 422
    codes = passwords.new_recovery_codes()
    enrol = partial(
        staff.enrol,
        agent_id=half.member.id,
        password_hash=door.passwords.hash(chosen),
        secret=secret,
        step=step,
        code_hashes=tuple(passwords.hash_code(code) for code in codes),
    )
    try:
        token = door.database.write(partial(_enrol, enrol=enrol, half=half, now=now, forgiven=limits))
    except NotAllowed:  # in another window, a moment ago
        return _to("sign_in.page")
    start_afresh()
    shown = render_template("sign_in_recovery.html", codes=codes, target=_target(), member=half.member)
    return door.give(make_response(shown), token)


def _is_old_password(door: Door, member: Member, chosen: str, now: datetime) -> str | None:
    stored = door.database.read(partial(staff.proofs, agent_id=member.id)).password_hash
    if door.passwords.is_right(chosen, stored, now):
        return str(gettext("That is the password you were given. Choose one of your own."))
    return None


# Units of work


def _open_half(
    connection: Connection, *, member: Member, rehashed: str | None, now: datetime, forgiven: Limit, browser: str
) -> str:
    throttling.forgive(connection, (forgiven,), now)
    if rehashed is not None:
        staff.set_password(connection, member.id, rehashed)
    return sessions.open_session(connection, member.id, now, browser, has_second_factor=False)


def _complete(
    connection: Connection, *, half: Half, typed: str, now: datetime, forgiven: tuple[Limit, ...]
) -> str | None:
    """Use up the code and open a whole session with a new token; None where the code is not right."""
    agent_id = half.member.id
    if not account.use_code(connection, agent_id, typed, now):
        return None
    return _end_half(connection, half, now, forgiven)


def _enrol(
    connection: Connection, *, enrol: partial[None], half: Half, now: datetime, forgiven: tuple[Limit, ...]
) -> str:
    enrol(connection)
    sessions.revoke_all(connection, half.member.id, now, apart_from=half.session.id)
    return _end_half(connection, half, now, forgiven) or ""


def _end_half(connection: Connection, half: Half, now: datetime, forgiven: tuple[Limit, ...]) -> str | None:
    """The half session becomes a whole one, once; with a new token, so that nobody who saw the old one comes along."""
    if not sessions.revoke(connection, half.member.id, half.session.id, now):
        return None
    throttling.forgive(connection, forgiven, now)
    access.note(connection, half.member, "signed_in", now)
    return sessions.open_session(connection, half.member.id, now, half.session.browser, has_second_factor=True)


# Pages


def _password_page(door: Door, *, error: str | None = None, login: str = "") -> str:
    has_demo = door.is_rehearsal and door.database.read(_has_demo)
    demo = {"login": staff.DEMO_LOGIN, "password": DEMO_PASSWORD} if has_demo else None
    return render_template("sign_in.html", error=error, login=login, demo=demo)


def _code_page(door: Door, half: Half, *, error: str | None = None) -> str:
    code = None
    if door.is_rehearsal and half.member.login == staff.DEMO_LOGIN:
        known = door.database.read(partial(staff.proofs, agent_id=half.member.id))
        code = passwords.next_totp_code(known.totp_secret or "", door.clock(), after=known.totp_step)
    return render_template("sign_in_code.html", error=error, demo_code=code)


def _first_page(door: Door, half: Half, *, error: str | None = None) -> str:
    secret = _secret(door, half)
    picture = qr.data_uri(passwords.totp_address(secret, half.member.login))
    key = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
    fewest = passwords.FEWEST_CHARACTERS
    return render_template("sign_in_first.html", error=error, picture=picture, key=key, who=half.member, fewest=fewest)


def _too_many(page: str, wait: timedelta) -> Response:
    log.warning("sign_in_throttled")
    return make_response(page, 429, {"Retry-After": str(max(1, round(wait.total_seconds())))})


def _out_of_order(_: Exception) -> ResponseReturnValue:
    return render_template("sign_in_out_of_order.html"), 503


def _too_busy(_: Exception) -> ResponseReturnValue:
    log.warning("sign_in_crowded")
    return render_template("sign_in_busy.html"), 503


# Words and small things


def _wait_words(wait: timedelta) -> str:
    minutes = max(1, -(-int(wait.total_seconds()) // 60))
    words = ngettext(
        "Too many tries. Wait a minute, and try again.",
        "Too many tries. Try again in %(num)s minutes, or ask a coordinator.",
        minutes,
    )
    return str(words)


def _secret(door: Door, half: Half) -> str:
    """The app's secret of this one sign-in, the same each time its page is shown; stored only once it is proven."""
    return passwords.totp_secret(
        hmac.new(door.secret_key.encode(), b"totp\0" + half.token.encode(), hashlib.sha256).digest()
    )


def _limit(door: Door, what: str, of: str, tries: int, window: timedelta = MINUTE) -> Limit:
    return throttling.limit(door.secret_key, what, of, tries, window)


def _code_limits(door: Door, member: Member) -> tuple[Limit, Limit]:
    of = str(member.id)
    return _limit(door, "code", of, TRIES_OF_ACCOUNT), _limit(door, "codes_of_day", of, CODES_OF_DAY, DAY)


def _has_demo(connection: Connection) -> bool:
    known = staff.identify(connection, staff.DEMO_LOGIN)
    return known is not None and known[0].has_totp and not known[0].is_disabled


def _browser() -> str:
    return sessions.browser_name(request.headers.get("User-Agent", ""))


def _target() -> str:
    return local_target(request.args.get("next"))


def _to(endpoint: str) -> ResponseReturnValue:
    target = _target()
    return redirect(url_for(endpoint, next=None if target == f"{CONSOLE}/" else target))
