"""The access log: who looked at which callback when, never what it holds. Written in the transaction that reads."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, Table, insert

from callbacks.models import Access
from callbacks.staff import Member

accesses: Table = Access.__table__  # type: ignore[assignment]  # declared as FromClause; a mapped class has a Table


def note(
    connection: Connection,
    member: Member,
    action: str,
    now: datetime,
    callback_id: int | None = None,
    count: int | None = None,
) -> None:
    """Keep that this member looked: `action` is such as "view", "search" or "export", `count` how many it showed."""
    values = {"at": now, "agent_id": member.id, "action": action, "callback_id": callback_id, "count": count}
    connection.execute(insert(accesses), values)
