"""A line in a rehearsal and a visitor with its phone open, for every test in the browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.agents import House
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


@pytest.fixture
def house(browser: Browser, tmp_path: Path) -> Iterator[House]:
    """A house with an empty queue; nothing in it may make a browser complain."""
    path = tmp_path / "line.sqlite3"
    with RunningServer(rehearsal(path)) as server:
        made = House(f"sqlite:///{path}", server, browser)
        yield made
        assert made.faults == []
