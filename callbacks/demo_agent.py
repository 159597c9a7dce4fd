"""The invented agent of a rehearsal, with a password and a secret that all can read: so that trying it needs no manual.

`zorglijn serve` makes it, in a rehearsal only; `sign_in` shows there how to come in as this agent, and `guarding` lets
nobody of this name in anywhere else.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from callbacks import passwords, staff
from callbacks.db import Database
from callbacks.errors import LoginTaken
from callbacks.passwords import Passwords
from callbacks.staff import DEMO_LOGIN, Newcomer, Role

DEMO_PASSWORD = "rehearsal with tea"  # noqa: S105  shown on the page
DEMO_SECRET = passwords.totp_secret(b"a rehearsal, no real key")
PHONE = "+31612340000"  # rings in the browser only


def ensure(database: Database, hasher: Passwords, now: datetime) -> None:
    """Have the invented agent, unless there is one already, disabled or not."""
    everybody = database.read(staff.list_members)
    if any(member.login == DEMO_LOGIN for member in everybody):
        return
    hashed = hasher.hash(DEMO_PASSWORD)
    try:
        database.write(lambda connection: _add(connection, hashed, now))
    except LoginTaken:
        return  # another process was faster


def _add(connection: Connection, hashed: str, now: datetime) -> None:
    newcomer = Newcomer(
        login=DEMO_LOGIN, name="Demo", role=Role.COORDINATOR, languages=("nl", "en"), phone=PHONE, locale="en"
    )
    member = staff.add(connection, newcomer, hashed, now)
    staff.enrol(connection, member.id, hashed, DEMO_SECRET, 0, ())
