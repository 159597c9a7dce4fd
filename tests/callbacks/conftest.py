"""A migrated database, on SQLite with either journal and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from callbacks.db import Database
from tests.callbacks import storm


@pytest.fixture(params=["sqlite", "sqlite-rollback-journal", pytest.param("postgresql", marks=pytest.mark.server)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Give the URL of a fresh, empty database; in this room also as it is where SQLite's log cannot be trusted."""
    if request.param == "postgresql":
        yield request.getfixturevalue("postgres_url")
        return
    if request.param == "sqlite-rollback-journal":
        monkeypatch.setenv(storm.DISTRUST, "1")
        storm.distrust_the_log()
    yield f"sqlite:///{tmp_path / 'zorglijn.sqlite3'}"
    storm.trust_the_log()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An empty database with all its tables."""
    opened = Database(database_url)
    opened.migrate()
    yield opened
    opened.close()
