"""What happened to a callback: one event a change, with who and when. Only ever added to."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, Table, insert

from callbacks.models import Event

events: Table = Event.__table__  # type: ignore[assignment]  # declared as FromClause; a mapped class has a Table


def record(
    connection: Connection, callback_id: int, agent_id: int | None, now: datetime, what: str, **details: object
) -> None:
    """Write down what happened to a callback; without an agent, the line itself did it."""
    # PostgreSQL keeps a NUL in JSON, and then fails whoever looks for a word in it: a note would end every search.
    kept = {name: told.replace("\0", "") if isinstance(told, str) else told for name, told in details.items()}
    values = {"callback_id": callback_id, "agent_id": agent_id, "at": now, "what": what, "details": kept}
    connection.execute(insert(events), values)
