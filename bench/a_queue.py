"""A queue of any length for the benchmarks: open requests of all urgencies, over six weeks, some of them claimed."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, text

from callbacks import staff
from callbacks.db import Database
from callbacks.lifecycle import Urgency, due_at
from callbacks.office_hours import OfficeHours, Opening
from callbacks.service import callbacks
from callbacks.staff import Member, Newcomer
from tests.servers import PrivatePostgres

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
OFFICE = OfficeHours({day: Opening(time(9), time(17)) for day in range(5)})
DATABASES = ("sqlite", "postgresql")
_WEEKS = 6
_BATCH = 1000


@contextmanager
def database_of(kind: str) -> Iterator[tuple[Database, str]]:
    """An empty database of this kind with all tables, and its URL; gone afterwards."""
    if kind == "postgresql":
        with PrivatePostgres() as postgres:
            yield from _opened(postgres.create_database())
    else:
        with tempfile.TemporaryDirectory(prefix="zorglijn-bench-") as home:
            yield from _opened(f"sqlite:///{Path(home) / 'queue.sqlite3'}")


def _opened(url: str) -> Iterator[tuple[Database, str]]:
    database = Database(url, wait_seconds=30)
    database.migrate()
    try:
        yield database, url
    finally:
        database.close()


def join(database: Database, number: int) -> Member:
    """An agent who speaks what the line speaks."""
    newcomer = Newcomer(f"agent{number}", f"Agent {number}")
    return database.write(lambda connection: staff.add(connection, newcomer, "-", NOW))


def fill(database: Database, length: int, *, seed: int = 1) -> None:
    """Put so many open requests into the queue; the same ones for the same seed."""
    rng = random.Random(seed)
    rows = [_request(rng, number) for number in range(length)]
    for start in range(0, length, _BATCH):
        database.write(lambda connection, start=start: _insert(connection, rows[start : start + _BATCH]))  # type: ignore[misc]
    database.write(_count_rows)


def _count_rows(connection: Connection) -> None:
    """What PostgreSQL does by itself some time after a table has grown; SQLite never does."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("ANALYZE"))


def _insert(connection: Connection, rows: list[dict[str, Any]]) -> None:
    connection.execute(insert(callbacks), rows)


def _request(rng: random.Random, number: int) -> dict[str, Any]:
    urgency = rng.choices(list(Urgency), [1, 15, 40, 30, 14])[0]
    asked_at = NOW - timedelta(seconds=rng.randrange(1, int(timedelta(weeks=_WEEKS).total_seconds())))
    language, wanted = rng.choice(["nl", "en"]), rng.choice(["nl", "en", "ar", "ti", None])
    return {
        "public_id": f"bench{number:09}",
        "reference": f"{number:06}",
        "status": "queued",
        "urgency": int(urgency),
        "outcome": rng.choice(["likely_intake", "today_open", "bill", "teeth"]),
        "language": language,
        "callback_language": wanted,
        "phone": f"+3161{number:07}",
        "answers": {"need": "doctor"},
        "flags": rng.choice([[], [], ["bleeding"]]),
        "requested_at": asked_at,
        "due_at": due_at(urgency, asked_at, OFFICE),
        "need": rng.choice(["doctor", "medicine", "bill", "teeth"]),
        "who": rng.choice(["child", "adult"]),
        "part_of_day": rng.choice(["morning", "afternoon", "any", None]),
    }
