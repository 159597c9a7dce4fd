"""Callbacks as plain records: for exports, for the list on a terminal, for rehearsals and tests.

`service` reads the rows a page at a time, so that a long queue never has to fit in memory or hold a transaction open.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from callbacks import call_log, service
from callbacks.db import Database
from callbacks.lifecycle import OPEN, Status, Urgency
from callbacks.queue_rows import status_at

PAGE = 500


def records(database: Database, *, only_open: bool = False) -> Iterator[dict[str, Any]]:
    """Every callback, oldest first, as a dictionary that JSON can hold; times in ISO 8601, UTC."""
    after = 0
    while page := database.read(lambda connection, after=after: _page(connection, after, only_open=only_open)):  # type: ignore[misc]
        yield from (record for _, record in page)
        after = page[-1][0]


def record_of_call(database: Database, call_sid: str) -> dict[str, Any] | None:
    """The callback that this call asked for, or None."""

    def find(connection: Connection) -> dict[str, Any] | None:
        row = service.callback_of_call(connection, call_sid)
        return None if row is None else _records(connection, [row])[0][1]

    return database.read(find)


def records_of(connection: Connection, ids: Sequence[int], now: datetime) -> list[dict[str, Any]]:
    """These callbacks in this order, as they are now, without the words of their calls; those gone are left out."""
    rows = {row.id: row for row in service.callbacks_with(connection, ids)}
    found = [rows[each] for each in ids if each in rows]
    heads = service.references(connection, [row.linked_to for row in found if row.linked_to is not None])
    return [_record(row, heads.get(row.linked_to)) | {"status": status_at(row, now).value} for row in found]


def _page(connection: Connection, after: int, *, only_open: bool) -> list[tuple[int, dict[str, Any]]]:
    statuses = sorted(OPEN) if only_open else list(Status)
    return _records(connection, service.list_callbacks(connection, statuses=statuses, after=after, limit=PAGE))


def _records(connection: Connection, rows: list[Row[Any]]) -> list[tuple[int, dict[str, Any]]]:
    steps: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for step in call_log.steps_of(connection, [row.call_id for row in rows if row.call_id is not None]):
        steps[step.call_id].append(_step(step))
    heads = service.references(connection, [row.linked_to for row in rows if row.linked_to is not None])
    return [(row.id, _record(row, heads.get(row.linked_to)) | {"steps": steps[row.call_id]}) for row in rows]


def _record(row: Row[Any], linked_to: str | None) -> dict[str, Any]:
    return {
        "reference": row.reference,
        "call_sid": row.call_sid,
        "status": row.status,
        "urgency": Urgency(row.urgency).name,
        "outcome": row.outcome,
        "language": row.language,
        "callback_language": row.answers.get("callback_language"),
        "phone": row.phone,
        "number_confirmed": row.is_confirmed,
        "safe_message": row.safe_message,
        "part_of_day": row.answers.get("part_of_day"),
        "region": row.answers.get("region"),
        "answers": row.answers,
        "flags": row.flags,
        "requested_at": _iso(row.requested_at),
        "due_at": _iso(row.due_at),
        "linked_to": linked_to,
        "repeats": row.repeats,
        "need": row.need,
        "who": row.who,
        "was_refused": row.was_refused,
        "attempts": row.attempts,
        "needs_coordinator": row.needs_coordinator,
        "disposition": row.disposition,
        "closed_at": None if row.closed_at is None else _iso(row.closed_at),
    }


def _step(row: Row[Any]) -> dict[str, Any]:
    return {
        "number": row.number,
        "at": _iso(row.at),
        "node": row.node,
        "heard": row.heard,
        "value": row.value,
        "mode": row.mode,
        "digits": row.digits,
        "utterance": row.utterance,
        "confidence": row.confidence,
        "says": json.loads(row.says),
    }


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")
