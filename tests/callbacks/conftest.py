"""A migrated database, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from callbacks.db import Database


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An empty database with all its tables."""
    opened = Database(database_url)
    opened.migrate()
    yield opened
    opened.close()
