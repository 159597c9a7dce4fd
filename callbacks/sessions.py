"""Who is signed in: a row a browser, so that a sign-in can be seen and revoked, and a stolen database opens none.

The browser holds a random token, the row its hash. A sign-in has two halves: after the password it may only be
completed, within minutes; the second factor ends it and opens one with a new token. All functions are parts of a unit
of work on a connection of `db`; `sign_in` carries the token to and from the browser.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, and_, delete, insert, or_, select, update

from callbacks.models import Agent, Session

sessions: Table = Session.__table__  # type: ignore[assignment]  # declared as FromClause; a mapped class has a Table
agents: Table = Agent.__table__  # type: ignore[assignment]


IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=8)
HALF = timedelta(minutes=10)  # to fetch a phone and type its code
NOTED_EVERY = timedelta(minutes=1)  # a write for every page that is looked at would be one too many
KEPT = timedelta(days=30)  # an ended session is kept so long, to be looked at

# Which browser on what, in the words of whoever has to recognise it; the first that fits.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox|FxiOS", "Firefox"),
    ("Chrome|CriOS|Chromium", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone|iPad", "iOS"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux|X11", "Linux"),
)


@dataclass(frozen=True)
class SignedIn:
    """A session that holds now; `id` may be shown to its owner, the browser's token is not in it."""

    id: str
    agent_id: int
    created_at: datetime
    seen_at: datetime
    has_second_factor: bool
    browser: str


def token_hash(token: str) -> str:
    """What the database keeps of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def browser_name(user_agent: str) -> str:
    """A browser as its owner knows it: "Firefox, Windows"; nothing else of what it sends is kept."""
    found = [
        next((name for pattern, name in table if re.search(pattern, user_agent)), None)
        for table in (_BROWSERS, _SYSTEMS)
    ]
    return ", ".join(name for name in found if name)


def open_session(connection: Connection, agent_id: int, now: datetime, browser: str, *, has_second_factor: bool) -> str:
    """Begin a session and give its token (256 bits), which exists nowhere but in the answer to the browser."""
    token = secrets.token_urlsafe(32)
    connection.execute(
        delete(sessions).where(sessions.c.agent_id == agent_id, sessions.c.created_at < now - ABSOLUTE - KEPT)
    )
    connection.execute(
        insert(sessions).values(
            id=token_hash(token),
            agent_id=agent_id,
            created_at=now,
            seen_at=now,
            has_second_factor=has_second_factor,
            browser=browser[:100],
        )
    )
    return token


def find(connection: Connection, token: str, now: datetime) -> SignedIn | None:
    """The session of this token, half or whole; None where it ended, was revoked, or its agent is disabled."""
    query = (
        select(sessions)
        .join(agents, agents.c.id == sessions.c.agent_id)
        .where(sessions.c.id == token_hash(token), agents.c.disabled_at.is_(None), _holds(now))
    )
    row = connection.execute(query).first()
    return None if row is None else _signed_in(row)


def note_seen(connection: Connection, session_id: str, now: datetime) -> None:
    """The agent did something: the half hour begins anew. A session that was revoked meanwhile stays revoked."""
    connection.execute(update(sessions).where(sessions.c.id == session_id, _holds(now)).values(seen_at=now))


def list_sessions(connection: Connection, agent_id: int, now: datetime) -> list[SignedIn]:
    """Where this agent is signed in, the one used last first."""
    query = (
        select(sessions)
        .where(sessions.c.agent_id == agent_id, sessions.c.has_second_factor, _holds(now))
        .order_by(sessions.c.seen_at.desc(), sessions.c.id)
    )
    return [_signed_in(row) for row in connection.execute(query)]


def revoke(connection: Connection, agent_id: int, session_id: str, now: datetime) -> bool:
    """End one session of this agent, and of nobody else; whether there was one to end."""
    ended = connection.execute(
        update(sessions)
        .where(sessions.c.id == session_id, sessions.c.agent_id == agent_id, sessions.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    return ended.rowcount == 1


def revoke_all(connection: Connection, agent_id: int, now: datetime, *, apart_from: str = "") -> int:
    """End every session of this agent, but for the one with this id; how many there were."""
    ended = connection.execute(
        update(sessions)
        .where(sessions.c.agent_id == agent_id, sessions.c.revoked_at.is_(None), sessions.c.id != apart_from)
        .values(revoked_at=now)
    )
    return ended.rowcount


def _holds(now: datetime) -> ColumnElement[bool]:
    whole = and_(sessions.c.has_second_factor, sessions.c.created_at > now - ABSOLUTE, sessions.c.seen_at > now - IDLE)
    half = and_(sessions.c.has_second_factor.is_(False), sessions.c.created_at > now - HALF)
    return and_(sessions.c.revoked_at.is_(None), or_(whole, half))


def _signed_in(row: Row[Any]) -> SignedIn:
    return SignedIn(row.id, row.agent_id, row.created_at, row.seen_at, row.has_second_factor, row.browser)
