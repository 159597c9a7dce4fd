"""The team: who may sign in, as what, in which languages, and with which proofs.

All functions are parts of a unit of work on a connection of `db`. Passwords arrive here as hashes, because making one
takes a tenth of a second (`passwords`); sign-ins are in `sessions`. Nobody is ever deleted, because the story of a
callback names them: who leaves is disabled, and out at once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, Table, insert, select, update
from sqlalchemy.exc import IntegrityError

from callbacks import sessions
from callbacks.errors import LoginTaken, NoSuchAgent, NotAllowed
from callbacks.models import Agent

agents: Table = Agent.__table__  # type: ignore[assignment]  # declared as FromClause; a mapped class has a Table

LOCALES = ("nl", "en")
DEMO_LOGIN = "demo"  # the invented agent of a rehearsal; production lets nobody of this name in

_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@+-]{1,99}")
_LANGUAGE = re.compile(r"[a-z]{2,8}")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


class Role(StrEnum):
    """What somebody may do: a coordinator also exports, and sees what nobody could reach."""

    AGENT = "agent"
    COORDINATOR = "coordinator"


@dataclass(frozen=True)
class Member:
    """Somebody of the team, without any secret. `phone` (E.164) is where the line rings them."""

    id: int
    login: str
    name: str
    role: Role
    languages: tuple[str, ...]
    phone: str | None
    locale: str
    has_totp: bool
    is_disabled: bool

    @property
    def is_coordinator(self) -> bool:
        """Whether this is a coordinator."""
        return self.role is Role.COORDINATOR


@dataclass(frozen=True)
class Newcomer:
    """Who is to join; ValueError says in a sentence what cannot be."""

    login: str
    name: str
    role: Role = Role.AGENT
    languages: tuple[str, ...] = LOCALES
    phone: str | None = None
    locale: str = "nl"

    def __post_init__(self) -> None:
        if not _LOGIN.fullmatch(self.login):
            raise ValueError("a login has 2 to 100 of a-z, 0-9 and . _ @ + -, and begins with a letter or a digit")
        if not self.name.strip() or len(self.name) > 100 or not self.name.isprintable():  # noqa: PLR2004  the column
            raise ValueError("a name has 1 to 100 characters")
        if not self.languages or not all(_LANGUAGE.fullmatch(language) for language in self.languages):
            raise ValueError("languages are codes such as nl, en, ar, ti")
        if self.phone is not None and not _E164.fullmatch(self.phone):
            raise ValueError("a phone number is written with its country, such as +31612345678")
        if self.locale not in LOCALES:
            raise ValueError(f"the console speaks {' and '.join(LOCALES)}")


@dataclass(frozen=True)
class Proofs:
    """What an agent proves who they are with; never shown, never logged."""

    password_hash: str | None
    totp_secret: str | None
    totp_step: int
    recovery_codes: tuple[str, ...]

    def __repr__(self) -> str:
        return "Proofs(...)"


def plain_login(typed: str) -> str:
    """A login as it is stored."""
    return typed.strip().casefold()[:100]


def add(connection: Connection, newcomer: Newcomer, password_hash: str, now: datetime) -> Member:
    """Take somebody into the team with a one-time password; LoginTaken where the login is another's."""
    values = {
        "login": newcomer.login,
        "name": newcomer.name.strip(),
        "role": newcomer.role.value,
        "password_hash": password_hash,
        "recovery_codes": [],
        "languages": list(newcomer.languages),
        "phone": newcomer.phone,
        "locale": newcomer.locale,
        "created_at": now,
    }
    try:
        with connection.begin_nested():
            connection.execute(insert(agents).values(**values))
    except IntegrityError as error:
        raise LoginTaken(newcomer.login) from error
    return by_login(connection, newcomer.login)


def list_members(connection: Connection) -> list[Member]:
    """Everybody who is or was in the team, by login."""
    return [_member(row) for row in connection.execute(select(agents).order_by(agents.c.login))]


def by_login(connection: Connection, login: str) -> Member:
    """The member with this login, as it is stored; NoSuchAgent."""
    row = connection.execute(select(agents).where(agents.c.login == login)).first()
    if row is None:
        raise NoSuchAgent(login)
    return _member(row)


def by_id(connection: Connection, agent_id: int) -> Member:
    """The member with this id; NoSuchAgent."""
    return _member(_row(connection, agent_id))


def proofs(connection: Connection, agent_id: int) -> Proofs:
    """What this agent has to prove; NoSuchAgent."""
    return _proofs(_row(connection, agent_id))


def identify(connection: Connection, login: str) -> tuple[Member, Proofs] | None:
    """Who this login claims to be, and what they have to prove: one question, so that no answer takes longer."""
    row = connection.execute(select(agents).where(agents.c.login == login)).first()
    return None if row is None else (_member(row), _proofs(row))


def change(connection: Connection, changed: Newcomer) -> Member:
    """Store what is now true of somebody in the team; NoSuchAgent. Sessions go on, with the new role from now."""
    member = by_login(connection, changed.login)
    _change(
        connection,
        member.id,
        name=changed.name.strip(),
        role=changed.role.value,
        languages=list(changed.languages),
        phone=changed.phone,
        locale=changed.locale,
    )
    return by_id(connection, member.id)


def disable(connection: Connection, login: str, now: datetime) -> Member:
    """Let somebody in no more, and end all their sessions; NoSuchAgent."""
    member = by_login(connection, login)
    _change(connection, member.id, disabled_at=now)
    sessions.revoke_all(connection, member.id, now)
    return by_id(connection, member.id)


def reset(connection: Connection, login: str, password_hash: str, now: datetime) -> Member:
    """Begin anew with somebody who lost a password or a phone, or comes back: only the one-time password holds."""
    member = by_login(connection, login)
    _change(connection, member.id, password_hash=password_hash, totp_secret=None, totp_step=0, recovery_codes=[])
    _change(connection, member.id, disabled_at=None)
    sessions.revoke_all(connection, member.id, now)
    return by_id(connection, member.id)


def enrol(
    connection: Connection, agent_id: int, password_hash: str, secret: str, step: int, code_hashes: Sequence[str]
) -> None:
    """End the first sign-in: a password of one's own, the app's secret, recovery codes; NotAllowed if that was done."""
    enrolled = connection.execute(
        update(agents)
        .where(agents.c.id == agent_id, agents.c.totp_secret.is_(None))
        .values(password_hash=password_hash, totp_secret=secret, totp_step=step, recovery_codes=list(code_hashes))
    )
    if not enrolled.rowcount:
        raise NotAllowed("enrolled already")


def use_totp_step(connection: Connection, agent_id: int, step: int) -> bool:
    """Use up the code of this half minute and all before it; False where somebody else was first."""
    used = connection.execute(
        update(agents).where(agents.c.id == agent_id, agents.c.totp_step < step).values(totp_step=step)
    )
    return used.rowcount == 1


def use_recovery_code(connection: Connection, agent_id: int, code_hash: str) -> bool:
    """Use up a recovery code; False where it is none of this agent's, or was used before."""
    left = list(_row(connection, agent_id).recovery_codes)
    if code_hash not in left:
        return False
    left.remove(code_hash)
    _change(connection, agent_id, recovery_codes=left)
    return True


def set_password(connection: Connection, agent_id: int, password_hash: str) -> None:
    """Replace an agent's password."""
    _change(connection, agent_id, password_hash=password_hash)


def set_recovery_codes(connection: Connection, agent_id: int, code_hashes: Sequence[str]) -> None:
    """Replace an agent's sheet of recovery codes: those of before hold no more."""
    _change(connection, agent_id, recovery_codes=list(code_hashes))


def set_locale(connection: Connection, agent_id: int, locale: str) -> None:
    """Remember in which language an agent reads the console; ValueError for one that it does not speak."""
    if locale not in LOCALES:
        raise ValueError(locale)
    _change(connection, agent_id, locale=locale)


def _change(connection: Connection, agent_id: int, **values: object) -> None:
    connection.execute(update(agents).where(agents.c.id == agent_id).values(**values))


def _row(connection: Connection, agent_id: int) -> Row[Any]:
    row = connection.execute(select(agents).where(agents.c.id == agent_id)).first()
    if row is None:
        raise NoSuchAgent(str(agent_id))
    return row


def _proofs(row: Row[Any]) -> Proofs:
    return Proofs(row.password_hash, row.totp_secret, row.totp_step, tuple(row.recovery_codes))


def _member(row: Row[Any]) -> Member:
    return Member(
        id=row.id,
        login=row.login,
        name=row.name,
        role=Role(row.role),
        languages=tuple(row.languages),
        phone=row.phone,
        locale=row.locale,
        has_totp=row.totp_secret is not None,
        is_disabled=row.disabled_at is not None,
    )
