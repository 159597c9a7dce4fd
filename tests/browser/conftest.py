"""A line in a rehearsal and a visitor with its phone open, for every test in the browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.visitor import PATIENCE, Visitor, rehearsal, visit
from tests.servers import RunningServer

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """One line for all visitors of this file; each calls from a number of its own."""
    with RunningServer(rehearsal(tmp_path_factory.mktemp("line") / "line.sqlite3")) as running:
        yield running


@pytest.fixture
def visitor(browser: Browser, server: RunningServer) -> Iterator[Visitor]:
    """A visitor with the page open, who must not meet any fault."""
    with visit(browser, server.url) as someone:
        yield someone.opens()
        assert someone.faults == []
