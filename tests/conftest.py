"""Fixtures that every room's tests share: real databases and running servers, never left behind.

A test that takes `database_url` runs on SQLite and on PostgreSQL. What needs a server or a browser is marked
so here, by the fixtures a test takes, and `make quick` leaves it out.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import hypothesis
import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.servers import PrivatePostgres, RunningServer, ServerError, chromium

MARKS = {
    "server": {"postgres_server", "postgres_url", "stoppable_postgres", "start_server"},
    "browser": {"browser"},
}
LONGEST_VISIT = 240  # seconds; a page may be slow where other tests use both cores, and a test waits for many pages

# Two cores shared with browsers and servers: a slow example is no finding, a changing choice of examples is a nuisance.
hypothesis.settings.register_profile("zorglijn", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("zorglijn")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test that takes a server or a browser."""
    for item in items:
        for mark, fixtures in MARKS.items():
            if fixtures.intersection(getattr(item, "fixturenames", ())):
                item.add_marker(mark)
        if item.get_closest_marker("browser") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(LONGEST_VISIT))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PrivatePostgres]:
    """One PostgreSQL server for the whole run (one per worker under xdist): leave it running."""
    with PrivatePostgres() as server:
        yield server


@pytest.fixture
def stoppable_postgres() -> Iterator[PrivatePostgres]:
    """Start a PostgreSQL server of the test's own, which it may stop and start (0.7 s)."""
    with PrivatePostgres() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: PrivatePostgres) -> Iterator[str]:
    """Give the URL of a fresh, empty PostgreSQL database."""
    url = postgres_server.create_database()
    yield url
    postgres_server.drop_database(url)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of a fresh, empty database: the test runs once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'zorglijn.sqlite3'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def start_server() -> Iterator[Callable[[Mapping[str, str]], RunningServer]]:
    """Start the line with this environment, on a free port; it is stopped after the test."""
    with ExitStack() as running:
        yield lambda env: running.enter_context(RunningServer(env))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start a browser for the whole run; a test makes contexts of its own and closes them."""
    program = chromium()
    if program is None:
        raise ServerError("Chromium is not installed: `make test` installs it, or run `apt-get install chromium`")
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=sandbox)
        yield browser
        browser.close()
