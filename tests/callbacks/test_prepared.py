"""Prepared statements say, give and refuse what SQLAlchemy's own way says, gives and refuses, on every database."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import Connection, bindparam, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, ProgrammingError

from callbacks.call_log import calls
from callbacks.channels import is_outage
from callbacks.db import Database
from callbacks.errors import DatabaseUnavailable
from callbacks.prepared import Prepared

# A moment as somebody in Amsterdam would write it down.
AT = datetime(2026, 7, 1, 12, 0, 0, 123, tzinfo=timezone(timedelta(hours=2)))
COLUMNS = ("sid", "caller_number", "started_at")
ADD = Prepared(insert(calls), columns=COLUMNS)
WANTED = select(calls.c.sid, calls.c.started_at, calls.c.ended_at).where(calls.c.sid == bindparam("sid")).limit(1)
FIND = Prepared(WANTED)


def values(sid: str, at: datetime = AT) -> dict[str, Any]:
    return {"sid": sid, "caller_number": "+31612345678", "started_at": at}


def test_what_is_stored_and_found_is_what_the_core_stores_and_finds(database: Database) -> None:
    def unit(connection: Connection) -> None:
        ADD.do(connection, values("CA1"))
        connection.execute(insert(calls), values("CA2"))
        for sid in ("CA1", "CA2"):
            row = connection.execute(WANTED, {"sid": sid}).one()
            assert FIND.first(connection, {"sid": sid}) == list(row) == [sid, AT, None]
            assert row.started_at.tzinfo is UTC
        assert FIND.first(connection, {"sid": "CA3"}) is None

    database.write(unit)


def test_a_moment_without_a_zone_is_refused(database: Database) -> None:
    with pytest.raises(ValueError, match="without a time zone"):
        database.write(lambda connection: ADD.do(connection, values("CA1", datetime(2026, 7, 1))))  # noqa: DTZ001


def test_a_row_that_is_there_is_an_integrity_error_that_tells_no_values(database: Database) -> None:
    database.write(lambda connection: ADD.do(connection, values("CA1")))
    with pytest.raises(IntegrityError) as raised:
        database.write(lambda connection: ADD.do(connection, values("CA1")))
    assert "+31612345678" not in str(raised.value)
    assert not is_outage(raised.value)
    assert database.write(lambda connection: FIND.first(connection, {"sid": "CA1"})) is not None


def test_a_table_that_is_gone_is_an_error_of_the_same_kind(database: Database) -> None:
    database.write(lambda connection: connection.execute(text("ALTER TABLE calls RENAME TO lost")))
    with pytest.raises((OperationalError, ProgrammingError, DatabaseUnavailable)) as ours:
        database.write(lambda connection: FIND.first(connection, {"sid": "CA1"}))
    with pytest.raises((OperationalError, ProgrammingError, DatabaseUnavailable)) as theirs:
        database.write(lambda connection: connection.execute(WANTED, {"sid": "CA1"}))
    assert type(ours.value) is type(theirs.value)


def test_a_lost_connection_is_not_noticed_by_the_unit(postgres_url: str) -> None:
    """The server ended the session between two units: the unit runs again on a fresh connection."""
    database = Database(postgres_url)
    database.migrate()
    session = database.write(lambda connection: connection.scalar(text("SELECT pg_backend_pid()")))
    lost: list[bool] = []

    def unit(connection: Connection) -> None:
        if not lost:
            other = Database(postgres_url)
            other.read(lambda c: c.execute(text(f"SELECT pg_terminate_backend({session}, 2000)")))
            other.close()
        try:
            ADD.do(connection, values("CA1"))
        except DBAPIError as error:
            lost.append(error.connection_invalidated)
            raise

    database.write(unit)
    database.close()
    assert lost == [True]
