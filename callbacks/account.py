"""One's own account: where one is signed in, and how to end that; another password, another sheet of recovery codes.

Part of the blueprint of `sign_in`, behind the guard. What makes an account safer or less safe asks for a proof again,
and ends all other sessions.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, session, url_for
from flask_babel import gettext
from sqlalchemy import Connection

from callbacks import passwords, sessions, staff, throttling
from callbacks.guarding import CONSOLE, Door, current_member, current_session, start_afresh
from callbacks.staff import Member

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue


def add_to(pages: Blueprint, door: Door) -> None:
    """Add the pages of one's account."""

    @pages.get("/account")
    def account() -> ResponseReturnValue:
        return _page(door)

    @pages.post("/account/sessions/revoke")
    def revoke() -> ResponseReturnValue:
        return _revoke(door, request.form.get("session", ""))

    @pages.post("/account/sessions/revoke-all")
    def revoke_all() -> ResponseReturnValue:
        door.database.write(partial(sessions.revoke_all, agent_id=current_member().id, now=door.clock()))
        return _out(door)

    @pages.post("/account/password")
    def change_password() -> ResponseReturnValue:
        return _change_password(door)

    @pages.post("/account/recovery-codes")
    def recovery_codes() -> ResponseReturnValue:
        return _new_recovery_codes(door)


def end_own(door: Door) -> None:
    """End the session of this request."""
    member, own = current_member(), current_session()
    door.database.write(partial(sessions.revoke, agent_id=member.id, session_id=own.id, now=door.clock()))


def new_password_problem(chosen: str, again: str, member: Member) -> str | None:
    """What is wrong with a password that somebody chose, in words for them; None where it will do."""
    if not passwords.is_good(chosen, member.login, member.name):
        advice = gettext(
            "Choose a longer password: at least %(fewest)s characters, for example four words, and not your name.",
            fewest=passwords.FEWEST_CHARACTERS,
        )
        return str(advice)
    return str(gettext("The two passwords are not the same.")) if chosen != again else None


def use_code(connection: Connection, agent_id: int, typed: str, now: datetime) -> bool:
    """Use up the code of the app, or a recovery code; False where it is neither, or was used before."""
    known = staff.proofs(connection, agent_id)
    if known.totp_secret is None:
        return False
    step = passwords.totp_step(known.totp_secret, typed, now, after=known.totp_step)
    if step is not None:
        return staff.use_totp_step(connection, agent_id, step)
    return staff.use_recovery_code(connection, agent_id, passwords.hash_code(typed))


def _page(door: Door, *, error: str | None = None, about: str = "") -> str:
    member = current_member()
    found = door.database.read(partial(sessions.list_sessions, agent_id=member.id, now=door.clock()))
    left = len(door.database.read(partial(staff.proofs, agent_id=member.id)).recovery_codes)
    return render_template(
        "account.html",
        sessions=found,
        own=current_session(),
        codes_left=left,
        fewest=passwords.FEWEST_CHARACTERS,
        **{f"{about}_error": error} if about else {},
    )


def _revoke(door: Door, session_id: str) -> ResponseReturnValue:
    member = current_member()
    door.database.write(partial(sessions.revoke, agent_id=member.id, session_id=session_id, now=door.clock()))
    if session_id == current_session().id:
        return _out(door)
    flash(gettext("That session has ended."))
    return redirect(url_for("sign_in.account"))


def _out(door: Door) -> Response:
    start_afresh()
    session.pop("locale", None)  # as in signing out
    return door.take_back(make_response(redirect(url_for("sign_in.page"))))


def _change_password(door: Door) -> ResponseReturnValue:
    member, now = current_member(), door.clock()
    if not _may_try(door, member, now):
        return _page(door, error=_later(), about="password"), 429
    stored = door.database.read(partial(staff.proofs, agent_id=member.id)).password_hash
    if not door.passwords.is_right(request.form.get("current", ""), stored, now):
        return _page(door, error=gettext("That is not your current password."), about="password"), 401
    chosen = request.form.get("password", "")
    error = new_password_problem(chosen, request.form.get("again", ""), member)
    if error is not None:
        return _page(door, error=error, about="password"), 422
    token = door.database.write(
        partial(_replace_password, member=member, hashed=door.passwords.hash(chosen), now=now, own=current_session())
    )
    start_afresh()
    flash(gettext("Your password is changed. You are signed out everywhere else."))
    return door.give(make_response(redirect(url_for("sign_in.account"))), token)


def _replace_password(
    connection: Connection, *, member: Member, hashed: str, now: datetime, own: sessions.SignedIn
) -> str:
    staff.set_password(connection, member.id, hashed)
    return _renew(connection, member, own, now)


def _renew(connection: Connection, member: Member, own: sessions.SignedIn, now: datetime) -> str:
    """End all sessions, and go on in this browser with a new token."""
    sessions.revoke_all(connection, member.id, now)
    return sessions.open_session(connection, member.id, now, own.browser, has_second_factor=True)


def _new_recovery_codes(door: Door) -> ResponseReturnValue:
    member, now = current_member(), door.clock()
    if not _may_try(door, member, now):
        return _page(door, error=_later(), about="codes"), 429
    codes = passwords.new_recovery_codes()
    hashes = tuple(passwords.hash_code(code) for code in codes)
    typed = request.form.get("code", "")
    token = door.database.write(
        partial(_replace_codes, member=member, typed=typed, hashes=hashes, now=now, own=current_session())
    )
    if token is None:
        return _page(door, error=gettext("That code is not right, or was used before."), about="codes"), 401
    start_afresh()
    shown = render_template("sign_in_recovery.html", codes=codes, target=f"{CONSOLE}/")
    return door.give(make_response(shown), token)


def _replace_codes(
    connection: Connection,
    *,
    member: Member,
    typed: str,
    hashes: tuple[str, ...],
    now: datetime,
    own: sessions.SignedIn,
) -> str | None:
    if not use_code(connection, member.id, typed, now):
        return None
    staff.set_recovery_codes(connection, member.id, hashes)
    return _renew(connection, member, own, now)


def _may_try(door: Door, member: Member, now: datetime) -> bool:
    """Whoever found an open console must not guess on in it."""
    limit = throttling.limit(door.secret_key, "proof", str(member.id), 5, sessions.NOTED_EVERY)
    return door.database.write(partial(throttling.take_try, limits=(limit,), now=now)) is None


def _later() -> str:
    return str(gettext("Too many tries. Wait a minute, and try again."))
