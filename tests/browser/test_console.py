"""The console in a real browser: a request is claimed, wrapped up and taken back; anybody can use the pages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from callbacks.db import Database
from tests.browser.visitor import rehearsal
from tests.callbacks import people
from tests.ivr.line import Line, settings_for
from tests.servers import RunningServer


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A queue with two requests: an ordinary one, and one with words of danger and no number."""
    url = f"sqlite:///{tmp_path_factory.mktemp('line') / 'line.sqlite3'}"
    line = Line(settings_for(url))
    line.dial().presses(*"113133422111131")
    line.dial("anonymous").presses("2").says("my child cannot breathe").presses("0", "1").hangs_up()
    line.close()
    return url


@pytest.fixture(scope="module")
def server(database: str) -> Iterator[RunningServer]:
    """A running line on that queue."""
    with RunningServer(rehearsal(Path(database.removeprefix("sqlite:///")))) as running:
        yield running


def desk(browser: Browser, server: RunningServer, database: str, login: str, **context: object) -> BrowserContext:
    """The browser of somebody who has signed in."""
    opened = browser.new_context(base_url=server.url, bypass_csp=True, **context)  # type: ignore[arg-type]
    store = Database(database)
    token = people.signed_in_token(store, login, datetime.now(UTC))
    store.close()
    secure = server.url.replace("http:", "https:")  # else the name is refused, though the browser itself keeps it here
    opened.add_cookies([{"name": "__Host-zorglijn", "value": token, "url": secure, "secure": True}])
    return opened


def presses(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).first.click()


def test_anna_claims_wraps_up_and_takes_it_back(browser: Browser, server: RunningServer, database: str) -> None:
    with desk(browser, server, database, "anna") as context:
        page = context.new_page()
        page.goto("/console/")
        expect(page.get_by_role("heading", name="Queue")).to_be_visible()
        page.get_by_role("link", name="P3").click()
        presses(page, "Claim")
        expect(page.get_by_text("Anna has it")).to_be_visible()
        page.get_by_label("How did it end?").select_option(label="Information given")
        page.get_by_role("textbox", name="Note", exact=True).fill("Knows where to go.")
        presses(page, "Wrap up")
        expect(page.get_by_text("You can take this back for one minute.")).to_be_visible()
        presses(page, "Undo")
        expect(page.get_by_text("the request is yours again")).to_be_visible()
        presses(page, "Release")
        expect(page.get_by_text("back in the queue")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("login", ["anna", "bram"])  # English, Dutch
def test_anybody_can_use_the_pages(
    browser: Browser, server: RunningServer, database: str, login: str, scheme: Literal["light", "dark"]
) -> None:
    """Axe finds nothing, and nothing is wider than the narrowest screen."""
    screen = {"width": 320, "height": 640}
    with desk(browser, server, database, login, color_scheme=scheme, viewport=screen) as context:
        page = context.new_page()
        page.goto("/console/")
        request = page.locator("ol.list a").first.get_attribute("href") or ""
        for address in ("/console/", "/console/?urgency=P0", request, "/console/requests/nobody"):
            page.goto(address)
            found = Axe().run(page)
            assert found.violations_count == 0, found.generate_report()
            assert page.evaluate("document.documentElement.scrollWidth") <= 320
